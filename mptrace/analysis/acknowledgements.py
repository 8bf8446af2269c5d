"""Which packet acknowledged what first: cumulative ACKs of subflows and DATA_ACKs alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.segmented import is_group_start

if TYPE_CHECKING:
    from mptrace.analysis.tables import I64

NEVER = np.int64(1) << 40
"""In place of a frame number: nothing in the capture acknowledged it."""

_FRAME_BITS = 32
_LAST_FRAME = (1 << _FRAME_BITS) - 1


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """The acknowledgements that advanced, per group, in capture order; every column is (n,).

    A group is a way of a subflow or a data sequence space; ``place`` (on the flat axis of that
    kind) ascends within a group and from group to group.
    """

    group: I64
    place: I64
    frame: I64
    time_ns: I64
    before: I64
    """The place that was acknowledged before; the group's first one repeats ``place``."""

    @classmethod
    def from_columns(cls, group: I64, place: I64, frame: I64, time_ns: I64) -> Acknowledgements:
        """Keep what advanced. The columns are sorted by group, then frame."""
        # places of a later group are all higher, so one running maximum serves all groups
        running = np.maximum.accumulate(place) if place.size else place
        starts = is_group_start(group)
        advanced = starts.copy()
        advanced[1:] |= running[1:] > running[:-1]
        rows = np.flatnonzero(advanced)
        before = np.empty(rows.size, np.int64)
        before[1:] = running[rows[1:] - 1]
        before[starts[rows]] = running[rows[starts[rows]]]
        return cls(group[rows], running[rows], frame[rows], time_ns[rows], before)

    def first_covering(self, group: I64, place_end: I64) -> I64:
        """Row of the first acknowledgement that covers all below ``place_end``; -1: none."""
        row = np.searchsorted(self.place, place_end, side="left")
        return self._checked(row, group)

    def frame_covering(self, group: I64, place_end: I64) -> I64:
        """Frame number of `first_covering`; NEVER where there is none."""
        row = self.first_covering(group, place_end)
        if not self.frame.size:
            return np.full(row.size, NEVER)
        return np.where(row >= 0, self.frame[row], NEVER)

    def latest_before(self, group: I64, frame: I64) -> I64:
        """Row of the last advance at or before ``frame`` in the group; -1: none."""
        key = (self.group << _FRAME_BITS) | self.frame
        row = np.searchsorted(key, (group << _FRAME_BITS) | frame, side="right") - 1
        return self._checked(row, group)

    def octets_covered(self, group: I64, start: I64, end: I64) -> I64:
        """How many octets of [start, end) the capture's last acknowledgement covers."""
        last = self.latest_before(group, np.full(group.size, _LAST_FRAME))
        if not self.place.size:
            return np.zeros(group.size, np.int64)
        covered: I64 = np.where(last >= 0, self.place[last], start)
        octets: I64 = np.clip(covered - start, 0, end - start)
        return octets

    def place_before(self, group: I64, frame: I64, nothing: I64) -> I64:
        """The place acknowledged when ``frame`` was captured; ``nothing`` where none was."""
        row = self.latest_before(group, frame)
        if not self.place.size:
            return nothing
        return np.where(row >= 0, self.place[row], nothing)

    def _checked(self, row: I64, group: I64) -> I64:
        if not self.group.size:
            return np.full(row.size, -1)
        inside = np.clip(row, 0, self.group.size - 1)
        return np.where((row == inside) & (self.group[inside] == group), inside, -1)
