"""Where other tools go wrong, each point once, from a capture to the finished analysis.

Some of these points have their own tests in other rooms (hashes, HMACs, malformed lengths, partial
connections, joins of the server, tokens by the other version's hash); here are those that show only
in what the whole analysis says.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mptrace
from dissector.checksum import dss_checksum
from dissector.options import (
    AddAddress,
    DataSequenceSignal,
    MpCapable,
    MpPriority,
    NoOperation,
    UnknownMptcpOption,
)
from mptrace.capture.writer import InterfaceDescription, PcapngWriter, PcapWriter

SYN, FIN, PSH = 2, 1, 8
KEY_NEAR_WRAP = 0x3D9A2
"""SHA-256 makes this data sequence number of it: 0xf88b3941fffffa5a."""
OCTETS_TO_WRAP = (1 << 32) - 0xFFFFFA5A

Start = Callable[..., Any]


def dss(told: Any, direction: int, data: int, at: int, length: int, ack: int, widths: str) -> Any:
    """A DSS whose DATA_ACK and DSN have 4 or 8 octets each: "48" is DATA_ACK 4, DSN 8."""
    data_seq = (told.initial_data_seq(direction) + data) % (1 << 64)
    data_ack = (told.initial_data_seq(1 - direction) + ack) % (1 << 64)
    ack_octets, seq_octets = int(widths[0]), int(widths[1])
    return DataSequenceSignal(
        data_ack=data_ack % (1 << 8 * ack_octets),
        data_ack_octets=ack_octets,
        data_seq=data_seq % (1 << 8 * seq_octets),
        data_seq_octets=seq_octets,
        subflow_seq=at,
        data_length=length,
    )


def codes(analysis: mptrace.Analysis) -> set[str]:
    return {finding.code for finding in analysis.findings}


def finish(told: Any, subflow: Any, position: int, data: int) -> None:
    """Acknowledge all of the client's octets, end both directions and the subflow."""
    told.segment(subflow, 1, 0, 1, position, [told.signal(1, data_ack=data)])
    fin = told.signal(0, mapping=(data, 0, 1), data_ack=1, data_fin=True)
    told.segment(subflow, 0, 0, position, 1, [fin])
    answer = told.signal(1, mapping=(1, 0, 1), data_ack=data + 1, data_fin=True)
    told.segment(subflow, 1, 0, 1, position, [answer])
    told.segment(subflow, 0, 0, position, 1, [told.signal(0, data_ack=2)])
    told.segment(subflow, 0, FIN, position, 1, [])
    told.segment(subflow, 1, FIN, 1, position + 1, [])
    told.segment(subflow, 0, 0, position + 1, 2, [])


@pytest.mark.parametrize("widths", ["44", "48", "84", "88"])
def test_widths_of_data_ack_and_dsn_mix(story: Start, tmp_path: Path, widths: str) -> None:
    """One tool reads both as 4 octets, one tests the wrong flag."""
    told = story()
    one = told.open()
    for number in range(3):
        at = 1 + 100 * number
        told.segment(one, 0, PSH, at, 1, [dss(told, 0, at, at, 100, 1, widths)], bytes(100))
        told.segment(one, 1, PSH, at, at, [dss(told, 1, at, at, 100, at, widths)], bytes(100))
    told.segment(one, 1, 0, 301, 301, [told.signal(1, data_ack=301, wide=widths[0] == "8")])
    analysis = told.analyze(tmp_path / "told.pcap")
    for direction in (analysis[0].client_to_server, analysis[0].server_to_client):
        assert (direction.unique_octets, direction.missing_octets) == (300, 0)
    assert analysis[0].client_to_server.acked_octets == 300
    numbers = analysis.packets["mptcp.dsn"].dropna().tolist()
    assert numbers == [1, 1, 101, 101, 201, 201]


