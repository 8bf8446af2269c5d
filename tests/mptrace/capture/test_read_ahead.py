"""Reading in a process of its own gives what reading in one's own process gives.

What forks runs in a fresh interpreter: this one has threads, and numpy.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mptrace.capture import open_capture
from mptrace.capture.pcap_chain import byte_order_of_pcap, record_headers
from mptrace.capture.read_ahead import Ring, fill, read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux has a reading process"
)

SLOT_OCTETS = 1 << 20
_RECORD_OCTETS = 6_000
_SLOTS_NEEDED = 5
"""More than the ring has, so that slots are used again."""
_FINGERPRINT = """
    import hashlib

    def fingerprint(capture):
        found = hashlib.sha256()
        for batch in capture.batches():
            columns = batch.frame_number, batch.wire_length, batch.time_ns, batch.offset
            for first, length, *numbers in zip(batch.offset, batch.captured_length, *columns):
                numbers[-1] += batch.buffer_offset
                found.update(repr([int(number) for number in numbers]).encode())
                found.update(batch.buffer[first:first + length])
        return found.hexdigest(), [(d.offset, d.reason) for d in capture.damage]
"""
_BEGIN = """
    import os, signal, sys
    os.sched_getaffinity = lambda _: {0, 1}  # whatever machine this is
    from mptrace.capture.read_ahead import read_ahead
    ahead = read_ahead([sys.argv[1]], least_octets=1, slot_octets=1 << 20)
    assert ahead is not None and "numpy" not in sys.modules
