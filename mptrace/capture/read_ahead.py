"""Reading a large pcap file in a process of its own, some megabytes ahead.

To read octets and to follow the chain of record headers takes about as long as to decode the
packets, and both are bound to one core; so a command lets a second process do it. The two share a
ring of slots in anonymous memory, which nobody has to clean up, and two pipes: one says which
slots are filled, the other which are free again. Whichever side ends, the other finds its pipe
closed. Should the reader end early, whatever the reason, the capture is read on without it.

Only for commands: forking is for a process that has no threads yet, and no numpy (whose linear
algebra starts some). Loads nothing but the standard library, for the same reason.
"""

from __future__ import annotations

import mmap
import os
import signal
import stat
import struct
import sys
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from mptrace.capture.pcap_chain import (
    FILE_HEADER_OCTETS,
    MAGIC_NUMBERS,
    byte_order_of_pcap,
    record_headers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

LEAST_OCTETS: Final = 32 << 20
"""Smaller files are read before another process would be of use."""
SLOT_OCTETS: Final = 16 << 20
"""More than the longest record that is possible, so that every slot has a whole one. Much more:
each slot becomes a batch of columns, and every batch costs a millisecond beside its packets."""
_SLOTS: Final = 3
_LEAST_RECORD_OCTETS: Final = 16
_OFFSET_OCTETS: Final = 4
_FILLED: Final = struct.Struct("=qqq")
"""Message: file offset, octets, record headers. Short enough to be written at once."""


class Chunk(NamedTuple):
    """Octets of a file that begin with a record header."""

    position: int
    octets: memoryview
    """Valid until the next chunk is asked for."""
    headers: memoryview
    """Where in them record headers begin, as unsigned integers of 32 bits; as long as ``octets``
    are valid."""
    is_last: bool
    """The file ended before the slot was full."""


class Ring(NamedTuple):
    """Memory that both processes see: slots for octets, each with the places of its headers."""

    memory: memoryview
    slot_octets: int

    @classmethod
    def anonymous(cls, slot_octets: int) -> Ring:
        """A new one; its memory is given back with the last view of it."""
        return cls(memoryview(mmap.mmap(-1, _SLOTS * cls._stride(slot_octets))), slot_octets)

    @staticmethod
    def _stride(slot_octets: int) -> int:
        return slot_octets + slot_octets // _LEAST_RECORD_OCTETS * _OFFSET_OCTETS

    def octets(self, turn: int, length: int) -> memoryview:
        """The first octets of the slot whose turn it is."""
        slot = turn % _SLOTS * self._stride(self.slot_octets)
        return self.memory[slot : slot + length]

    def headers(self, turn: int, count: int) -> memoryview:
        """Places of record headers, as unsigned integers of 32 bits."""
        slot = turn % _SLOTS * self._stride(self.slot_octets) + self.slot_octets
        return self.memory[slot : slot + _OFFSET_OCTETS * count].cast("I")


class ReadAhead:
    """The reading process, seen from the one that it reads for; a context manager."""

    def __init__(
        self, descriptor: int, byte_order: str, header_octets: int, slot_octets: int
    ) -> None:
        status = os.fstat(descriptor)
        self._identity = status.st_dev, status.st_ino
        ring = Ring.anonymous(slot_octets)
        self._ring: Ring | None = ring
        self._turn = 0
        self._filled, filled = os.pipe()
        freed, self._freed = os.pipe()
        # Ctrl-C is for the process that is read for, so the other one never gets the signal.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        self._process = os.fork()
        if self._process == 0:
            ends = (self._filled, self._freed)
            _run(descriptor, ring, byte_order, header_octets, filled, freed, ends)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.close(filled)
        os.close(freed)

    def is_of(self, identity: tuple[int, int]) -> bool:
        """Whether the file with this device and inode is the one that is read ahead."""
        return identity == self._identity

    def chunk_at(self, position: int) -> Chunk | None:
        """The next chunk, if it begins there and there is one; frees the one before.

        None ends the reading: the caller goes on by itself.
        """
        if self._ring is None:
            return None
        if self._turn:
            # Where it has come to the end of the file, it needs no more slots and is gone.
            with suppress(BrokenPipeError):
                os.write(self._freed, b"\0")
        message = os.read(self._filled, _FILLED.size)
        if not message:
            self.close()
            return None
        start, octets, headers = _FILLED.unpack(message)
        if start != position:
            self.close()
            return None
        turn = self._turn
        self._turn += 1
        return Chunk(
            start,
            self._ring.octets(turn, octets),
            self._ring.headers(turn, headers),
            octets < self._ring.slot_octets,
        )

    def close(self) -> None:
        """End the process and give its memory back; a second call does nothing."""
        if self._ring is None:
            return
        self._ring = None  # freed with the last array that looks into it
        os.close(self._filled)
        os.close(self._freed)
        os.waitpid(self._process, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_ahead(
    paths: Sequence[str], *, least_octets: int = LEAST_OCTETS, slot_octets: int = SLOT_OCTETS
) -> ReadAhead | None:
    """Begin to read ahead where that is of use: one large plain pcap file, and a core to spare.

    None where it is not, and where the process has threads. Files that can't be read are left to
    who reads them in earnest. ``slot_octets`` is how much is read at once (for tests).
    """
    if len(paths) != 1 or not _may_fork():
        return None
    try:
        descriptor = os.open(paths[0], os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size < least_octets:
            return None
        signature = os.pread(descriptor, 4, 0)
        byte_order = byte_order_of_pcap(signature)
        if byte_order is None:
            return None
        _, header_octets = MAGIC_NUMBERS[struct.unpack(byte_order + "I", signature)[0]]
        return ReadAhead(descriptor, byte_order, header_octets, slot_octets)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _may_fork() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (pathlib is slow to load)
    except OSError:
        return False
    return threads == 1 and len(os.sched_getaffinity(0)) > 1


def _run(
    descriptor: int,
    ring: Ring,
    byte_order: str,
    header_octets: int,
    filled: int,
    freed: int,
    others: tuple[int, int],
) -> None:
    """The whole life of the reading process; never returns."""
    status = 1
    try:
        for end in others:
            os.close(end)
        fill(descriptor, ring, byte_order, header_octets, filled, freed)
        status = 0
    except OSError:
        pass  # the other side is gone, or reads on by itself and meets the same error
    finally:
        os._exit(status)


def fill(
    descriptor: int,
    ring: Ring,
    byte_order: str,
    header_octets: int,
    filled: int,
    freed: int,
) -> None:
    """Fill the slots in turn until the file ends, or a record that nothing can follow is met."""
    position, turn = FILE_HEADER_OCTETS, 0
    while turn < _SLOTS or os.read(freed, 1):
        length = _read_whole(descriptor, ring.octets(turn, ring.slot_octets), position)
        octets = ring.octets(turn, length)
        headers = record_headers(octets, byte_order, header_octets)
        if not headers:
            return
        ring.headers(turn, len(headers))[:] = memoryview(array("I", headers))
        os.write(filled, _FILLED.pack(position, length, len(headers)))
        consumed = _consumed(octets, headers, byte_order, header_octets)
        if length < ring.slot_octets or not consumed:
            return
        position += consumed
        turn += 1


def _read_whole(descriptor: int, room: memoryview, position: int) -> int:
    """Octets read: as many as there is room for, unless the file ends."""
    length = 0
    while length < len(room):
        count = os.preadv(descriptor, [room[length:]], position + length)
        if not count:
            break
        length += count
    return length


def _consumed(octets: memoryview, headers: list[int], byte_order: str, header_octets: int) -> int:
    """Where the last whole record ends. Absurd lengths are not looked for: the receiver does."""
    last = headers[-1]
    end = last + header_octets + struct.unpack_from(byte_order + "I", octets, last + 8)[0]
    return last if end > len(octets) else int(end)
