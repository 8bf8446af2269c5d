"""Where a capture's octets come from: files, standard input, pipes; and what cannot be opened."""

from __future__ import annotations

import gzip
import os
import resource
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mptrace.capture import CaptureError, open_capture
from mptrace.capture.octet_source import OctetSource, open_octet_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
FRAMES = [bytes([number]) * 50 for number in range(5)]
CAPTURE = HEADER + b"".join(struct.pack("<IIII", 1, 0, 50, 50) + frame for frame in FRAMES)


@pytest.fixture
def standard_input() -> Iterator[int]:
    """Keep the process's own standard input; give its descriptor to be replaced."""
    kept = os.dup(0)
    yield 0
    os.dup2(kept, 0)
    os.close(kept)


def replace(target: int, source: int) -> None:
    os.dup2(source, target)
    os.close(source)


def frames_of(name: str | Path) -> list[bytes]:
    with open_capture(name) as capture:
        frames = [record.octets for record in capture.records()]
        # Any octet can be read again, also of what came through a pipe.
        assert capture.packet(1).octets == FRAMES[0]
        assert capture.size == len(CAPTURE)
    return frames


@pytest.mark.parametrize("compressed", [False, True])
def test_standard_input_from_a_pipe(standard_input: int, compressed: bool) -> None:
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(CAPTURE) if compressed else CAPTURE)
    os.close(writing)
    replace(standard_input, reading)
    assert frames_of("-") == FRAMES


def test_standard_input_from_a_file(standard_input: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(CAPTURE)
    replace(standard_input, os.open(path, os.O_RDONLY))
    assert frames_of("-") == FRAMES


def test_standard_input_that_was_read_from_before(standard_input: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a line\n" + CAPTURE)
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, 7, os.SEEK_SET)
    replace(standard_input, descriptor)
    assert frames_of("-") == FRAMES


def test_standard_input_stays_open(standard_input: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(CAPTURE)
    replace(standard_input, os.open(path, os.O_RDONLY))
    frames_of("-")
    assert os.fstat(0).st_size == len(CAPTURE)


def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(CAPTURE,))
    writer.start()
    assert frames_of(path) == FRAMES
    writer.join()


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    path, other = tmp_path / "a.pcap", tmp_path / "b"
    path.write_bytes(gzip.compress(CAPTURE))
    other.write_bytes(b"no capture")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    frames_of(path)
    for names in ([other], [path, other], [path, tmp_path / "none"]):
        with pytest.raises(CaptureError):
            open_capture(names)
    assert len(list(descriptors.iterdir())) == before


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _path: None, "no such file or directory"),
        (lambda path: path.mkdir(), "is a directory, not a capture file"),
        (lambda path: path.symlink_to(path), "too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "a"
    make(path)
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    assert (caught.value.path, caught.value.offset) == (str(path), None)
    assert caught.value.reason == reason
    assert str(caught.value) == f"{path}: {reason}"


def test_no_file_at_all() -> None:
    with pytest.raises(CaptureError, match="no capture file is named"):
        open_capture([])


def test_reading_fails(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(CAPTURE)
    source = OctetSource(str(path), os.open(path, os.O_WRONLY), None, None)
    with pytest.raises(CaptureError, match="Bad file descriptor") as caught:
        source.read(7, 10)
    assert caught.value.offset == 7
    source.close()
    source.close()


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow beyond some octets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_for_what_is_decompressed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(CAPTURE))
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    request.getfixturevalue("full_disk")
    with pytest.raises(CaptureError) as caught:
        open_capture(path)
    assert (caught.value.path, caught.value.reason) == (str(path), "file too large")
    assert len(list(descriptors.iterdir())) == before


def test_no_room_for_what_comes_through_a_pipe(
    standard_input: int, request: pytest.FixtureRequest
) -> None:
    reading, writing = os.pipe()
    os.write(writing, CAPTURE)
    os.close(writing)
    replace(standard_input, reading)
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    request.getfixturevalue("full_disk")
    with pytest.raises(CaptureError, match=r"^-: file too large"):
        open_capture("-")
    assert len(list(descriptors.iterdir())) == before


def test_a_system_that_gives_less_than_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems do; nothing is missing for it."""
    path = tmp_path / "a"
    path.write_bytes(CAPTURE)
    whole_read = os.pread
    monkeypatch.setattr(
        "os.pread", lambda file, length, offset: whole_read(file, min(length, 7), offset)
    )
    assert frames_of(path) == FRAMES


def test_octets_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    source = open_octet_source(str(path))
    assert source.read(90, 20) == bytes(range(90, 100))
    assert source.read(100, 1) == source.read(10**12, 1) == b""
    assert (source.size, source.compression, source.damage) == (100, None, None)
    source.close()
