"""A capture: one file, or several that are one capture together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

from mptrace.capture.errors import CaptureError
from mptrace.capture.merge import merged_batches
from mptrace.capture.octet_source import OctetSource, open_octet_source
from mptrace.capture.packet_index import PacketIndex
from mptrace.capture.pcap import PcapReader
from mptrace.capture.pcap_chain import byte_order_of_pcap
from mptrace.capture.pcapng import PcapngReader
from mptrace.capture.pcapng_blocks import section_byte_order
from mptrace.capture.records import Damage, FileRecords, Interface, PacketRecord, RecordBatch
from mptrace.capture.registry import CaptureRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from mptrace.capture.read_ahead import ReadAhead

CHUNK_OCTETS: Final = 8 << 20
"""Read at once from a single file; several files share four times that."""
_LEAST_CHUNK_OCTETS: Final = 1 << 18


class _FileReader(Protocol):
    format: Literal["pcap", "pcapng"]

    def records(self, chunk_octets: int) -> Iterator[FileRecords]: ...


class Capture:
    """An open capture; a context manager that closes its files.

    ``interfaces`` and ``damage`` grow while the packets are read.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        chunk_octets: int | None = None,
        ahead: ReadAhead | None = None,
    ) -> None:
        self.paths: tuple[str, ...] = tuple(paths)
        self._registry = CaptureRegistry()
        self._sources: list[OctetSource] = []
        self._index: PacketIndex | None = None
        self._ahead = ahead
        share = max(4 * CHUNK_OCTETS // max(len(self.paths), 4), _LEAST_CHUNK_OCTETS)
        self._chunk_octets = share if chunk_octets is None else chunk_octets
        try:
            self._readers = [self._open(index, path) for index, path in enumerate(self.paths)]
        except BaseException:
            self.close()
            raise

    def _open(self, index: int, path: str) -> _FileReader:
        source = open_octet_source(path)
        self._sources.append(source)
        signature = source.read(0, 12)
        byte_order = byte_order_of_pcap(signature)
        if byte_order is not None:
            ahead = self._ahead
            if ahead is not None and not ahead.is_of(source.identity):
                ahead = None
            return PcapReader(source, index, self._registry, byte_order, ahead)
        if section_byte_order(signature) is not None:
            return PcapngReader(source, index, self._registry)
        if not signature:
            raise CaptureError(path, 0, "the file is empty")
        raise CaptureError(path, 0, f"not a capture file (it begins with {signature[:4].hex(' ')})")

    @property
    def format(self) -> Literal["pcap", "pcapng"]:
        """``pcap`` if all files are; a mixture is called ``pcapng``, as mergecap would write it."""
        return "pcap" if all(reader.format == "pcap" for reader in self._readers) else "pcapng"

    @property
    def compression(self) -> str | None:
        """Name of the compression; of several different ones, all names."""
        names = sorted({source.compression for source in self._sources if source.compression})
        return ", ".join(names) or None

    @property
    def size(self) -> int:
        """Octets of all files, decompressed."""
        return sum(source.size for source in self._sources)

    @property
    def interfaces(self) -> list[Interface]:
        """Those found so far."""
        return self._registry.interfaces

    @property
    def damage(self) -> list[Damage]:
        """Where files stopped being readable, as far as they have been read."""
        return self._registry.damage

    def batches(self, progress: Callable[[int], None] | None = None) -> Iterator[RecordBatch]:
        """All packet records, in batches of one file each; may be called again.

        ``progress`` is told the octets consumed so far. Several files are read side by side: once
        as many packets were given as the highest frame number so far, all packets up to that
        number were given.
        """
        chunks = [reader.records(self._chunk_octets) for reader in self._readers]
        yield from merged_batches(chunks, progress)
        for source in self._sources:
            if source.damage is not None:
                self._registry.add_damage(source.damage)

    def read(self, source: int, offset: int, length: int) -> bytes:
        """Octets of a decompressed file; fewer than ``length`` only where the file ends."""
        return self._sources[source].read(offset, length)

    def packet(self, frame_number: int) -> PacketRecord:
        """One packet with its octets.

        Raises IndexError where the capture has no packet of that number.
        """
        if self._index is None:
            self._index = PacketIndex(self.batches())
        entry = self._index.entry(frame_number)
        octets = self.read(entry.source, entry.file_offset, entry.captured_length)
        return PacketRecord(
            frame_number,
            octets,
            entry.wire_length,
            entry.time_ns,
            self.interfaces[entry.interface],
            entry.source,
            entry.file_offset,
        )

    def records(self) -> Iterator[PacketRecord]:
        """Every packet with its octets, in the order of frame numbers."""
        frame_number = 1
        while True:
            try:
                record = self.packet(frame_number)
            except IndexError:
                return
            yield record
            frame_number += 1

    def close(self) -> None:
        """Close the files; a second call does nothing."""
        for source in self._sources:
            source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_capture(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    chunk_octets: int | None = None,
    ahead: ReadAhead | None = None,
) -> Capture:
    """Open a capture of one file, ``-`` for standard input, or several merged by time.

    ``chunk_octets`` is how much is read at once (for tests; results do not depend on it).
    ``ahead`` is a process that has begun to read the file; the first `Capture.batches` uses it
    up, and the buffer of a batch from there is good until the next batch.
    Raises CaptureError where one of the files is no capture or cannot be read at all.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    names = [os.fspath(path) for path in paths]
    if not names:
        raise CaptureError("", None, "no capture file is named")
    return Capture(names, chunk_octets=chunk_octets, ahead=ahead)
