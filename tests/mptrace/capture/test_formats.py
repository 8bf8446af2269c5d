"""Every variant of pcap and pcapng, written octet by octet from the formats' descriptions."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mptrace.capture import Capture, CaptureError, Damage, open_capture
from mptrace.capture.pcapng_blocks import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAMES = [bytes([number]) * (60 + number % 7) for number in range(25)]
SECONDS = 1_700_000_000


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(
    order: str = "<", link_type: int = 1, snaplen: int = 0, options: bytes = b""
) -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snaplen) + options)


def packet(
    frame: bytes, ticks: int = 0, number: int = 0, order: str = "<", wire: int | None = None
) -> bytes:
    length = len(frame) if wire is None else wire
    fields = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), length)
    return block(order, 6, struct.pack(order + "5I", *fields) + frame)


def old_packet(frame: bytes, ticks: int = 0, number: int = 0, order: str = "<") -> bytes:
    fields = (number, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(order, 2, struct.pack(order + "HH4I", *fields) + frame)


def simple_packet(frame: bytes, order: str = "<", wire: int | None = None) -> bytes:
    length = len(frame) if wire is None else wire
    return block(order, 3, struct.pack(order + "I", length) + frame)


def read(path: Path, chunk_octets: int | None = None) -> tuple[Capture, list[bytes], list[int]]:
    frames: list[bytes] = []
    times: list[int] = []
    with open_capture(path, chunk_octets=chunk_octets) as capture:
        for batch in capture.batches():
            assert batch.frame_number.tolist() == list(
                range(len(frames) + 1, len(frames) + 1 + batch.offset.size)
            )
            for row in range(batch.offset.size):
                start = int(batch.offset[row])
                end = start + int(batch.captured_length[row])
                frames.append(batch.buffer[start:end].tobytes())
                assert capture.read(0, batch.buffer_offset + start, end - start) == frames[-1]
            times += batch.time_ns.tolist()
    return capture, frames, times


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    def save(octets: bytes) -> Path:
        path = tmp_path / "capture"
        path.write_bytes(octets)
        return path

    return save


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("magic", "unit", "extra"),
    [(0xA1B2C3D4, 1000, 0), (0xA1B23C4D, 1, 0), (0xA1B2CD34, 1000, 8)],
)
@pytest.mark.parametrize("chunk_octets", [None, 40, 64, 1000])
def test_pcap(
    saved: Callable[[bytes], Path],
    order: str,
    magic: int,
    unit: int,
    extra: int,
    chunk_octets: int | None,
) -> None:
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 96, 0xF4000000 | 113)
    for number, frame in enumerate(FRAMES):
        fields = (SECONDS + number, number, len(frame), 1000 + number)
        octets += struct.pack(order + "IIII", *fields) + bytes(extra) + frame
    capture, frames, times = read(saved(octets), chunk_octets)
    assert (capture.format, capture.compression, capture.damage) == ("pcap", None, [])
    assert [(i.link_type_name, i.snaplen, i.name) for i in capture.interfaces] == [
        ("LINUX_SLL", 96, None)
    ]
    assert frames == FRAMES
    assert times == [(SECONDS + n) * 10**9 + n * unit for n in range(len(FRAMES))]


def test_wire_length_is_never_below_the_captured_length(saved: Callable[[bytes], Path]) -> None:
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)
    for wire in (0, 60, 1500):
        octets += struct.pack("<IIII", 1, 0, 60, wire) + bytes(60)
    with open_capture(saved(octets)) as capture:
        (batch,) = capture.batches()
    assert batch.wire_length.tolist() == [60, 60, 1500]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("make", [packet, old_packet])
@pytest.mark.parametrize("chunk_octets", [None, 30, 100, 1000])
def test_pcapng_packets(
    saved: Callable[[bytes], Path],
    order: str,
    make: Callable[..., bytes],
    chunk_octets: int | None,
) -> None:
    octets = section(order)
    octets += interface(order, 113, 96, option(order, 2, b"eth0"))
    octets += interface(order, 276, 0, option(order, 9, b"\x09") + option(order, 0, b""))
    for number, frame in enumerate(FRAMES):
        octets += make(frame, 10**15 + number, number % 2, order)
        if number % 10 == 3:
            octets += block(order, 0x0BAD, bytes(20)) + block(order, 5, bytes(12))
    capture, frames, times = read(saved(octets), chunk_octets)
    assert (capture.format, capture.damage) == ("pcapng", [])
    assert [(i.link_type_name, i.snaplen, i.name) for i in capture.interfaces] == [
        ("LINUX_SLL", 96, "eth0"),
        ("LINUX_SLL2", 0, None),
    ]
    assert frames == FRAMES
    units = (1000, 1)
    assert times == [(10**15 + n) * units[n % 2] for n in range(len(FRAMES))]


@pytest.mark.parametrize("chunk_octets", [None, 30, 100])
def test_simple_packets_have_the_first_interface_and_no_time(
    saved: Callable[[bytes], Path], chunk_octets: int | None
) -> None:
    octets = section() + interface(link_type=101, snaplen=50) + interface(link_type=1)
    octets += simple_packet(FRAMES[0][:40]) + simple_packet(bytes(50), wire=1400)
    octets += packet(FRAMES[2], 7, 1) + simple_packet(FRAMES[3][:40])
    path = saved(octets)
    _, frames, times = read(path, chunk_octets)
    assert frames == [FRAMES[0][:40], bytes(50), FRAMES[2], FRAMES[3][:40]]
    assert times == [0, 0, 7000, 0]
    with open_capture(path) as capture:
        (batch,) = capture.batches()
    assert batch.interface.tolist() == [0, 0, 1, 0]
    assert batch.wire_length.tolist() == [40, 1400, len(FRAMES[2]), 40]


@pytest.mark.parametrize("chunk_octets", [None, 30, 100])
def test_sections_have_their_own_byte_order_and_interfaces(
    saved: Callable[[bytes], Path], chunk_octets: int | None
) -> None:
    octets = b""
    for number, order in enumerate("<><><<>>"):
        octets += section(order)
        for link_type in range(number % 3 + 1):
            octets += interface(order, 100 + 10 * number + link_type)
            octets += packet(FRAMES[number], number, link_type, order)
    path = saved(octets)
    capture, frames, _ = read(path, chunk_octets)
    assert capture.damage == []
    expected = [(number, each) for number in range(8) for each in range(number % 3 + 1)]
    assert frames == [FRAMES[number] for number, _ in expected]
    link_types = [capture.interfaces[i].link_type for i in range(len(capture.interfaces))]
    assert link_types == [100 + 10 * number + each for number, each in expected]
    with open_capture(path, chunk_octets=chunk_octets) as again:
        numbers = [n for batch in again.batches() for n in batch.interface.tolist()]
        # A second pass finds the same interfaces.
        assert [n for batch in again.batches() for n in batch.interface.tolist()] == numbers
        assert len(again.interfaces) == len(expected)
    assert numbers == list(range(len(expected)))


def test_a_block_longer_than_the_chunk(saved: Callable[[bytes], Path]) -> None:
    octets = section() + block("<", 0x0BAD, bytes(5000)) + interface() + packet(bytes(70000))
    _, frames, _ = read(saved(octets + packet(FRAMES[1])), 256)
    assert frames == [bytes(70000), FRAMES[1]]


def exact_ns(ticks: int, base: int, exponent: int, offset_s: int) -> int:
    return int(Fraction(ticks * 10**9, base**exponent) // 1) + offset_s * 10**9


@pytest.mark.parametrize("base", [2, 10])
@pytest.mark.parametrize("exponent", range(128))
def test_every_resolution(base: int, exponent: int) -> None:
    ticks = [0, 1, 999_999_999, 2**32 - 1, 2**62 + 12345, 2**64 - 1]
    got = Clock(base, exponent).time_ns(np.array(ticks, np.uint64)).tolist()
    for value, time_ns in zip(ticks, got, strict=True):
        exact = exact_ns(value, base, exponent, 0)
        if exact < 1 << 61:
            assert time_ns == exact
        else:
            # Times that no clock shows are held within what 64 bits can subtract.
            assert (1 << 61) - 10**10 <= time_ns <= 1 << 62


@given(
    ticks=st.integers(0, 2**64 - 1),
    resolution=st.integers(0, 255),
    offset_s=st.integers(-(2**63), 2**63 - 1),
)
def test_time_stays_within_its_bounds(ticks: int, resolution: int, offset_s: int) -> None:
    base = 2 if resolution & 0x80 else 10
    clock = Clock(base, resolution & 0x7F, offset_s)
    (time_ns,) = clock.time_ns(np.array([ticks], np.uint64)).tolist()
    assert abs(time_ns) <= 1 << 62
    exact = exact_ns(ticks, base, resolution & 0x7F, offset_s)
    if ticks < 2**60 and abs(offset_s) < 2**31 and abs(exact) < 1 << 61:
        assert time_ns == exact


def test_resolution_and_offset_are_read_from_the_interface(saved: Callable[[bytes], Path]) -> None:
    options = [
        (b"\x0c", 0),  # picoseconds
        (b"\x80", -5),  # 2 to the power of -0 seconds
        (b"\xa0", 3600),  # 2 to the power of -32
        (b"\x03", 0),
    ]
    octets = section(">")
    for resolution, offset_s in options:
        fields = option(">", 9, resolution) + option(">", 14, struct.pack(">q", offset_s))
        octets += interface(">", options=fields)
    ticks = [123_456_789_012, 1000, 3 << 31, 1234]
    for number, value in enumerate(ticks):
        octets += packet(b"x", value, number, ">")
    _, _, times = read(saved(octets))
    assert times == [123_456_789, 995_000_000_000, 3_601_500_000_000, 1_234_000_000]


PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
PCAPNG_HEADER = section() + interface()
NOTHING_READABLE = {
    "empty": (b"", "the file is empty"),
    "text": (b"No.,Time,Source\n", "not a capture file"),
    "short": (b"\xd4\xc3", "not a capture file"),
    "pcap header cut": (PCAP_HEADER[:23], "the pcap file header is cut"),
    "pcap version 3": (PCAP_HEADER[:4] + b"\3" + PCAP_HEADER[5:], "version 3.4 is not supported"),
    "section header cut": (PCAPNG_HEADER[:27], "the file ends in its section header block"),
    "section header of 24 octets": (
        block("<", 0x0A0D0D0A, struct.pack("<III", 0x1A2B3C4D, 1, 0)),
        "a section header block of 24 octets",
    ),
    "pcapng version 2": (
        block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1)),
        "version 2.0 is not supported",
    ),
}


@pytest.mark.parametrize("name", NOTHING_READABLE)
def test_nothing_readable(saved: Callable[[bytes], Path], name: str) -> None:
    octets, reason = NOTHING_READABLE[name]
    path = saved(octets)
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    assert reason in caught.value.reason
    assert caught.value.path == str(path)
    assert caught.value.offset is not None
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("header", [PCAP_HEADER, PCAPNG_HEADER, section()])
def test_a_capture_without_packets_is_valid(saved: Callable[[bytes], Path], header: bytes) -> None:
    capture, frames, _ = read(saved(header))
    assert (frames, capture.damage) == ([], [])


def damaged(octets: bytes, offset: int, replacement: bytes) -> bytes:
    return octets[:offset] + replacement + octets[offset + len(replacement) :]


GOOD = PCAPNG_HEADER + packet(FRAMES[0])
"""60 octets in a block of 92."""
THEN = packet(FRAMES[1])
DAMAGE = {
    # name: what follows GOOD, words of the reason
    "length 0": (damaged(THEN, 4, bytes(4)), "a block of 0 octets"),
    "length 8": (damaged(THEN, 4, b"\x08\0\0\0"), "a block of 8 octets"),
    "length 90": (damaged(THEN, 4, b"\x5a\0\0\0"), "not a multiple of 4"),
    "length of 2 GB": (damaged(THEN, 4, b"\0\0\0\x80"), "are not believed"),
    "length beyond the file": (damaged(THEN, 4, b"\0\x10\0\0"), "the file ends in a block"),
    "lengths differ": (THEN[:-4] + b"\x64\0\0\0", "a block of 96 octets at its start and 100"),
    "interface 1": (packet(FRAMES[1], 0, 1), "a packet of interface 1"),
    "packet longer than its block": (damaged(THEN, 20, b"\x00\x01\0\0"), "room for"),
    "packet of 300000 octets": (packet(bytes(300000)), "more than 262144"),
    "packet block of 16 octets": (block("<", 6, bytes(4)), "too short"),
    "interface block of 16 octets": (block("<", 1, bytes(4)), "an interface description block"),
    "interface block, lengths differ": (interface()[:-4] + bytes(4), "at its end"),
    "section of no byte order": (damaged(section(), 8, bytes(4)), "byte order is not known"),
    "section of 24 octets": (
        block("<", 0x0A0D0D0A, struct.pack("<III", 0x1A2B3C4D, 1, 0)),
        "a section header block of 24",
    ),
    "simple packet before any interface": (
        section() + simple_packet(b"x"),
        "a packet of interface 0; the section has 0",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("chunk_octets", [None, 64])
def test_damaged_block(saved: Callable[[bytes], Path], name: str, chunk_octets: int | None) -> None:
    following, reason = DAMAGE[name]
    path = saved(GOOD + following + THEN)
    capture, frames, _ = read(path, chunk_octets)
    assert frames == [FRAMES[0]]
    (damage,) = capture.damage
    offset = len(GOOD) + (len(section()) if name.startswith("simple packet") else 0)
    assert (damage.path, damage.offset) == (str(path), offset)
    assert reason in damage.reason


@pytest.mark.parametrize("length", [262145, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("chunk_octets", [None, 64])
def test_absurd_record_length(
    saved: Callable[[bytes], Path], length: int, chunk_octets: int | None
) -> None:
    good = PCAP_HEADER + struct.pack("<IIII", 1, 2, 60, 60) + FRAMES[0]
    path = saved(good + struct.pack("<IIII", 1, 2, length, 60) + bytes(300000))
    capture, frames, _ = read(path, chunk_octets)
    assert frames == [FRAMES[0]]
    reason = f"a record of {length} octets: more than 262144 are not possible"
    assert capture.damage == [Damage(str(path), len(good), reason)]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("chunk_octets", [None, 50])
def test_file_cut_at_every_octet(
    saved: Callable[[bytes], Path], kind: str, chunk_octets: int | None
) -> None:
    if kind == "pcap":
        header = PCAP_HEADER
        records = [struct.pack("<IIII", 1, 2, len(f), len(f)) + f for f in FRAMES[:4]]
    else:
        header = PCAPNG_HEADER
        records = [packet(f) for f in FRAMES[:4]]
    whole = header + b"".join(records)
    ends = [len(header) + sum(map(len, records[:n])) for n in range(5)]
    for length in range(len(header), len(whole) + 1):
        capture, frames, _ = read(saved(whole[:length]), chunk_octets)
        complete = sum(end <= length for end in ends) - 1
        assert frames == FRAMES[:complete]
        if length in ends:
            assert capture.damage == []
        else:
            (damage,) = capture.damage
            assert damage.offset == ends[complete]
            assert damage.reason.startswith("the file ends in a")
