"""Single pcapng blocks: section headers, interface descriptions, and the clock of an interface."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_SECTION: Final = 0x0A0D0D0A
BLOCK_INTERFACE: Final = 1
BLOCK_OLD_PACKET: Final = 2
BLOCK_SIMPLE_PACKET: Final = 3
BLOCK_PACKET: Final = 6

MAX_BLOCK_OCTETS: Final = 1 << 24
"""Longest block that is believed, as in Wireshark."""
SECTION_BLOCK_OCTETS: Final = 28
_INTERFACE_BLOCK_OCTETS: Final = 20
_BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
_OPTION_END: Final = 0
_OPTION_NAME: Final = 2
_OPTION_TIME_RESOLUTION: Final = 9
_OPTION_TIME_OFFSET: Final = 14
_TIME_LIMIT_NS: Final = 1 << 62
"""Times are kept within this, so that the difference of two of them fits 64 bits."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How an interface counts time: if_tsresol and if_tsoffset."""

    base: int = 10
    exponent: int = 6
    """Ticks are ``base`` to the power of minus ``exponent`` seconds."""
    offset_s: int = 0

    def time_ns(self, ticks: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Nanoseconds since 1970 of 64-bit tick counts, rounded down, held within +-2^62."""
        nanoseconds = (
            self._from_decimal(ticks) if self.base == 10 else self._from_binary(ticks)
        ).astype(np.int64)
        if self.offset_s:
            offset = max(-_TIME_LIMIT_NS, min(_TIME_LIMIT_NS, self.offset_s * 1_000_000_000))
            nanoseconds = np.clip(nanoseconds + np.int64(offset), -_TIME_LIMIT_NS, _TIME_LIMIT_NS)
        return nanoseconds

    def _from_decimal(self, ticks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if self.exponent > 28:
            # Even 2^64 ticks are less than a nanosecond then, and 10^20 does not fit 64 bits.
            return np.zeros_like(ticks)
        if self.exponent > 9:
            return ticks // np.uint64(10 ** (self.exponent - 9))
        scale = 10 ** (9 - self.exponent)
        limit = np.uint64((_TIME_LIMIT_NS - 1) // scale)
        return np.minimum(ticks, limit) * np.uint64(scale)

    def _from_binary(self, ticks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        seconds = np.zeros_like(ticks)
        fraction = ticks
        if self.exponent < 64:
            seconds = ticks >> np.uint64(self.exponent)
            fraction = ticks & np.uint64((1 << self.exponent) - 1)
        if self.exponent <= 32:
            nanoseconds = (fraction * np.uint64(1_000_000_000)) >> np.uint64(self.exponent)
        else:
            # The product would not fit 64 bits: multiply the two halves, and carry.
            high = (fraction >> np.uint64(32)) * np.uint64(1_000_000_000)
            low = (fraction & np.uint64(0xFFFF_FFFF)) * np.uint64(1_000_000_000)
            shift = np.uint64(min(self.exponent - 32, 63))
            nanoseconds = (high + (low >> np.uint64(32))) >> shift
        limit = np.uint64((_TIME_LIMIT_NS - 1) // 1_000_000_000 - 1)
        return np.minimum(seconds, limit) * np.uint64(1_000_000_000) + nanoseconds


@dataclass(frozen=True, slots=True)
class InterfaceBlock:
    """What an interface description block says."""

    link_type: int
    snaplen: int
    name: str | None
    clock: Clock


@dataclass(slots=True)
class Section:
    """What the section that is being read has said so far."""

    byte_order: str
    interfaces: list[InterfaceBlock] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    """Of each interface: where it stands among those of the whole capture."""


def section_byte_order(block: bytes) -> str | None:
    """``<`` or ``>`` of a section header block, None if these octets begin none."""
    if len(block) < 12 or block[:4] != b"\x0a\x0d\x0d\x0a":
        return None
    for byte_order in "<>":
        if struct.unpack_from(byte_order + "I", block, 8)[0] == _BYTE_ORDER_MAGIC:
            return byte_order
    return None


def section_problem(block: bytes, byte_order: str) -> str | None:
    """What makes a whole section header block unreadable, None if nothing does."""
    if len(block) < SECTION_BLOCK_OCTETS:
        return f"a section header block of {len(block)} octets"
    major, minor = struct.unpack_from(byte_order + "HH", block, 12)
    if major != 1:
        return f"pcapng version {major}.{minor} is not supported (1.0 is)"
    return None


def length_problem(length: int) -> str | None:
    """What is wrong with the total length that a block states, None if nothing is."""
    if length < 12:
        return f"a block of {length} octets: less than the 12 of its own frame"
    if length % 4:
        return f"a block of {length} octets: not a multiple of 4"
    if length > MAX_BLOCK_OCTETS:
        return f"a block of {length} octets: more than {MAX_BLOCK_OCTETS} are not believed"
    return None


def trailer_problem(length: int, trailer: int) -> str | None:
    """What is wrong if the two lengths of a block differ."""
    if length != trailer:
        return f"a block of {length} octets at its start and {trailer} at its end"
    return None


def parse_interface_block(block: bytes, byte_order: str) -> InterfaceBlock | None:
    """Read a whole interface description block; None where it is too short to be one."""
    if len(block) < _INTERFACE_BLOCK_OCTETS:
        return None
    link_type, _, snaplen = struct.unpack_from(byte_order + "HHI", block, 8)
    name: str | None = None
    base, exponent, offset_s = 10, 6, 0
    for code, value in _options(block[16:-4], byte_order):
        if code == _OPTION_NAME:
            name = value.rstrip(b"\0").decode("utf-8", "replace") or None
        elif code == _OPTION_TIME_RESOLUTION and len(value) == 1:
            base, exponent = (2 if value[0] & 0x80 else 10), value[0] & 0x7F
        elif code == _OPTION_TIME_OFFSET and len(value) == 8:
            offset_s = struct.unpack(byte_order + "q", value)[0]
    return InterfaceBlock(link_type, snaplen, name, Clock(base, exponent, offset_s))


def _options(area: bytes, byte_order: str) -> list[tuple[int, bytes]]:
    """The options of a block; what does not fit its area ends them."""
    options: list[tuple[int, bytes]] = []
    position = 0
    while position + 4 <= len(area):
        code, length = struct.unpack_from(byte_order + "HH", area, position)
        position += 4
        if code == _OPTION_END or position + length > len(area):
            break
        options.append((code, area[position : position + length]))
        position += (length + 3) & ~3
    return options
