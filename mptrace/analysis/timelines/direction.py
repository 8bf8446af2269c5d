"""The series of one direction of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.tables import RST
from mptrace.analysis.timelines import amounts, order, rates, sequence
from mptrace.analysis.timelines.slices import stretch
from mptrace.analysis.timelines.steps import Steps

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.figures.round_trips import RoundTrips
    from mptrace.analysis.results import Evidence


@dataclass(frozen=True, slots=True)
class Samples:
    """Durations, each with the time at which it was known; both columns are (n,)."""

    time_ns: I64
    duration_ns: I64
    frame: I64
    """The packet that was answered."""


class DirectionTimelines:
    """What one direction of a connection did over time.

    ``space`` is its data sequence space, ``ways`` the way of each subflow, by subflow index.
    """

    def __init__(self, evidence: Evidence, space: int, ways: tuple[int, ...]) -> None:
        self.evidence = evidence
        self.space = space
        self.ways = ways
        self._plane = evidence.plane
        self._segments = evidence.plane.subflows.segments

    def since_start(self, time_ns: I64) -> I64:
        """Times since the capture's first packet."""
        return time_ns - self.evidence.origin_ns

    def relative(self, place: I64) -> I64:
        """Relative data sequence numbers of places of this space."""
        relative: I64 = place - self._plane.data.origin[self.space]
        return relative

    def stretches(self) -> sequence.Stretches:
        """Data as it was sent: a row for each mapping, or for each part sent apart."""
        copies = self._plane.copies
        return sequence.stretches(self, stretch(copies.space, self.space))

    def data_ack(self) -> Steps:
        """The highest DATA_ACK so far (after a fallback the ACK that stands for it)."""
        return self._acknowledged(self._plane.data_acks)

    def right_edge(self) -> Steps:
        """The largest DATA_ACK + window announced so far, on any subflow."""
        return self._acknowledged(self._plane.right_edges)

    def _acknowledged(self, acks: Acknowledgements) -> Steps:
        rows = stretch(acks.group, self.space)
        return Steps(self.since_start(acks.time_ns[rows]), self.relative(acks.place[rows]))

    def data_flight(self) -> Steps:
        """Octets sent and not yet covered by a DATA_ACK."""
        return amounts.data_flight(self)

    def window(self) -> Steps:
        """The receive window: its right edge less the highest DATA_ACK."""
        return amounts.window(self)

    def subflow_flights(self) -> tuple[Steps, ...]:
        """The same for each subflow, at the TCP level, by subflow index."""
        return tuple(amounts.subflow_flight(self, way) for way in self.ways)

    def payload_rows(self, way: int) -> I64:
        """Rows of the segments of a way that carry payload, in capture order."""
        plane = self._plane
        first, last = plane.subflows.way_first[way], plane.subflows.way_first[way + 1]
        rows: I64 = np.arange(first, last)
        segments = self._segments
        wanted = (segments.payload_length[rows] > 0) & ((segments.flags[rows] & RST) == 0)
        chosen: I64 = rows[wanted]
        return chosen

    def rates(self) -> rates.Rates:
        """Throughput of each subflow and goodput, in bins of equal width."""
        return rates.rates(self)

    def subflow_round_trips(self) -> tuple[Samples, ...]:
        """RTT samples of each subflow, by the time of the ACK."""
        return tuple(self._samples(self.evidence.figures.round_trips, way) for way in self.ways)

    def data_round_trips(self) -> Samples:
        """Data RTT samples, by the time of the DATA_ACK."""
        return self._samples(self.evidence.figures.data_round_trips, self.space)

    def _samples(self, trips: RoundTrips, group: int) -> Samples:
        rows = stretch(trips.group, group)
        by_time = np.argsort(trips.acked_ns[rows], kind="stable")
        return Samples(
            self.since_start(trips.acked_ns[rows])[by_time],
            (trips.acked_ns[rows] - trips.sent_ns[rows])[by_time],
            self._segments.frame_number[trips.row[rows]].astype(np.int64)[by_time],
        )

    def reorder_queue(self) -> Steps:
        """Octets seen above the lowest octet not seen yet: what a receiver has to hold."""
        return order.reorder_queue(self)

    def out_of_order(self) -> order.Late:
        """Every packet with out-of-order first copies, and how long its gap stayed open."""
        return order.late_packets(self)
