"""A display filter: compiled once, applied to any capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.filter.binding import bind
from mptrace.analysis.filter.evaluation import evaluate
from mptrace.analysis.filter.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.filter.bound import BoundTest
    from mptrace.analysis.filter.field import Field
    from mptrace.analysis.filter.packet_columns import PacketColumns


class DisplayFilter:
    """A condition on packets in Wireshark's language (docs/filter.md).

    Raises FilterError, when made, where the text is not a filter. The empty text is a filter that
    every packet passes.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tree = parse(text)
        self._test: BoundTest | None = None
        self._fields: dict[str, Field] = {}
        if tree is not None:
            self._test, self._fields = bind(tree, text)

    def __repr__(self) -> str:
        return f"DisplayFilter({self.text!r})"

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields in it."""
        return tuple(self._fields)

    @property
    def needs_analysis(self) -> bool:
        """Whether one of the fields is known only once the capture is analyzed."""
        return any(field.from_analysis for field in self._fields.values())

    def mask(self, columns: PacketColumns, progress: Callable[[int], None] | None = None) -> Bool:
        """Which packets of the capture pass: (packets,), packet 1 first.

        ``progress`` is told the octets read, where the capture has to be read for it.
        """
        if self._test is None:
            return np.ones(columns.packets, np.bool_)
        columns.load(self._fields, progress)
        return evaluate(self._test, columns)

    def frame_numbers(
        self, columns: PacketColumns, progress: Callable[[int], None] | None = None
    ) -> I64:
        """The numbers of the packets that pass, ascending."""
        return np.flatnonzero(self.mask(columns, progress)) + 1
