"""Fields of the TCP header, and what follows from a TCP stream's packets together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.columns.streams import number_streams
from mptrace.analysis.columns.tables import ACK, FIN, SYN
from mptrace.analysis.filter.columns import Column
from mptrace.analysis.filter.field import Columns, Field
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mptrace.analysis.columns.tables import I32, I64, U16, U32, Bool
    from mptrace.analysis.filter.batch_headers import BatchHeaders

    Read = Callable[[BatchHeaders], Column]

_FLAGS: Final = (
    ("fin", 0x001), ("syn", 0x002), ("reset", 0x004), ("push", 0x008), ("ack", 0x010),
    ("urg", 0x020), ("ece", 0x040), ("cwr", 0x080), ("ae", 0x100),
)  # fmt: skip
_STREAM: Final = ("_flow", "_from_low", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags")
_WORD: Final = 0xFFFFFFFF


def tcp_fields() -> Iterator[Field]:
    """All fields of this module."""
    unsigned, octets = FieldType.UNSIGNED, FieldType.OCTETS
    yield Field("tcp", octets, "a TCP segment, header and payload", read=_segment)
    for name, meaning, attributes, bits in (
        ("srcport", "source port", ("source_port",), 16),
        ("dstport", "destination port", ("destination_port",), 16),
        ("port", "source or destination port", ("source_port", "destination_port"), 16),
        ("seq_raw", "sequence number on the wire", ("seq",), 32),
        ("ack_raw", "acknowledgment number on the wire", ("ack",), 32),
        ("hdr_len", "octets of the header", ("header_length",), 8),
        ("window_size_value", "window on the wire, unscaled", ("window",), 16),
        ("checksum", "checksum", ("tcp_checksum",), 16),
        ("len", "octets of payload", ("payload_length",), 32),
    ):
        yield Field(f"tcp.{name}", unsigned, meaning, bits, read=_numbers(*attributes))
    yield Field("tcp.flags", unsigned, "all flags", 16, read=_flags)
    for name, mask in _FLAGS:
        yield Field(
            f"tcp.flags.{name}",
            FieldType.BOOLEAN,
            f"flag {name.upper()}",
            derive=_flag(mask),
            needs=("tcp.flags",),
        )
    yield Field("tcp.urgent_pointer", unsigned, "urgent pointer", 16, read=_urgent_pointer)
    yield Field("tcp.options", octets, "the options", read=_options)
    yield Field("tcp.payload", octets, "the payload", read=_payload)
    yield from _stream_fields()


def _stream_fields() -> Iterator[Field]:
    unsigned, time = FieldType.UNSIGNED, FieldType.TIME
    yield Field("_flow", unsigned, "", read=_flow, hidden=True)
    yield Field("_from_low", unsigned, "", read=_from_low, hidden=True)
    yield Field("tcp.stream", unsigned, "TCP connection, from 0", derive=_stream, needs=_STREAM)
    yield Field("_base", unsigned, "", derive=_base, needs=(*_STREAM, "tcp.stream"), hidden=True)
    relative = ("_base", "tcp.stream", *_STREAM)
    yield Field(
        "tcp.seq", unsigned, "sequence number, relative", derive=_relative_seq, needs=relative
    )
    yield Field(
        "tcp.nxtseq",
        unsigned,
        "sequence number after the segment, relative",
        derive=_next_seq,
        needs=("tcp.seq", "tcp.len", "tcp.flags"),
    )
    yield Field(
        "tcp.ack", unsigned, "acknowledgment number, relative", derive=_relative_ack, needs=relative
    )
    times = ("tcp.stream", "frame.time_epoch")
    yield Field(
        "tcp.time_relative", time, "seconds since the stream's first", derive=_since, needs=times
    )
    yield Field(
        "tcp.time_delta", time, "seconds since the stream's last", derive=_delta, needs=times
    )
    yield Field(
        "tcp.window_size",
        unsigned,
        "window in octets, scaled where the handshake was captured",
        derive=_window_size,
        needs=("tcp.stream", "tcp.window_size_value", "tcp.options.wscale.shift", *_STREAM),
    )


def _numbers(*attributes: str) -> Read:
    def read(headers: BatchHeaders) -> Column:
        tcp = headers.tcp
        values = [getattr(tcp, attribute).astype(np.int64) for attribute in attributes]
        return Column(np.tile(tcp.record, len(values)), np.concatenate(values))

    return read


def _flags(headers: BatchHeaders) -> Column:
    """With the reserved bits, as Wireshark has it."""
    tcp = headers.tcp
    return Column(tcp.record, headers.numbers(tcp.tcp_offset, ">u2", at=12) & 0x0FFF)


def _urgent_pointer(headers: BatchHeaders) -> Column:
    tcp = headers.tcp
    return Column(tcp.record, headers.numbers(tcp.tcp_offset, ">u2", at=18))


def _flag(mask: int) -> Callable[[Columns], Column]:
    def derive(columns: Columns) -> Column:
        flags = columns.column("tcp.flags")
        return Column(flags.row, ((flags.value & mask) != 0).astype(np.int64))

    return derive


def _segment(headers: BatchHeaders) -> Column:
    tcp = headers.tcp
    payload = np.minimum(tcp.payload_captured, tcp.payload_length)
    header = np.minimum(tcp.header_length, 20 + tcp.options_captured)
    return Column(tcp.record, headers.octets(tcp.tcp_offset, header + payload))


def _options(headers: BatchHeaders) -> Column:
    tcp = headers.tcp
    rows = tcp.options_captured > 0
    return Column(
        tcp.record[rows], headers.octets(tcp.options_offset[rows], tcp.options_captured[rows])
    )


def _payload(headers: BatchHeaders) -> Column:
    tcp = headers.tcp
    length = np.minimum(tcp.payload_captured, tcp.payload_length)
    rows = length > 0
    return Column(tcp.record[rows], headers.octets(tcp.payload_offset[rows], length[rows]))


def _flow(headers: BatchHeaders) -> Column:
    return Column(headers.tcp.record, headers.flow_numbers[0].astype(np.int64))


def _from_low(headers: BatchHeaders) -> Column:
    return Column(headers.tcp.record, headers.flow_numbers[1].astype(np.int64))


@dataclass(slots=True)
class _Segments:
    """What `streams.number_streams` reads."""

    flow: I32
    from_initiator: Bool
    seq: U32
    ack: U32
    flags: U16

    def __len__(self) -> int:
        return int(self.flow.size)


def _segments(columns: Columns) -> _Segments:
    flow, from_low, seq, ack, flags = (columns.column(name).value for name in _STREAM)
    return _Segments(
        flow.astype(np.int32),
        from_low.astype(np.bool_),
        seq.astype(np.uint32),
        ack.astype(np.uint32),
        flags.astype(np.uint16),
    )


def _stream(columns: Columns) -> Column:
    _, stream = number_streams(_segments(columns), columns.flows.low_port_is_lower())
    return Column(columns.column("_flow").row, stream.astype(np.int64))


def _ways(columns: Columns) -> I64:
    """A number for each direction of each stream; the other direction differs in bit 0."""
    result: I64 = 2 * columns.column("tcp.stream").value + columns.column("_from_low").value
    return result


def _first_of(way: I64, rows: I64, ways: int) -> I64:
    """The first of ``rows`` of each way, a number beyond all rows where there is none."""
    first = np.full(ways, np.iinfo(np.int64).max)
    first[way[rows][::-1]] = rows[::-1]
    return first


def _base(columns: Columns) -> Column:
    """Per segment: what its sequence number is relative to, as Wireshark has it.

    The direction's first segment (its SYN, or one less than its number), or the first
    acknowledgment of the other direction where that came before.
    """
    way = _ways(columns)
    segments = _segments(columns)
    if not way.size:
        return columns.column("tcp.stream")
    ways = 2 * (int(way.max()) // 2 + 1)
    own = _first_of(way, np.arange(way.size), ways)
    acking = np.flatnonzero(segments.flags & ACK)
    acked = _first_of(way ^ 1, acking, ways)
    base = np.zeros(ways, np.int64)
    by_ack = np.flatnonzero(acked < own)
    base[by_ack] = segments.ack[acked[by_ack]].astype(np.int64) - 1
    by_seq = np.flatnonzero(own < acked)
    rows = own[by_seq]
    base[by_seq] = segments.seq[rows].astype(np.int64) - ((segments.flags[rows] & SYN) == 0)
    # of the other direction in the upper half, so that one column serves both
    return Column(columns.column("tcp.stream").row, np.stack((base[way], base[way ^ 1]), axis=1))


def _relative_seq(columns: Columns) -> Column:
    seq = columns.column("tcp.seq_raw")
    if not len(seq):
        return seq
    return Column(seq.row, (seq.value - columns.column("_base").value[:, 0]) & _WORD)


def _relative_ack(columns: Columns) -> Column:
    ack = columns.column("tcp.ack_raw")
    if not len(ack):
        return ack
    acks = (columns.column("tcp.flags").value & ACK) != 0
    relative = (ack.value - columns.column("_base").value[:, 1]) & _WORD
    return Column(ack.row, np.where(acks, relative, ack.value))


def _next_seq(columns: Columns) -> Column:
    seq = columns.column("tcp.seq")
    one = (columns.column("tcp.flags").value & (SYN | FIN)) != 0
    return Column(seq.row, (seq.value + columns.column("tcp.len").value + one) & _WORD)


def _since(columns: Columns) -> Column:
    stream, time = columns.column("tcp.stream"), columns.column("frame.time_epoch").value
    if not len(stream):
        return stream
    first = _first_of(stream.value, np.arange(len(stream)), int(stream.value.max()) + 1)
    return Column(stream.row, time[stream.row] - time[stream.row[first[stream.value]]])


def _delta(columns: Columns) -> Column:
    stream, time = columns.column("tcp.stream"), columns.column("frame.time_epoch").value
    order = np.argsort(stream.value, kind="stable")
    sorted_time, sorted_stream = time[stream.row[order]], stream.value[order]
    step = np.diff(sorted_time, prepend=sorted_time[:1])
    step[1:][sorted_stream[1:] != sorted_stream[:-1]] = 0
    delta = np.empty_like(step)
    delta[order] = step
    return Column(stream.row, delta)


def _window_size(columns: Columns) -> Column:
    window = columns.column("tcp.window_size_value")
    if not len(window):
        return window
    way = _ways(columns)
    flags = columns.column("tcp.flags").value
    shifts = columns.column("tcp.options.wscale.shift")
    at = np.searchsorted(window.row, shifts.row)
    in_syn = (flags[at] & SYN) != 0
    ways = 2 * (int(way.max()) // 2 + 1)
    shift = np.zeros(ways, np.int64)
    offered = np.zeros(ways, np.bool_)
    shift[way[at[in_syn]]] = np.minimum(shifts.value[in_syn], 14)
    offered[way[at[in_syn]]] = True
    answered = np.zeros(ways, np.bool_)
    answered[way[(flags & (SYN | ACK)) == (SYN | ACK)]] = True
    # an answer without the option ends scaling in both directions (RFC 7323 section 2.2)
    refused = answered & ~offered
    shift[refused | refused[np.arange(ways) ^ 1]] = 0
    scale = np.where((flags & SYN) != 0, 0, shift[way])
    return Column(window.row, window.value << scale)
