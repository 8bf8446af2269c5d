"""What became of each packet's payload, as columns in frame order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.data_sequence.copies import CopyClass
from mptrace.analysis.figures.sums import subflow_flight
from mptrace.analysis.frames.building import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, U64, Numbers
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.flight import Flight
    from mptrace.analysis.figures.round_trips import RoundTrips
    from mptrace.analysis.results import Evidence


@dataclass(slots=True)
class DataColumns:
    """One row a packet; (n,) each. Frame numbers are -1 where there is none."""

    payload: I64
    octets: I64
    """(n, 4): by `CopyClass`."""
    unmapped: I64
    data_seq: U64
    """Of the lowest mapped octet."""
    relative_data_seq: I64
    mapping_frame: I64
    repeats: I64
    reinjection_of: I64
    reinjected_in: I64
    worth: I64
    """`copies.Worth`, the highest of the packet's pieces."""
    out_of_order: I64
    extent: I64
    filled_in: I64
    acked_in: I64
    rtt_s: NDArray[np.float64]
    data_acked_in: I64
    data_rtt_s: NDArray[np.float64]
    flight: I64
    data_flight: I64


def data_columns(evidence: Evidence, order: I64) -> DataColumns:
    """``order`` is (n,): rows of the subflow space in frame order."""
    plane, figures = evidence.plane, evidence.figures
    segments = plane.subflows.segments
    n = order.size
    copies = plane.copies
    frame = segments.frame_number.astype(np.int64)
    octets = np.zeros((n, len(CopyClass)), np.int64)
    np.add.at(octets, (copies.row, copies.kind), copies.length)
    worth = np.zeros(n, np.int64)
    np.maximum.at(worth, copies.row, copies.worth)
    first_place = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first_place, copies.row, copies.data_place)
    last_place = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(last_place, copies.row, copies.data_end)
    mapped = last_place > first_place
    first_place[~mapped] = 0
    space = plane.space_of_way[plane.subflows.way]
    repeats, reinjection_of, reinjected_in = _links(plane, frame)
    unmapped = np.zeros(n, np.int64)
    unmapped[plane.payload_rows] = plane.unmapped
    disorder = figures.out_of_order
    late, extent, filled = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1)
    late[disorder.row] = disorder.octets
    extent[disorder.row] = disorder.extent
    filled[disorder.row] = disorder.closing_frame
    acked, data_acked = _acknowledged(plane, space, last_place, mapped)
    mapping = _mapping_frames(plane, frame, mapped)
    data = plane.data
    return DataColumns(
        payload=segments.payload_length[order].astype(np.int64),
        octets=octets[order],
        unmapped=unmapped[order],
        data_seq=np.where(mapped, data.data_seq(first_place, space), np.uint64(0))[order],
        relative_data_seq=np.where(mapped, data.relative(first_place, space), 0)[order],
        mapping_frame=mapping[order],
        repeats=repeats[order],
        reinjection_of=reinjection_of[order],
        reinjected_in=reinjected_in[order],
        worth=worth[order],
        out_of_order=late[order],
        extent=extent[order],
        filled_in=filled[order],
        acked_in=acked[order],
        rtt_s=_samples(figures.round_trips, n)[order],
        data_acked_in=data_acked[order],
        data_rtt_s=_samples(figures.data_round_trips, n)[order],
        flight=_flight(subflow_flight(plane), n)[order],
        data_flight=_flight(figures.spaces.flight, n)[order],
    )


def _links(plane: DataPlane, frame: Numbers) -> tuple[I64, I64, I64]:
    """Frames: of what a packet repeats, of what it reinjects, and of who reinjects it first."""
    n = frame.size
    copies = plane.copies
    repeats, reinjection_of = np.full(n, -1), np.full(n, -1)
    again = np.flatnonzero(copies.repeats_row >= 0)
    np.maximum.at(repeats, copies.row[again], frame[copies.repeats_row[again]])
    moved = again[copies.kind[again] == CopyClass.REINJECTION]
    np.maximum.at(reinjection_of, copies.row[moved], frame[copies.repeats_row[moved]])
    never = np.iinfo(np.int64).max
    reinjected_in = np.full(n, never)
    np.minimum.at(reinjected_in, copies.repeats_row[moved], copies.frame[moved])
    np.minimum.at(reinjected_in, copies.first_row[moved], copies.frame[moved])
    reinjected_in[reinjected_in == never] = -1
    return repeats, reinjection_of, reinjected_in


def _acknowledged(
    plane: DataPlane, space: Numbers, last_place: I64, mapped: NDArray[np.bool_]
) -> tuple[I64, I64]:
    """Frames of the ACK and of the DATA_ACK that first cover each packet's last octet."""
    subflows = plane.subflows
    acked, data_acked = np.full(space.size, -1), np.full(space.size, -1)
    rows = plane.payload_rows
    if plane.acks.frame.size and rows.size:
        ack = plane.acks.first_covering(subflows.way[rows], subflows.place_end[rows])
        acked[rows] = np.where(ack >= 0, plane.acks.frame[ack], -1)
    rows = np.flatnonzero(mapped)
    if plane.data_acks.frame.size and rows.size:
        ack = plane.data_acks.first_covering(space[rows], last_place[rows])
        data_acked[rows] = np.where(ack >= 0, plane.data_acks.frame[ack], -1)
    return acked, data_acked


def _mapping_frames(plane: DataPlane, frame: Numbers, mapped: NDArray[np.bool_]) -> I64:
    """The frame that announced the mapping of each packet's first mapped octet; -1: none."""
    result = np.full(frame.size, -1)
    mappings = plane.mappings
    rows = np.flatnonzero(mapped)
    if not len(mappings) or not rows.size:
        return result
    place = plane.subflows.place[rows]
    found = mappings.covering(place)
    # where the packet begins before its mapping, the mapping that begins inside it
    inside = np.minimum(np.searchsorted(mappings.place, place, side="right"), len(mappings) - 1)
    begins = (found < 0) & (mappings.place[inside] < plane.subflows.place_end[rows])
    begins &= mappings.place[inside] >= place
    found[begins] = inside[begins]
    result[rows[found >= 0]] = frame[mappings.first_row[found[found >= 0]]]
    return result


def _samples(trips: RoundTrips, n: int) -> NDArray[np.float64]:
    result = np.full(n, np.nan)
    result[trips.row] = trips.duration_ns * SECOND
    return result


def _flight(flight: Flight, n: int) -> I64:
    result = np.full(n, -1)
    result[flight.row] = flight.octets
    return result
