"""Connections whose beginning, mappings or packets are out of the ordinary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mptrace
from dissector.options import DataSequenceSignal, MpCapable
from mptrace.analysis.data_sequence.copies import classify, payload_pieces
from mptrace.analysis.data_sequence.sequential_copies import classify_one_by_one
from mptrace.capture.writer import InterfaceDescription, PcapngWriter

RAW = 101


def send(told: Any, subflow: Any, position: int, data: int, length: int) -> int:
    mapping = told.signal(0, mapping=(data, position, length))
    frame: int = told.segment(subflow, 0, 8, position, 1, [mapping], bytes(length))
    return frame


def without_handshakes(told: Any) -> Any:
    told.packets = [
        (time, octets)
        for time, octets in told.packets
        if not octets[33] & 2 and octets[33] & 0x18 and len(octets) > 72
    ]
    return told


def test_streams_without_handshake_are_one_connection_by_their_data(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one, two = told.open(), told.join()
    send(told, one, 1, 1, 100)
    send(told, two, 1, 101, 100)
    send(told, one, 101, 201, 100)
    other = story(client_key=77, server_key=78)
    send(other, other.open(), 1, 1, 100)
    # another host, or the two would share their 5-tuples
    moved = [
        (t, o[:12] + b"\x0a\x63\x00\x01" + o[16:]) for t, o in without_handshakes(other).packets
    ]
    without_handshakes(told).packets += moved
    analysis = told.analyze(tmp_path / "told.pcap")
    assert [c.state for c in analysis] == ["partial", "partial"]
    assert [len(c.subflows) for c in analysis] == [2, 1]
    assert analysis[0].client_to_server.unique_octets == 300
    assert analysis[0].client.key is None
    assert [s.handshake for s in analysis[0].subflows] == ["not_captured", "not_captured"]


def test_a_join_that_no_key_explains_starts_a_partial_connection(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    told.open()
    told.packets.clear()
    one = told.join()
    two = told.join()
    send(told, one, 1, 1, 100)
    send(told, two, 1, 1001, 100)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.state == "partial"
    assert [s.kind for s in connection.subflows] == ["join", "join"]
    assert [s.hmac_valid.client for s in connection.subflows] == [None, None]
    # what lies between the two was never captured, and may have been before the capture
    assert connection.client_to_server.missing_octets == 900


def test_mp_capable_with_a_data_length_is_a_mapping(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    first = MpCapable(1, 1, told.client_key, told.server_key, data_length=100)
    told.segment(one, 0, 8, 1, 1, [first], bytes(100))
    send(told, one, 101, 101, 50)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    direction = connection.client_to_server
    assert (direction.unique_octets, direction.unmapped_octets, direction.mappings) == (150, 0, 2)


def test_segments_before_their_mapping_are_mapped(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    told.segment(one, 0, 8, 1, 1, [told.signal(0, data_ack=1)], bytes(60))
    frame = told.segment(one, 0, 8, 61, 1, [told.signal(0, mapping=(1, 1, 100))], bytes(40))
    analysis = told.analyze(tmp_path / "told.pcap")
    assert analysis[0].client_to_server.unmapped_octets == 0
    related = analysis.packets["mptcp.related_mapping"]
    assert list(related[analysis.packets["tcp.len"] > 0]) == [frame, frame]


def test_of_contradicting_mappings_the_first_keeps_its_octets(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    told.segment(one, 0, 8, 1, 1, [told.signal(0, mapping=(1, 1, 100))], bytes(50))
    told.segment(one, 0, 8, 51, 1, [told.signal(0, mapping=(501, 51, 100))], bytes(100))
    analysis = told.analyze(tmp_path / "told.pcap")
    direction = analysis[0].client_to_server
    assert direction.unique_octets == 150
    assert direction.unmapped_octets == 0
    assert direction.missing_octets == 550 - 100
    assert list(analysis.mappings["mptrace.conflicting"]) == [False, True]


def test_an_infinite_mapping_carries_the_stream_on(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    told.segment(one, 0, 8, 101, 1, [told.signal(0, mapping=(101, 101, 0))], bytes(100))
    for position in range(201, 601, 100):
        told.segment(one, 0, 8, position, 1, [], bytes(100))
    told.segment(one, 1, 0, 1, 601, [])
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.state == "fallback"
    assert connection.fallback is not None
    assert connection.fallback.cause == "infinite_mapping"
    direction = connection.client_to_server
    assert (direction.unique_octets, direction.acked_octets) == (600, 600)
    assert direction.unmapped_octets == 0


def test_an_implausible_data_sequence_number_moves_nothing_else(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    far = (told.initial_data_seq(0) + (1 << 62)) % (1 << 64)
    stray = DataSequenceSignal(data_seq=far, data_seq_octets=8, subflow_seq=101, data_length=100)
    told.segment(one, 0, 8, 101, 1, [stray], bytes(100))
    send(told, one, 201, 101, 100)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    direction = connection.client_to_server
    assert (direction.unique_octets, direction.missing_octets) == (200, 0)
    assert direction.unmapped_octets == 100


def test_a_packet_seen_on_two_interfaces_counts_once(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    again = send(told, one, 1, 1, 100)  # TCP's own retransmission has an IP number of its own
    path = tmp_path / "two.pcapng"
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        for name in ("wan0", "any"):
            writer.add_interface(InterfaceDescription(RAW, name))
        for time_ns, octets in told.packets:
            writer.write(octets, time_ns, interface=0)
            # one hop later: another TTL and IP checksum
            passed = octets[:8] + bytes([octets[8] - 1]) + octets[9:10] + b"\x12\x34" + octets[12:]
            writer.write(passed, time_ns + 1000, interface=1)
    analysis = mptrace.analyze(path)
    assert analysis.capture.packets == 2 * again
    assert analysis.capture.capture_duplicates == again
    direction = analysis[0].client_to_server
    assert (direction.unique_octets, direction.retransmitted_octets) == (100, 100)


@pytest.mark.parametrize("name", ["mp_fail_multi", "loss", "checksum"])
def test_copies_one_by_one_are_those_in_columns(root: Path, name: str) -> None:
    """The way out for tangled input says the same of ordinary input."""
    plane = mptrace.analyze(next((root / "samples" / name).glob("*.pcap*"))).evidence.plane
    pieces, _ = payload_pieces(plane.subflows, plane.runs, plane.payload_rows)
    arguments = pieces, plane.subflows, plane.space_of_way, plane.acks, plane.data_acks
    columns, slow = classify(*arguments, 1 << 30), classify_one_by_one(*arguments)
    for table in (columns, slow):
        assert (table.length > 0).all()

    def octets(table: Any) -> dict[tuple[int, int], tuple[int, int]]:
        result = {}
        for start, end, frame, kind, row in zip(
            table.data_place, table.data_end, table.frame, table.kind, table.repeats_row,
            strict=True,
        ):  # fmt: skip
            for place in range(start, end, 97):
                result[place - place % 1, int(frame)] = int(kind), int(row)
        return result

    assert np.bincount(columns.kind, columns.length).tolist() == (
        np.bincount(slow.kind, slow.length).tolist()
    )
    slow_octets = {
        (int(f), int(k)): int(slow.length[(slow.frame == f) & (slow.kind == k)].sum())
        for f, k in set(zip(slow.frame.tolist(), slow.kind.tolist(), strict=True))
    }
    for (frame, kind), length in slow_octets.items():
        assert columns.length[(columns.frame == frame) & (columns.kind == kind)].sum() == length
    assert octets(slow)
