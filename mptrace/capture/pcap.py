"""The pcap file format: one header, then records of one link type and one time resolution."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.capture.errors import CaptureError
from mptrace.capture.link_type_names import link_type_name
from mptrace.capture.pcap_chain import FILE_HEADER_OCTETS, MAGIC_NUMBERS, record_headers
from mptrace.capture.records import Damage, FileRecords, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mptrace.capture.octet_source import OctetSource
    from mptrace.capture.read_ahead import ReadAhead
    from mptrace.capture.registry import CaptureRegistry

MAX_PACKET_OCTETS: Final = 262144
"""Longest packet that Wireshark accepts (its WTAP_MAX_PACKET_SIZE_STANDARD)."""

_LINK_TYPE_MASK: Final = 0x03FF_FFFF
"""The bits above say how long the frame check sequence is."""


class PcapReader:
    """Reads the records of one pcap file, chunk by chunk."""

    format: Literal["pcap", "pcapng"] = "pcap"

    def __init__(
        self,
        source: OctetSource,
        source_index: int,
        registry: CaptureRegistry,
        byte_order: str,
        ahead: ReadAhead | None = None,
    ) -> None:
        """``ahead`` reads the same file; the first call of `records` uses it up."""
        header = source.read(0, FILE_HEADER_OCTETS)
        if len(header) < FILE_HEADER_OCTETS:
            raise CaptureError(source.path, 0, "the pcap file header is cut")
        magic, major, minor, _, _, snaplen, network = struct.unpack(byte_order + "IHHiIII", header)
        if major != 2:
            raise CaptureError(
                source.path, 4, f"pcap version {major}.{minor} is not supported (2.4 is)"
            )
        self._source = source
        self._registry = registry
        self._byte_order = byte_order
        self._ahead = ahead
        self._fraction_ns, self._header_octets = MAGIC_NUMBERS[magic]
        link_type = network & _LINK_TYPE_MASK
        self._interface = registry.register(
            Interface(link_type, link_type_name(link_type), snaplen, None, source_index), 0
        )

    def records(self, chunk_octets: int) -> Iterator[FileRecords]:
        """All records of the file; what is damaged goes to the registry and ends them."""
        position = FILE_HEADER_OCTETS
        wanted = chunk_octets
        while True:
            octets, offsets, at_end = self._chunk(position, wanted)
            if not octets:
                break
            at_end |= position + len(octets) >= self._source.size
            header, complete, absurd = self._headers(octets, offsets)
            data = offsets[:complete] + self._header_octets
            consumed = int(data[-1] + header[complete - 1, 2]) if complete else 0
            if complete:
                yield self._columns(octets, position, data, header[:complete], consumed)
            if absurd is not None:
                self._damage(position + consumed, absurd)
                break
            if at_end:
                if consumed < len(octets):
                    self._damage(position + consumed, self._cut(len(octets) - consumed))
                break
            # A record longer than the chunk: read it again with room for it.
            wanted = chunk_octets if complete else wanted + MAX_PACKET_OCTETS + chunk_octets
            position += consumed
        if self._ahead is not None:  # its memory is wanted for the analysis
            self._ahead.close()
            self._ahead = None

    def _chunk(self, position: int, wanted: int) -> tuple[memoryview, NDArray[np.int64], bool]:
        """Octets from ``position`` on, where record headers begin in them, whether no more follow.

        What was read ahead, as long as there is any; its length is not for us to choose.
        """
        chunk = None if self._ahead is None else self._ahead.chunk_at(position)
        if chunk is not None:
            offsets = np.frombuffer(chunk.headers, np.uint32).astype(np.int64)
            return chunk.octets, offsets, chunk.is_last
        self._ahead = None
        octets = memoryview(self._source.read(position, wanted))
        headers = record_headers(octets, self._byte_order, self._header_octets)
        return octets, np.array(headers, np.int64), len(octets) < wanted

    def _headers(
        self, octets: memoryview, offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int, str | None]:
        """The header fields int64[n, 4], how many records are whole, and why no more if damaged."""
        fits = int(np.searchsorted(offsets, len(octets) - self._header_octets, side="right"))
        offsets = offsets[:fits]
        if not fits:
            return np.zeros((0, 4), np.int64), 0, None
        window = np.ndarray((len(octets) - 15,), "V16", octets, strides=(1,))[offsets]
        header = window.view(self._byte_order + "u4").reshape(-1, 4).astype(np.int64)
        absurd = np.flatnonzero(header[:, 2] > MAX_PACKET_OCTETS)
        if absurd.size:
            length = int(header[absurd[0], 2])
            reason = f"a record of {length} octets: more than {MAX_PACKET_OCTETS} are not possible"
            return header, int(absurd[0]), reason
        end = offsets + self._header_octets + header[:, 2]
        return header, int(np.searchsorted(end, len(octets), side="right")), None

    def _columns(
        self,
        octets: memoryview,
        position: int,
        data: NDArray[np.int64],
        header: NDArray[np.int64],
        consumed: int,
    ) -> FileRecords:
        captured = np.ascontiguousarray(header[:, 2])
        return FileRecords(
            buffer=np.frombuffer(octets, np.uint8),
            buffer_offset=position,
            offset=data,
            captured_length=captured,
            # A wire length below the captured one is what some writers leave out or get wrong.
            wire_length=np.maximum(header[:, 3], captured),
            time_ns=header[:, 0] * 1_000_000_000 + header[:, 1] * self._fraction_ns,
            has_time=None,
            interface=np.full(data.size, self._interface, np.int32),
            consumed=position + consumed,
        )

    def _cut(self, left: int) -> str:
        if left < self._header_octets:
            return f"the file ends in a record header, {left} of {self._header_octets} octets of it"
        return f"the file ends in a record, {left} octets of it with its header"

    def _damage(self, offset: int, reason: str) -> None:
        self._registry.add_damage(Damage(self._source.path, offset, reason))
