"""Every link type and encapsulation, held to what was put into the frame, and to tshark."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mptrace.capture import open_capture
from mptrace.capture.decode import BatchCounts, tcp_columns
from mptrace.capture.link_types import SUPPORTED_LINK_TYPES
from mptrace.capture.writer import InterfaceDescription, PcapngWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dissector.packet_columns import TcpColumns

CLIENT4, SERVER4 = "10.1.0.2", "192.0.2.77"
CLIENT6, SERVER6 = "2001:db8:1::2", "fd00:ffff:0:1::99"
PAYLOAD = b"seventeen octets!"
OPTIONS = bytes.fromhex("0101080a0000000100000002")


def tcp(payload: bytes = PAYLOAD, options: bytes = OPTIONS, *, data_offset: int = 0) -> bytes:
    words = data_offset or (20 + len(options)) // 4
    flags = words << 12 | 0x118
    fixed = struct.pack(">HHIIHHHH", 40123, 5201, 0xFEDCBA98, 0x89ABCDEF, flags, 4321, 0xBEEF, 0)
    return fixed + options + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    *,
    total: int | None = None,
    fragment: int = 0x4000,
    options: bytes = b"",
    source: str = CLIENT4,
    destination: str = SERVER4,
) -> bytes:
    length = 20 + len(options) + len(payload) if total is None else total
    return (
        struct.pack(
            ">BBHHHBBH",
            0x40 | (20 + len(options)) // 4,
            0,
            length,
            0x1234,
            fragment,
            61,
            protocol,
            0,
        )
        + ipaddress.ip_address(source).packed
        + ipaddress.ip_address(destination).packed
        + options
        + payload
    )


def ipv6(payload: bytes, next_header: int = 6, *, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    return (
        struct.pack(">IHBB", 6 << 28, size, next_header, 62)
        + ipaddress.ip_address(CLIENT6).packed
        + ipaddress.ip_address(SERVER6).packed
        + payload
    )


def ethernet(payload: bytes, ethertype: int = 0x0800) -> bytes:
    return bytes.fromhex("02000000000102000000000f") + ethertype.to_bytes(2, "big") + payload


def udp(payload: bytes, port: int) -> bytes:
    return struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload


def snap(payload: bytes, ethertype: int = 0x0800) -> bytes:
    return bytes.fromhex("aaaa03000000") + ethertype.to_bytes(2, "big") + payload


def wifi(body: bytes, control: int = 0x0008, *, extra: bytes = b"", pad: int = 0) -> bytes:
    addresses = bytes.fromhex("020000000001020000000002020000000003")
    return struct.pack("<HH", control, 0) + addresses + b"\x10\x00" + extra + bytes(pad) + body


def radiotap(frame: bytes, fields: bytes = b"", present: tuple[int, ...] = (0,)) -> bytes:
    length = 4 + 4 * len(present) + len(fields)
    return struct.pack(f"<BBH{len(present)}I", 0, 0, length, *present) + fields + frame


def nested(tunnels: int) -> bytes:
    packet = ipv4(tcp())
    for _ in range(tunnels):
        packet = ipv4(packet, 4)
    return packet


T4, T6 = ipv4(tcp()), ipv6(tcp())
PAD = bytes.fromhex("010400000000")
AUTHENTICATION = bytes.fromhex("0604000000000001000000020102030405060708090a0b0c")


@dataclass(frozen=True)
class Case:
    name: str
    link_type: int
    frame: bytes
    family: int = 4
    encapsulation: int = 0
    tshark: bool = True
    """False where tshark (4.0) does not read the frame without being told how."""


CASES = [
    Case("ethernet", 1, ethernet(T4)),
    Case("ethernet padded", 1, ethernet(T4) + bytes(9)),
    Case("ethernet ipv6", 1, ethernet(T6, 0x86DD), 6),
    Case("ipv4 options", 1, ethernet(ipv4(tcp(), options=bytes.fromhex("94040000")))),
    Case("802.1Q", 1, ethernet(b"\x00\x05\x08\x00" + T4, 0x8100)),
    Case("802.1ad", 1, ethernet(bytes.fromhex("0007 8100 0005 0800") + T4, 0x88A8)),
    Case("QinQ, 3 tags", 1, ethernet(bytes.fromhex("000781000007810000050800") + T4, 0x9100)),
    Case("802.3 SNAP", 1, ethernet(snap(T4), len(snap(T4)))),
    Case(
        "802.1Q with LLC",
        1,
        ethernet(b"\x00\x05" + len(snap(T4)).to_bytes(2, "big") + snap(T4), 0x8100),
    ),
    Case("802.3 LLC IP", 1, ethernet(bytes.fromhex("060603") + T4, len(T4) + 3)),
    Case("MPLS", 1, ethernet(bytes.fromhex("00010140") + T4, 0x8847)),
    Case(
        "MPLS, 3 labels, IPv6",
        1,
        ethernet(bytes.fromhex("000100400002004000030140") + T6, 0x8847),
        6,
    ),
    Case("PPPoE", 1, ethernet(struct.pack(">BBHHH", 0x11, 0, 7, len(T4) + 2, 0x21) + T4, 0x8864)),
    Case("PPP, address and control", 9, bytes.fromhex("ff030021") + T4),
    Case("PPP bare", 9, bytes.fromhex("0057") + T6, 6),
    Case("PPP compressed protocol", 9, b"\x21" + T4),
    Case("PPP framed, compressed", 50, b"\xff\x03\x57" + T6, 6),
    Case("PPP MPLS", 9, bytes.fromhex("ff030281 00010140") + T4),
    Case("PPPoE link", 51, struct.pack(">BBHHH", 0x11, 0, 7, len(T4) + 2, 0x21) + T4),
    Case("PPP with direction", 204, b"\x01" + bytes.fromhex("ff030021") + T4),
    Case("pppd", 166, bytes.fromhex("01030021") + T4, tshark=False),
    Case("Cisco HDLC", 104, bytes.fromhex("0f000800") + T4),
    Case("cooked", 113, bytes.fromhex("00000001000602000000000100000800") + T4),
    Case("cooked with tag", 113, bytes.fromhex("0000000100060200000000010000810000050800") + T4),
    Case("cooked v2", 276, bytes.fromhex("86dd000000000002000100060200000000010000") + T6, 6),
    Case("raw 101", 101, T4),
    Case("raw 101 IPv6", 101, T6, 6),
    Case("raw 12", 12, T6, 6),
    Case("raw 14", 14, T4),
    Case("IPv4 link", 228, T4),
    Case("IPv6 link", 229, T6, 6),
    Case("null little", 0, struct.pack("<I", 2) + T4),
    Case("null big", 0, struct.pack(">I", 2) + T4),
    Case("null 10", 0, struct.pack("<I", 10) + T6, 6, tshark=False),
    Case("null 24", 0, struct.pack("<I", 24) + T6, 6),
    Case("null 28", 0, struct.pack("<I", 28) + T6, 6),
    Case("null 30", 0, struct.pack(">I", 30) + T6, 6),
    Case("loop", 108, struct.pack(">I", 2) + T4),
    Case("802.11", 105, wifi(snap(T4))),
    Case("802.11 QoS", 105, wifi(snap(T6, 0x86DD), 0x0188, extra=b"\0\0"), 6),
    Case("802.11 QoS +HTC", 105, wifi(snap(T4), 0x8188, extra=bytes(6))),
    Case("802.11 four addresses", 105, wifi(snap(T4), 0x0308, extra=bytes(6))),
    Case("802.11 four addresses QoS", 105, wifi(snap(T4), 0x0388, extra=bytes(8))),
    Case("radiotap", 127, radiotap(wifi(snap(T4)))),
    Case("radiotap flags", 127, radiotap(wifi(snap(T4)), b"\x00", (2,))),
    Case(
        "radiotap padded",
        127,
        radiotap(wifi(snap(T4), 0x0188, extra=b"\0\0", pad=2), bytes(8) + b"\x20", (3,)),
    ),
    Case(
        "radiotap padded, two words",
        127,
        radiotap(
            wifi(snap(T4), 0x0188, extra=b"\0\0", pad=2),
            bytes(4) + bytes(8) + b"\x20",
            (0x80000003, 0),
        ),
    ),
    Case("PPI", 192, struct.pack("<BBHI", 0, 0, 8, 105) + wifi(snap(T4))),
    Case("AVS", 163, struct.pack(">II", 0x80211001, 64) + bytes(56) + wifi(snap(T4))),
    Case(
        "prism",
        119,
        struct.pack("<II", 0x44, 144) + b"wlan0".ljust(16, b"\0") + bytes(120) + wifi(snap(T4)),
    ),
    Case("prism with AVS", 119, struct.pack(">II", 0x80211001, 64) + bytes(56) + wifi(snap(T4))),
    Case("hop by hop", 101, ipv6(b"\x06\x00" + PAD + tcp(), 0), 6),
    Case("routing", 101, ipv6(bytes.fromhex("0602000100000000") + bytes(16) + tcp(), 43), 6),
    Case("destination", 101, ipv6(bytes.fromhex("0600010400000000") + tcp(), 60), 6),
    Case("authentication", 101, ipv6(AUTHENTICATION + tcp(), 51), 6),
    Case("IPv4 authentication", 101, ipv4(AUTHENTICATION + tcp(), 51)),
    Case("whole fragment", 101, ipv6(bytes.fromhex("0600000000000001") + tcp(), 44), 6),
    Case(
        "four extensions",
        101,
        ipv6(
            b"\x3c\x00"
            + PAD
            + b"\x2b\x00"
            + PAD
            + bytes.fromhex("2c02000000000000")
            + bytes(16)
            + bytes.fromhex("0600000000000001")
            + tcp(),
            0,
        ),
        6,
    ),
    Case("IP in IP", 101, ipv4(T4, 4), 4, 1),
    Case("6in4", 101, ipv4(T6, 41), 6, 1),
    Case("4in6", 101, ipv6(T4, 4), 4, 1),
    Case("6in6", 101, ipv6(T6, 41), 6, 1),
    Case("MPLS in IP", 101, ipv4(bytes.fromhex("00010140") + T4, 137), 4, 1),
    Case("GRE", 101, ipv4(bytes.fromhex("00000800") + T4, 47), 4, 1),
    Case("GRE, key", 101, ipv4(bytes.fromhex("200086dd 00000009") + T6, 47), 6, 1),
    Case("GRE, all fields", 101, ipv6(bytes.fromhex("b0000800") + bytes(12) + T4, 47), 4, 1),
    Case("GRE, Ethernet", 101, ipv4(bytes.fromhex("00006558") + ethernet(T4), 47), 4, 1),
    Case("GRE, MPLS", 101, ipv4(bytes.fromhex("00008847 00010140") + T4, 47), 4, 1),
    Case(
        "PPTP",
        101,
        ipv4(bytes.fromhex("3081880b 00000000 00000001 00000001 ff030021") + T4, 47),
        4,
        1,
    ),
    Case("VXLAN", 101, ipv4(udp(bytes.fromhex("0800000000002a00") + ethernet(T4), 4789), 17), 4, 1),
    Case("GTP-U", 101, ipv4(udp(struct.pack(">BBHI", 0x30, 255, len(T4), 7) + T4, 2152), 17), 4, 1),
    Case(
        "GTP-U, sequence number",
        101,
        ipv4(udp(struct.pack(">BBHIHBB", 0x32, 255, len(T6) + 4, 7, 1, 0, 0) + T6, 2152), 17),
        6,
        1,
    ),
    Case(
        "GTP-U, PDU session container",
        101,
        ipv4(
            udp(
                struct.pack(">BBHIHBB", 0x34, 255, len(T4) + 8, 7, 0, 0, 0x85)
                + bytes.fromhex("01100100")
                + T4,
                2152,
            ),
            17,
        ),
        4,
        1,
    ),
    Case("GRE in IP in IP", 101, ipv4(ipv6(bytes.fromhex("00000800") + T4, 47), 41), 4, 2),
    Case("8 tunnels", 101, nested(8), 4, 8),
]


def decoded(path: Path | list[Path]) -> tuple[list[TcpColumns], BatchCounts]:
    columns, counts = [], [0] * 6
    with open_capture(path) as capture:
        for batch in capture.batches():
            segments, of_batch = tcp_columns(capture.interfaces, batch)
            columns.append(segments)
            values = (
                of_batch.packets,
                of_batch.tcp,
                of_batch.ip_fragments,
                of_batch.unreadable,
                of_batch.non_tcp,
                of_batch.truncated,
            )
            counts = [a + b for a, b in zip(counts, values, strict=True)]
    total = BatchCounts(*counts)
    assert total.packets == total.tcp + total.ip_fragments + total.unreadable + total.non_tcp
    return columns, total


def addresses(columns: TcpColumns, row: int) -> tuple[str, str]:
    values = [
        int(high[row]) << 64 | int(low[row])
        for high, low in (
            (columns.source_high, columns.source_low),
            (columns.destination_high, columns.destination_low),
        )
    ]
    kind = ipaddress.IPv4Address if columns.family[row] == 4 else ipaddress.IPv6Address
    return str(kind(values[0])), str(kind(values[1]))


def test_every_supported_link_type_has_a_case() -> None:
    assert {case.link_type for case in CASES} == SUPPORTED_LINK_TYPES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_encapsulation(case: Case, write_pcap: Callable[..., Path]) -> None:
    (columns,), counts = decoded(write_pcap([case.frame], case.link_type))
    assert counts == BatchCounts(1, 1, 0, 0, 0, 0)
    is_ipv4 = case.family == 4
    expected = {
        "record": 0,
        "family": case.family,
        "source_port": 40123,
        "destination_port": 5201,
        "ip_identification": 0x1234 if is_ipv4 else 0,
        "hop_limit": 61 if is_ipv4 else 62,
        "header_length": 32,
        "seq": 0xFEDCBA98,
        "ack": 0x89ABCDEF,
        "flags": 0x118,
        "window": 4321,
        "tcp_checksum": 0xBEEF,
        "options_length": 12,
        "options_captured": 12,
        "payload_length": len(PAYLOAD),
        "payload_captured": len(PAYLOAD),
        "encapsulation": case.encapsulation,
    }
    assert {name: getattr(columns, name).tolist() for name in expected} == {
        name: [value] for name, value in expected.items()
    }
    ends = (CLIENT4, SERVER4) if is_ipv4 else (CLIENT6, SERVER6)
    assert addresses(columns, 0) == ends
    record_header = 16
    assert columns.tcp_offset[0] == record_header + case.frame.index(tcp())
    assert columns.options_offset[0] == columns.tcp_offset[0] + 20
    assert columns.payload_offset[0] == columns.tcp_offset[0] + 32


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_frame_cut_at_every_octet(case: Case, write_pcap: Callable[..., Path]) -> None:
    frames = [case.frame[:length] for length in range(len(case.frame))]
    lengths = [len(case.frame)] * len(frames)
    parts, counts = decoded(write_pcap(frames, case.link_type, wire_lengths=lengths))
    (columns,) = parts
    needed = case.frame.index(tcp()) + 20
    # What has its fixed TCP header is a segment; what has less is nothing that anybody could know.
    assert columns.record.tolist() == list(range(needed, len(frames)))
    assert counts.truncated == len(frames)
    assert set(columns.payload_length.tolist()) == {len(PAYLOAD)}
    assert set(columns.options_length.tolist()) == {12}
    present = columns.record - needed
    assert columns.options_captured.tolist() == np.minimum(present, 12).tolist()
    captured = np.clip(present - 12, 0, len(PAYLOAD))
    assert columns.payload_captured.tolist() == captured.tolist()


@pytest.mark.tshark
def test_tshark_agrees_on_every_encapsulation(
    tmp_path: Path, tshark_fields: Callable[..., list[dict[str, str]]]
) -> None:
    path = tmp_path / "all.pcapng"
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        for number, case in enumerate(CASES):
            writer.add_interface(InterfaceDescription(case.link_type))
            writer.write(case.frame, number * 1_000_001, interface=number)
    names = ["ip.src", "ipv6.src", "tcp.srcport", "tcp.seq_raw", "tcp.len", "tcp.window_size_value"]
    read = tshark_fields(path, ["frame.number", "frame.time_epoch", *names])
    assert len(read) == len(CASES)
    columns, counts = decoded(path)
    assert counts.tcp == len(CASES)
    (ours,) = columns
    for row, (case, packet) in enumerate(zip(CASES, read, strict=True)):
        if not case.tshark:
            continue
        source = packet["ip.src" if case.family == 4 else "ipv6.src"]
        values = [int(packet[name]) for name in names[2:]]
        assert (case.name, source, *values) == (
            case.name,
            addresses(ours, row)[0],
            int(ours.source_port[row]),
            int(ours.seq[row]),
            int(ours.payload_length[row]),
            int(ours.window[row]),
        )


def test_several_link_types_in_one_batch_keep_the_order_of_packets(tmp_path: Path) -> None:
    path = tmp_path / "mixed.pcapng"
    cases = [case for case in CASES if case.link_type in {1, 101, 276}]
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        number = {
            link_type: writer.add_interface(InterfaceDescription(link_type))
            for link_type in (1, 101, 276)
        }
        for case in cases * 3:
            writer.write(case.frame, 5, interface=number[case.link_type])
    (columns,), _ = decoded(path)
    assert columns.record.tolist() == list(range(3 * len(cases)))
    assert columns.family.tolist() == [case.family for case in cases] * 3
    assert columns.encapsulation.tolist() == [case.encapsulation for case in cases] * 3


NOT_TCP = {
    "ARP": (1, ethernet(bytes(28), 0x0806)),
    "UDP": (101, ipv4(udp(b"x", 53), 17)),
    "UDP on the VXLAN port without its flag": (101, ipv4(udp(bytes(60), 4789), 17)),
    "GTP-U echo": (101, ipv4(udp(struct.pack(">BBHI", 0x30, 1, 0, 7), 2152), 17)),
    "ICMP error that quotes TCP": (101, ipv4(bytes(8) + T4, 1)),
    "ICMPv6": (101, ipv6(bytes(8), 58)),
    "raw IP of version 5": (101, b"\x55" + bytes(40)),
    "GRE version 2": (101, ipv4(bytes.fromhex("00020800") + T4, 47)),
    "802.11 beacon": (105, wifi(bytes(20), 0x0080)),
    "802.11 without data": (105, wifi(b"", 0x0148)),
    "LLC spanning tree": (1, ethernet(bytes.fromhex("424203") + bytes(35), 38)),
    "LCP": (9, bytes.fromhex("ff03c021") + bytes(10)),
    "null of an unknown family": (0, struct.pack("<I", 99) + T4),
    "IPv4 with the number of an IPv6 extension": (101, ipv4(bytes(8) + tcp(), 60)),
}


@pytest.mark.parametrize("name", NOT_TCP)
def test_not_tcp(name: str, write_pcap: Callable[..., Path]) -> None:
    link_type, frame = NOT_TCP[name]
    _, counts = decoded(write_pcap([frame], link_type))
    assert counts == BatchCounts(1, 0, 0, 0, 1, 0)


UNREADABLE = {
    "link type not supported": (147, T4),
    "data offset 4": (101, ipv4(tcp(data_offset=4))),
    "TCP header longer than the packet": (101, ipv4(tcp(b"", b"", data_offset=6))),
    "IPv4 header length 4": (101, b"\x44" + T4[1:]),
    "IPv4 total length below the header": (101, ipv4(tcp(), total=19)),
    "IPv4 total length ends in the TCP header": (101, ipv4(tcp(), total=39)),
    "IPv4 of version 6": (228, T6),
    "IPv6 of version 4": (229, T4),
    "802.11 encrypted": (105, wifi(snap(T4), 0x4008)),
    "802.11 aggregate": (105, wifi(snap(T4), 0x0088, extra=b"\x80\0")),
    "nine tunnels": (101, nested(9)),
    "VLAN tags without end": (1, ethernet(bytes.fromhex("00018100") * 200, 0x8100)),
    "extensions without end": (101, ipv6(bytes(8) * 100 + tcp(), 0)),
    "GTP-U extensions without end": (
        101,
        ipv4(
            udp(
                struct.pack(">BBHIHBB", 0x34, 255, 99, 7, 0, 0, 0x85)
                + bytes.fromhex("01000085") * 40
                + T4,
                2152,
            ),
            17,
        ),
    ),
    "GTP-U extension of length 0": (
        101,
        ipv4(udp(struct.pack(">BBHIHBB", 0x34, 255, 99, 7, 0, 0, 0x85) + bytes(4) + T4, 2152), 17),
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str, write_pcap: Callable[..., Path]) -> None:
    link_type, frame = UNREADABLE[name]
    _, counts = decoded(write_pcap([frame], link_type))
    assert counts == BatchCounts(1, 0, 0, 1, 0, 0)


FRAGMENTS = {
    "IPv4, first": ipv4(tcp(), fragment=0x2000),
    "IPv4, later": ipv4(tcp(), fragment=0x00B9),
    "IPv6, first": ipv6(bytes.fromhex("0600000100000001") + tcp(), 44),
    "IPv6, later": ipv6(bytes.fromhex("060000b800000001") + tcp(), 44),
    "within a tunnel": ipv4(ipv4(tcp(), fragment=0x2000), 4),
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_fragments_are_counted_and_not_read(name: str, write_pcap: Callable[..., Path]) -> None:
    _, counts = decoded(write_pcap([FRAGMENTS[name]], 101))
    assert counts == BatchCounts(1, 0, 1, 0, 0, 0)


LENGTHS = {
    # name: frame, octets on the wire beyond it, payload length, of it captured
    "offloaded IPv4": (ipv4(tcp(), total=0), 0, 17, 17),
    "offloaded IPv4, cut": (ipv4(tcp(), total=0), 70000, 70017, 17),
    "offloaded IPv6": (ipv6(tcp(), length=0), 0, 17, 17),
    "jumbogram": (
        ipv6(bytes.fromhex("0600c20400011111") + tcp(), 0, length=0),
        70000,
        70017,
        17,
    ),
    "length beyond the frame": (ipv4(tcp(), total=1500), 0, 1448, 17),
    "length below the frame": (ipv4(tcp(), total=59), 0, 7, 7),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_payload_length_comes_from_ip_or_the_frame(
    name: str, write_pcap: Callable[..., Path]
) -> None:
    frame, more, length, captured = LENGTHS[name]
    (columns,), _ = decoded(write_pcap([frame], 101, wire_lengths=[len(frame) + more]))
    assert columns.payload_length.tolist() == [length]
    assert columns.payload_captured.tolist() == [captured]
