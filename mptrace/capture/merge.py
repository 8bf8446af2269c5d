"""Several files as one capture: frame numbers in the order in which mergecap would write them.

mergecap looks at the next packet of each file and takes the earliest. A packet that is earlier
than one before it in its own file is therefore taken right behind that one: the order is that of
a stable sort by the highest time so far within the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.capture.records import FileRecords, RecordBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

_BATCH_RECORDS: Final = 1 << 16
_NO_TIME: Final = np.iinfo(np.int64).min


def merged_batches(
    files: Sequence[Iterator[FileRecords]], progress: Callable[[int], None] | None
) -> Iterator[RecordBatch]:
    """Number the records of all files and give them in batches of one file each.

    Of each file one chunk is held at a time. A round gives, file by file, the records that no
    record still unread can come before; rounds follow each other in the order of numbers.
    """
    if len(files) == 1:
        yield from _single_file(files[0], progress)
        return
    heads = [_Head(source, records) for source, records in enumerate(files)]
    frame_number = 1
    while True:
        for head in heads:
            head.fill()
        pending = [head for head in heads if head.key.size]
        if not pending:
            return
        # The file whose held records end first could go on with a record of that same time.
        last = min(pending, key=lambda head: (head.key[-1], head.rank))
        counts = [head.count_before(last) for head in pending]
        keys = np.concatenate([head.key[:n] for head, n in zip(pending, counts, strict=True)])
        ranks = np.repeat([head.rank for head in pending], counts)
        number = np.empty(keys.size, np.int64)
        number[np.lexsort((ranks, keys))] = np.arange(keys.size) + frame_number
        frame_number += keys.size
        first = 0
        for head, count in zip(pending, counts, strict=True):
            if count:
                yield from _split(head.source, head.take(count), number[first : first + count])
                first += count
        if progress is not None:
            progress(sum(head.consumed for head in heads))


def _single_file(
    records: Iterator[FileRecords], progress: Callable[[int], None] | None
) -> Iterator[RecordBatch]:
    first = 1
    for chunk in records:
        count = chunk.offset.size
        yield from _split(0, chunk, np.arange(first, first + count))
        first += count
        if progress is not None:
            progress(chunk.consumed)


def _split(source: int, chunk: FileRecords, number: NDArray[np.int64]) -> Iterator[RecordBatch]:
    """Batches of at most 65536 records."""
    for first in range(0, chunk.offset.size, _BATCH_RECORDS):
        part = chunk.rows(first, first + _BATCH_RECORDS)
        yield RecordBatch(
            source,
            part.buffer,
            part.buffer_offset,
            number[first : first + _BATCH_RECORDS],
            part.offset,
            part.captured_length,
            part.wire_length,
            part.time_ns,
            part.interface,
        )


class _Head:
    """The records of one file that are read and not yet given."""

    def __init__(self, source: int, records: Iterator[FileRecords]) -> None:
        self.source = source
        # At equal times mergecap takes the packet of the file that is named last.
        self.rank = -source
        self.key: NDArray[np.int64] = np.zeros(0, np.int64)
        """The highest time so far in the file, at each record held."""
        self.consumed = 0
        self._records = records
        self._held: FileRecords | None = None
        self._highest: int = _NO_TIME

    def fill(self) -> None:
        """Read on if nothing is held."""
        while not self.key.size:
            self._held = next(self._records, None)
            if self._held is None:
                return
            times = self._held.time_ns
            if self._held.has_time is not None:
                times = np.where(self._held.has_time, times, _NO_TIME)
            self.key = np.maximum.accumulate(np.maximum(times, self._highest))
            if self.key.size:
                self._highest = int(self.key[-1])

    def count_before(self, last: _Head) -> int:
        """How many of the records held come before what may follow the last one of ``last``."""
        if last is self:
            return int(self.key.size)
        side: Literal["left", "right"] = "right" if self.rank < last.rank else "left"
        return int(np.searchsorted(self.key, last.key[-1], side=side))

    def take(self, count: int) -> FileRecords:
        """Give the first records held."""
        if self._held is None:
            raise ValueError("no records are held")
        taken = self._held.rows(0, count)
        self._held = self._held.rows(count, self._held.offset.size)
        self.key = self.key[count:]
        if not self.key.size:
            self.consumed = self._held.consumed
        return taken
