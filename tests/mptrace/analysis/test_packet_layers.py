"""Packets whose headers contradict themselves, end early or are not followed: said in the tree."""

from __future__ import annotations

import struct

import pytest

from mptrace.analysis.packets.packet_tree import PacketTree, packet_tree
from mptrace.capture.records import Interface, PacketRecord
from mptrace.views.packet import text_lines

ETHERNET, RAW, PPP, IEEE80211 = 1, 101, 9, 105
OPTION = bytes.fromhex("1e048103")
TCP = struct.pack(">HHIIHHHH", 40000, 5001, 7, 9, 6 << 12 | 0x04, 500, 0, 0) + OPTION
ENDS = bytes((10, 0, 0, 1, 10, 0, 0, 2))


def ipv4(
    payload: bytes, protocol: int = 6, first: int = 0x45, length: int | None = None, flags: int = 0
) -> bytes:
    total = 20 + len(payload) if length is None else length
    header = struct.pack(">BBHHHBBH", first, 0, total, 1, flags, 64, protocol, 0)
    return header + ENDS + payload


def ipv6(next_header: int, payload: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64) + bytes(32) + payload


def ethernet(ethertype: int, payload: bytes) -> bytes:
    return bytes(12) + struct.pack(">H", ethertype) + payload


def tcp(offset: int) -> bytes:
    return TCP[:12] + bytes((offset << 4,)) + TCP[13:]


def udp(port: int, payload: bytes) -> bytes:
    return struct.pack(">HHHH", 5, port, 8 + len(payload), 0) + payload


def tree(octets: bytes, link_type: int = RAW, missing: int = 0) -> PacketTree:
    interface = Interface(link_type, "LINK", 0, None, 0)
    return packet_tree(PacketRecord(1, octets, len(octets) + missing, 0, interface, 0, 24))


@pytest.mark.parametrize(
    ("octets", "link_type", "said", "place"),
    [
        (ipv4(TCP, first=0x65)[:20], RAW, "malformed: the packet ends after 20 of", "0:20"),
        (ethernet(0x0800, ipv4(TCP, first=0x55)), ETHERNET, "malformed: version 5", "14:20"),
        (ipv4(TCP, first=0x44), RAW, "malformed: version 4, header length 16", "0:20"),
        (ipv4(TCP, length=19), RAW, "total length 19 is less than the header's 20", "0:20"),
        (ipv4(TCP, flags=0x2000), RAW, "one fragment of a packet", ""),
        (ipv4(TCP, flags=0x0001), RAW, "one fragment of a packet", ""),
        (ipv6(44, b"\x06\0\0\x01\0\0\0\x07" + TCP), RAW, "one fragment of a packet", ""),
        (ethernet(0x86DD, b"\x40" + ipv6(6, TCP)[1:]), ETHERNET, "malformed: version 4", "14:40"),
        (ipv4(tcp(4)), RAW, "malformed: header length 16 is less than 20", "20:20"),
        (ipv4(tcp(9)), RAW, "the header is 36 octets long, the packet ends after 24", "32:1"),
        (ipv4(TCP[:15]), RAW, "malformed: the packet ends after 15 of at least 20", "20:15"),
        (ethernet(0x8100, b"\0"), ETHERNET, "malformed: the packet ends after 1 of", "14:1"),
        (ipv4(b"\0\x01\x88\x0b" + bytes(8), 47), RAW, "version 1 is not followed", ""),
        (ipv4(udp(2152, b"\x34\xff\0\x08\0\0\0\x01\0\0\0\x85\0"), 17), RAW,
         "an extension header's length is 0 or beyond", ""),
        (b"\0", PPP, "malformed: the packet ends", "0:1"),
        (ethernet(0x0806, bytes(28)), ETHERNET, "carries ARP", "0:14"),
        (b"", ETHERNET, "malformed: the packet ends after 0 of", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(
    octets: bytes, link_type: int, said: str, place: str
) -> None:
    lines = list(text_lines(tree(octets, link_type)))
    (line,) = [line for line in lines if said in line]
    assert line[:11].replace(" ", "") == place


def test_a_header_that_the_capture_cuts_is_not_malformed() -> None:
    shown = "\n".join(text_lines(tree(ipv4(TCP)[:30], missing=14)))
    assert "cut by the capture after 10 of at least 20 octets" in shown
    assert "malformed" not in shown


def test_ppp_with_a_compressed_protocol_number() -> None:
    found = tree(b"\x21" + ipv4(TCP), PPP)
    assert [layer.name for layer in found.layers] == ["ppp", "ip", "tcp"]
    assert found.layers[0].children[0].value == 0x21
    assert found.has_mptcp


def test_more_headers_than_any_packet_has() -> None:
    found = tree(ethernet(0x8847, bytes(400)), ETHERNET)
    assert 60 < len(found.layers) < 70
    assert not found.options


def test_links_that_only_the_columns_follow() -> None:
    """802.11 data with LLC/SNAP: what lies below TCP is one stretch, TCP is shown in full."""
    frame = b"\x08\x01\0\0" + bytes(20) + b"\xaa\xaa\x03\0\0\0\x08\0" + ipv4(TCP)
    found = tree(frame, IEEE80211)
    assert [(layer.offset, layer.length) for layer in found.layers] == [(0, 52), (52, 24)]
    assert found.layers[0].text == "not shown field by field"
    assert found.has_mptcp


def test_a_link_type_that_nobody_knows() -> None:
    found = tree(ipv4(TCP), 4711)
    assert not found.layers
    assert list(text_lines(found))[1].strip() == "[link type LINK is not decoded]"


def test_the_header_checksum_of_another_protocol_is_not_shown_as_tcp() -> None:
    found = tree(ipv4(udp(53, b"query"), 17))
    assert [layer.name for layer in found.layers] == ["ip", "udp"]
    assert not found.options


def test_segmentation_offload_leaves_the_lengths_0() -> None:
    for octets in (ipv4(TCP + b"payload", length=0), ipv6(6, TCP + b"payload")):
        changed = octets if octets[0] >> 4 == 4 else octets[:4] + b"\0\0" + octets[6:]
        (payload,) = [layer for layer in tree(changed).layers if layer.name == "tcp.payload"]
        assert payload.length == 7
