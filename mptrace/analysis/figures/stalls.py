"""Stalls and handovers (docs/definitions.md), per data sequence space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import group_and_frame

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Numbers
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace
    from mptrace.analysis.figures.flight import Flight

SHORTEST_STALL_NS = 200_000_000
STALL_ROUND_TRIPS = 4


@dataclass(frozen=True, slots=True)
class StallColumns:
    """Stretches in which octets were outstanding and no DATA_ACK advanced; (n,) each."""

    space: Numbers
    start_ns: I64
    end_ns: I64
    outstanding: I64
    start_frame: I64
    end_frame: I64


def find_stalls(
    flight: Flight,
    data_acks: Acknowledgements,
    subflows: SubflowSpace,
    median_rtt_ns: I64,
    last_frame: I64,
    last_ns: I64,
) -> StallColumns:
    """Every stall of every space.

    A stretch begins when octets become outstanding: with the DATA_ACK that advanced last, if it
    left some, else with the next packet that sent new ones. It ends with the next DATA_ACK that
    advances, or with the connection's last packet. ``median_rtt_ns`` (spaces,) is negative where
    there is no data RTT; ``last_frame`` and ``last_ns`` (spaces,) are of the connection's end.
    """
    frame = subflows.segments.frame_number.take(flight.row)
    time = subflows.segments.time_ns.take(flight.row)
    # Packets that sent new octets while all before were acknowledged open a stretch...
    fresh = flight.sent_end > flight.acked
    before = np.empty_like(flight.sent_end)
    before[1:] = flight.sent_end[:-1]
    before[:1] = -1
    group_start = np.ones(flight.group.size, np.bool_)
    group_start[1:] = flight.group[1:] != flight.group[:-1]
    idle = group_start | (before <= flight.acked)
    opening = np.flatnonzero(fresh & idle)
    # ...and so does every advance that leaves octets outstanding.
    sent = _sent_when(flight, frame, data_acks.group, data_acks.frame)
    leaving = np.flatnonzero(sent > data_acks.place)
    space = np.concatenate((flight.group[opening], data_acks.group[leaving]))
    start_ns = np.concatenate((time[opening], data_acks.time_ns[leaving]))
    start_frame = np.concatenate((frame[opening], data_acks.frame[leaving]))
    next_ack = _next_advance(data_acks, space, start_frame)
    has_next = next_ack >= 0
    end_ns, end_frame = last_ns[space], last_frame[space]
    end_ns[has_next] = data_acks.time_ns[next_ack[has_next]]
    end_frame[has_next] = data_acks.frame[next_ack[has_next]]
    threshold = np.maximum(SHORTEST_STALL_NS, STALL_ROUND_TRIPS * median_rtt_ns[space])
    long = np.flatnonzero(end_ns - start_ns > threshold)
    long = long[np.lexsort((start_frame[long], space[long]))]
    sent_until = _sent_when(flight, frame, space[long], end_frame[long] - 1)
    acked = data_acks.place_before(space[long], start_frame[long], np.full(long.size, -1))
    known = acked >= 0
    floor = _first_sent(flight, space[long])
    outstanding = sent_until - np.where(known, acked, floor)
    return StallColumns(
        space[long],
        start_ns[long],
        end_ns[long],
        np.maximum(outstanding, 0),
        start_frame[long],
        end_frame[long],
    )


def _sent_when(flight: Flight, flight_frame: Numbers, group: Numbers, frame: Numbers) -> I64:
    """Highest place sent up to ``frame`` in the group; -1 where nothing was."""
    if not flight.group.size:
        return np.full(group.size, -1)
    row = (
        np.searchsorted(
            group_and_frame(flight.group, flight_frame), group_and_frame(group, frame), side="right"
        )
        - 1
    )
    at = np.maximum(row, 0)
    return np.where((row >= 0) & (flight.group.take(at) == group), flight.sent_end.take(at), -1)


def _first_sent(flight: Flight, group: Numbers) -> I64:
    """What counts as acknowledged in a group before its first DATA_ACK."""
    if not flight.group.size:
        return np.zeros(group.size, np.int64)
    return flight.acked[np.minimum(np.searchsorted(flight.group, group), flight.group.size - 1)]


def _next_advance(acks: Acknowledgements, group: Numbers, frame: Numbers) -> I64:
    """The first advance after ``frame`` in the group; -1: none."""
    if not acks.group.size:
        return np.full(group.size, -1)
    row = np.searchsorted(
        group_and_frame(acks.group, acks.frame), group_and_frame(group, frame), side="right"
    )
    at = np.minimum(row, acks.group.size - 1)
    return np.where((row < acks.group.size) & (acks.group[at] == group), at, -1)
