"""Captures that are written are what the tools read, to the nanosecond."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import pytest

from mptrace.capture import open_capture
from mptrace.capture.writer import InterfaceDescription, PcapngWriter, PcapWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TIMES = [0, 1, 999_999_999, 1_700_000_000_123_456_789, (1 << 32) * 1_000_000_000 - 1]
FRAMES = [b"\x45" + bytes(19 + number) for number in range(len(TIMES))]


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap(tmp_path: Path, byte_order: Literal["<", ">"], nanoseconds: bool) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file, 276, snaplen=96, nanoseconds=nanoseconds, byte_order=byte_order)
        for frame, time_ns in zip(FRAMES, TIMES, strict=True):
            writer.write(frame, time_ns, 1000)
    with open_capture(path) as capture:
        records = list(capture.records())
    assert [record.octets for record in records] == FRAMES
    assert {record.wire_length for record in records} == {1000}
    unit = 1 if nanoseconds else 1000
    assert [record.time_ns for record in records] == [time // unit * unit for time in TIMES]
    assert (records[0].interface.link_type_name, records[0].interface.snaplen) == (
        "LINUX_SLL2",
        96,
    )


@pytest.mark.tshark
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_pcapng_as_tshark_reads_it(
    tmp_path: Path,
    tshark_fields: Callable[..., list[dict[str, str]]],
    byte_order: Literal["<", ">"],
) -> None:
    path = tmp_path / "a.pcapng"
    with path.open("wb") as file:
        writer = PcapngWriter(file, byte_order=byte_order)
        numbers = [
            writer.add_interface(InterfaceDescription(101, "mobile", 96)),
            writer.add_interface(InterfaceDescription(1)),
        ]
        for place, (frame, time_ns) in enumerate(zip(FRAMES, TIMES, strict=True)):
            writer.write(frame, time_ns, 500 + place, interface=numbers[place % 2])
    assert numbers == [0, 1]
    fields = ["frame.interface_id", "frame.time_epoch", "frame.len", "frame.cap_len"]
    read = tshark_fields(path, fields)
    assert [packet["frame.interface_id"] for packet in read] == ["0", "1", "0", "1", "0"]
    assert [packet["frame.time_epoch"] for packet in read] == [
        f"{time // 10**9}.{time % 10**9:09d}" for time in TIMES
    ]
    assert [packet["frame.len"] for packet in read] == [str(500 + place) for place in range(5)]
    assert [packet["frame.cap_len"] for packet in read] == [str(len(frame)) for frame in FRAMES]
    with open_capture(path) as capture:
        records = list(capture.records())
        assert [record.time_ns for record in records] == TIMES
        assert [interface.name for interface in capture.interfaces] == ["mobile", None]


@pytest.mark.parametrize("time_ns", [-1, (1 << 32) * 1_000_000_000])
def test_times_that_a_pcap_file_cannot_hold(time_ns: int) -> None:
    file = io.BytesIO()
    writer = PcapWriter(file, 101)
    with pytest.raises(ValueError, match="holds no time of"):
        writer.write(b"x", time_ns)
    assert len(file.getvalue()) == 24


def test_what_a_pcapng_file_cannot_hold() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    with pytest.raises(ValueError, match="no interface 0: 0 were added"):
        writer.write(b"x", 0)
    writer.add_interface(InterfaceDescription(101))
    size = len(file.getvalue())
    with pytest.raises(ValueError, match="no interface 1: 1 were added"):
        writer.write(b"x", 0, interface=1)
    with pytest.raises(ValueError, match="no time of -1 ns"):
        writer.write(b"x", -1)
    assert len(file.getvalue()) == size
