"""Windows of octets at many offsets of a buffer: one gather for a whole header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


def windows(buffer: NDArray[np.uint8], offset: NDArray[np.int64], width: int) -> NDArray[np.void]:
    """The ``width`` octets at each offset, as void[n]; view them as a record type.

    Offsets lie within [0, buffer.size]. Octets behind the end of the buffer read as 0; what
    belongs to a packet is for the caller to know.
    """
    if not offset.size:
        return np.zeros(0, f"V{width}")
    last = buffer.size - width
    if last >= 0:
        # One item per octet of the buffer, each overlapping the next: no octet is copied but
        # those that are asked for.
        every = np.ndarray((last + 1,), f"V{width}", buffer, strides=(1,))
        if int(offset.max()) <= last:
            return every[offset]
    tail_start = max(last, 0)
    tail = np.concatenate((buffer[tail_start:], np.zeros(width, np.uint8)))
    every_tail = np.ndarray((tail.size - width + 1,), f"V{width}", tail, strides=(1,))
    if last < 0:
        return every_tail[offset]
    found = every[np.minimum(offset, last)]
    behind = offset > last
    found[behind] = every_tail[offset[behind] - tail_start]
    return found


def words(
    buffer: NDArray[np.uint8], offset: NDArray[np.int64], kind: DTypeLike, *, at: int = 0
) -> NDArray[np.int64]:
    """One integer of type ``kind`` (a size and byte order, such as ``>u2``), ``at`` octets on."""
    dtype = np.dtype(kind)
    width = dtype.itemsize
    last = buffer.size - at - width
    if offset.size and last >= 0 and int(offset.max()) <= last:
        every = np.ndarray((last + 1,), dtype, buffer, offset=at, strides=(1,))
        return every[offset].astype(np.int64)
    field = windows(buffer, offset, at + width).view(
        np.dtype({"names": ["word"], "formats": [dtype], "offsets": [at], "itemsize": at + width})
    )
    return field["word"].astype(np.int64)
