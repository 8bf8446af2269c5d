"""Where each packet stands, for packets on demand: columns of numbers, no object per packet."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mptrace.capture.records import RecordBatch

_ENTRY: Final = np.dtype(
    [
        ("frame_number", np.int64),
        ("file_offset", np.int64),
        ("time_ns", np.int64),
        ("captured_length", np.int32),
        ("wire_length", np.uint32),
        ("interface", np.int32),
        ("source", np.int32),
    ]
)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """Where one packet stands and what its record says."""

    file_offset: int
    time_ns: int
    captured_length: int
    wire_length: int
    interface: int
    source: int


class PacketIndex:
    """Packets by frame number; reads the capture only so far as was asked for."""

    def __init__(self, batches: Iterator[RecordBatch]) -> None:
        self._batches = batches
        self._blocks: list[NDArray[np.void]] = []
        self._first: list[int] = []
        self._next = 1

    def entry(self, frame_number: int) -> IndexEntry:
        """Raises IndexError where there is no such packet."""
        if frame_number < 1:
            raise IndexError(f"no packet {frame_number}: packets count from 1")
        while frame_number >= self._next:
            if not self._extend():
                raise IndexError(f"no packet {frame_number}: the capture has {self._next - 1}")
        block = bisect_right(self._first, frame_number) - 1
        row = self._blocks[block][frame_number - self._first[block]]
        return IndexEntry(*(int(row[name]) for name in IndexEntry.__dataclass_fields__))

    def _extend(self) -> bool:
        """Read on until no frame number is missing; False at the end."""
        parts: list[NDArray[np.void]] = []
        count, highest = 0, 0
        for batch in self._batches:
            parts.append(_entries(batch))
            count += batch.offset.size
            highest = max(highest, int(batch.frame_number[-1]))
            if highest == self._next - 1 + count:
                break
        if not parts:
            return False
        block = np.concatenate(parts)
        if len(parts) > 1:
            block = block[np.argsort(block["frame_number"])]
        self._blocks.append(block)
        self._first.append(self._next)
        self._next += count
        return True


def _entries(batch: RecordBatch) -> NDArray[np.void]:
    entries = np.zeros(batch.offset.size, _ENTRY)
    entries["frame_number"] = batch.frame_number
    entries["file_offset"] = batch.offset + batch.buffer_offset
    entries["time_ns"] = batch.time_ns
    entries["captured_length"] = batch.captured_length
    entries["wire_length"] = batch.wire_length
    entries["interface"] = batch.interface
    entries["source"] = batch.source
    return entries
