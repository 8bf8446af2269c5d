"""Numbers to be changed in many packets at once, at places that a template names."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Octets = NDArray[np.uint8]


@dataclass(slots=True)
class Places:
    """Where a kind of field stands: packets of the template, in ascending order, and offsets.

    ``column`` says which column of the edit's table speaks of the place: a way, a host, a port.
    """

    width: int
    packet: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)

    def add(self, packet: int, offset: int, column: int) -> None:
        """Name a place: ``offset`` counts from the packet's first octet."""
        self.packet.append(packet)
        self.offset.append(offset)
        self.column.append(column)


@dataclass(frozen=True, slots=True)
class Edit:
    """Places and the table of what happens there.

    With ``is_shift``, ``table`` is uint64[units, columns] and added to the big-endian number that
    stands there, modulo its width. Without, it is uint8[units, columns, width] and replaces it.
    """

    places: Places
    table: U64 | Octets
    is_shift: bool


@dataclass(slots=True)
class Rows:
    """Packets that were laid out behind each other in a buffer; columns are (rows,)."""

    buffer: Octets
    start: I64
    """Of the packet's first octet."""
    packet: I64
    """Which one of the template it is."""
    copy: I64
    unit: I64
    """Which repetition of which copy."""


class PreparedEdit:
    """An edit whose places are sorted by packet, ready for rows."""

    def __init__(self, edit: Edit, packets: int) -> None:
        self._edit = edit
        packet = np.array(edit.places.packet, np.int64)
        order = np.argsort(packet, kind="stable")
        self._offset = np.array(edit.places.offset, np.int64)[order]
        self._column = np.array(edit.places.column, np.int64)[order]
        self._count = np.bincount(packet, minlength=packets)
        self._first = np.cumsum(self._count) - self._count

    def apply(self, rows: Rows) -> None:
        """Change the buffer of the rows."""
        count = self._count[rows.packet]
        which = np.repeat(np.arange(count.size), count)
        if not which.size:
            return
        within = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        entry = self._first[rows.packet[which]] + within
        place = rows.start[which] + self._offset[entry]
        width, table, column = self._edit.places.width, self._edit.table, self._column[entry]
        target = place[:, None] + np.arange(width)
        if not self._edit.is_shift:
            rows.buffer[target] = table[rows.copy[which], column]
            return
        number = big_endian(rows.buffer, place, width) + table[rows.unit[which], column]
        octets = number.astype(">u8").view(np.uint8).reshape(-1, 8)
        rows.buffer[target] = octets[:, 8 - width :]


def big_endian(buffer: Octets, place: I64, width: int) -> U64:
    """Numbers of 2, 4 or 8 octets at unaligned places."""
    window = np.ndarray((buffer.size - width + 1,), f">u{width}", buffer, strides=(1,))
    return window[place].astype(np.uint64)
