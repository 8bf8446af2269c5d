"""From packet records to tables: one pass over the capture in batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.octet_windows import words
from dissector.option_columns import DssColumns, OptionRows, WalkStatus, dss_columns, walk_options
from mptrace.analysis.columns.flows import FlowTable, mixed
from mptrace.analysis.columns.tables import (
    I32,
    I64,
    SYN,
    U16,
    Bool,
    DssTable,
    RecognitionTable,
    SegmentTable,
    TableBuilder,
)
from mptrace.capture.decode import BatchCounts, tcp_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dissector.packet_columns import TcpColumns
    from mptrace.capture import Capture, RecordBatch

_LINUX_SLL = 113
_LINUX_SLL2 = 276
_ORDINARY = 1 << MptcpSubtype.DSS
ODD_OPTION = 1 << 15
CUT_OPTIONS = 1 << 14
"""Bit of `SegmentTable.subtypes`: the capture ends within the options."""
_PLACE_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SMALLEST_SHARE = 0.002
"""What the first of the batches is at least taken for, so that its look says not too much."""
_SUBTYPE_BITS = np.array(
    [1 << value if value <= MptcpSubtype.MP_TCPRST else ODD_OPTION for value in range(16)],
    np.uint16,
)


@dataclass(slots=True)
class ReadCapture:
    """All that the analysis keeps of the packets."""

    segments: SegmentTable
    recognition: RecognitionTable
    dss: DssTable
    flows: FlowTable
    option_rows: I64
    """Rows of segments whose options say more than where payload belongs and what has arrived,
    ascending in capture order."""
    option_areas: list[tuple[bytes, int]]
    """Their option areas as captured, and the length that the TCP header declares."""
    counts: PacketCounts


@dataclass(slots=True)
class PacketCounts:
    """Sums over all packets of the capture."""

    packets: int = 0
    tcp_packets: int = 0
    mptcp_packets: int = 0
    truncated_packets: int = 0
    ip_fragments: int = 0
    unreadable_packets: int = 0
    first_time_ns: int | None = None
    last_time_ns: int | None = None

    def add(self, batch: RecordBatch, tcp: TcpColumns, counts: BatchCounts) -> None:
        """Take a batch into the sums."""
        self.packets += batch.time_ns.size
        self.tcp_packets += tcp.record.size
        self.truncated_packets += counts.truncated
        self.ip_fragments += counts.ip_fragments
        self.unreadable_packets += counts.unreadable
        if batch.time_ns.size:
            first, last = int(batch.time_ns.min()), int(batch.time_ns.max())
            self.first_time_ns = min(first, self.first_time_ns or first)
            self.last_time_ns = max(last, self.last_time_ns or last)


@dataclass(slots=True)
class _Parts:
    segments: TableBuilder[SegmentTable] = field(default_factory=lambda: TableBuilder(SegmentTable))
    recognition: TableBuilder[RecognitionTable] = field(
        default_factory=lambda: TableBuilder(RecognitionTable)
    )
    dss: TableBuilder[DssTable] = field(default_factory=lambda: TableBuilder(DssTable))
    option_rows: list[I64] = field(default_factory=list)
    option_areas: list[tuple[bytes, int]] = field(default_factory=list)
    rows: int = 0
    octets: int = 0


def read_capture(capture: Capture, progress: Callable[[int], None] | None = None) -> ReadCapture:
    """Read every packet once. Rows come out in frame order, whatever the order of the files."""
    flows, counts, parts = FlowTable(), PacketCounts(), _Parts()
    for batch in capture.batches(progress):
        tcp, batch_counts = tcp_columns(capture.interfaces, batch)
        counts.add(batch, tcp, batch_counts)
        if tcp.record.size:
            _take(capture, batch, tcp, flows, counts, parts)
    segments, recognition, dss = (
        parts.segments.finish(),
        parts.recognition.finish(),
        parts.dss.finish(),
    )
    rows = np.concatenate(parts.option_rows) if parts.option_rows else np.empty(0, np.int64)
    result = ReadCapture(segments, recognition, dss, flows, rows, parts.option_areas, counts)
    if len(capture.paths) > 1:
        _in_frame_order(result)
    return result


def _take(
    capture: Capture,
    batch: RecordBatch,
    tcp: TcpColumns,
    flows: FlowTable,
    counts: PacketCounts,
    parts: _Parts,
) -> None:
    options = walk_options(
        batch.buffer,
        tcp.options_offset,
        tcp.options_length,
        tcp.options_captured,
        only_mptcp=True,
    )
    subtypes = _subtypes(batch, options, tcp.record.size)
    counts.mptcp_packets += int(np.count_nonzero(subtypes))
    cut = np.flatnonzero(options.status & WalkStatus.CUT)
    dss = dss_columns(batch.buffer, options)
    flow, from_low = flows.number(tcp)
    telling = (tcp.flags & SYN) != 0
    telling |= (subtypes & ~np.uint16(_ORDINARY)) != 0
    subtypes[cut] |= np.uint16(CUT_OPTIONS)
    parts.octets += batch.buffer.size
    share = max(min(parts.octets / max(capture.size, 1), 1.0), _SMALLEST_SHARE)
    parts.segments.append(_segments(batch, tcp, flow, from_low, subtypes), share)
    parts.recognition.append(_recognition(capture, batch, tcp, flow, from_low), share)
    parts.dss.append(_dss_table(dss, parts.rows), share)
    infinite = (dss.data_seq_octets > 0) & (dss.data_length == 0)
    telling[dss.packet[dss.data_fin | infinite]] = True
    rows = np.flatnonzero(telling)
    parts.option_rows.append(rows + parts.rows)
    start = tcp.options_offset[rows]
    for first, captured, declared in zip(
        start.tolist(),
        tcp.options_captured[rows].tolist(),
        tcp.options_length[rows].tolist(),
        strict=True,
    ):
        area = batch.buffer[first : first + max(captured, 0)].tobytes()
        parts.option_areas.append((area, declared))
    parts.rows += tcp.record.size


def _subtypes(batch: RecordBatch, options: OptionRows, packets: int) -> U16:
    """One bit per MPTCP subtype that a packet carries; bit 15 for odd ones.

    ``options`` has no others than MPTCP options.
    """
    result = np.zeros(packets, np.uint16)
    packet = options.packet
    subtype = batch.buffer[options.offset + 2] >> 4
    bits = _SUBTYPE_BITS[subtype]
    again = packet[1:][packet[1:] == packet[:-1]]
    result[packet] = bits
    if again.size:  # several MPTCP options in a packet
        of_several = np.isin(packet, again)
        result[again] = 0
        np.bitwise_or.at(result, packet[of_several], bits[of_several])
    broken = options.malformed.kind == TcpOptionKind.MPTCP
    result[options.malformed.packet[broken]] |= np.uint16(ODD_OPTION)
    return result


def _dss_table(dss: DssColumns, first_row: int) -> DssTable:
    return DssTable(
        segment=(dss.packet + first_row).astype(np.int32),
        data_ack=dss.data_ack,
        data_ack_octets=dss.data_ack_octets,
        data_seq=dss.data_seq,
        data_seq_octets=dss.data_seq_octets,
        subflow_seq=dss.subflow_seq,
        data_length=dss.data_length,
        checksum=dss.checksum,
        has_checksum=dss.has_checksum,
        data_fin=dss.data_fin,
    )


def _recognition(
    capture: Capture, batch: RecordBatch, tcp: TcpColumns, flow: I32, from_low: Bool
) -> RecognitionTable:
    sender = from_low.astype(np.uint64)
    identity = mixed(
        (
            flow.astype(np.uint64) << np.uint64(1) | sender,
            tcp.seq.astype(np.uint64) << np.uint64(32) | tcp.ack,
            tcp.flags.astype(np.uint64) << np.uint64(48)
            | tcp.window.astype(np.uint64) << np.uint64(32)
            | tcp.ip_identification.astype(np.uint64) << np.uint64(16)
            | tcp.tcp_checksum,
            tcp.payload_length.astype(np.uint64) << np.uint64(8)
            | tcp.header_length.astype(np.uint64),
        )
    )
    return RecognitionTable(identity, _places(capture, batch, tcp), tcp.ip_identification != 0)


def _segments(
    batch: RecordBatch, tcp: TcpColumns, flow: I32, from_low: Bool, subtypes: U16
) -> SegmentTable:
    return SegmentTable(
        frame_number=_of_segments(tcp, batch.frame_number).astype(np.int32),
        time_ns=_of_segments(tcp, batch.time_ns),
        flow=flow,
        from_initiator=from_low,
        seq=tcp.seq,
        ack=tcp.ack,
        flags=tcp.flags,
        window=tcp.window,
        payload_length=tcp.payload_length.astype(np.int32),
        payload_captured=tcp.payload_captured.astype(np.int32),
        payload_position=tcp.payload_offset + batch.buffer_offset,
        source=np.full(flow.size, batch.source, np.uint16),
        subtypes=subtypes,
        wire_length=_of_segments(tcp, batch.wire_length).astype(np.int32),
    )


def _places(capture: Capture, batch: RecordBatch, tcp: TcpColumns) -> I32:
    """Where each packet was captured, as a number; equal numbers mean the same place."""
    interface, start = _of_segments(tcp, batch.interface), _of_segments(tcp, batch.offset)
    within = np.zeros(start.size, np.uint64)
    link_types = np.array([i.link_type for i in capture.interfaces])
    for link_type, place_within in ((_LINUX_SLL2, _within_sll2), (_LINUX_SLL, _within_sll)):
        if link_type in link_types:
            cooked = link_types[interface] == link_type
            rows = slice(None) if cooked.all() else np.flatnonzero(cooked)
            within[rows] = place_within(batch, start[rows])
    within |= interface.astype(np.uint64) << np.uint64(24)
    place = within << np.uint64(8) | tcp.encapsulation
    # the high half of a product with an odd number depends on all of the low bits
    return (place * _PLACE_MULTIPLIER >> np.uint64(32)).astype(np.uint32).view(np.int32)


def _of_segments(tcp: TcpColumns, column: NDArray[Any]) -> NDArray[Any]:
    """A column of the packets as one of the segments; not copied where all are segments."""
    return column if tcp.record.size == column.size else column[tcp.record]


def _within_sll2(batch: RecordBatch, start: I64) -> I64:
    """Octets: protocol (2), reserved (2), interface index (4), ARPHRD type (2), packet type."""
    return words(batch.buffer, start, ">u2", at=6) << 8 | words(batch.buffer, start, "u1", at=10)


def _within_sll(batch: RecordBatch, start: I64) -> I64:
    """Octets: packet type (2)."""
    return words(batch.buffer, start, "u1", at=1)


def _in_frame_order(read: ReadCapture) -> None:
    """Bring rows that were read file by file into the order of the merged capture."""
    order = np.argsort(read.segments.frame_number, kind="stable")
    row_of = np.empty(order.size, np.int64)
    row_of[order] = np.arange(order.size)
    read.segments.keep(order)
    read.recognition = read.recognition.take(order)
    read.dss.segment = row_of[read.dss.segment].astype(np.int32)
    read.dss.keep(np.argsort(read.dss.segment, kind="stable"))
    rows = row_of[read.option_rows]
    by_row = np.argsort(rows, kind="stable")
    read.option_rows = rows[by_row]
    read.option_areas = [read.option_areas[i] for i in by_row.tolist()]
