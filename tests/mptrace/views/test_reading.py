"""A selection has what belongs to the chosen connections and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mptrace.views.reading import Selection

Many = Callable[[int], Any]


def test_a_selection_keeps_what_belongs_to_it(many: Many) -> None:
    whole = many(6)
    chosen = Selection(whole, [3, 5])
    assert [connection.index for connection in chosen.connection_list] == [3, 5]
    assert [finding.connection for finding in chosen.findings] == [3]
    assert chosen.capture == whole.capture
    assert chosen.plain_tcp_streams == whole.plain_tcp_streams
    for frame in (chosen.packets, chosen.mappings, chosen.subflows, chosen.connections):
        assert list(frame["mptcp.stream"]) == [3, 5]


@pytest.mark.parametrize(
    ("number", "have"),
    [(0, "no connection"), (1, "only connection 0"), (4, "connections 0 to 3")],
)
def test_an_absent_connection_is_named(many: Many, number: int, have: str) -> None:
    with pytest.raises(LookupError, match=f"there is no connection 9: the capture has {have}"):
        Selection(many(number), [9])
