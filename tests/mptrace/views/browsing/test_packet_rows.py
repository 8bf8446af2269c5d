from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from dissector.option_codec import decode_options
from dissector.options import (
    AddAddress,
    CutOption,
    MpCapable,
    MpExperimental,
    MpFail,
    MpFastclose,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    MpPriority,
    MpTcpReset,
    RemoveAddress,
    TcpOption,
    UnknownMptcpOption,
)
from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.option_words import words
from mptrace.views.browsing.packet_rows import COPY_MARKS


def test_a_handshake_in_words(opened: Callable[[str], OpenedCapture]) -> None:
    capture = opened("walkout/client.pcap")
    infos = [capture.rows.row(row).info for row in range(4)]
    assert infos[0] == "SYN MP_CAPABLE v1"
    assert infos[1] == "SYN/ACK MP_CAPABLE v1"
    assert infos[2].startswith("MP_CAPABLE v1")
    joins = [
        capture.rows.row(row).info
        for row in range(len(capture.packets))
        if "MP_JOIN" in capture.rows.row(row).info
    ]
    assert joins[0].startswith("SYN MP_JOIN token 0x")
    assert joins[1].startswith("SYN/ACK MP_JOIN answer")
    assert joins[2].startswith("MP_JOIN confirmed")


def test_rows_say_where_data_stands(opened: Callable[[str], OpenedCapture]) -> None:
    """The words and the payload agree: first octet, last octet, DATA_ACK."""
    capture = opened("aggregate/client.pcap")
    seen = 0
    for row in range(len(capture.packets)):
        header = capture.packets.tcp(row)
        info = capture.rows.row(row).info
        if header is None or not header.payload_length or " dsn " not in f" {info}":
            continue
        first, last = info.partition("dsn ")[2].split(" ")[0].split("..")
        assert int(last) - int(first) + 1 == header.payload_length
        seen += 1
    assert seen > 50


@pytest.mark.parametrize("name", ["walkout/client.pcap", "fade/server.pcap"])
def test_marks_count_as_the_analysis_does(
    opened: Callable[[str], OpenedCapture], name: str
) -> None:
    capture = opened(name)
    rows = [capture.rows.row(row) for row in range(len(capture.packets))]
    marks = Counter(row.marks[0] for row in rows)
    frame = capture.analysis.packets
    expected = frame["mptrace.copy"].value_counts()
    for kind, mark in COPY_MARKS.items():
        assert marks[mark] == int(expected.get(kind, 0))
    late = int((frame["mptrace.out_of_order_octets"] > 0).sum())
    assert sum(row.marks[1] == "o" for row in rows) == late
    proofs = {number for finding in capture.analysis.findings for number in finding.packets}
    assert {row.number for row in rows if row.marks[2] != " "} == proofs


def test_a_packet_of_plain_tcp_is_shown_as_wireshark_does(
    opened: Callable[[str], OpenedCapture],
) -> None:
    capture = opened("plain_server/client.pcap")
    plain = [r for r in range(len(capture.packets)) if not capture.facts.has(r)]
    for row in plain:
        assert " seq " in capture.rows.row(row).info
    header = capture.packets.tcp(0)
    assert header is not None
    assert capture.rows.row(0).source == header.source


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (MpCapable(1, 0x81), "MP_CAPABLE v1, checksums"),
        (MpCapable(1, 1, 1, 2, 400), "MP_CAPABLE v1, data of 400"),
        (MpJoinSyn(True, 2, 0xC0FFEE, 1), "MP_JOIN token 0x00c0ffee, address 2, backup"),
        (MpJoinSynAck(False, 3, b"12345678", 1), "MP_JOIN answer, address 3"),
        (MpJoinAck(b"1" * 20), "MP_JOIN confirmed"),
        (AddAddress(1, 4, IPv4Address("10.0.0.9"), 80), "ADD_ADDR 10.0.0.9:80, id 4"),
        (AddAddress(1, 4, IPv4Address("10.0.0.9"), echo=True), "ADD_ADDR echo 10.0.0.9, id 4"),
        (RemoveAddress((1, 7)), "REMOVE_ADDR id 1, 7"),
        (MpPriority(True), "MP_PRIO backup"),
        (MpPriority(False, 3), "MP_PRIO address 3 regular"),
        (MpFail(255), "MP_FAIL dsn 0xff"),
        (MpFastclose(1), "MP_FASTCLOSE"),
        (MpTcpReset(1, 4), "MP_TCPRST Too much outstanding data, transient"),
        (MpExperimental(0, b""), "MP_EXPERIMENTAL"),
        (UnknownMptcpOption(9, 0, b""), "MPTCP subtype 9, unknown"),
        (UnknownMptcpOption(0, 7, b""), "MP_CAPABLE of unknown version 7"),
        (CutOption(b"\x1e"), "options cut by the capture"),
    ],
)
def test_every_option_has_words(option: TcpOption, expected: str) -> None:
    assert list(words([option])) == [expected]


def test_a_malformed_option_says_so() -> None:
    (text,) = words(decode_options(bytes.fromhex("1e05202020010101")))
    assert text.startswith("malformed MPTCP option: ")
