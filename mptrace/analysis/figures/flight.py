"""Data flight, subflow flight and the receive window (docs/definitions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import capture_order
from mptrace.analysis.arrays.segmented import group_starts

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Numbers
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace


@dataclass(slots=True)
class Flight:
    """What was sent and not yet acknowledged, at each packet that sent; every column is (n,)."""

    group: Numbers
    """Data sequence space or way."""
    row: Numbers
    sent_end: I64
    """Highest place sent so far."""
    acked: I64
    """Highest place acknowledged so far."""

    @property
    def octets(self) -> I64:
        """The flight."""
        result: I64 = np.maximum(self.sent_end - self.acked, 0)
        return result

    def largest(self, groups: int) -> I64:
        """The largest flight of each group; 0 where nothing was sent."""
        result = np.zeros(groups, np.int64)
        starts = group_starts(self.group)
        if starts.size:
            result[self.group[starts]] = np.maximum.reduceat(self.octets, starts)
        return result


def flight_of(
    group: Numbers,
    row: Numbers,
    end: I64,
    subflows: SubflowSpace,
    acks: Acknowledgements,
    floor: I64,
) -> Flight:
    """Flight at every packet that sent something.

    ``group``, ``row`` and ``end`` are (n,), the place after the last octet that the packet in
    ``row`` sent. ``floor`` is (groups,): acknowledged where the capture shows none yet.
    """
    frame = subflows.segments.frame_number.take(row)
    order = capture_order(group, frame)
    group, row, end, frame = group.take(order), row.take(order), end.take(order), frame.take(order)
    # places of a later group are all higher, so one running maximum serves all groups
    sent_end = np.maximum.accumulate(end) if end.size else end
    return Flight(group, row, sent_end, acks.place_before(group, frame, floor.take(group)))
