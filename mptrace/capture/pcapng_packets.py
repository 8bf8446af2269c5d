"""Packet blocks of pcapng, many at once: checked, and turned into columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.capture.pcap import MAX_PACKET_OCTETS
from mptrace.capture.pcapng_blocks import (
    BLOCK_OLD_PACKET,
    BLOCK_PACKET,
    BLOCK_SIMPLE_PACKET,
    MAX_BLOCK_OCTETS,
    InterfaceBlock,
    Section,
    length_problem,
    trailer_problem,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Octets from the start of a block to the packet's first octet; the trailing length is 4 more.
_DATA_AT: Final = {BLOCK_PACKET: 28, BLOCK_OLD_PACKET: 28, BLOCK_SIMPLE_PACKET: 12}


@dataclass(frozen=True, slots=True)
class PacketRun:
    """Packets of consecutive blocks of one type, up to the first block that cannot be read.

    All arrays have one entry per packet; offsets count from the chunk's first octet.
    """

    offset: NDArray[np.int64]
    captured_length: NDArray[np.int64]
    wire_length: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    has_time: NDArray[np.bool_] | None
    interface: NDArray[np.int32]
    end: int
    """Where the first block begins that is not part of the run."""
    whole: bool
    """False if the block at ``end`` goes beyond the chunk."""
    problem: str | None
    """What is wrong with the block at ``end``."""

    @classmethod
    def joined(cls, runs: Sequence[PacketRun]) -> PacketRun:
        """Several runs of one chunk as one."""
        has_time = None
        if any(run.has_time is not None for run in runs):
            has_time = np.concatenate(
                [
                    np.ones(run.offset.size, np.bool_) if run.has_time is None else run.has_time
                    for run in runs
                ]
            )
        return cls(
            np.concatenate([run.offset for run in runs]),
            np.concatenate([run.captured_length for run in runs]),
            np.concatenate([run.wire_length for run in runs]),
            np.concatenate([run.time_ns for run in runs]),
            has_time,
            np.concatenate([run.interface for run in runs]),
            runs[-1].end,
            runs[-1].whole,
            runs[-1].problem,
        )


def packet_run(
    octets: bytes, section: Section, run_type: int, blocks: NDArray[np.int64]
) -> PacketRun:
    """The packets in the blocks at ``blocks``; blocks that are not of ``run_type`` are passed over.

    ``blocks`` (int64[n], at least one) is a chain: each begins where the one before says that it
    ends. A block that is damaged ends the run, and so does one that goes beyond the octets.
    """
    head = _words(octets, section.byte_order, blocks, 2)
    length = head[:, 1]
    ends = blocks + length
    fits = ends <= len(octets)
    sound = (length >= 12) & (length % 4 == 0) & (length <= MAX_BLOCK_OCTETS)
    checked = np.flatnonzero(fits & sound)
    trailer = np.full(blocks.size, -1)
    trailer[checked] = _words(octets, section.byte_order, ends[checked] - 4, 1)[:, 0]
    count = _first(trailer != length)
    problem: str | None = None
    if count < blocks.size:
        problem = length_problem(int(length[count]))
        if problem is None and fits[count]:
            problem = trailer_problem(int(length[count]), int(trailer[count]))
    whole = count == blocks.size or problem is not None

    packets = blocks[:count][head[:count, 0] == run_type]
    room = length[:count][head[:count, 0] == run_type] - _DATA_AT.get(run_type, 0) - 4
    if run_type not in _DATA_AT:
        packets, room = packets[:0], room[:0]
    good = _first(room < 0)
    columns = _packet_columns(octets, section, run_type, packets[:good])
    good = min(good, _first(columns.problems(room[:good], len(section.interfaces))))
    if good < packets.size:
        return columns.run(good, section, int(packets[good]), _why(columns, good, room, section))
    end = int(ends[count - 1]) if count else int(blocks[0])
    return columns.run(good, section, end, problem, whole=whole)


@dataclass(frozen=True, slots=True)
class _PacketColumns:
    """The fields of packet blocks, not checked yet. Shapes (n,)."""

    data: NDArray[np.int64]
    """Offset of each packet's first octet."""
    interface: NDArray[np.int64]
    """Number within the section."""
    ticks: NDArray[np.uint64] | None
    """None: the blocks have no time."""
    captured_length: NDArray[np.int64]
    wire_length: NDArray[np.int64]

    def problems(self, room: NDArray[np.int64], interfaces: int) -> NDArray[np.bool_]:
        """Which blocks contradict themselves or the section."""
        return (
            (self.interface >= interfaces)
            | (self.captured_length > room)
            | (self.captured_length > MAX_PACKET_OCTETS)
        )

    def run(
        self, count: int, section: Section, end: int, problem: str | None, *, whole: bool = True
    ) -> PacketRun:
        """The first ``count`` packets."""
        captured = self.captured_length[:count]
        number = self.interface[:count]
        if self.ticks is None:
            time_ns = np.zeros(count, np.int64)
        else:
            time_ns = _times(self.ticks[:count], number, section.interfaces)
        return PacketRun(
            self.data[:count],
            captured,
            np.maximum(self.wire_length[:count], captured),
            time_ns,
            np.zeros(count, np.bool_) if self.ticks is None else None,
            np.array(section.index, np.int32)[number],
            end,
            whole,
            problem,
        )


