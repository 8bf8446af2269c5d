"""Which packet acknowledged what first: cumulative ACKs of subflows and DATA_ACKs alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import group_and_frame
from mptrace.analysis.arrays.segmented import is_group_start

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Numbers

NEVER = np.int64(1) << 40
"""In place of a frame number: nothing in the capture acknowledged it."""


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """The acknowledgements that advanced, per group, in capture order; every column is (n,).

    A group is a way of a subflow or a data sequence space; ``place`` (on the flat axis of that
    kind) ascends within a group and from group to group.
    """

    group: Numbers
    place: I64
    frame: Numbers
    time_ns: I64

    @classmethod
    def from_columns(
        cls, group: Numbers, place: I64, frame: Numbers, time_ns: I64
    ) -> Acknowledgements:
        """Keep what advanced. The columns are sorted by group, then frame."""
        # places of a later group are all higher, so one running maximum serves all groups
        running = np.maximum.accumulate(place) if place.size else place
        advanced = is_group_start(group)
        advanced[1:] |= running[1:] > running[:-1]
        rows = np.flatnonzero(advanced)
        return cls(
            group.take(rows).astype(np.int32),
            running.take(rows),
            frame.take(rows).astype(np.int32),
            time_ns.take(rows),
        )

    @property
    def before(self) -> I64:
        """(n,): the place acknowledged before; the group's first one repeats ``place``."""
        before = np.empty_like(self.place)
        before[1:] = self.place[:-1]
        starts = is_group_start(self.group)
        before[starts] = self.place[starts]
        return before

    def first_covering(self, group: Numbers, place_end: I64) -> I64:
        """Row of the first acknowledgement that covers all below ``place_end``; -1: none."""
        row = np.searchsorted(self.place, place_end, side="left")
        return self._checked(row, group)

    def frame_covering(self, group: Numbers, place_end: I64) -> I64:
        """Frame number of `first_covering`; NEVER where there is none."""
        row = self.first_covering(group, place_end)
        if not self.frame.size:
            return np.full(row.size, NEVER)
        return np.where(row >= 0, self.frame[row], NEVER)

    def latest_before(self, group: Numbers, frame: Numbers) -> I64:
        """Row of the last advance at or before ``frame`` in the group; -1: none."""
        key = group_and_frame(self.group, self.frame)
        row = np.searchsorted(key, group_and_frame(group, frame), side="right") - 1
        return self._checked(row, group)

    def octets_covered(self, group: Numbers, start: I64, end: I64) -> I64:
        """How many octets of [start, end) the capture's last acknowledgement covers."""
        if not self.place.size or not group.size:
            return np.zeros(group.size, np.int64)
        final = np.full(max(int(group.max()), int(self.group[-1])) + 1, np.iinfo(np.int64).min)
        final[self.group] = self.place  # the last row of each group is written last
        covered = final.take(group)
        octets: I64 = np.clip(covered, start, end) - start
        return octets

    def place_before(self, group: Numbers, frame: Numbers, nothing: I64) -> I64:
        """The place acknowledged when ``frame`` was captured; ``nothing`` where none was."""
        row = self.latest_before(group, frame)
        if not self.place.size:
            return nothing
        return np.where(row >= 0, self.place.take(row), nothing)

    def _checked(self, row: Numbers, group: Numbers) -> I64:
        if not self.group.size:
            return np.full(row.size, -1)
        inside = np.clip(row, 0, self.group.size - 1)
        return np.where((row == inside) & (self.group.take(inside) == group), inside, -1)
