"""The pcapng file format: sections of blocks, each with its own byte order and interfaces.

Packets come from enhanced, simple and (old) packet blocks; blocks of other types are passed over.
Block structure: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.capture.errors import CaptureError
from mptrace.capture.link_type_names import link_type_name
from mptrace.capture.pcapng_blocks import (
    BLOCK_INTERFACE,
    BLOCK_OLD_PACKET,
    BLOCK_PACKET,
    BLOCK_SECTION,
    BLOCK_SIMPLE_PACKET,
    MAX_BLOCK_OCTETS,
    Section,
    length_problem,
    parse_interface_block,
    section_byte_order,
    section_problem,
    trailer_problem,
)
from mptrace.capture.pcapng_packets import PacketRun, packet_run
from mptrace.capture.records import Damage, FileRecords, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mptrace.capture.octet_source import OctetSource
    from mptrace.capture.registry import CaptureRegistry

_RUN_ENDS: Final = frozenset(
    (BLOCK_SECTION, BLOCK_INTERFACE, BLOCK_OLD_PACKET, BLOCK_SIMPLE_PACKET, BLOCK_PACKET)
)


@dataclass(slots=True)
class _Chunk:
    """Octets of the file, and how far they are understood."""

    octets: bytes
    position: int = 0
    """Where the next block begins; never beyond a block that is not whole."""
    whole: bool = True
    """False once a block was met that goes beyond these octets."""
    problem: str | None = None
    """Why nothing behind ``position`` can be read."""

    @property
    def open(self) -> bool:
        return self.whole and self.problem is None


class PcapngReader:
    """Reads the packets of one pcapng file, chunk by chunk."""

    format: Literal["pcap", "pcapng"] = "pcapng"

    def __init__(self, source: OctetSource, source_index: int, registry: CaptureRegistry) -> None:
        self._source = source
        self._source_index = source_index
        self._registry = registry
        self._ordinal = 0
        chunk = _Chunk(source.read(0, 1 << 16))
        self._enter_section(chunk, Section("<"))
        if chunk.problem is not None:
            raise CaptureError(source.path, 0, chunk.problem)
        if not chunk.whole and len(chunk.octets) == source.size:
            raise CaptureError(source.path, 0, "the file ends in its section header block")

    def records(self, chunk_octets: int) -> Iterator[FileRecords]:
        """All packets of the file; what is damaged goes to the registry and ends them."""
        section = Section("<")
        self._ordinal = 0
        position = 0
        wanted = chunk_octets
        while octets := self._source.read(position, wanted):
            at_end = position + len(octets) >= self._source.size or len(octets) < wanted
            chunk = _Chunk(octets)
            runs = []
            while chunk.open and chunk.position < len(octets):
                run = self._next_run(chunk, section)
                if run is not None:
                    runs.append(run)
            if runs:
                yield _file_records(runs, octets, position, position + chunk.position)
            if chunk.problem is None and not chunk.whole and at_end:
                left = len(octets) - chunk.position
                chunk.problem = f"the file ends in a block, {left} octets of it"
            position += chunk.position
            if chunk.problem is not None:
                self._registry.add_damage(Damage(self._source.path, position, chunk.problem))
                return
            if at_end:
                return
            # A block longer than the chunk: read it again with room for it.
            wanted = chunk_octets if chunk.position else wanted + MAX_BLOCK_OCTETS

    def _next_run(self, chunk: _Chunk, section: Section) -> PacketRun | None:
        """Understand the next block, and all that follow if they are packets of one block type."""
        if len(chunk.octets) - chunk.position < 12:
            chunk.whole = False
            return None
        block_type = struct.unpack_from(section.byte_order + "I", chunk.octets, chunk.position)[0]
        if block_type == BLOCK_SECTION:
            self._enter_section(chunk, section)
            return None
        if block_type == BLOCK_INTERFACE:
            self._add_interface(chunk, section)
            return None
        blocks = _similar_blocks(chunk, section.byte_order, block_type)
        run = packet_run(chunk.octets, section, block_type, blocks)
        chunk.position = run.end
        chunk.problem = run.problem
        chunk.whole = run.whole
        return run if run.offset.size else None

    def _enter_section(self, chunk: _Chunk, section: Section) -> None:
        byte_order = section_byte_order(chunk.octets[chunk.position : chunk.position + 12])
        if byte_order is None:
            if len(chunk.octets) - chunk.position < 12:
                chunk.whole = False
            else:
                chunk.problem = "a section header block whose byte order is not known"
            return
        block = _whole_block(chunk, byte_order)
        if block is None:
            return
        chunk.problem = section_problem(block, byte_order)
        if chunk.problem is None:
            section.byte_order = byte_order
            section.interfaces.clear()
            section.index.clear()
            chunk.position += len(block)

    def _add_interface(self, chunk: _Chunk, section: Section) -> None:
        block = _whole_block(chunk, section.byte_order)
        if block is None:
            return
        description = parse_interface_block(block, section.byte_order)
        if description is None:
            chunk.problem = f"an interface description block of {len(block)} octets"
            return
        interface = Interface(
            description.link_type,
            link_type_name(description.link_type),
            description.snaplen,
            description.name,
            self._source_index,
        )
        section.interfaces.append(description)
        section.index.append(self._registry.register(interface, self._ordinal))
        self._ordinal += 1
        chunk.position += len(block)


def _whole_block(chunk: _Chunk, byte_order: str) -> bytes | None:
    """The block at the chunk's position; None if it is damaged or goes beyond the chunk."""
    start = chunk.position
    length = struct.unpack_from(byte_order + "I", chunk.octets, start + 4)[0]
    chunk.problem = length_problem(length)
    if chunk.problem is not None:
        return None
    block = chunk.octets[start : start + length]
    if len(block) < length:
        chunk.whole = False
        return None
    trailer = struct.unpack_from(byte_order + "I", block, length - 4)[0]
    chunk.problem = trailer_problem(length, trailer)
    return None if chunk.problem is not None else block


def _similar_blocks(chunk: _Chunk, byte_order: str, run_type: int) -> NDArray[np.int64]:
    """Where blocks begin, up to one that is a packet of another type, an interface or a section.

    The only Python loop over packets. It trusts each length only so far as to go on; the last
    positions may be nonsense, which `packet_run` finds out for all of them at once.
    """
    unpack = struct.Struct(byte_order + "II").unpack_from
    octets = chunk.octets
    positions: list[int] = []
    append = positions.append
    position = chunk.position
    try:
        while True:
            block_type, length = unpack(octets, position)
            if block_type != run_type and block_type in _RUN_ENDS:
                break
            append(position)
            if length < 12:
                break
            position += length
    except struct.error:
        pass
    return np.array(positions, np.int64)


def _file_records(
    runs: list[PacketRun], octets: bytes, position: int, consumed: int
) -> FileRecords:
    one = runs[0] if len(runs) == 1 else PacketRun.joined(runs)
    return FileRecords(
        buffer=np.frombuffer(octets, np.uint8),
        buffer_offset=position,
        offset=one.offset,
        captured_length=one.captured_length,
        wire_length=one.wire_length,
        time_ns=one.time_ns,
        has_time=one.has_time,
        interface=one.interface,
        consumed=consumed,
    )
