"""IPv4 and IPv6 headers of many packets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.frame_columns import Layers
from dissector.octet_windows import windows, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PROTOCOL_TCP: Final = 6
_HOP_BY_HOP: Final = 0
_ROUTING: Final = 43
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_DESTINATION: Final = 60
_IPV6_EXTENSIONS: Final = (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION)
_MAX_EXTENSIONS: Final = 32

_IPV4_HEADER: Final = np.dtype(
    [
        ("version_and_length", "u1"),
        ("traffic_class", "u1"),
        ("total_length", ">u2"),
        ("identification", ">u2"),
        ("fragment", ">u2"),
        ("time_to_live", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
    ]
)
_IPV6_HEADER: Final = np.dtype(
    [
        ("version_and_class", "u1"),
        ("flow", "u1", (3,)),
        ("payload_length", ">u2"),
        ("next_header", "u1"),
        ("hop_limit", "u1"),
        ("source", ">u8", (2,)),
        ("destination", ">u8", (2,)),
    ]
)


@dataclass(frozen=True, slots=True)
class Segments:
    """Where the transport header of each packet begins, and between whom it goes. Shapes (n,)."""

    record: NDArray[np.int64]
    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    ip_identification: NDArray[np.uint16]
    hop_limit: NDArray[np.uint8]
    offset: NDArray[np.int64]
    captured_end: NDArray[np.int64]
    wire_end: NDArray[np.int64]
    """Behind the IP packet's last octet, by its own length field."""
    encapsulation: NDArray[np.uint8]

    def take(self, rows: NDArray[np.bool_]) -> Segments:
        """Some of the segments."""
        if bool(rows.all()):
            return self
        return Segments(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: Sequence[Segments]) -> Segments:
        """All segments of several parts (at least one), in the order of their records."""
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([part.record for part in parts]), kind="stable")
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in cls.__dataclass_fields__
            )
        )

    @classmethod
    def none(cls) -> Segments:
        """No segment at all."""
        signed, unsigned = np.zeros(0, np.int64), np.zeros(0, np.uint64)
        octets, pairs = np.zeros(0, np.uint8), np.zeros(0, np.uint16)
        addresses = (unsigned, unsigned, unsigned, unsigned)
        return cls(signed, octets, *addresses, pairs, octets, signed, signed, signed, octets)


@dataclass(frozen=True, slots=True)
class Transport:
    """What the IP headers of many packets lead to."""

    tcp: Segments
    others: Layers
    """Packets of other protocols; ``protocol`` is the IP protocol number."""
    fragments: int
    unreadable: int


def ipv4_layers(buffer: NDArray[np.uint8], layers: Layers, level: int) -> Transport:
    """Read IPv4 headers (RFC 791) at the offsets of ``layers``, within ``level`` tunnels."""
    header = windows(buffer, layers.offset, 20).view(_IPV4_HEADER)
    count = header.size
    version_and_length = header["version_and_length"]
    header_length = (version_and_length & 0x0F).astype(np.int64) * 4
    total_length = header["total_length"].astype(np.int64)
    offset = layers.offset + header_length
    # Segmentation offload leaves the length 0 where 16 bits do not hold it.
    wire_end = np.where(total_length == 0, layers.wire_end, layers.offset + total_length)
    readable = (
        (version_and_length >> 4 == 4)
        & (header_length >= 20)
        & (offset <= layers.captured_end)
        & (offset <= wire_end)
    )
    zero = np.zeros(count, np.uint64)
    packets = Segments(
        layers.record,
        np.full(count, 4, np.uint8),
        zero,
        header["source"].astype(np.uint64),
        zero,
        header["destination"].astype(np.uint64),
        header["identification"].astype(np.uint16),
        header["time_to_live"].copy(),
        offset,
        np.minimum(layers.captured_end, wire_end),
        wire_end,
        np.full(count, level, np.uint8),
    )
    fragment = readable & (header["fragment"] & 0x3FFF != 0)
    protocol = header["protocol"].astype(np.int64)
    return _transport(buffer, packets, protocol, readable, fragment, (_AUTHENTICATION,))


