"""Compressed captures, made by the formats' own libraries and tools: whole, cut, damaged."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import struct
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import lz4.frame
import pytest
import zstandard

from mptrace.capture import CaptureError, open_capture
from mptrace.capture.compression import sniff_compression

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
}
RANDOM = random.Random(5)
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
RECORD_OCTETS = 16 + 1000
RECORDS = [
    struct.pack("<IIII", 1_700_000_000 + number, 0, 1000, 1000) + RANDOM.randbytes(1000)
    for number in range(400)
]
CAPTURE = HEADER + b"".join(RECORDS)
"""406 kB that no compression makes smaller, so that a cut stream loses records."""


@cache
def compressed(name: str) -> bytes:
    return COMPRESS[name](CAPTURE)


def frames_of(path: Path) -> tuple[list[bytes], list[tuple[int, str]], str | None]:
    with open_capture(path) as capture:
        frames = [record.octets for record in capture.records()]
        for _ in capture.batches():
            pass
        damage = [(each.offset, each.reason) for each in capture.damage]
        return frames, damage, capture.compression


ALL_FRAMES = [record[16:] for record in RECORDS]


@pytest.mark.parametrize("name", COMPRESS)
def test_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(compressed(name))
    assert frames_of(path) == (ALL_FRAMES, [], name)
    with open_capture(path) as capture:
        assert capture.size == len(CAPTURE)
        assert capture.read(0, 24, 16) == CAPTURE[24:40]
        assert capture.read(0, len(CAPTURE) - 3, 100) == CAPTURE[-3:]


@pytest.mark.parametrize("name", COMPRESS)
def test_streams_behind_each_other_are_one_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    parts = (CAPTURE[:100_000], CAPTURE[100_000:100_001], CAPTURE[100_001:])
    path.write_bytes(b"".join(COMPRESS[name](part) for part in parts))
    assert frames_of(path) == (ALL_FRAMES, [], name)


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_zeros_behind_a_stream_are_padding(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(compressed(name) + bytes(200_000))
    assert frames_of(path) == (ALL_FRAMES, [], name)


@pytest.mark.parametrize("name", COMPRESS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_cut(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / "a"
    path.write_bytes(compressed(name)[: int(len(compressed(name)) * share)])
    frames, damage, _ = frames_of(path)
    assert frames == ALL_FRAMES[: len(frames)]
    # Blocks of the formats are at most 128 KiB, or 256 KiB (lz4), long here; xz has no blocks.
    least = int(share * 400) - 270
    assert max(least, 0) <= len(frames)
    assert len(frames) < 400 or share == 0.999
    stream = [(offset, reason) for offset, reason in damage if "stream" in reason]
    ((offset, reason),) = stream
    assert f"the {name} stream ends early" in reason
    assert 0 < offset <= len(CAPTURE)
    assert len(frames) == (offset - len(HEADER)) // RECORD_OCTETS


@pytest.mark.parametrize("name", COMPRESS)
def test_damaged_in_the_middle(tmp_path: Path, name: str) -> None:
    """A second stream that is not whole within itself: the first one is read."""
    path = tmp_path / "a"
    half = len(HEADER) + 200 * RECORD_OCTETS
    second = bytearray(COMPRESS[name](CAPTURE[half:]))
    second[len(second) // 2 :] = bytes(len(second) - len(second) // 2)
    path.write_bytes(COMPRESS[name](CAPTURE[:half]) + bytes(second))
    frames, damage, _ = frames_of(path)
    assert frames[:200] == ALL_FRAMES[:200]
    # What the format has no checksum for in time passes as data; that it is wrong is known at last.
    assert frames[:400] != ALL_FRAMES
    assert any(f"the {name} stream" in reason for _, reason in damage)


@pytest.mark.parametrize("name", COMPRESS)
def test_nothing_of_the_stream_is_readable(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(compressed(name)[:6] + b"\xff" * 40)
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    assert caught.value.offset == 0
    assert f"the {name} stream" in caught.value.reason


def test_a_compressed_file_that_is_no_capture(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"No.,Time,Source\n"))
    with pytest.raises(CaptureError, match="not a capture file"):
        open_capture(path)


def test_a_compression_that_is_only_recognized(tmp_path: Path) -> None:
    path = tmp_path / "a.lz4"
    path.write_bytes(b"\x02\x21\x4c\x18" + bytes(20))
    with pytest.raises(CaptureError, match=r"lz4 \(legacy\), which is not supported"):
        open_capture(path)


def test_zstd_frames_that_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    skippable = b"\x53\x2a\x4d\x18" + struct.pack("<I", 7) + b"comment"
    path.write_bytes(skippable + compressed("zstd"))
    assert frames_of(path) == (ALL_FRAMES, [], "zstd")


def test_signatures() -> None:
    assert sniff_compression(CAPTURE[:8]) is None
    assert sniff_compression(b"\x0a\x0d\x0d\x0a") is None
    assert sniff_compression(b"") is None
    assert sniff_compression(b"\x1f") is None
    assert {sniff_compression(compress(b"x")[:8]) for compress in COMPRESS.values()} == set(
        COMPRESS
    )


@pytest.mark.parametrize(
    ("name", "octets", "most"),
    # Four octets of zstd may stand for 128 KiB, and 2 KiB are taken at once.
    [
        ("gzip", 24 << 20, 6 << 20),
        ("lz4", 24 << 20, 6 << 20),
        ("xz", 24 << 20, 16 << 20),
        ("zstd", 160 << 20, 72 << 20),
    ],
)
def test_a_stream_that_explodes_is_written_piece_by_piece(
    tmp_path: Path, name: str, octets: int, most: int
) -> None:
    """Zeros in some kB: what is held at once has a bound."""
    import tracemalloc

    from mptrace.capture.compression import decompressed_into

    path = tmp_path / "a"
    path.write_bytes(COMPRESS[name](bytes(octets)))
    source = os.open(path, os.O_RDONLY)
    target = os.open(tmp_path / "b", os.O_RDWR | os.O_CREAT)
    tracemalloc.start()
    try:
        assert decompressed_into(target, source, name) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        os.close(source)
    assert os.fstat(target).st_size == octets
    os.close(target)
    assert peak < most


@pytest.mark.parametrize(("program", "name"), [("gzip", "gzip"), ("xz", "xz")])
def test_what_the_tools_write(
    tmp_path: Path, tool: Callable[[str], str], program: str, name: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(
        subprocess.run([tool(program), "-c"], input=CAPTURE, capture_output=True, check=True).stdout
    )
    assert frames_of(path) == (ALL_FRAMES, [], name)
