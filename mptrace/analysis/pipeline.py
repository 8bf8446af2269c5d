"""The whole way from a capture to a finished analysis, room by room."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.second_lane import SecondLane
from mptrace.analysis.assemble import Assembler
from mptrace.analysis.collector import collector_paused
from mptrace.analysis.columns.duplicates import find_duplicates
from mptrace.analysis.columns.reading import CUT_OPTIONS, PacketCounts, ReadCapture, read_capture
from mptrace.analysis.columns.streams import Streams, number_streams
from mptrace.analysis.columns.tables import FIN, I32, I64, RST, Bool, RecognitionTable
from mptrace.analysis.connections.control import ControlPlane, track_connections
from mptrace.analysis.connections.grouping import any_partial, group_partial_connections, stretches
from mptrace.analysis.connections.membership import number_members
from mptrace.analysis.data_sequence.checksums import verify
from mptrace.analysis.data_sequence.data_fins import data_fin_positions
from mptrace.analysis.data_sequence.data_order import find_out_of_order
from mptrace.analysis.data_sequence.data_plane import DataPlane, build_data_plane
from mptrace.analysis.figures.acked_end import AckedEnd
from mptrace.analysis.figures.direction_values import connection_directions, subflow_directions
from mptrace.analysis.figures.figure_columns import Figures
from mptrace.analysis.figures.handovers import FirstCopies, find_handovers
from mptrace.analysis.figures.stalls import find_stalls
from mptrace.analysis.figures.sums import data_flight, space_figures, way_figures
from mptrace.analysis.figures.windows import window_limited_packets
from mptrace.analysis.findings import find_all
from mptrace.analysis.model import CaptureSummary, Connection, Damage
from mptrace.analysis.results import Analysis, Evidence
from mptrace.capture import Capture, open_capture

if TYPE_CHECKING:
    from mptrace.capture.read_ahead import ReadAhead

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Progress = Callable[[int, int], None]


def analyze(
    paths: Paths, *, progress: Progress | None = None, ahead: ReadAhead | None = None
) -> Analysis:
    """Read a capture (one file, or several that are one capture together) and analyze it.

    ``-`` reads standard input. ``progress`` is called with the octets read so far and in all.
    ``ahead`` is a process that has begun to read the file, which commands may start.
    Raises CaptureError when nothing can be read; damage further on is part of the result.
    """
    with open_capture(paths, ahead=ahead) as capture:
        report = None
        if progress is not None:
            shown = progress

            def report(done: int) -> None:
                shown(done, capture.size)

        return analyze_capture(capture, report)


@collector_paused()
def analyze_capture(capture: Capture, progress: Callable[[int], None] | None = None) -> Analysis:
    """Analyze an open capture."""
    read = read_capture(capture, progress)
    sorting = _sort_into_streams(read)
    control = track_connections(read, sorting.streams, sorting.stream, sorting.wanted)
    plane = _data_plane(read, sorting, control)
    figures = _measure(plane, control, capture)
    origin_ns = read.counts.first_time_ns or 0
    connections = _connections(plane, figures, origin_ns)
    summary = _summary(capture, read.counts, sorting)
    evidence = Evidence(plane, control, figures, origin_ns)
    return Analysis(
        capture=summary,
        connection_list=connections,
        findings=find_all(connections, evidence, summary),
        plain_tcp_streams=int(np.count_nonzero(plane.membership.subflow_of_stream < 0)),
        evidence=evidence,
    )


@dataclass(slots=True)
class _Sorting:
    """Which stream each row belongs to, and which rows are looked at."""

    streams: Streams
    stream: I32
    wanted: Bool
    """Rows of streams with MPTCP options, without capture duplicates."""
    duplicates: int


def _sort_into_streams(read: ReadCapture) -> _Sorting:
    segments = read.segments
    with SecondLane(len(segments)) as lane:
        duplicates = lane.start(lambda: find_duplicates(read.recognition))
        streams, stream = number_streams(segments, read.flows.low_port_is_lower())
        duplicate = duplicates.result()
    segments.from_initiator = segments.from_initiator == streams.low_initiates[stream]
    has_mptcp = np.zeros(len(streams), np.bool_)
    has_mptcp[stream[(segments.subtypes & ~np.uint16(CUT_OPTIONS)) != 0]] = True
    read.recognition = RecognitionTable.none()
    return _Sorting(
        streams,
        stream,
        has_mptcp[stream] & ~duplicate,
        int(np.count_nonzero(duplicate)),
    )


def _data_plane(read: ReadCapture, sorting: _Sorting, control: ControlPlane) -> DataPlane:
    """Number connections and subflows, and keep only the rows that belong to them.

    The tables of ``read`` are brought into the data plane's order, not copied.
    """
    segments, dss = read.segments, read.dss
    if not sorting.wanted.all():
        dss.keep(sorting.wanted[dss.segment])
    if any_partial(control.table):
        stream = sorting.stream[dss.segment].astype(np.int64)
        found = stretches(dss, stream, segments.from_initiator[dss.segment])
        group_partial_connections(control.table, found)
    control.table.finish()
    first_row = np.zeros(len(sorting.streams), np.int64)
    rows = np.flatnonzero(sorting.wanted)[::-1]
    first_row[sorting.stream[rows]] = rows
    membership = number_members(control.table.connections, first_row)
    subflow = membership.subflow_of_stream.astype(np.int32).take(sorting.stream)
    kept = sorting.wanted & (subflow >= 0)
    if not kept.all():
        number = np.cumsum(kept) - 1
        subflow = subflow[kept]
        dss.keep(kept[dss.segment])
        dss.segment = number[dss.segment].astype(np.int32)
        segments.keep(kept)
        control.implicit_mappings = [
            replace(mapping, row=int(number[mapping.row]))
            for mapping in control.implicit_mappings
            if kept[mapping.row]
        ]
    return build_data_plane(segments, subflow, dss, control, membership)


def _measure(plane: DataPlane, control: ControlPlane, capture: Capture) -> Figures:
    verdict = verify(plane.mappings, plane.payload_rows, plane.subflows, plane.data, capture)
    with SecondLane(len(plane.subflows.segments)) as lane:
        flight = lane.start(lambda: data_flight(plane))
        of_ways = lane.start(lambda: way_figures(plane))
        limited = lane.start(lambda: window_limited_packets(plane, control, flight.result()))
        late, holes = find_out_of_order(plane.copies, plane.floor)
        spaces, data_round_trips = space_figures(plane, verdict, late, flight)
        fins = data_fin_positions(plane)
        median = spaces.data_round_trips.median.astype(np.int64)
        median[spaces.data_round_trips.samples == 0] = -1
        stalls = find_stalls(
            spaces.flight, plane.data_acks, plane.subflows, median, *_connection_ends(plane)
        )
        ways, round_trips = of_ways.result()
    first_copies = FirstCopies.of(plane.copies, plane.membership.spaces)
    return Figures(
        ways=ways,
        spaces=spaces,
        round_trips=round_trips,
        data_round_trips=data_round_trips,
        checksum_verdict=verdict,
        data_fin_relative=fins,
        out_of_order=late,
        holes=holes,
        window_limited=limited.result(),
        stalls=stalls,
        first_copies=first_copies,
        handovers=find_handovers(plane, first_copies, stalls, _subflow_ends(plane)),
        acked=AckedEnd.of(plane, spaces, fins),
    )


def _connection_ends(plane: DataPlane) -> tuple[I64, I64]:
    """(spaces,) each: frame and time of the last packet of the space's connection."""
    segments = plane.subflows.segments
    owner = plane.membership.connection_of_subflow[plane.subflows.way >> 1]
    starts = np.searchsorted(owner, np.arange(len(plane.membership.connections)))
    if not starts.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    frame = np.maximum.reduceat(segments.frame_number, starts).astype(np.int64)
    return np.repeat(frame, 2), np.repeat(np.maximum.reduceat(segments.time_ns, starts), 2)


