"""Handovers: first copies that move from one subflow to another (docs/definitions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mptrace.analysis.arrays.ordering import capture_order, group_and_frame
from mptrace.analysis.data_sequence.copies import Copies, CopyClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.columns.tables import I64, Numbers
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.stalls import StallColumns


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """One handover of a space: its last first copy on the old way, its first on the new one."""

    space: int
    from_row: int
    to_row: int
    cause: Literal["stall", "subflow_end"]


@dataclass(slots=True)
class FirstCopies:
    """Segments with first copies, sorted by space, then frame; every column is (n,)."""

    space: Numbers
    frame: Numbers
    row: Numbers
    way: Numbers
    starts: I64
    """(spaces + 1,): rows of space s are starts[s]:starts[s + 1]."""

    @classmethod
    def of(cls, copies: Copies, spaces: int) -> FirstCopies:
        """The first copies of all spaces."""
        first = np.flatnonzero(copies.kind == CopyClass.FIRST)
        first = first[capture_order(copies.space[first], copies.frame[first])]
        space = copies.space[first]
        return cls(
            space,
            copies.frame[first],
            copies.row[first],
            copies.way[first],
            np.searchsorted(space, np.arange(spaces + 1)),
        )

    def between(self, space: int, after: int, until: int) -> slice:
        """Rows of a space whose frame is above ``after`` and not above ``until``."""
        return slice(self._at(space, after, "right"), self._at(space, until, "right"))

    def last_until(self, space: int, frame: int) -> int:
        """Index of the last one at or before ``frame``; -1: none."""
        index = self._at(space, frame, "right") - 1
        return index if index >= self.starts[space] else -1

    def first_from(self, space: int, frame: int) -> int:
        """Index of the first one at or after ``frame``; -1: none."""
        index = self._at(space, frame, "left")
        return index if index < self.starts[space + 1] else -1

    def _at(self, space: int, frame: int, side: Literal["left", "right"]) -> int:
        low, high = self.starts[space : space + 2].tolist()
        frames = self.frame[low:high]
        # a number of the column's own type, or the column would be converted each time
        return int(low + frames.searchsorted(frames.dtype.type(frame), side=side))


def find_handovers(
    plane: DataPlane, first: FirstCopies, stalls: StallColumns, subflow_ends: I64
) -> list[HandoverRow]:
    """Every handover, in order of space and capture.

    ``subflow_ends`` is (subflows,), the frame of the first FIN or RST; -1 where there is none.
    """
    found: dict[tuple[int, int], HandoverRow] = {}
    for space, start, end in zip(
        stalls.space.tolist(), stalls.start_frame.tolist(), stalls.end_frame.tolist(), strict=True
    ):
        _add(found, first, space, first.last_until(space, start), end, "stall")
    for space, before in _carrying_at_the_end(plane, first, subflow_ends):
        _add(found, first, space, before, int(first.frame[before]) + 1, "subflow_end")
    return sorted(found.values(), key=lambda h: (h.space, h.from_row))


def _carrying_at_the_end(
    plane: DataPlane, first: FirstCopies, subflow_ends: I64
) -> Iterator[tuple[int, int]]:
    """Spaces with the last first copy before a subflow's end, if it was the subflow's own.

    Only where more first copies follow: nearly every subflow ends, few in the middle of data.
    """
    way = np.flatnonzero(np.repeat(subflow_ends, 2) >= 0)
    space = plane.space_of_way[way]
    key = group_and_frame(first.space, first.frame)
    ends = group_and_frame(space, subflow_ends[way >> 1])
    before = np.searchsorted(key, ends, side="right") - 1
    inside = (before >= first.starts[space]) & (before + 1 < first.starts[space + 1])
    way, space, before = way[inside], space[inside], before[inside]
    own = first.way[before] == way
    yield from zip(space[own].tolist(), before[own].tolist(), strict=True)


def _add(
    found: dict[tuple[int, int], HandoverRow],
    first: FirstCopies,
    space: int,
    before: int,
    resumed_frame: int,
    cause: Literal["stall", "subflow_end"],
) -> None:
    """Take a handover down if who carries on is another, and the old way is done by then."""
    after = first.first_from(space, resumed_frame)
    if before < 0 or after < 0:
        return
    old, new = int(first.way[before]), int(first.way[after])
    between = first.way[before + 1 : after]
    if old == new or bool((between == old).any()):
        return
    # the new way may have carried first copies already while the stall lasted
    onto_new = before + 1 + int(np.argmax(first.way[before + 1 : after + 1] == new))
    key = (space, int(first.row[before]))
    found.setdefault(
        key, HandoverRow(space, int(first.row[before]), int(first.row[onto_new]), cause)
    )
