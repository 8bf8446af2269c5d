"""Amounts in flight, and the receive window, over time (docs/definitions.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.timelines.slices import stretch
from mptrace.analysis.timelines.steps import Changes, Steps, difference

if TYPE_CHECKING:
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.timelines.direction import DirectionTimelines


def data_flight(direction: DirectionTimelines) -> Steps:
    """Highest data sequence number sent so far less the highest DATA_ACK so far."""
    flight = direction.evidence.figures.spaces.flight
    segments = direction.evidence.plane.subflows.segments
    rows = stretch(flight.group, direction.space)
    row = flight.row[rows]
    if not row.size:
        return Steps(np.empty(0, np.int64), np.empty(0, np.int64))
    sent = Changes(
        segments.frame_number[row].astype(np.int64),
        direction.since_start(segments.time_ns[row]),
        flight.sent_end[rows],
    )
    lowest = int(direction.evidence.plane.floor[direction.space])
    acked = _changes(direction, direction.evidence.plane.data_acks, direction.space)
    return difference(sent, acked, lowest, min(int(flight.acked[rows][0]), int(sent.value[0])))


def subflow_flight(direction: DirectionTimelines, way: int) -> Steps:
    """Highest TCP sequence number sent so far less the highest ACK so far."""
    subflows = direction.evidence.plane.subflows
    segments = subflows.segments
    rows = direction.payload_rows(way)
    if not rows.size:
        return Steps(rows, rows)
    sent = Changes(
        segments.frame_number[rows].astype(np.int64),
        direction.since_start(segments.time_ns[rows]),
        np.maximum.accumulate(subflows.place[rows] + segments.payload_length[rows]),
    )
    lowest = int(subflows.place[rows].min())
    acked = _changes(direction, direction.evidence.plane.acks, way)
    return difference(sent, acked, lowest, lowest)


def window(direction: DirectionTimelines) -> Steps:
    """The right edge of the receive window less the highest DATA_ACK so far."""
    edges = _changes(direction, direction.evidence.plane.right_edges, direction.space)
    acked = _changes(direction, direction.evidence.plane.data_acks, direction.space)
    if not edges.frame.size or not acked.frame.size:
        return Steps(np.empty(0, np.int64), np.empty(0, np.int64))
    steps = difference(edges, acked, int(edges.value[0]), int(acked.value[0]))
    # the packet that moves both is one change, not two: its second row counts
    last = np.ones(len(steps), np.bool_)
    last[:-1] = steps.time_ns[1:] != steps.time_ns[:-1]
    return Steps(steps.time_ns[last], steps.value[last])


def _changes(direction: DirectionTimelines, acks: Acknowledgements, group: int) -> Changes:
    rows = stretch(acks.group, group)
    return Changes(acks.frame[rows], direction.since_start(acks.time_ns[rows]), acks.place[rows])