@pytest.mark.parametrize("wide", [True, False])
def test_the_low_32_bits_of_the_dsn_wrap(story: Start, tmp_path: Path, wide: bool) -> None:
    """A relative number then jumps to 1.8e19 elsewhere, and all after it with it."""
    told = story(client_key=KEY_NEAR_WRAP)
    assert told.initial_data_seq(0) == 0xF88B3941FFFFFA5A
    one = told.open()
    for at in range(1, 5001, 1000):
        signal = told.signal(0, mapping=(at, at, 1000), wide=wide)
        told.segment(one, 0, PSH, at, 1, [signal], bytes(1000))
        acked = told.signal(1, data_ack=at + 1000, wide=wide)
        told.segment(one, 1, 0, 1, at + 1000, [acked])
    analysis = told.analyze(tmp_path / "told.pcap")
    direction = analysis[0].client_to_server
    assert OCTETS_TO_WRAP < 5000
    assert (direction.unique_octets, direction.acked_octets) == (5000, 5000)
    assert (direction.missing_octets, direction.out_of_order_packets) == (0, 0)
    packets = analysis.packets[analysis.packets["tcp.len"] > 0]
    assert packets["mptcp.dsn"].tolist() == [1, 1001, 2001, 3001, 4001]
    assert packets["mptcp.rawdsn64"].tolist() == [0xF88B3941FFFFFA5A + at for at in
                                                  range(1, 5001, 1000)]  # fmt: skip


def test_numbers_above_2_to_the_53_keep_every_bit(story: Start, tmp_path: Path) -> None:
    """One tool stores keys and DSNs as float64."""
    told = story(client_key=2**64 - 1, server_key=2**53 + 1)
    one = told.open()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 3))], bytes(3))
    analysis = told.analyze(tmp_path / "told.pcap")
    assert (analysis[0].client.key, analysis[0].server.key) == (2**64 - 1, 2**53 + 1)
    (shown,) = analysis.packets["mptcp.rawdsn64"].dropna().tolist()
    assert shown == told.initial_data_seq(0) + 1
    assert analysis.packets["mptcp.rawdsn64"].dtype == "UInt64"


def test_long_mappings_cover_segments_without_options(story: Start, tmp_path: Path) -> None:
    """The later segments of a mapping are lost elsewhere: no connection, no DSN."""
    told = story()
    one = told.open()
    first = told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 12_000))], bytes(1200))
    for at in range(1201, 12_001, 1200):
        told.segment(one, 0, PSH, at, 1, [], bytes(1200))
    analysis = told.analyze(tmp_path / "told.pcap")
    packets = analysis.packets[analysis.packets["tcp.len"] > 0]
    assert packets["mptcp.stream"].tolist() == [0] * 10
    assert packets["mptcp.dsn"].tolist() == list(range(1, 12_001, 1200))
    assert packets["mptcp.related_mapping"].tolist() == [first] * 10
    assert analysis[0].client_to_server.unmapped_octets == 0


def test_pure_acks_and_data_fins_need_no_mapping(story: Start, tmp_path: Path) -> None:
    """ "No mapping available" is a false alarm there; Linux sends the DATA_FIN on every subflow."""
    told = story()
    one, two = told.open(), told.join()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 500))], bytes(500))
    told.segment(one, 1, 0, 1, 501, [told.signal(1, data_ack=501)])
    for subflow, at in ((one, 501), (two, 1)):
        fin = told.signal(0, mapping=(501, 0, 1), data_ack=1, data_fin=True)
        told.segment(subflow, 0, 0, at, 1, [fin])
    told.segment(one, 1, 0, 1, 501, [told.signal(1, data_ack=502)])
    analysis = told.analyze(tmp_path / "told.pcap")
    direction = analysis[0].client_to_server
    assert (direction.unique_octets, direction.acked_octets) == (500, 500)
    assert (direction.unmapped_octets, direction.reinjected_octets.total) == (0, 0)
    assert direction.data_fin
    assert direction.data_fin_acked
    assert not codes(analysis) & {"unmapped_data", "mapping_not_captured", "mapping_conflict"}


def test_a_data_fin_with_data_counts_one_more_than_the_payload(
    story: Start, tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    last = told.signal(0, mapping=(1, 1, 501), data_ack=1, data_fin=True)
    told.segment(one, 0, PSH, 1, 1, [last], bytes(500))
    told.segment(one, 1, 0, 1, 501, [told.signal(1, data_ack=502)])
    direction = told.analyze(tmp_path / "told.pcap")[0].client_to_server
    assert (direction.unique_octets, direction.acked_octets) == (500, 500)
    assert (direction.missing_octets, direction.unmapped_octets) == (0, 0)
    assert (direction.data_fin, direction.data_fin_acked) == (True, True)


def test_acknowledged_octets_leave_out_the_initial_number(story: Start, tmp_path: Path) -> None:
    """Another tool counts one too many."""
    told = story()
    one = told.open()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 7))], bytes(7))
    told.segment(one, 1, 0, 1, 8, [told.signal(1, data_ack=8)])
    assert told.analyze(tmp_path / "told.pcap")[0].client_to_server.acked_octets == 7


