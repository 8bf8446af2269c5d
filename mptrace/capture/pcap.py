"""The pcap file format: one header, then records of one link type and one time resolution."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.capture.errors import CaptureError
from mptrace.capture.link_type_names import link_type_name
from mptrace.capture.records import Damage, FileRecords, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mptrace.capture.octet_source import OctetSource
    from mptrace.capture.registry import CaptureRegistry

MAX_PACKET_OCTETS: Final = 262144
"""Longest packet that Wireshark accepts (its WTAP_MAX_PACKET_SIZE_STANDARD)."""

FILE_HEADER_OCTETS: Final = 24
# Magic number -> (nanoseconds in one unit of the fraction, octets of a record header). The third
# one is that of Kuznetzov's modified format, whose records say more of the interface.
_MAGIC_NUMBERS: Final[dict[int, tuple[int, int]]] = {
    0xA1B2C3D4: (1000, 16),
    0xA1B23C4D: (1, 16),
    0xA1B2CD34: (1000, 24),
}
_LINK_TYPE_MASK: Final = 0x03FF_FFFF
"""The bits above say how long the frame check sequence is."""


def byte_order_of_pcap(signature: bytes) -> str | None:
    """``<`` or ``>`` if the first four octets of a file are those of a pcap file, else None."""
    if len(signature) >= 4:
        for byte_order in "<>":
            if struct.unpack_from(byte_order + "I", signature)[0] in _MAGIC_NUMBERS:
                return byte_order
    return None


class PcapReader:
    """Reads the records of one pcap file, chunk by chunk."""

    format: Literal["pcap", "pcapng"] = "pcap"

    def __init__(
        self, source: OctetSource, source_index: int, registry: CaptureRegistry, byte_order: str
    ) -> None:
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
        self._fraction_ns, self._header_octets = _MAGIC_NUMBERS[magic]
        link_type = network & _LINK_TYPE_MASK
        self._interface = registry.register(
            Interface(link_type, link_type_name(link_type), snaplen, None, source_index), 0
        )

    def records(self, chunk_octets: int) -> Iterator[FileRecords]:
        """All records of the file; what is damaged goes to the registry and ends them."""
        position = FILE_HEADER_OCTETS
        wanted = chunk_octets
        while octets := self._source.read(position, wanted):
            at_end = position + len(octets) >= self._source.size or len(octets) < wanted
            offsets = self._header_offsets(octets)
            header, complete, absurd = self._headers(octets, offsets)
            data = offsets[:complete] + self._header_octets
            consumed = int(data[-1] + header[complete - 1, 2]) if complete else 0
            if complete:
                yield self._columns(octets, position, data, header[:complete], consumed)
            if absurd is not None:
                self._damage(position + consumed, absurd)
                return
            if at_end:
                if consumed < len(octets):
                    self._damage(position + consumed, self._cut(len(octets) - consumed))
                return
            # A record longer than the chunk: read it again with room for it.
            wanted = chunk_octets if complete else wanted + MAX_PACKET_OCTETS + chunk_octets
            position += consumed

    def _header_offsets(self, octets: bytes) -> NDArray[np.int64]:
        """Where the record headers stand; the last one may reach beyond the chunk.

        The only Python loop over packets: each step must wait for the length before it. It ends
        by the error of reading beyond the chunk, which is cheaper than to compare each time.
        """
        unpack = struct.Struct(self._byte_order + "I").unpack_from
        header_octets = self._header_octets
        offsets: list[int] = []
        append = offsets.append
        offset = 8
        try:
            while True:
                length = unpack(octets, offset)[0]
                append(offset)
                offset += length + header_octets
        except struct.error:
            pass
        return np.array(offsets, np.int64) - 8

    def _headers(
        self, octets: bytes, offsets: NDArray[np.int64]
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
        octets: bytes,
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