def _subflow_ends(plane: DataPlane) -> I64:
    """(subflows,): frame of the first FIN or RST; -1 where there is none."""
    segments = plane.subflows.segments
    rows = np.flatnonzero(segments.flags & (FIN | RST))
    ends = np.full(plane.membership.ways // 2, np.iinfo(np.int64).max)
    np.minimum.at(ends, plane.subflows.way[rows] >> 1, segments.frame_number[rows])
    ends[ends == np.iinfo(np.int64).max] = -1
    return ends


def _connections(plane: DataPlane, figures: Figures, origin_ns: int) -> tuple[Connection, ...]:
    return Assembler(
        plane,
        subflow_directions(plane, figures),
        connection_directions(plane, figures, origin_ns),
        origin_ns,
    ).connections()


def _summary(capture: Capture, counts: PacketCounts, sorting: _Sorting) -> CaptureSummary:
    first, last = counts.first_time_ns, counts.last_time_ns
    damage = capture.damage[0] if capture.damage else None
    link_types = dict.fromkeys(interface.link_type_name for interface in capture.interfaces)
    return CaptureSummary(
        path=", ".join(capture.paths),
        format=capture.format,
        link_types=tuple(link_types),
        packets=counts.packets,
        tcp_packets=counts.tcp_packets,
        mptcp_packets=counts.mptcp_packets,
        first_time_ns=first,
        duration_s=0.0 if first is None or last is None else (last - first) * 1e-9,
        truncated_packets=counts.truncated_packets,
        capture_duplicates=sorting.duplicates,
        damage=None if damage is None else Damage(damage.offset, damage.reason, damage.path),
        compression=capture.compression,
        interfaces=tuple(interface.name or "" for interface in capture.interfaces),
        ip_fragments=counts.ip_fragments,
        unreadable_packets=counts.unreadable_packets,
    )