def _first(found: NDArray[np.bool_]) -> int:
    """The first row that is true; the number of rows if none is."""
    return int(found.argmax()) if found.any() else found.size


def _why(columns: _PacketColumns, row: int, room: NDArray[np.int64], section: Section) -> str:
    """What is wrong with a packet block."""
    if room[row] < 0:
        return "a packet block too short for its own fields"
    captured, interface = int(columns.captured_length[row]), int(columns.interface[row])
    if interface >= len(section.interfaces):
        return f"a packet of interface {interface}; the section has {len(section.interfaces)}"
    if captured > room[row]:
        return f"a packet of {captured} octets in a block with room for {room[row]}"
    return f"a packet of {captured} octets: more than {MAX_PACKET_OCTETS} are not possible"


def _packet_columns(
    octets: bytes, section: Section, run_type: int, packets: NDArray[np.int64]
) -> _PacketColumns:
    data = packets + _DATA_AT.get(run_type, 0)
    if run_type == BLOCK_SIMPLE_PACKET:
        wire = _words(octets, section.byte_order, packets, 3)[:, 2].copy()
        snaplen = section.interfaces[0].snaplen if section.interfaces else 0
        captured = np.minimum(wire, snaplen) if snaplen else wire
        return _PacketColumns(data, np.zeros(packets.size, np.int64), None, captured, wire)
    fields = _words(octets, section.byte_order, packets, 7)
    interface = fields[:, 2]
    if run_type == BLOCK_OLD_PACKET:
        # 16 bits of interface and 16 bits of drop count stand in place of 32 bits.
        interface = interface & 0xFFFF if section.byte_order == "<" else interface >> 16
    ticks = fields[:, 3].astype(np.uint64) << np.uint64(32) | fields[:, 4].astype(np.uint64)
    return _PacketColumns(data, interface, ticks, fields[:, 5].copy(), fields[:, 6].copy())


def _times(
    ticks: NDArray[np.uint64], number: NDArray[np.int64], interfaces: Sequence[InterfaceBlock]
) -> NDArray[np.int64]:
    """Nanoseconds of each packet, by the clock of its interface."""
    used: list[int] = np.unique(number).tolist()
    if len({interfaces[each].clock for each in used}) == 1:
        return interfaces[used[0]].clock.time_ns(ticks)
    time_ns = np.empty(ticks.size, np.int64)
    for each in used:
        rows = number == each
        time_ns[rows] = interfaces[each].clock.time_ns(ticks[rows])
    return time_ns


def _words(
    octets: bytes, byte_order: str, offset: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """``count`` 32-bit words at each offset, int64[n, count]; all must lie within the octets."""
    if not offset.size:
        return np.zeros((0, count), np.int64)
    width = 4 * count
    every = np.ndarray((len(octets) - width + 1,), f"V{width}", octets, strides=(1,))
    found: NDArray[np.uint32] = every[offset].view(byte_order + "u4")
    return found.reshape(-1, count).astype(np.int64)
