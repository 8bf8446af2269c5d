"""Handovers: first copies that move from one subflow to another (docs/definitions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mptrace.analysis.copies import Copies, CopyClass
from mptrace.analysis.ordering import capture_order

if TYPE_CHECKING:
    from mptrace.analysis.data_plane import DataPlane
    from mptrace.analysis.stalls import StallColumns
    from mptrace.analysis.tables import Numbers


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

    @classmethod
    def of(cls, copies: Copies) -> FirstCopies:
        """The first copies of all spaces."""
        first = np.flatnonzero(copies.kind == CopyClass.FIRST)
        first = first[capture_order(copies.space[first], copies.frame[first])]
        return cls(copies.space[first], copies.frame[first], copies.row[first], copies.way[first])

    def _at(self, space: int, frame: int, side: Literal["left", "right"]) -> int:
        low, high = np.searchsorted(self.space, (space, space + 1))
        return int(low + np.searchsorted(self.frame[low:high], frame, side=side))

    def last_until(self, space: int, frame: int) -> int:
        """Index of the last one at or before ``frame``; -1: none."""
        index = self._at(space, frame, "right") - 1
        return index if index >= 0 and self.space[index] == space else -1

    def first_from(self, space: int, frame: int) -> int:
        """Index of the first one at or after ``frame``; -1: none."""
        index = self._at(space, frame, "left")
        return index if index < self.space.size and self.space[index] == space else -1


def find_handovers(
    plane: DataPlane, first: FirstCopies, stalls: StallColumns, subflow_ends: dict[int, int]
) -> list[HandoverRow]:
    """Every handover, in order of space and capture.

    ``subflow_ends`` gives the frame of the first FIN or RST of a subflow.
    """
    found: dict[tuple[int, int], HandoverRow] = {}
    for space, start, end in zip(
        stalls.space.tolist(), stalls.start_frame.tolist(), stalls.end_frame.tolist(), strict=True
    ):
        _add(found, first, space, first.last_until(space, start), end, "stall")
    spaces_of = plane.space_of_way
    for subflow, frame in subflow_ends.items():
        for way in (2 * subflow, 2 * subflow + 1):
            space = int(spaces_of[way])
            before = first.last_until(space, frame)
            if before >= 0 and int(first.way[before]) == way:
                _add(found, first, space, before, int(first.frame[before]) + 1, "subflow_end")
    return sorted(found.values(), key=lambda h: (h.space, h.from_row))


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