"""


def _script(*parts: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(textwrap.dedent(part) for part in parts)]


def _run(path: Path, *parts: str) -> str:
    command = [*_script(_BEGIN, _FINGERPRINT, *parts), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert not done.stderr
    assert done.returncode == 0
    return done.stdout.strip()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of several slots, each record with other octets and its own time."""
    path = tmp_path_factory.mktemp("ahead") / "large.pcap"
    with path.open("wb") as file:
        file.write(struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number in range(_SLOTS_NEEDED * SLOT_OCTETS // _RECORD_OCTETS):
            length = _RECORD_OCTETS - number
            file.write(struct.pack(">IIII", number, number, length, length + 1))
            file.write(struct.pack(">I", number) * (length // 4) + bytes(length % 4))
    return path


def _in_process(path: Path) -> str:
    names: dict[str, Callable[..., object]] = {}
    exec(textwrap.dedent(_FINGERPRINT), names)
    with open_capture(path) as capture:
        return repr(names["fingerprint"](capture))


_READ = """
    from mptrace.capture import open_capture
    with ahead, open_capture(sys.argv[1], ahead=ahead) as capture:
        print(fingerprint(capture))
    try:
        os.waitpid(-1, os.WNOHANG)
        print("a process is left")
    except ChildProcessError:
        pass
"""


def test_the_same_packets(large: Path) -> None:
    assert _run(large, _READ) == _in_process(large)


@pytest.mark.parametrize(
    ("cut", "absurd"),
    [(3_000, None), (5_135, None), (0, 3 * SLOT_OCTETS // 2), (0, 40)],
    ids=["in a record", "in a record header", "absurd length", "absurd length at once"],
)
def test_the_same_damage(large: Path, tmp_path: Path, cut: int, absurd: int | None) -> None:
    octets = bytearray(large.read_bytes())
    del octets[len(octets) - cut :]
    if absurd is not None:
        at = next(at for at in record_headers(bytes(octets[24:]), ">", 16) if at >= absurd) + 24
        octets[at + 8 : at + 12] = b"\x00\x7f\xff\xff"
    path = tmp_path / "damaged.pcap"
    path.write_bytes(octets)
    said = _run(path, _READ)
    assert said == _in_process(path)
    assert "[]" not in said
    assert ("in a record header" in said) == (cut == 5_135)


def test_reading_goes_on_without_the_process(large: Path) -> None:
    killed = "os.kill(ahead._process, signal.SIGKILL)"
    assert _run(large, killed, _READ) == _in_process(large)
    later = """
        reading = ahead.chunk_at
        def chunk_at(position):
            if position > 1_500_000:
                os.kill(ahead._process, signal.SIGKILL)
            return reading(position)
        ahead.chunk_at = chunk_at
    """
    assert _run(large, later, _READ) == _in_process(large)


def test_another_file_than_the_one_read_ahead(large: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(large.read_bytes()[: SLOT_OCTETS // 2])
    assert _run(large, f"sys.argv[1] = {str(other)!r}", _READ) == _in_process(other)


def test_a_capture_read_twice(large: Path) -> None:
    twice = """
        from mptrace.capture import open_capture
        with ahead, open_capture(sys.argv[1], ahead=ahead) as capture:
            assert capture.packet(300).octets == capture.packet(300).octets
            print(fingerprint(capture))
    """
    assert _run(large, twice) == _in_process(large)


def test_the_process_ends_with_the_one_it_reads_for(large: Path) -> None:
    waits = "print(ahead._process, flush=True); signal.pause()"
    with subprocess.Popen(
        [*_script(_BEGIN, waits), str(large)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        reader = Path("/proc") / process.stdout.readline().strip()
        assert reader.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 20
        while reader.exists() and "Z" not in (reader / "stat").read_text().split()[2]:
            assert time.monotonic() < deadline, "the reading process is left behind"
            time.sleep(0.01)


def test_ctrl_c_is_not_for_the_process(large: Path) -> None:
    signalled = "os.kill(ahead._process, signal.SIGINT)"
    used_up = """
        import mptrace.capture.octet_source as octet_source
        read = octet_source.OctetSource.read
        def small(self, offset, length):
            assert length < 100, "read without the process"
            return read(self, offset, length)
        octet_source.OctetSource.read = small
    """
    assert _run(large, signalled, used_up, _READ) == _in_process(large)


def test_filled_slots(large: Path) -> None:
    """What the process does, seen without it: the first slots, until it would have to wait."""
    octets = large.read_bytes()
    assert byte_order_of_pcap(octets[:4]) == ">"
    filled_out, filled = os.pipe()
    freed, freed_in = os.pipe()
    os.close(freed_in)  # nobody frees a slot: it ends when all are filled
    ring = Ring.anonymous(SLOT_OCTETS)
    with large.open("rb") as file:
        fill(file.fileno(), ring, ">", 16, filled, freed)
        os.close(filled)
        os.close(freed)
        with os.fdopen(filled_out, "rb") as messages:
            said = [
                struct.unpack("=qqq", message) for message in iter(lambda: messages.read(24), b"")
            ]
        assert [length for _, length, _ in said] == [SLOT_OCTETS] * 3
        expected, number = 24, 0
        for slot, (position, length, headers) in enumerate(said):
            assert position == expected
            assert ring.octets(slot, length) == octets[position : position + length]
            found = ring.headers(slot, headers)
            numbers = [struct.unpack_from(">I", octets, position + begin)[0] for begin in found]
            assert numbers == list(range(number, number + headers))
            # the last record is cut by the slot's end, and begins the next slot
            expected, number = position + found[-1], numbers[-1]


def test_no_process_where_it_is_of_no_use(large: Path, tmp_path: Path) -> None:
    compressed = tmp_path / "a.pcap.gz"
    compressed.write_bytes(b"\x1f\x8b" + bytes(100))
    assert read_ahead([str(tmp_path / "absent.pcap")], least_octets=1) is None
    assert read_ahead([str(tmp_path)], least_octets=1) is None
    assert read_ahead([str(compressed)], least_octets=1) is None
    assert read_ahead([str(large), str(large)], least_octets=1) is None
    assert read_ahead([str(large)], least_octets=1 << 40) is None


def test_no_process_beside_threads(large: Path) -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert read_ahead([str(large)], least_octets=1) is None
    finally:
        over.set()
        thread.join()
