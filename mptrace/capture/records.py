"""What a capture consists of: interfaces, batches of packet records, damage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface that packets were captured on, of one file of the capture."""

    link_type: int
    link_type_name: str
    """As LINKTYPE_ names it, without that prefix: ETHERNET, LINUX_SLL2, RAW..."""
    snaplen: int
    """Octets kept of each packet at most; 0 where the file states no limit."""
    name: str | None
    source: int
    """Index of the file within the capture."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a file of the capture stops being readable, and why."""

    path: str
    offset: int
    """Octet of the decompressed file at which the record or block at fault begins."""
    reason: str


@dataclass(frozen=True, slots=True)
class FileRecords:
    """Packet records of one file, before they are numbered over the whole capture.

    All arrays have one entry per packet.
    """

    buffer: NDArray[np.uint8]
    buffer_offset: int
    offset: NDArray[np.int64]
    captured_length: NDArray[np.int64]
    wire_length: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    has_time: NDArray[np.bool_] | None
    """None: every record has a time (all but pcapng's simple packet block have)."""
    interface: NDArray[np.int32]
    consumed: int
    """File offset of the first octet behind these records."""

    def rows(self, first: int, last: int) -> FileRecords:
        """The records ``first`` to ``last`` (exclusive); the buffer is shared."""
        rows = slice(first, last)
        return FileRecords(
            self.buffer,
            self.buffer_offset,
            self.offset[rows],
            self.captured_length[rows],
            self.wire_length[rows],
            self.time_ns[rows],
            None if self.has_time is None else self.has_time[rows],
            self.interface[rows],
            self.consumed,
        )


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Some thousand consecutive packet records of one file of the capture.

    The arrays have one entry per packet, in the order of the file. ``buffer`` may be read-only.
    """

    source: int
    """Index of the file within the capture."""
    buffer: NDArray[np.uint8]
    buffer_offset: int
    """Offset of ``buffer[0]`` in the decompressed file."""
    frame_number: NDArray[np.int64]
    """1-based over the whole capture; of several files, those that mergecap gives."""
    offset: NDArray[np.int64]
    """Of each packet's first octet, within ``buffer``."""
    captured_length: NDArray[np.int64]
    wire_length: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    """Since 1970-01-01 UTC; 0 where the record has none (pcapng's simple packet block)."""
    interface: NDArray[np.int32]
    """Index into ``Capture.interfaces``."""


@dataclass(frozen=True, slots=True)
class PacketRecord:
    """One packet with its octets."""

    frame_number: int
    octets: bytes
    wire_length: int
    time_ns: int
    interface: Interface
    source: int
    file_offset: int
    """Of the first octet, in the decompressed file."""
