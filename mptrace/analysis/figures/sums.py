"""Figures per way (direction of a subflow) and per space (direction of a connection).

Sums and percentiles over the tables of the data plane, for all ways and spaces at once. Each is
defined in docs/definitions.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import (
    count_by,
    group_starts,
    percentile_of_sorted,
    sorted_within,
    sum_by,
)
from mptrace.analysis.data_sequence.copies import CopyClass
from mptrace.analysis.figures.flight import Flight, flight_of
from mptrace.analysis.figures.round_trips import RoundTrips, data_round_trips, subflow_round_trips
from mptrace.analysis.model import Distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.arrays.second_lane import Later
    from mptrace.analysis.columns.tables import I64, Numbers
    from mptrace.analysis.data_sequence.data_order import OutOfOrder
    from mptrace.analysis.data_sequence.data_plane import DataPlane


@dataclass(slots=True)
class Spread:
    """Percentiles of integer samples per group; every column is (groups,)."""

    samples: I64
    lowest: I64
    median: NDArray[np.float64]
    p95: NDArray[np.float64]
    highest: I64

    @classmethod
    def of(cls, group: Numbers, value: I64, groups: int) -> Spread:
        """Spread of ``value`` in each group; zeros where a group has no sample."""
        samples = count_by(group, groups)
        value = sorted_within(group, value)
        filled = np.flatnonzero(samples)
        first = (np.cumsum(samples) - samples)[filled]
        count = samples[filled]
        result = cls(
            samples,
            np.zeros(groups, np.int64),
            np.zeros(groups),
            np.zeros(groups),
            np.zeros(groups, np.int64),
        )
        result.lowest[filled] = value[first]
        result.highest[filled] = value[first + count - 1]
        result.median[filled] = percentile_of_sorted(value, first, count, 0.5)
        result.p95[filled] = percentile_of_sorted(value, first, count, 0.95)
        return result

    def distributions(self, unit: float) -> list[Distribution | None]:
        """The samples of each group in another unit; None where there are none."""
        return [
            Distribution(samples, lowest, median, p95, highest) if samples else None
            for samples, lowest, median, p95, highest in zip(
                self.samples.tolist(),
                (self.lowest * unit).tolist(),
                (self.median * unit).tolist(),
                (self.p95 * unit).tolist(),
                (self.highest * unit).tolist(),
                strict=True,
            )
        ]


@dataclass(slots=True)
class Extent:
    """First and last of something in time, per group; every column is (groups,)."""

    count: I64
    first_ns: I64
    last_ns: I64

    @classmethod
    def of(cls, group: Numbers, time_ns: I64, groups: int) -> Extent:
        """Extent of the times of each group."""
        order = stable_order(group)
        group, time_ns = group.take(order), time_ns.take(order)
        starts = group_starts(group)
        first, last = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
        if starts.size:
            first[group[starts]] = np.minimum.reduceat(time_ns, starts)
            last[group[starts]] = np.maximum.reduceat(time_ns, starts)
        return cls(count_by(group, groups), first, last)


@dataclass(slots=True)
class WayFigures:
    """One direction of a subflow; every column is (ways,)."""

    packets: I64
    payload_octets: I64
    octets: NDArray[np.int64]
    """(ways, 4): by `CopyClass`."""
    delivered_octets: I64
    unmapped_octets: I64
    caused_octets: I64
    """Carried first here, then reinjected by another subflow."""
    payload: Extent
    round_trips: Spread
    max_flight: I64
    bursts: I64


@dataclass(slots=True)
class SpaceFigures:
    """One direction of a connection; every column is (spaces,)."""

    payload_octets: I64
    octets: NDArray[np.int64]
    """(spaces, 4): by `CopyClass`."""
    reinjected: NDArray[np.int64]
    """(spaces, 4): by `Worth`."""
    unmapped_octets: I64
    highest_seen: I64
    """Relative data sequence number behind the highest octet seen; 1 where none was."""
    highest_acked: I64
    """Highest relative DATA_ACK; 0 where there is none."""
    out_of_order_packets: I64
    out_of_order_octets: I64
    never_filled: I64
    max_extent: I64
    out_of_order_delay: Spread
    payload: Extent
    data_round_trips: Spread
    flight: Flight
    max_flight: I64
    ack_octets: Spread
    checksums: NDArray[np.int64]
    """(spaces, 4): mappings by `Verdict`."""
    mappings: I64


def way_figures(plane: DataPlane) -> tuple[WayFigures, RoundTrips]:
    """Figures of all ways, and the RTT samples behind them."""
    subflows, copies, ways = plane.subflows, plane.copies, plane.subflows.ways
    segments = subflows.segments
    rows = plane.payload_rows
    way = subflows.way.take(rows)
    samples = subflow_round_trips(subflows, rows, plane.acks)
    flight = subflow_flight(plane)
    again = np.flatnonzero(copies.kind == CopyClass.REINJECTION)
    return (
        WayFigures(
            packets=count_by(subflows.way, ways),
            payload_octets=sum_by(way, segments.payload_length[rows], ways),
            octets=_by_class(copies.way, copies.kind, copies.length, ways),
            delivered_octets=sum_by(copies.way, copies.delivered_octets, ways),
            unmapped_octets=sum_by(way, plane.unmapped, ways),
            caused_octets=sum_by(subflows.way[copies.first_row[again]], copies.length[again], ways),
            payload=Extent.of(way, segments.time_ns[rows], ways),
            round_trips=Spread.of(samples.group, samples.duration_ns, ways),
            max_flight=flight.largest(ways),
            bursts=_bursts(plane),
        ),
        samples,
    )


def space_figures(
    plane: DataPlane, verdict: NDArray[np.uint8], late: OutOfOrder, flight: Later[Flight]
) -> tuple[SpaceFigures, RoundTrips]:
    """Figures of all spaces, and the data RTT samples behind them."""
    subflows, copies, spaces = plane.subflows, plane.copies, plane.membership.spaces
    segments, mappings = subflows.segments, plane.mappings
    rows = plane.payload_rows
    space = plane.space_of_way.take(subflows.way.take(rows))
    samples = data_round_trips(mappings, copies, subflows, plane.data_acks)
    closed = np.flatnonzero(late.closing_frame >= 0)
    closing_ns = _time_of_frames(plane, late.closing_frame[closed])
    seen = np.ones(spaces, np.int64)
    np.maximum.at(seen, copies.space, plane.data.relative(copies.data_end, copies.space))
    acks = plane.data_acks
    acked = np.zeros(spaces, np.int64)
    np.maximum.at(acked, acks.group, plane.data.relative(acks.place, acks.group))
    max_extent = np.zeros(spaces, np.int64)
    np.maximum.at(max_extent, late.space, late.extent)
    advance = acks.place - acks.before
    return (
        SpaceFigures(
            payload_octets=sum_by(space, segments.payload_length[rows], spaces),
            octets=_by_class(copies.space, copies.kind, copies.length, spaces),
            reinjected=_by_class(copies.space, copies.worth, copies.length, spaces),
            unmapped_octets=sum_by(space, plane.unmapped, spaces),
            highest_seen=seen,
            highest_acked=acked,
            out_of_order_packets=count_by(late.space, spaces),
            out_of_order_octets=sum_by(late.space, late.octets, spaces),
            never_filled=count_by(late.space[late.closing_frame < 0], spaces),
            max_extent=max_extent,
            out_of_order_delay=Spread.of(
                late.space[closed],
                closing_ns - segments.time_ns[late.row[closed]],
                spaces,
            ),
            payload=Extent.of(space, segments.time_ns[rows], spaces),
            data_round_trips=Spread.of(samples.group, samples.duration_ns, spaces),
            flight=flight.result(),
            max_flight=flight.result().largest(spaces),
            ack_octets=Spread.of(acks.group[advance > 0], advance[advance > 0], spaces),
            checksums=_by_class(mappings.space, verdict, np.ones(len(mappings), np.int64), spaces),
            mappings=count_by(mappings.space, spaces),
        ),
        samples,
    )


def _by_class(
    group: Numbers, kind: NDArray[np.uint8], weight: I64, groups: int
) -> NDArray[np.int64]:
    """Sums per group and class, as (groups, 4)."""
    return sum_by(4 * group + kind, weight, 4 * groups).reshape(groups, 4)


def data_flight(plane: DataPlane) -> Flight:
    """Octets in flight in each space, at every packet with mapped payload."""
    copies = plane.copies
    return flight_of(
        copies.space, copies.row, copies.data_end, plane.subflows, plane.data_acks, plane.floor
    )


def subflow_flight(plane: DataPlane) -> Flight:
    """Octets in flight on each way, at every packet with payload."""
    subflows, rows = plane.subflows, plane.payload_rows
    end = subflows.place.take(rows) + subflows.segments.payload_length.take(rows)
    return flight_of(subflows.way.take(rows), rows, end, subflows, plane.acks, _first_places(plane))


def _first_places(plane: DataPlane) -> I64:
    """(ways,): what counts as acknowledged before a way's first ACK: its lowest payload octet."""
    subflows, rows = plane.subflows, plane.payload_rows
    floor = np.full(subflows.ways, np.iinfo(np.int64).max)
    way = subflows.way[rows]
    starts = group_starts(way)
    if starts.size:
        floor[way[starts]] = np.minimum.reduceat(subflows.place.take(rows), starts)
    return floor


