"""The signalling plane: control segments to the protocol core's connection machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dissector.connection import ConnectionTable
from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.option_codec import decode_options
from dissector.options import CutOption, MaximumSegmentSize, MpCapable, TcpOption, WindowScale
from dissector.segment import Segment, StreamEndpoints
from mptrace.analysis.columns.reading import CUT_OPTIONS, ReadCapture
from mptrace.analysis.columns.tables import (
    ACK,
    FIN,
    I32,
    I64,
    RST,
    SYN,
    Bool,
    Numbers,
    SegmentTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.columns.flows import FlowTable
    from mptrace.analysis.columns.streams import Streams

_DSS = 1 << MptcpSubtype.DSS
_BESIDE_THE_POINT = frozenset(
    {
        TcpOptionKind.NO_OPERATION,
        TcpOptionKind.TIMESTAMPS,
        TcpOptionKind.SACK,
        TcpOptionKind.SACK_PERMITTED,
    }
)
"""Kinds of options that say nothing of MPTCP and nothing of windows."""
_ROWS_AT_ONCE = 8192
_UNSEEN_OPTIONS = (CutOption(octets=b""),)


@dataclass(slots=True)
class ImplicitMapping:
    """An MP_CAPABLE with a data length: DSN IDSN + 1, subflow sequence number 1 (v1)."""

    row: int
    length: int
    checksum: int | None


@dataclass(slots=True)
class ControlPlane:
    """What the signalling says of all connections."""

    table: ConnectionTable
    endpoints: dict[int, StreamEndpoints]
    window_shift: dict[tuple[int, bool], int | None]
    """By stream and sender (True: initiator) of each whole SYN: the shift that it offers, None
    where it has no window scale option."""
    segment_size: dict[tuple[int, bool], int]
    """By stream and sender: the MSS that it accepts."""
    implicit_mappings: list[ImplicitMapping]


def stream_endpoints(streams: Streams, flows: FlowTable, stream: int) -> StreamEndpoints:
    """The ends of a stream, initiator first."""
    ends = flows.endpoints(int(streams.flow[stream]))
    low = (ends.low_address, ends.low_port)
    high = (ends.high_address, ends.high_port)
    initiator, responder = (low, high) if streams.low_initiates[stream] else (high, low)
    return StreamEndpoints(
        ends.family, *initiator, *responder, bool(streams.handshake_captured[stream])
    )


def track_connections(
    read: ReadCapture, streams: Streams, stream: I32, wanted: Bool
) -> ControlPlane:
    """Run the connection machines over the control segments of the streams that have MPTCP.

    The table is left unfinished, since streams without a handshake are still to be grouped.

    ``stream`` is the stream of each row of ``read.segments`` (whose ``from_initiator`` is seen
    from the stream); ``wanted`` marks the rows to look at.
    """
    segments = read.segments
    plane = ControlPlane(ConnectionTable(), {}, {}, {}, [])
    telling = np.flatnonzero(wanted[read.option_rows] & ~_repeats(read, stream, wanted))
    with_options = read.option_rows[telling]
    flagged = np.flatnonzero(((segments.flags & (SYN | FIN | RST)) != 0) & wanted)
    rows = _union(len(segments), with_options, flagged, *_first_rows(segments, stream, wanted))
    options_at = np.full(rows.size, -1)
    options_at[np.searchsorted(rows, with_options)] = telling
    for row, at, values in _values(segments, stream, rows, options_at):
        number, from_initiator, subtypes = values[2], bool(values[3]), values[9]
        options: tuple[TcpOption, ...] = ()
        if at >= 0:
            area, declared = read.option_areas[at]
            options = decode_options(area, declared_length=declared, without=_BESIDE_THE_POINT)
            _note_numbers(plane, row, number, from_initiator, options, values[4])
        elif subtypes & CUT_OPTIONS:
            options = _UNSEEN_OPTIONS
        if number not in plane.endpoints:
            ends = stream_endpoints(streams, read.flows, number)
            plane.endpoints[number] = ends
            plane.table.open_stream(number, ends)
        frame_number, time_ns, flags, seq, ack, window, payload = (*values[:2], *values[4:9])
        plane.table.receive(
            Segment(
                frame_number,
                time_ns,
                number,
                from_initiator,
                flags,
                seq,
                ack,
                window,
                payload,
                options,
                bool(subtypes & _DSS),
            )
        )
    return plane


def _note_numbers(
    plane: ControlPlane,
    row: int,
    stream: int,
    from_initiator: bool,
    options: tuple[TcpOption, ...],
    flags: int,
) -> None:
    if flags & SYN and not (options and type(options[-1]) is CutOption):
        plane.window_shift.setdefault((stream, from_initiator), None)
    for option in options:
        if flags & SYN and type(option) is WindowScale:
            plane.window_shift[stream, from_initiator] = min(option.shift, 14)
        elif flags & SYN and type(option) is MaximumSegmentSize:
            plane.segment_size[stream, from_initiator] = option.maximum_segment_size
        elif type(option) is MpCapable and option.data_length:
            plane.implicit_mappings.append(
                ImplicitMapping(row, option.data_length, option.checksum)
            )


def _values(
    segments: SegmentTable, stream: I32, rows: Numbers, options_at: I64
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Plain Python values of the rows, some thousand rows at once: row, options, columns."""
    for first in range(0, rows.size, _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        columns = (
            segments.frame_number[part].tolist(),
            segments.time_ns[part].tolist(),
            stream[part].tolist(),
            segments.from_initiator[part].tolist(),
            segments.flags[part].tolist(),
            segments.seq[part].tolist(),
            segments.ack[part].tolist(),
            segments.window[part].tolist(),
            segments.payload_length[part].tolist(),
            segments.subtypes[part].tolist(),
        )
        at = options_at[first : first + _ROWS_AT_ONCE]
        yield from zip(part.tolist(), at.tolist(), zip(*columns, strict=True), strict=True)


def _union(size: int, *parts: Numbers) -> I64:
    """All rows that are in one of the parts, ascending; ``size`` is how many rows there are."""
    chosen = np.zeros(size, np.bool_)
    for part in parts:
        chosen[part] = True
    return np.flatnonzero(chosen)


def _repeats(read: ReadCapture, stream: I32, wanted: Bool) -> Bool:
    """(option rows,): whose options only say again where the data of their stream ends.

    Every segment of the last mapping says so; to the machines it is news once.
    """
    segments, dss, rows = read.segments, read.dss, read.option_rows
    repeats = np.zeros(rows.size, np.bool_)
    plain = (segments.subtypes[rows] == _DSS) & ((segments.flags[rows] & SYN) == 0) & wanted[rows]
    found = np.searchsorted(dss.segment, rows[plain])
    # one that stands alone in its segment, and is no infinite mapping
    alone = np.searchsorted(dss.segment, rows[plain], side="right") == found + 1
    alone &= dss.data_fin[found]
    plain[plain] = alone
    found, row = found[alone], rows[plain]
    keys = (
        dss.data_length[found],
        dss.data_seq[found],
        dss.data_seq_octets[found],
        segments.from_initiator[row],
        stream[row],
    )
    order = np.lexsort(keys)
    again = order[1:][np.all([key[order[1:]] == key[order[:-1]] for key in keys], axis=0)]
    repeats[np.flatnonzero(plain)[again]] = True
    return repeats


def _first_rows(segments: SegmentTable, stream: I32, wanted: Bool) -> list[I64]:
    """Per stream and direction: the first segment without SYN, with payload, with a DSS."""
    plain = (segments.flags & (SYN | RST)) == 0
    ways = 2 * (int(stream.max()) + 1) if stream.size else 0
    found = []
    for condition in (
        plain & ((segments.flags & ACK) != 0),
        plain & (segments.payload_length > 0),
        (segments.subtypes & _DSS) != 0,
    ):
        rows = np.flatnonzero(condition & wanted)[::-1]
        first = np.full(ways, -1)
        # of several rows of a way the one written last stays: the first
        first[2 * stream[rows] + segments.from_initiator[rows]] = rows
        found.append(first[first >= 0])
    return found
