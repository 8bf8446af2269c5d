"""The headers below TCP, and TCP's own, of every encapsulation: at the same octets as tshark's."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from dissector.field_tree import Field
from mptrace.analysis.packets.packet_tree import packet_tree
from mptrace.capture import open_capture
from mptrace.capture.decode import tcp_columns
from mptrace.crosscheck import WiresharkField, wireshark_packets

IPV4, IPV6, TCP = 0x0800, 0x86DD, 6
OPTIONS = bytes.fromhex("1e08200111223344")
TCP_SEGMENT = struct.pack(">HHIIHHHH", 40000, 5001, 7, 9, 7 << 12 | 0x18, 500, 0xBEEF, 0)
TCP_SEGMENT += OPTIONS + b"payload"
V6_ENDS = IPv6Address("fd00::1").packed + IPv6Address("fd00::2").packed


def ipv4(protocol: int, payload: bytes, options: bytes = b"") -> bytes:
    length = 20 + len(options) + len(payload)
    first = 0x45 + len(options) // 4
    header = struct.pack(">BBHHHBBH", first, 0, length, 0x1234, 0x4000, 64, protocol, 0)
    return header + bytes((10, 0, 0, 1, 10, 0, 0, 2)) + options + payload


def ipv6(next_header: int, payload: bytes) -> bytes:
    return struct.pack(">IHBB", 0x6012_3456, len(payload), next_header, 63) + V6_ENDS + payload


def ethernet(ethertype: int, payload: bytes) -> bytes:
    frame = bytes.fromhex("020000000001020000000002") + struct.pack(">H", ethertype) + payload
    return frame.ljust(60, b"\0")


def udp(port: int, payload: bytes) -> bytes:
    return struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload


SEGMENT4 = ipv4(TCP, TCP_SEGMENT)
SEGMENT6 = ipv6(TCP, TCP_SEGMENT)
SLL_ADDRESS = bytes.fromhex("0200000000010000")
PPP_IPV4 = b"\x00\x21" + SEGMENT4

FRAMES: dict[str, tuple[int, bytes]] = {
    "ethernet": (1, ethernet(IPV4, SEGMENT4)),
    "ethernet, padded": (1, ethernet(IPV4, ipv4(TCP, TCP_SEGMENT[:20].replace(b"\x70", b"\x50")))),
    "IPv6": (1, ethernet(IPV6, SEGMENT6)),
    "VLAN": (1, ethernet(0x8100, struct.pack(">HH", 0x6064, IPV4) + SEGMENT4)),
    "QinQ": (1, ethernet(0x88A8, struct.pack(">HHHH", 5, 0x8100, 0x1006, IPV6) + SEGMENT6)),
    "MPLS": (1, ethernet(0x8847, struct.pack(">II", 0x00010040, 0x00022140) + SEGMENT4)),
    "PPPoE": (1, ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 7, len(PPP_IPV4)) + PPP_IPV4)),
    "IPv4 options": (1, ethernet(IPV4, ipv4(TCP, TCP_SEGMENT, b"\x94\x04\0\0\x01\x01\x01\0"))),
    "IPv6 extensions": (
        1,
        ethernet(
            IPV6,
            ipv6(0, b"\x3c\0\x01\x04\0\0\0\0" + b"\x2b\0\x01\x04\0\0\0\0"
                 + b"\x2c\0\0\0\0\0\0\0" + b"\x06\0\0\0\0\0\0\x09" + TCP_SEGMENT),
        ),
    ),
    "authentication header": (
        1, ethernet(IPV6, ipv6(51, b"\x06\x04\0\0" + bytes(20) + TCP_SEGMENT)),
    ),
    "IP in IP": (1, ethernet(IPV4, ipv4(4, SEGMENT4))),
    "6in4": (1, ethernet(IPV4, ipv4(41, SEGMENT6))),
    "4in6": (1, ethernet(IPV6, ipv6(4, SEGMENT4))),
    "GRE": (1, ethernet(IPV4, ipv4(47, struct.pack(">HH", 0, IPV4) + SEGMENT4))),
    "GRE with all": (
        1, ethernet(IPV4, ipv4(47, struct.pack(">HHIII", 0xB000, IPV6, 0, 5, 6) + SEGMENT6)),
    ),
    "GRE with Ethernet": (
        1, ethernet(IPV4, ipv4(47, struct.pack(">HH", 0, 0x6558) + ethernet(IPV4, SEGMENT4))),
    ),
    "VXLAN": (
        1,
        ethernet(IPV4, ipv4(17, udp(4789, b"\x08\0\0\0\0\x12\x34\0" + ethernet(IPV6, SEGMENT6)))),
    ),
    "GTP-U": (
        1,
        ethernet(
            IPV4,
            ipv4(17, udp(2152, struct.pack(">BBHI", 0x30, 255, len(SEGMENT4), 77) + SEGMENT4)),
        ),
    ),
    "GTP-U with extension": (
        1,
        ethernet(
            IPV4,
            ipv4(17, udp(2152, struct.pack(">BBHI", 0x34, 255, len(SEGMENT6) + 8, 77)
                         + b"\0\0\0\x85" + b"\x01\x10\x09\0" + SEGMENT6)),
        ),
    ),
    "null": (0, struct.pack("<I", 2) + SEGMENT4),
    "loop": (108, struct.pack(">I", 2) + SEGMENT4),
    "PPP": (9, b"\xff\x03" + PPP_IPV4),
    "PPP with HDLC": (50, b"\xff\x03" + PPP_IPV4),
    "raw": (101, SEGMENT6),
    "raw IPv4": (228, SEGMENT4),
    "raw IPv6": (229, SEGMENT6),
    "cooked": (113, struct.pack(">HHH", 4, 1, 6) + SLL_ADDRESS + b"\x08\0" + SEGMENT4),
    "cooked v2": (
        276, struct.pack(">HHIHBB", IPV6, 0, 3, 1, 0, 6) + SLL_ADDRESS + SEGMENT6,
    ),
}  # fmt: skip
WITHOUT_A_COUNTERPART = {"tcp.options.mptcp.reserved"}


def walk(field: Field) -> Iterator[Field]:
    yield field
    for child in field.children:
        yield from walk(child)


Write = Callable[[Iterable[tuple[bytes, int]], int], Path]


@pytest.mark.tshark
@pytest.mark.parametrize("link_type", sorted({link_type for link_type, _ in FRAMES.values()}))
def test_fields_stand_where_tshark_has_them(link_type: int, write_capture: Write) -> None:
    names = [name for name, (of_type, _) in FRAMES.items() if of_type == link_type]
    path = write_capture([(FRAMES[name][1], len(FRAMES[name][1])) for name in names], link_type)
    with open_capture(path) as capture:
        trees = [packet_tree(record) for record in capture.records()]
    packets = wireshark_packets(path, "frame")
    for name, tree, theirs in zip(names, trees, packets, strict=True):
        ours = [field for layer in tree.layers for field in walk(layer) if has_value(field)]
        unknown = {field.name for field in ours if not is_among(field, theirs.walk())}
        assert unknown <= WITHOUT_A_COUNTERPART, name
        (tcp,) = (layer for layer in tree.layers if layer.name == "tcp")
        (their_tcp,) = (layer for layer in theirs.layers if layer.name == "tcp")
        assert (tcp.offset, tcp.length) == (their_tcp.offset, their_tcp.length), name


def has_value(field: Field) -> bool:
    return field.length > 0 and field.value is not None


def is_among(field: Field, theirs: Iterable[WiresharkField]) -> bool:
    """tshark places a field of some bits at all octets of the number that they are taken from."""
    value = field.value
    number = int.from_bytes(value) if isinstance(value, bytes) else int(value)
    return any(
        found.offset <= field.offset
        and field.offset + field.length <= found.offset + found.length
        and number in numbers_of(found)
        for found in theirs
        if found.name == field.name
    )


def numbers_of(field: WiresharkField) -> set[int]:
    """Of some fields of bits tshark gives the octets as value, and the number only as it shows."""
    shown = field.show or ""
    numbers = {int(field.value, 16)} if field.value else set()
    if shown.isdecimal() or shown.startswith("0x"):
        numbers.add(int(shown, 0))
    return numbers


@pytest.mark.parametrize("name", FRAMES)
def test_the_columns_find_tcp_where_the_tree_does(name: str, write_capture: Write) -> None:
    link_type, octets = FRAMES[name]
    with open_capture(write_capture([(octets, len(octets))], link_type)) as capture:
        (batch,) = capture.batches()
        columns, _ = tcp_columns(capture.interfaces, batch)
        tree = packet_tree(capture.packet(1))
    (tcp,) = (layer for layer in tree.layers if layer.name == "tcp")
    assert (columns.tcp_offset - batch.offset).tolist() == [tcp.offset]
    payload = [layer.length for layer in tree.layers if layer.name == "tcp.payload"]
    assert columns.payload_length.tolist() == (payload or [0])