@pytest.mark.parametrize("with_checksum", [True, False])
def test_whether_there_is_a_checksum_comes_from_the_length(
    story: Start, tmp_path: Path, with_checksum: bool
) -> None:
    """One tool's test is off by two octets. 0xFFFF - sum over pseudo-header and payload."""
    told = story(checksums=with_checksum)
    one = told.open()
    payload = b"octets of an odd length"
    data_seq = told.initial_data_seq(0) + 1
    checksum = dss_checksum(data_seq, 1, len(payload), payload) if with_checksum else None
    signal = told.signal(0, mapping=(1, 1, len(payload)), checksum=checksum)
    told.segment(one, 0, PSH, 1, 1, [signal], payload)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.checksum is with_checksum
    direction = connection.client_to_server
    assert (direction.checksums_verified, direction.checksum_failures) == (int(with_checksum), 0)
    assert direction.unique_octets == len(payload)


def test_the_first_data_of_24_octets_has_a_checksum(story: Start, tmp_path: Path) -> None:
    """MP_CAPABLE with data length and checksum: an implicit mapping at IDSN + 1."""
    told = story(checksums=True)
    one = told.open()
    payload = bytes(range(200))
    for wrong in (0, 1):
        checksum = dss_checksum(told.initial_data_seq(0) + 1, 1, 200, payload) ^ wrong
        option = MpCapable(1, 0x81, told.client_key, told.server_key, 200, checksum)
        told.segment(one, 0, PSH, 1, 1, [option], payload)
        direction = told.analyze(tmp_path / "told.pcap")[0].client_to_server
        assert (direction.checksums_verified, direction.checksum_failures) == (1 - wrong, wrong)
        told.packets.pop()


def test_frames_of_64_kb_with_a_total_length_of_0(story: Start, tmp_path: Path) -> None:
    """Segmentation offload: the same mapping on each frame, lengths that 16 bits do not hold."""
    told = story()
    one = told.open()
    whole = told.signal(0, mapping=(1, 1, 65_535))
    told.segment(one, 0, PSH, 1, 1, [whole], bytes(40_000))
    time_ns, octets = told.packets[-1]
    told.packets[-1] = time_ns, octets[:2] + b"\0\0" + octets[4:]
    told.segment(one, 0, PSH, 40_001, 1, [whole], bytes(25_535))
    analysis = told.analyze(tmp_path / "told.pcap")
    direction = analysis[0].client_to_server
    assert (direction.unique_octets, direction.unmapped_octets) == (65_535, 0)
    assert direction.mappings == 1
    assert direction.retransmitted_octets == 0


def test_padding_of_short_frames_is_no_payload(story: Start, tmp_path: Path) -> None:
    told = story()
    one = told.open()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 2))], b"ab")
    finish(told, one, 3, 3)
    path = tmp_path / "padded.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file, 1)
        for time_ns, octets in told.packets:
            writer.write(bytes(12) + b"\x08\0" + octets + b"\xee" * 20, time_ns)
    (connection,) = mptrace.analyze(path)
    direction = connection.client_to_server
    assert (direction.payload_octets, direction.unique_octets, direction.unmapped_octets) == (
        2, 2, 0,
    )  # fmt: skip
    assert connection.end == "data_fin"


def test_several_mptcp_options_in_one_segment(story: Start, tmp_path: Path) -> None:
    told = story()
    one = told.open()
    echo = AddAddress(1, 3, ip_address("10.9.0.3"), echo=True)
    signal = dss(told, 0, 1, 1, 50, 1, "44")
    told.segment(one, 0, PSH, 1, 1, [echo, signal, MpPriority(True)], bytes(50))
    analysis = told.analyze(tmp_path / "told.pcap")
    assert analysis[0].client_to_server.unique_octets == 50
    kinds = {event.kind for event in analysis[0].events if event.packet == told.frame}
    assert {"ADD_ADDR_ECHO", "MP_PRIO"} <= kinds
    row = analysis.packets[analysis.packets["frame.number"] == told.frame].iloc[0]
    assert row["mptcp.dsn"] == 1
    assert row["tcp.options.mptcp.subtype"] == "2,3,5"


def test_four_nops_in_a_row_are_normal(story: Start, tmp_path: Path) -> None:
    told = story()
    one = told.open()
    signal = told.signal(0, mapping=(1, 1, 50))
    told.segment(one, 0, PSH, 1, 1, [NoOperation()] * 4 + [signal], bytes(50))
    finish(told, one, 51, 51)
    analysis = told.analyze(tmp_path / "told.pcap")
    assert analysis[0].client_to_server.unique_octets == 50
    assert not codes(analysis)


