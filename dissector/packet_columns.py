"""IP and TCP headers of many packets at once, as columns.

The caller says where a layer begins in each packet and which protocol it is; everything above it
is walked here: VLAN tags, MPLS, PPP, LLC, IPv4, IPv6 with extension headers, tunnels, TCP. The
walk goes protocol by protocol over the packets that are left, never packet by packet, and reads no
octet that the packet does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.frame_columns import IPV4, IPV6, UNREADABLE, Layers, resolve_frames
from dissector.network_columns import Segments, Transport, ipv4_layers, ipv6_layers
from dissector.octet_windows import windows
from dissector.tunnel_columns import tunnelled_layers

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ENCAPSULATION: Final = 8
"""Tunnels within tunnels that are followed."""
_TCP_HEADER: Final = np.dtype(
    [
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("offset_and_flags", ">u2"),
        ("window", ">u2"),
        ("checksum", ">u2"),
        ("urgent_pointer", ">u2"),
    ]
)


@dataclass(frozen=True, slots=True)
class TcpColumns:
    """One row per TCP segment, of the innermost IP packet, in the order of the records.

    Every array has the shape (n,). Offsets count octets from the start of the buffer.
    """

    record: NDArray[np.int64]
    """Row of the packet in what the caller gave."""
    family: NDArray[np.uint8]
    """4 or 6."""
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    """Addresses as two halves; IPv4: high is 0, low the 32 bits."""
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    ip_identification: NDArray[np.uint16]
    """0 for IPv6."""
    hop_limit: NDArray[np.uint8]
    """TTL in IPv4."""
    tcp_offset: NDArray[np.int64]
    header_length: NDArray[np.int64]
    """Of the TCP header with its options, in octets."""
    seq: NDArray[np.uint32]
    ack: NDArray[np.uint32]
    flags: NDArray[np.uint16]
    """9 bits: NS (AE), CWR, ECE, URG, ACK, PSH, RST, SYN, FIN."""
    window: NDArray[np.uint16]
    """As in the header, not scaled."""
    tcp_checksum: NDArray[np.uint16]
    options_offset: NDArray[np.int64]
    options_length: NDArray[np.int64]
    """As the data offset declares."""
    options_captured: NDArray[np.int64]
    """Octets of the options that are in the capture."""
    payload_offset: NDArray[np.int64]
    payload_length: NDArray[np.int64]
    """From the length in the IP header; from the frame where that is 0 (segmentation offload)."""
    payload_captured: NDArray[np.int64]
    encapsulation: NDArray[np.uint8]
    """Tunnels around the IP packet."""


@dataclass(frozen=True, slots=True)
class PacketCounts:
    """What became of the packets; with the TCP rows, they add up to all packets."""

    ip_fragments: int
    """Packets whose (innermost readable) IP header says that they are not whole."""
    unreadable: int
    """Headers that are cut, contradict themselves or are nested too deeply; encrypted frames."""
    non_tcp: int


def tcp_columns(buffer: NDArray[np.uint8], layers: Layers) -> tuple[TcpColumns, PacketCounts]:
    """Walk from the given layers, one per packet, up to TCP.

    ``layers.record`` must ascend. Never raises for any content of the buffer, as long as the
    extents lie within it.
    """
    parts: list[Segments] = []
    fragments = unreadable = non_tcp = 0
    for level in range(MAX_ENCAPSULATION + 1):
        layers = resolve_frames(buffer, layers)
        is_ipv4 = layers.protocol == IPV4
        is_ipv6 = layers.protocol == IPV6
        cut = int(np.count_nonzero(layers.protocol == UNREADABLE))
        unreadable += cut
        following: list[Layers] = []
        readable = 0
        for rows, read in ((is_ipv4, ipv4_layers), (is_ipv6, ipv6_layers)):
            count = int(np.count_nonzero(rows))
            if not count:
                continue
            readable += count
            transport: Transport = read(
                buffer, layers if count == rows.size else layers.take(rows), level
            )
            fragments += transport.fragments
            unreadable += transport.unreadable
            parts.append(transport.tcp)
            following.append(transport.others)
        non_tcp += layers.record.size - cut - readable
        others = Layers.joined(following)
        if not others.record.size:
            break
        layers = tunnelled_layers(buffer, others)
        non_tcp += others.record.size - layers.record.size
        if not layers.record.size:
            break
    else:
        unreadable += layers.record.size
    columns, headerless = _tcp_headers(buffer, Segments.joined(parts or [Segments.none()]))
    return columns, PacketCounts(fragments, unreadable + headerless, non_tcp)


def _tcp_headers(buffer: NDArray[np.uint8], segments: Segments) -> tuple[TcpColumns, int]:
    """TCP headers (RFC 9293 section 3.1), and of how many segments none can be read."""
    header_end = segments.offset + 20
    segments = segments.take(
        (header_end <= segments.captured_end) & (header_end <= segments.wire_end)
    )
    total = header_end.size
    header = windows(buffer, segments.offset, 20).view(_TCP_HEADER)
    offset_and_flags = header["offset_and_flags"].astype(np.uint16)
    header_length = (offset_and_flags >> 12).astype(np.int64) * 4
    sound = (header_length >= 20) & (segments.offset + header_length <= segments.wire_end)
    if not bool(sound.all()):
        segments, header = segments.take(sound), header[sound]
        offset_and_flags, header_length = offset_and_flags[sound], header_length[sound]
    offset = segments.offset
    payload_offset = offset + header_length
    options_length = header_length - 20
    columns = TcpColumns(
        record=segments.record,
        family=segments.family,
        source_high=segments.source_high,
        source_low=segments.source_low,
        destination_high=segments.destination_high,
        destination_low=segments.destination_low,
        source_port=header["source_port"].astype(np.uint16),
        destination_port=header["destination_port"].astype(np.uint16),
        ip_identification=segments.ip_identification,
        hop_limit=segments.hop_limit,
        tcp_offset=offset,
        header_length=header_length,
        seq=header["seq"].astype(np.uint32),
        ack=header["ack"].astype(np.uint32),
        flags=offset_and_flags & np.uint16(0x01FF),
        window=header["window"].astype(np.uint16),
        tcp_checksum=header["checksum"].astype(np.uint16),
        options_offset=offset + 20,
        options_length=options_length,
        options_captured=np.minimum(options_length, segments.captured_end - offset - 20),
        payload_offset=payload_offset,
        payload_length=segments.wire_end - payload_offset,
        payload_captured=np.maximum(segments.captured_end - payload_offset, 0),
        encapsulation=segments.encapsulation,
    )
    return columns, total - header_length.size
