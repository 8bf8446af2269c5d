"""Several files as one capture: the order and the numbers are those of mergecap."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mptrace.capture import open_capture
from mptrace.capture.writer import InterfaceDescription, PcapngWriter, PcapWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_NS = 1_700_000_000_000_000_000


def write(path: Path, times: list[int], *, file: int) -> None:
    """Packets whose octets say which file and which place in it they come from."""
    with path.open("wb") as stream:
        writer = PcapWriter(stream, 101)
        for place, time in enumerate(times):
            writer.write(struct.pack(">BI", file, place) + bytes(20), START_NS + time)


def merged(paths: list[Path], chunk_octets: int | None) -> list[tuple[int, int]]:
    """File and place of each packet, in the order of frame numbers."""
    numbered: dict[int, tuple[int, int]] = {}
    highest = 0
    with open_capture(paths, chunk_octets=chunk_octets) as capture:
        for batch in capture.batches():
            offsets = batch.offset.tolist()
            for number, offset in zip(batch.frame_number.tolist(), offsets, strict=True):
                assert number not in numbered
                numbered[number] = struct.unpack(">BI", batch.buffer[offset : offset + 5].tobytes())
                assert numbered[number][0] == batch.source
            highest = max(highest, *batch.frame_number.tolist())
        assert sorted(numbered) == list(range(1, highest + 1))
        for number, expected in numbered.items():
            record = capture.packet(number)
            assert (struct.unpack_from(">BI", record.octets), record.source) == (
                expected,
                expected[0],
            )
    return [numbered[number] for number in sorted(numbered)]


@pytest.fixture
def by_mergecap(
    tmp_path: Path, tool: Callable[[str], str]
) -> Callable[[list[Path]], list[tuple[int, int]]]:
    """The same as mergecap orders the packets, read octet by octet from what it writes."""

    def run(paths: list[Path]) -> list[tuple[int, int]]:
        target = tmp_path / "merged"
        command = [tool("mergecap"), "-F", "nsecpcap", "-w", str(target), *map(str, paths)]
        subprocess.run(command, check=True, capture_output=True)
        octets, position, order = target.read_bytes(), 24, []
        while position < len(octets):
            length = struct.unpack_from("<I", octets, position + 8)[0]
            order.append(struct.unpack_from(">BI", octets, position + 16))
            position += 16 + length
        return order

    return run


CASES = {
    "one after the other": [[0, 1, 2], [10, 11, 12]],
    "woven": [[0, 2, 4, 6], [1, 3, 5, 7]],
    "equal times": [[5, 5, 5], [5, 5], [5]],
    "equal times at the ends": [[0, 5, 9], [0, 5, 9], [5]],
    "not in order within a file": [[10, 3, 11, 4, 30], [5, 12, 1, 31]],
    "an empty file": [[3, 4], [], [1]],
    "many and few": [list(range(0, 300, 3)), [50, 51], list(range(100, 200, 7))],
}


@pytest.mark.tshark
@pytest.mark.parametrize("name", CASES)
def test_the_order_is_that_of_mergecap(
    tmp_path: Path, by_mergecap: Callable[[list[Path]], list[tuple[int, int]]], name: str
) -> None:
    paths = [tmp_path / f"{file}.pcap" for file in range(len(CASES[name]))]
    for file, times in enumerate(CASES[name]):
        write(paths[file], times, file=file)
    expected = by_mergecap(paths)
    for chunk_octets in (None, 50, 200):
        assert merged(paths, chunk_octets) == expected


@settings(max_examples=40)
@given(
    files=st.lists(st.lists(st.integers(0, 12), max_size=12), min_size=2, max_size=4),
    chunk_octets=st.sampled_from([41, 100, 10_000]),
)
def test_the_order_does_not_depend_on_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]], chunk_octets: int
) -> None:
    """The next packet of each file is looked at, the earliest taken, the last file at a tie."""
    folder = tmp_path_factory.mktemp("merge")
    paths = [folder / f"{file}.pcap" for file in range(len(files))]
    for file, times in enumerate(files):
        write(paths[file], times, file=file)
    expected = []
    places = [0] * len(files)
    while any(place < len(times) for place, times in zip(places, files, strict=True)):
        left = [file for file in range(len(files)) if places[file] < len(files[file])]
        file = min(left, key=lambda each: (files[each][places[each]], -each))
        expected.append((file, places[file]))
        places[file] += 1
    assert merged(paths, chunk_octets) == expected if expected else True


def test_formats_and_interfaces_of_several_files(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    write(first, [0, 20], file=0)
    with second.open("wb") as stream:
        writer = PcapngWriter(stream)
        for link_type in (1, 276):
            writer.add_interface(InterfaceDescription(link_type, f"eth{link_type}"))
        writer.write(struct.pack(">BI", 1, 0), START_NS + 10, interface=1)
    seen: list[int] = []
    with open_capture([first, second]) as capture:
        records = list(capture.records())
        list(capture.batches(seen.append))
        assert (capture.format, capture.compression) == ("pcapng", None)
        assert capture.paths == (str(first), str(second))
        assert capture.size == first.stat().st_size + second.stat().st_size
        assert seen[-1] == capture.size
        assert seen == sorted(seen)
    assert [(each.frame_number, each.source) for each in records] == [(1, 0), (2, 1), (3, 0)]
    assert [each.interface.link_type_name for each in records] == ["RAW", "LINUX_SLL2", "RAW"]
    assert [(each.interface.name, each.interface.source) for each in records][1] == ("eth276", 1)


def test_packets_without_time_come_at_once(tmp_path: Path) -> None:
    """pcapng's simple packets have no time; nothing says that they are late."""
    first, second = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    write(first, [0, 1], file=0)
    with second.open("wb") as stream:
        PcapngWriter(stream).add_interface(InterfaceDescription(101))
        for place in range(2):
            body = struct.pack(">BIxxx", 1, place)
            stream.write(struct.pack("<III", 3, 16 + len(body), 8) + body)
            stream.write(struct.pack("<I", 16 + len(body)))
    assert merged([first, second], None) == [(1, 0), (1, 1), (0, 0), (0, 1)]


def test_damage_in_one_file_leaves_the_others_whole(tmp_path: Path) -> None:
    paths = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    write(paths[0], [0, 2, 4, 6], file=0)
    write(paths[1], [1, 3, 5, 7], file=1)
    octets = paths[0].read_bytes()
    record = 16 + 25
    paths[0].write_bytes(octets[: 24 + 2 * record + 20])
    assert merged(paths, None) == [(0, 0), (1, 0), (0, 1), (1, 1), (1, 2), (1, 3)]
    with open_capture(paths) as capture:
        list(capture.batches())
        ((path, offset),) = [(damage.path, damage.offset) for damage in capture.damage]
    assert (path, offset) == (str(paths[0]), 24 + 2 * record)
