"""The reorder queue over time: order at the data level (docs/definitions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.timelines.slices import stretch
from mptrace.analysis.timelines.steps import Steps, level

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.timelines.direction import DirectionTimelines


@dataclass(frozen=True, slots=True)
class Late:
    """Packets with out-of-order first copies, in capture order; every column is (n,)."""

    time_ns: I64
    frame: I64
    subflow: I64
    octets: I64
    extent: I64
    """Octets missing below at that moment."""
    delay_ns: I64
    """Until all of those had been seen; -1 where the capture ends first."""


def late_packets(direction: DirectionTimelines) -> Late:
    """The rows of the out-of-order table that belong to this direction."""
    plane, table = direction.evidence.plane, direction.evidence.figures.out_of_order
    segments = plane.subflows.segments
    rows = stretch(table.space, direction.space)
    row, closing = table.row[rows], table.closing_frame[rows]
    time_ns = segments.time_ns[row]
    frames, times = _payload_times(direction)
    filled = closing >= 0
    delay = np.full(row.size, -1, np.int64)
    if filled.any():
        at = np.minimum(np.searchsorted(frames, closing[filled]), frames.size - 1)
        delay[filled] = times[at] - time_ns[filled]
    subflow_of_way = {way: index for index, way in enumerate(direction.ways)}
    return Late(
        direction.since_start(time_ns),
        table.frame[rows],
        np.array([subflow_of_way[way] for way in plane.subflows.way[row].tolist()], np.int64),
        table.octets[rows],
        table.extent[rows],
        delay,
    )


def _payload_times(direction: DirectionTimelines) -> tuple[I64, I64]:
    """Frames of this direction that carry payload, ascending, and their capture times."""
    segments = direction.evidence.plane.subflows.segments
    rows = np.concatenate([direction.payload_rows(way) for way in direction.ways])
    rows = rows[np.argsort(segments.frame_number[rows], kind="stable")]
    return segments.frame_number[rows].astype(np.int64), segments.time_ns[rows]


def reorder_queue(direction: DirectionTimelines) -> Steps:
    """Octets that wait for lower ones: each packet's from its arrival until its gap closes."""
    late = late_packets(direction)
    filled = late.delay_ns >= 0
    return level(
        np.concatenate((late.time_ns, late.time_ns[filled] + late.delay_ns[filled])),
        np.concatenate((late.octets, -late.octets[filled])),
    )