def test_a_segment_that_spans_mappings_is_split(story: Start, tmp_path: Path) -> None:
    """An assertion fails elsewhere, on what GRO or a merging retransmission makes."""
    told = story()
    one = told.open()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 100))], bytes(100))
    told.segment(one, 0, PSH, 101, 1, [told.signal(0, mapping=(5001, 101, 100))], bytes(100))
    told.segment(one, 0, PSH, 1, 1, [], bytes(200))  # both again, merged
    analysis = told.analyze(tmp_path / "told.pcap")
    direction = analysis[0].client_to_server
    assert direction.unique_octets == 200
    assert direction.retransmitted_octets == 200
    assert direction.unmapped_octets == 0
    assert direction.missing_octets == 4900


def test_reinjections_count_octets_not_mappings(story: Start, tmp_path: Path) -> None:
    """They start in the middle of a mapping, split mappings and join them."""
    told = story()
    one, two = told.open(), told.join()
    for at in (1, 101, 201):
        told.segment(one, 0, PSH, at, 1, [told.signal(0, mapping=(at, at, 100))], bytes(100))
    # the middle of the first to the middle of the third, then 30 octets that are new
    told.segment(two, 0, PSH, 1, 1, [told.signal(0, mapping=(51, 1, 200))], bytes(200))
    told.segment(two, 0, PSH, 201, 1, [told.signal(0, mapping=(291, 201, 40))], bytes(40))
    (connection,) = told.analyze(tmp_path / "told.pcap")
    direction = connection.client_to_server
    assert direction.unique_octets == 330
    assert direction.reinjected_octets.total == 210
    assert [s.client_to_server.first_octets for s in connection.subflows] == [300, 30]
    assert connection.subflows[0].client_to_server.duplicates_caused_octets == 210


def test_the_port_of_a_join_is_used_again(story: Start, tmp_path: Path) -> None:
    """A JOIN with another nonce and sequence number on the same ports is another subflow."""
    told = story()
    told.open()
    first = told.join()
    told.segment(first, 0, 4, 1, 1, [])
    told.subflows.pop()
    told.join(isn=(900_000, 800_000))
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert [s.client.port for s in connection.subflows] == [40_000, 40_001, 40_001]
    assert [s.tcp_stream for s in connection.subflows] == [0, 1, 2]
    assert [s.end for s in connection.subflows] == ["open", "reset", "open"]


def test_ports_used_again_by_a_new_connection(story: Start, tmp_path: Path) -> None:
    told = story()
    finish(told, told.open(), 1, 1)
    other = story(client_key=5, server_key=6, now_ns=told.now_ns)
    finish(other, other.open(isn=(70_000, 80_000)), 1, 1)
    told.packets += other.packets
    analysis = told.analyze(tmp_path / "told.pcap")
    assert [connection.client.key for connection in analysis] == [told.client_key, 5]
    assert [connection.end for connection in analysis] == ["data_fin", "data_fin"]
    assert [connection.subflows[0].tcp_stream for connection in analysis] == [0, 1]


def test_connections_of_unknown_versions_share_no_token(story: Start, tmp_path: Path) -> None:
    """Elsewhere all of them have token 0, and become one connection."""
    told = story()
    keys = struct.pack(">QB", 0x1122334455667788, 1)
    for number in range(2):
        told.subflows.append(None)
        subflow = type(story().open())(number, (1000, 2000))
        told.segment(subflow, 0, SYN, 0, None, [UnknownMptcpOption(0, 7, b"\x01")])
        told.segment(subflow, 1, SYN, 0, 1, [UnknownMptcpOption(0, 7, b"\x01" + keys)])
    analysis = told.analyze(tmp_path / "told.pcap")
    assert all(len(connection.subflows) == 1 for connection in analysis)
    assert all(connection.client.token is None for connection in analysis)
    assert len(analysis) + analysis.plain_tcp_streams == 2


def test_the_c_flag_is_no_unsupported_algorithm(story: Start, tmp_path: Path) -> None:
    told = story()
    one = told.open()
    time_ns, octets = told.packets[1]
    assert octets[40:44] == bytes.fromhex("1e0c0101")
    told.packets[1] = time_ns, octets[:43] + b"\x21" + octets[44:]
    finish(told, one, 1, 1)
    analysis = told.analyze(tmp_path / "told.pcap")
    assert not codes(analysis)
    assert analysis[0].subflows[0].handshake == "complete"
    assert analysis[0].checksum is False
    (answer,) = [event.text for event in analysis[0].events if event.packet == 2]
    assert answer == "Server accepts MPTCP v1, without further subflows to this address."


