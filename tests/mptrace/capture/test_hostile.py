"""Any octets, and recorded captures cut and changed anywhere: read as far as they go, no more."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector.option_columns import mptcp_columns, walk_options
from mptrace.capture import CaptureError, Damage, open_capture
from mptrace.capture.decode import tcp_columns
from mptrace.capture.link_types import SUPPORTED_LINK_TYPES

if TYPE_CHECKING:
    from dissector.packet_columns import TcpColumns

CUT = ("no_data/client.pcap", "two_interfaces/client.pcapng")
MOST_OCTETS = 1700


@dataclass
class Reading:
    """What was read of a capture, all columns made and checked."""

    frames: list[bytes] = field(default_factory=list)
    options: int = 0
    segments: int = 0
    damage: list[Damage] = field(default_factory=list)


def read(path: Path, chunk_octets: int | None = None) -> Reading:
    reading = Reading()
    with open_capture(path, chunk_octets=chunk_octets) as capture:
        for batch in capture.batches():
            ends = batch.offset + batch.captured_length
            assert (batch.offset >= 0).all()
            assert (ends <= batch.buffer.size).all()
            assert (batch.wire_length >= batch.captured_length).all()
            for start, end in zip(batch.offset.tolist(), ends.tolist(), strict=True):
                reading.frames.append(batch.buffer[start:end].tobytes())
            columns, counts = tcp_columns(capture.interfaces, batch)
            assert counts.packets == batch.offset.size
            assert counts.packets == (
                counts.tcp + counts.ip_fragments + counts.unreadable + counts.non_tcp
            )
            check_extents(columns, batch.offset, ends)
            rows = walk_options(
                batch.buffer,
                columns.options_offset,
                columns.options_length,
                columns.options_captured,
            )
            mptcp_columns(batch.buffer, rows)
            reading.segments += counts.tcp
            reading.options += rows.packet.size
            last = columns.options_offset + columns.options_captured
            assert (rows.offset + rows.length <= last[rows.packet]).all()
        reading.damage = list(capture.damage)
    return reading


def sample(root: Path, name: str) -> bytearray:
    """A recorded capture, decompressed."""
    with open_capture(root / "samples" / name) as capture:
        return bytearray(capture.read(0, 0, capture.size))


def header_octets(octets: bytearray) -> int:
    """Of the file header, or of the first section header block."""
    return int.from_bytes(octets[4:8], "little") if octets[0] == 0x0A else 24


def check_extents(columns: TcpColumns, starts: object, ends: object) -> None:
    """No octet of a segment lies outside the packet that it was found in."""
    first, last = np.asarray(starts)[columns.record], np.asarray(ends)[columns.record]
    assert (np.diff(columns.record) > 0).all()
    assert (columns.tcp_offset >= first).all()
    assert (columns.tcp_offset + 20 <= last).all()
    assert (columns.options_captured >= 0).all()
    assert (columns.options_captured <= columns.options_length).all()
    assert (columns.options_offset + columns.options_captured <= last).all()
    assert (columns.payload_length >= 0).all()
    assert (columns.payload_captured >= 0).all()
    has_payload = columns.payload_captured > 0
    assert (columns.payload_offset + columns.payload_captured <= last)[has_payload].all()
    assert (columns.payload_captured <= columns.payload_length).all()


@given(octets=st.binary(max_size=400))
def test_any_octets(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    path.write_bytes(octets)
    with pytest.raises(CaptureError) as caught:
        read(path)
    assert caught.value.path == str(path)


@given(
    octets=st.binary(max_size=400),
    order=st.sampled_from("<>"),
    link_type=st.sampled_from(sorted(SUPPORTED_LINK_TYPES)),
    chunk_octets=st.sampled_from([None, 50]),
)
def test_any_records(
    tmp_path_factory: pytest.TempPathFactory,
    octets: bytes,
    order: str,
    link_type: int,
    chunk_octets: int | None,
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    header = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, link_type)
    path.write_bytes(header + octets)
    reading = read(path, chunk_octets)
    consumed = 24 + sum(16 + len(frame) for frame in reading.frames)
    if consumed == 24 + len(octets):
        assert reading.damage == []
    else:
        assert [damage.offset for damage in reading.damage] == [consumed]


@given(
    packets=st.lists(st.binary(max_size=120), min_size=1, max_size=8),
    link_type=st.sampled_from(sorted(SUPPORTED_LINK_TYPES)),
    start=st.sampled_from([b"", b"\x45", b"\x60", b"\xff\x03\x00\x21\x45", b"\0\0\0\2\x45"]),
)
def test_any_packets(
    tmp_path_factory: pytest.TempPathFactory, packets: list[bytes], link_type: int, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    frames = [start + packet for packet in packets]
    records = b"".join(struct.pack("<IIII", 1, 0, len(f), len(f) + 7) + f for f in frames)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, link_type) + records)
    reading = read(path)
    assert (reading.frames, reading.damage) == (frames, [])


@given(blocks=st.lists(st.tuples(st.integers(0, 6), st.binary(max_size=60)), max_size=8))
def test_any_blocks(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[tuple[int, bytes]]
) -> None:
    """Whole blocks of every type with anything in them."""
    path = tmp_path_factory.mktemp("any") / "a"
    octets = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    ends = [len(octets)]
    for kind, body in blocks:
        padded = body + bytes(-len(body) % 4)
        length = struct.pack("<I", len(padded) + 12)
        octets += struct.pack("<I", kind) + length + padded + length
        ends.append(len(octets))
    path.write_bytes(octets)
    reading = read(path)
    # Damage stands where a block begins.
    assert {damage.offset for damage in reading.damage} <= set(ends[:-1])
    assert len(reading.damage) <= 1


@pytest.mark.parametrize("name", CUT)
def test_samples_cut(root: Path, tmp_path: Path, name: str) -> None:
    octets = sample(root, name)[:MOST_OCTETS]
    path = tmp_path / "a"
    path.write_bytes(octets)
    whole = read(path)
    assert whole.segments > 5
    assert whole.options > 5
    seen = 0
    first = header_octets(octets)
    closely = range(first, first + 300)
    for length in (*closely, *range(closely.stop, len(octets), 11)):
        path.write_bytes(octets[:length])
        reading = read(path)
        assert reading.frames == whole.frames[: len(reading.frames)]
        assert len(reading.frames) >= seen
        seen = len(reading.frames)
        for damage in reading.damage:
            assert damage.offset <= length
            assert damage.reason.startswith("the file ends in a")
    assert seen >= len(whole.frames) - 1


@pytest.mark.parametrize(
    "name",
    [
        "many/client.pcap",
        "two_interfaces/client.pcapng",
        "snaplen_checksum/client.pcap",
        "add_address_ipv6/client.pcap",
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_samples_with_octets_changed(root: Path, tmp_path: Path, name: str, seed: int) -> None:
    octets = sample(root, name)[:60_000]
    first = header_octets(octets)
    chance = random.Random(f"{name} {seed}")
    # From here and there an octet to every 20th; the first packets have the most options.
    for _ in range(len(octets) // (20, 100, 1000)[seed % 3]):
        octets[chance.randrange(first, 8000 if seed % 2 else len(octets))] = chance.randrange(256)
    path = tmp_path / "a"
    path.write_bytes(octets)
    reading = read(path)
    again = read(path, 1000)
    assert again == reading
    assert len(reading.damage) <= 1


@pytest.mark.parametrize("name", ["many/client.pcap", "add_address_ipv6/client.pcap"])
@pytest.mark.parametrize("seed", range(4))
def test_samples_with_octets_of_packets_changed(
    root: Path, tmp_path: Path, name: str, seed: int
) -> None:
    """Records stay whole, so that every packet is read and most of the headers are odd."""
    octets = sample(root, name)
    chance = random.Random(f"{name} {seed}")
    position, packets = 24, 0
    while position < len(octets):
        length = struct.unpack_from("<I", octets, position + 8)[0]
        packets += 1
        for _ in range(chance.randrange(4)):
            place = chance.randrange(min(length, 100))
            octets[position + 16 + place] = chance.choice((0, 1, 30, 255, chance.randrange(256)))
        position += 16 + length
    path = tmp_path / "a"
    path.write_bytes(octets)
    reading = read(path)
    assert len(reading.frames) == packets
    assert reading.damage == []
    assert 0 < reading.segments < packets