def _time_of_frames(plane: DataPlane, frame: Numbers) -> I64:
    """Capture times of frames that carry payload."""
    segments = plane.subflows.segments
    rows = plane.payload_rows
    frames = segments.frame_number[rows]
    row_of_frame = np.zeros(int(frames.max()) + 1 if frames.size else 1, np.int32)
    row_of_frame[frames] = rows
    return segments.time_ns[row_of_frame[frame]]


def _bursts(plane: DataPlane) -> I64:
    """(ways,): runs of consecutive mappings of a space, in data order, on one way."""
    mappings = plane.mappings
    order = np.argsort(mappings.data_place, kind="stable")
    way = mappings.way[order]
    return count_by(way[group_starts(way)], plane.subflows.ways)


def mappings_by_subflow_count(plane: DataPlane) -> list[tuple[int, ...]]:
    """Per space: how many mappings were sent on 1, 2, 3... subflows."""
    mappings, spaces = plane.mappings, plane.membership.spaces
    result: list[tuple[int, ...]] = [()] * spaces
    if not len(mappings):
        return result
    order = np.lexsort((mappings.way, mappings.length, mappings.data_place))
    place, length = mappings.data_place[order], mappings.length[order]
    opens = np.ones(order.size, np.bool_)
    opens[1:] = (place[1:] != place[:-1]) | (length[1:] != length[:-1])
    new_way = opens.copy()
    way = mappings.way[order]
    new_way[1:] |= way[1:] != way[:-1]
    starts = np.flatnonzero(opens)
    carriers = np.add.reduceat(new_way, starts, dtype=np.int64)
    space = mappings.space[order[starts]]
    widest = int(carriers.max())
    table = sum_by(space * widest + carriers - 1, np.ones(starts.size, np.int64), spaces * widest)
    for index, row in enumerate(table.reshape(spaces, widest).tolist()):
        while row and not row[-1]:
            row.pop()
        result[index] = tuple(row)
    return result