def test_one_direction_alone(story: Start, tmp_path: Path) -> None:
    """Nothing is claimed of the direction that was not captured."""
    told = story()
    one = told.open()
    for at in (1, 101, 301):
        told.segment(one, 0, PSH, at, 1, [told.signal(0, mapping=(at, at, 100))], bytes(100))
        told.segment(one, 1, 0, 1, at + 100, [told.signal(1, data_ack=at + 100)])
    told.packets = [packet for packet in told.packets if packet[1][12:16] == b"\x0a\0\0\x01"]
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.client_to_server.unique_octets == 300
    assert connection.client_to_server.missing_octets == 100
    assert connection.client_to_server.data_rtt_s is None
    assert connection.server_to_client.unique_octets == 0
    assert connection.subflows[0].client_to_server.rtt_s is None


def test_a_snaplen_shorter_than_the_headers(story: Start, tmp_path: Path) -> None:
    """Of options that were not captured nothing is claimed; frames before them count."""
    told = story()
    one = told.open()
    told.segment(one, 0, PSH, 1, 1, [told.signal(0, mapping=(1, 1, 100))], bytes(100))
    path = tmp_path / "cut.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file, 101, snaplen=46)
        for time_ns, octets in told.packets:
            writer.write(octets[:46], time_ns, len(octets))
    analysis = mptrace.analyze(path)
    assert analysis.capture.truncated_packets == 3  # the SYN has 44 octets
    assert not codes(analysis) & {"fallback", "option_malformed", "unmapped_data"}
    for connection in analysis:
        assert connection.client.key is None
        assert connection.client_to_server.unique_octets == 0
        assert connection.fallback is None


LINKS = {
    101: b"",
    1: bytes(12) + b"\x08\0",
    113: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0800),
    276: struct.pack(">HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, bytes(8)),
    9: b"\xff\x03\x00\x21",
    0: struct.pack("<I", 2),
}


def test_link_types_say_the_same(story: Start, tmp_path: Path) -> None:
    """Captures on "any" are LINUX_SLL2 today; the others occur; one file may mix them."""
    told = story()
    one, two = told.open(), told.join()
    for at in (1, 101):
        told.segment(one, 0, PSH, at, 1, [told.signal(0, mapping=(at, at, 100))], bytes(100))
    told.segment(two, 0, PSH, 1, 1, [told.signal(0, mapping=(201, 1, 100))], bytes(100))
    expected = _figures(told.analyze(tmp_path / "raw.pcap"))
    for link_type, header in LINKS.items():
        path = tmp_path / f"{link_type}.pcap"
        with path.open("wb") as file:
            writer = PcapWriter(file, link_type)
            for time_ns, octets in told.packets:
                writer.write(header + octets, time_ns)
        assert _figures(mptrace.analyze(path)) == expected
    mixed = tmp_path / "mixed.pcapng"
    links = list(LINKS.items())
    with mixed.open("wb") as file:
        ng_writer = PcapngWriter(file)
        for link_type, _ in links:
            ng_writer.add_interface(InterfaceDescription(link_type))
        for number, (time_ns, octets) in enumerate(told.packets):
            interface = number % len(links)
            ng_writer.write(links[interface][1] + octets, time_ns, interface=interface)
    assert _figures(mptrace.analyze(mixed)) == expected


def _figures(analysis: mptrace.Analysis) -> Any:
    (connection,) = analysis
    direction = connection.client_to_server
    return (
        [subflow.kind for subflow in connection.subflows],
        connection.client.token,
        (direction.unique_octets, direction.missing_octets, direction.mappings),
        analysis.packets["mptcp.dsn"].dropna().astype(np.int64).tolist(),
    )


def test_json_has_64_bit_numbers_as_text(story: Start, tmp_path: Path) -> None:
    from mptrace.views import json as json_view

    told = story(client_key=2**64 - 1)
    told.open()
    analysis = told.analyze(tmp_path / "told.pcap")
    (shown,) = json.loads("".join(json_view.chunks(analysis)))["connections"]
    assert shown["client"]["key"] == "0xffffffffffffffff"
    assert int(shown["client"]["initial_dsn"], 16) == told.initial_data_seq(0)
