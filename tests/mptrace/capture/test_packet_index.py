"""Packets on demand, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mptrace.capture import open_capture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = [bytes([number]) * (20 + number) for number in range(40)]


@pytest.mark.parametrize("order", [range(1, 41), range(40, 0, -1), [7, 40, 1, 7, 20]])
@pytest.mark.parametrize("chunk_octets", [None, 100])
def test_any_packet_in_any_order(
    write_pcap: Callable[..., Path], order: list[int], chunk_octets: int | None
) -> None:
    path = write_pcap(FRAMES, 101, wire_lengths=[len(frame) + 9 for frame in FRAMES], start_ns=1000)
    with open_capture(path, chunk_octets=chunk_octets) as capture:
        for number in order:
            record = capture.packet(number)
            frame = FRAMES[number - 1]
            assert (record.frame_number, record.octets) == (number, frame)
            assert record.wire_length == len(frame) + 9
            assert record.time_ns == 1000 + (number - 1) * 1_000_000
            assert record.interface.link_type_name == "RAW"
            assert capture.read(record.source, record.file_offset, len(frame)) == frame


@pytest.mark.parametrize("number", [0, -1, 41, 10**9])
def test_no_such_packet(write_pcap: Callable[..., Path], number: int) -> None:
    with open_capture(write_pcap(FRAMES, 101)) as capture:
        with pytest.raises(IndexError, match=f"no packet {number}: "):
            capture.packet(number)
        # The error is no end: the packets that are there can still be read.
        assert capture.packet(40).octets == FRAMES[39]


def test_reads_no_further_than_needed(write_pcap: Callable[..., Path]) -> None:
    path = write_pcap(FRAMES, 101)
    octets = path.read_bytes()
    path.write_bytes(octets + b"\xff" * 16)
    with open_capture(path, chunk_octets=200) as capture:
        assert capture.packet(3).octets == FRAMES[2]
        assert capture.damage == []
        with pytest.raises(IndexError, match="the capture has 40"):
            capture.packet(41)
        assert [damage.offset for damage in capture.damage] == [len(octets)]


def test_records_are_all_packets(write_pcap: Callable[..., Path]) -> None:
    with open_capture(write_pcap(FRAMES, 101)) as capture:
        assert [record.octets for record in capture.records()] == FRAMES
        assert [record.frame_number for record in capture.records()] == list(range(1, 41))


def test_progress_counts_the_octets_up_to_the_end(write_pcap: Callable[..., Path]) -> None:
    path = write_pcap(FRAMES, 101)
    told: list[int] = []
    with open_capture(path, chunk_octets=300) as capture:
        batches = list(capture.batches(told.append))
        assert told[-1] == capture.size == path.stat().st_size
    assert len(told) == len(batches) > 3
    assert told == sorted(told)


def test_closing_twice(write_pcap: Callable[..., Path]) -> None:
    capture = open_capture(write_pcap(FRAMES, 101))
    capture.close()
    capture.close()
