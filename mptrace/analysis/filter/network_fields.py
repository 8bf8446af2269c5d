"""Fields of IPv4, IPv6 and UDP headers; within tunnels, of each header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.octet_windows import windows
from mptrace.analysis.filter.batch_headers import UDP
from mptrace.analysis.filter.columns import Column
from mptrace.analysis.filter.field import Field
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mptrace.analysis.filter.batch_headers import BatchHeaders, HeaderPlaces

    Places = Callable[[BatchHeaders], HeaderPlaces]
    Read = Callable[[BatchHeaders], Column]

_ICMP: Final = 1
_ICMPV6: Final = 58

_IPV4_NUMBERS: Final = (
    # name, meaning, kind, octet, shift, bits, multiplied by
    ("hdr_len", "octets of the header", "u1", 0, 0, 4, 4),
    ("dsfield", "differentiated services", "u1", 1, 0, 8, 1),
    ("dsfield.dscp", "differentiated services codepoint", "u1", 1, 2, 6, 1),
    ("dsfield.ecn", "explicit congestion notification", "u1", 1, 0, 2, 1),
    ("len", "octets in all", ">u2", 2, 0, 16, 1),
    ("id", "identification", ">u2", 4, 0, 16, 1),
    ("flags.df", "don't fragment", ">u2", 6, 14, 1, 1),
    ("flags.mf", "more fragments", ">u2", 6, 13, 1, 1),
    ("frag_offset", "fragment offset, in units of 8 octets", ">u2", 6, 0, 13, 1),
    ("ttl", "time to live", "u1", 8, 0, 8, 1),
    ("proto", "protocol", "u1", 9, 0, 8, 1),
    ("checksum", "header checksum", ">u2", 10, 0, 16, 1),
)
_IPV6_NUMBERS: Final = (
    ("version", "version, always 6", "u1", 0, 4, 4, 1),
    ("tclass", "traffic class", ">u2", 0, 4, 8, 1),
    ("flow", "flow label", ">u4", 0, 0, 20, 1),
    ("plen", "payload length", ">u2", 4, 0, 16, 1),
    ("nxt", "next header", "u1", 6, 0, 8, 1),
    ("hlim", "hop limit", "u1", 7, 0, 8, 1),
)
_PROTOCOL_NAMES: Final = (("ICMP", 1), ("TCP", 6), ("UDP", 17), ("GRE", 47), ("ICMPv6", 58))


def network_fields() -> Iterator[Field]:
    """All fields of this module."""
    yield Field("ip", FieldType.PRESENCE, "an IPv4 packet", read=_present(_ipv4))
    yield Field("ip.version", FieldType.UNSIGNED, "version of IP, 4 or 6", 4, read=_versions)
    yield from _number_fields("ip", _ipv4, _IPV4_NUMBERS)
    for name, meaning, places in _ends("source", "destination", 12, 16):
        yield Field(f"ip.{name}", FieldType.IPV4, meaning, read=_ipv4_addresses(places))
    yield Field("ipv6", FieldType.PRESENCE, "an IPv6 packet", read=_present(_ipv6))
    yield from _number_fields("ipv6", _ipv6, _IPV6_NUMBERS)
    for name, meaning, places in _ends("source", "destination", 8, 24):
        yield Field(f"ipv6.{name}", FieldType.IPV6, meaning, 128, read=_ipv6_addresses(places))
    yield Field("icmp", FieldType.PRESENCE, "an ICMP message", read=_present(_payload(_ICMP)))
    yield Field("icmpv6", FieldType.PRESENCE, "an ICMPv6 message", read=_present(_payload(_ICMPV6)))
    udp = _payload(UDP, 8)
    yield Field("udp", FieldType.PRESENCE, "a UDP datagram", read=_present(udp))
    for name, meaning, at in (
        ("srcport", "source port", (0,)),
        ("dstport", "destination port", (2,)),
        ("port", "source or destination port", (0, 2)),
        ("length", "octets with the header", (4,)),
    ):
        yield Field(f"udp.{name}", FieldType.UNSIGNED, meaning, 16, read=_words(udp, at))


def _ends(
    source: str, destination: str, source_at: int, destination_at: int
) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return (
        ("src", f"{source} address", (source_at,)),
        ("dst", f"{destination} address", (destination_at,)),
        ("addr", f"{source} or {destination} address", (source_at, destination_at)),
    )


def _ipv4(headers: BatchHeaders) -> HeaderPlaces:
    return headers.networks.ipv4


def _ipv6(headers: BatchHeaders) -> HeaderPlaces:
    return headers.networks.ipv6


def _versions(headers: BatchHeaders) -> Column:
    ipv4, ipv6 = headers.networks.ipv4.row, headers.networks.ipv6.row
    return Column(np.concatenate((ipv4, ipv6)), np.repeat(np.array([4, 6]), (ipv4.size, ipv6.size)))


def _payload(protocol: int, octets: int = 0) -> Places:
    def places(headers: BatchHeaders) -> HeaderPlaces:
        return headers.payload_of(protocol, octets)

    return places


def _present(places: Places) -> Read:
    def read(headers: BatchHeaders) -> Column:
        found = places(headers)
        return Column(found.row, found.row)

    return read


def _number_fields(
    protocol: str,
    places: Places,
    numbers: tuple[tuple[str, str, str, int, int, int, int], ...],
) -> Iterator[Field]:
    for name, meaning, kind, at, shift, bits, factor in numbers:
        yield Field(
            f"{protocol}.{name}",
            FieldType.BOOLEAN if name.startswith("flags.") else FieldType.UNSIGNED,
            meaning,
            bits + factor.bit_length() - 1,
            read=_number(places, kind, at, shift, bits, factor),
            number_names=_PROTOCOL_NAMES if name in {"proto", "nxt"} else (),
        )


def _number(places: Places, kind: str, at: int, shift: int, bits: int, factor: int) -> Read:
    mask = (1 << bits) - 1

    def read(headers: BatchHeaders) -> Column:
        found = places(headers)
        number = headers.numbers(found.offset, kind, at=at)
        return Column(found.row, ((number >> shift) & mask) * factor)

    return read


def _words(places: Places, at: tuple[int, ...]) -> Read:
    def read(headers: BatchHeaders) -> Column:
        found = places(headers)
        values = [headers.numbers(found.offset, ">u2", at=place) for place in at]
        return Column(np.tile(found.row, len(at)), np.concatenate(values))

    return read


def _ipv4_addresses(at: tuple[int, ...]) -> Read:
    def read(headers: BatchHeaders) -> Column:
        found = headers.networks.ipv4
        values = [headers.numbers(found.offset, ">u4", at=place) for place in at]
        return Column(np.tile(found.row, len(at)), np.concatenate(values))

    return read


def _ipv6_addresses(at: tuple[int, ...]) -> Read:
    def read(headers: BatchHeaders) -> Column:
        found = headers.networks.ipv6
        values = [
            windows(headers.buffer, found.offset + place, 16)
            .view(">u8")
            .reshape(-1, 2)
            .astype(np.uint64)
            for place in at
        ]
        return Column(np.tile(found.row, len(at)), np.concatenate(values))

    return read
