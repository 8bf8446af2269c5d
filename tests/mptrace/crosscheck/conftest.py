"""tshark, the samples as it can read them, and captures made for comparing."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
import zstandard

from mptrace.capture.writer import PcapWriter

RAW_IP = 101
OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open, ".xz": lzma.open, ".lz4": lz4.frame.open, ".zst": zstandard.open,
}  # fmt: skip


@pytest.fixture(autouse=True)
def tshark(request: pytest.FixtureRequest) -> None:
    """Skip what needs tshark where there is none; under CI there must be one."""
    if request.node.get_closest_marker("tshark") and shutil.which("tshark") is None:
        if os.environ.get("CI"):
            pytest.fail("tshark is not installed")
        pytest.skip("tshark is not installed")


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Decompress a sample: which compressions tshark reads depends on how it was built."""

    def decompressed(path: Path) -> Path:
        opener = OPENERS.get(path.suffix)
        if opener is None:
            return path
        written = tmp_path_factory.mktemp("plain") / path.stem
        with opener(path) as source, written.open("wb") as target:
            shutil.copyfileobj(source, target)
        return written

    return decompressed


@pytest.fixture(scope="session")
def ip_packet() -> Callable[..., bytes]:
    """Make an IPv4 packet with a TCP header around an option area, without payload."""

    def packet(option_area: bytes, flags: int = 0x10) -> bytes:
        area = option_area + b"\x01" * (-len(option_area) % 4)
        offset_and_flags = (20 + len(area)) // 4 << 12 | flags
        tcp = struct.pack(">HHIIHHHH", 40000, 5001, 1000, 2000, offset_and_flags, 1000, 0, 0) + area
        addresses = bytes((10, 0, 0, 1, 10, 0, 0, 2))
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + addresses + tcp

    return packet


@pytest.fixture(scope="session")
def write_capture(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Iterable[tuple[bytes, int]]], Path]:
    """Write packets (octets kept, length on the wire) of one link type as a capture."""

    def write(packets: Iterable[tuple[bytes, int]], link_type: int = RAW_IP) -> Path:
        path = tmp_path_factory.mktemp("written") / "packets.pcap"
        with path.open("wb") as file:
            writer = PcapWriter(file, link_type)
            for number, (octets, wire_length) in enumerate(packets):
                writer.write(octets, 10**18 + number, wire_length)
        return path

    return write


@pytest.fixture(scope="session")
def hostile_packets(ip_packet: Callable[..., bytes]) -> list[tuple[bytes, int]]:
    """Packets with option areas of all kinds: right, wrong in length, cut, beyond the header."""
    chance = random.Random(8684)

    def option() -> bytes:
        if chance.random() < 0.25:
            return chance.choice((b"\x01", bytes((8, 10)) + chance.randbytes(8), b"\x02\x03\x01"))
        length = chance.choice((3, 4, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, *range(40)))
        octets = bytearray((30, length)) + chance.randbytes(max(length - 2, 0))
        if length > 2:
            subtype = chance.choice((0, 0, 1, 2, 2, 2, 2, 3, 3, 4, 5, 6, 7, 8, 12, 15))
            octets[2] = subtype << 4 | octets[2] & chance.choice((0, 1, 4, 15))
        return bytes(octets)

    packets = []
    for _ in range(1200):
        area = b"".join(option() for _ in range(chance.randrange(1, 4)))[:40]
        octets = ip_packet(area, chance.choice((0x02, 0x12, 0x10, 0x18)))
        kept = chance.randrange(20, len(octets)) if chance.random() < 0.2 else len(octets)
        packets.append((octets[:kept], len(octets)))
    return packets