def ipv6_layers(buffer: NDArray[np.uint8], layers: Layers, level: int) -> Transport:
    """Read IPv6 headers (RFC 8200) at the offsets of ``layers``, within ``level`` tunnels."""
    header = windows(buffer, layers.offset, 40).view(_IPV6_HEADER)
    count = header.size
    payload_length = header["payload_length"].astype(np.int64)
    offset = layers.offset + 40
    # 0: a jumbogram (RFC 2675) or segmentation offload.
    wire_end = np.where(payload_length == 0, layers.wire_end, offset + payload_length)
    readable = (header["version_and_class"] >> 4 == 6) & (offset <= layers.captured_end)
    source, destination = (
        header["source"].astype(np.uint64),
        header["destination"].astype(np.uint64),
    )
    packets = Segments(
        layers.record,
        np.full(count, 6, np.uint8),
        np.ascontiguousarray(source[:, 0]),
        np.ascontiguousarray(source[:, 1]),
        np.ascontiguousarray(destination[:, 0]),
        np.ascontiguousarray(destination[:, 1]),
        np.zeros(count, np.uint16),
        header["hop_limit"].copy(),
        offset,
        np.minimum(layers.captured_end, wire_end),
        wire_end,
        np.full(count, level, np.uint8),
    )
    protocol = header["next_header"].astype(np.int64)
    fragment = np.zeros(count, np.bool_)
    return _transport(buffer, packets, protocol, readable, fragment, _IPV6_EXTENSIONS)


def _is_one_of(protocol: NDArray[np.int64], numbers: tuple[int, ...]) -> NDArray[np.bool_]:
    """As np.isin, which takes much longer for a handful of numbers."""
    found: NDArray[np.bool_] = protocol == numbers[0]
    for number in numbers[1:]:
        found |= protocol == number
    return found


def _transport(
    buffer: NDArray[np.uint8],
    packets: Segments,
    protocol: NDArray[np.int64],
    readable: NDArray[np.bool_],
    fragment: NDArray[np.bool_],
    extensions: tuple[int, ...],
) -> Transport:
    """Pass the extension headers and tell TCP from the rest. Changes its arguments."""
    readable = readable.copy()
    live = readable & ~fragment
    rows = np.flatnonzero(live & _is_one_of(protocol, extensions))
    for _ in range(_MAX_EXTENSIONS):
        if not rows.size:
            break
        offset, kind = packets.offset[rows], protocol[rows]
        first = words(buffer, offset, "u1")
        length = words(buffer, offset, "u1", at=1)
        octets = np.where(
            kind == _FRAGMENT, 8, np.where(kind == _AUTHENTICATION, length * 4 + 8, length * 8 + 8)
        )
        whole = offset + octets <= packets.captured_end[rows]
        readable[rows] = whole
        # More fragments, or an offset: the packet is not whole (RFC 8200 section 4.5).
        not_whole = whole & (kind == _FRAGMENT) & (words(buffer, offset, ">u2", at=2) & 0xFFF9 != 0)
        fragment[rows] = not_whole
        rows, first, octets = (part[whole & ~not_whole] for part in (rows, first, octets))
        packets.offset[rows] += octets
        protocol[rows] = first
        rows = rows[_is_one_of(first, extensions)]
    readable[rows] = False
    live = readable & ~fragment
    is_tcp = live & (protocol == PROTOCOL_TCP)
    rest = live & ~is_tcp
    return Transport(
        packets.take(is_tcp),
        Layers(
            packets.record, protocol, packets.offset, packets.captured_end, packets.wire_end
        ).take(rest),
        int(np.count_nonzero(fragment)),
        int(np.count_nonzero(~readable)),
    )
