"""Rows that have something in common with one packet, or with each other: where keys lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mptrace.views.browsing.packet_facts import PacketFacts

    RowsOf = Callable[[PacketFacts, int], NDArray[np.int64]]


def _of_connection(facts: PacketFacts, row: int) -> NDArray[np.int64]:
    index = facts.get(row, "mptcp.stream")
    return facts.rows_of_connection(-1 if index is None else index)


ROWS_ALIKE: Final[dict[str, RowsOf]] = {
    "of this subflow": lambda facts, row: facts.rows_of_subflow(row),
    "of this connection": _of_connection,
    "with a finding": lambda facts, _: facts.rows_with_findings,
    "that repeats data": lambda facts, _: facts.rows_with_copies,
}
"""By the words that say what there is no more of."""
