"""Captures written: pcap and pcapng, nanoseconds, several interfaces.

dpkt writes pcap files with times as floats, which do not hold nanoseconds, and pcapng files of one
interface; so both formats, of which a writer needs little, are written here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from mptrace.capture.pcapng_blocks import BLOCK_INTERFACE, BLOCK_PACKET, BLOCK_SECTION

ByteOrder = Literal["<", ">"]
_DEFAULT_SNAPLEN: Final = 262144
_PCAP_MAGIC_MICROSECONDS: Final = 0xA1B2C3D4
_PCAP_MAGIC_NANOSECONDS: Final = 0xA1B23C4D
_OPTION_NAME: Final = 2
_OPTION_TIME_RESOLUTION: Final = 9
_NANOSECONDS: Final = b"\x09"


class PcapWriter:
    """Writes packets of one link type to a pcap file."""

    def __init__(
        self,
        file: BinaryIO,
        link_type: int,
        *,
        snaplen: int = _DEFAULT_SNAPLEN,
        nanoseconds: bool = True,
        byte_order: ByteOrder = "<",
    ) -> None:
        self._file = file
        self._unit_ns = 1 if nanoseconds else 1000
        self._record = struct.Struct(byte_order + "IIII")
        magic = _PCAP_MAGIC_NANOSECONDS if nanoseconds else _PCAP_MAGIC_MICROSECONDS
        file.write(struct.pack(byte_order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type))

    def write(self, octets: bytes, time_ns: int, wire_length: int | None = None) -> None:
        """Add a packet; ``wire_length`` where it was longer than the octets that are kept.

        Raises ValueError for a time that the format cannot hold (before 1970, after 2106).
        """
        seconds, fraction = divmod(time_ns, 1_000_000_000)
        if not 0 <= seconds < 1 << 32:
            raise ValueError(f"a pcap file holds no time of {seconds} s")
        length = len(octets) if wire_length is None else wire_length
        self._file.write(
            self._record.pack(seconds, fraction // self._unit_ns, len(octets), length) + octets
        )


@dataclass(frozen=True, slots=True)
class InterfaceDescription:
    """What a pcapng file says of an interface."""

    link_type: int
    name: str | None = None
    snaplen: int = _DEFAULT_SNAPLEN


class PcapngWriter:
    """Writes packets of several interfaces to a pcapng file, with times in nanoseconds."""

    def __init__(self, file: BinaryIO, *, byte_order: ByteOrder = "<") -> None:
        self._file = file
        self._byte_order = byte_order
        self._interfaces = 0
        # The section's length is not known beforehand: -1.
        self._block(BLOCK_SECTION, struct.pack(byte_order + "IHHq", 0x1A2B3C4D, 1, 0, -1))

    def add_interface(self, interface: InterfaceDescription) -> int:
        """Describe an interface; the number it then has in `write`."""
        options = self._option(_OPTION_TIME_RESOLUTION, _NANOSECONDS)
        if interface.name:
            options = self._option(_OPTION_NAME, interface.name.encode()) + options
        fixed = struct.pack(self._byte_order + "HHI", interface.link_type, 0, interface.snaplen)
        self._block(BLOCK_INTERFACE, fixed + options + self._option(0, b""))
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self, octets: bytes, time_ns: int, wire_length: int | None = None, interface: int = 0
    ) -> None:
        """Add a packet; ``wire_length`` where it was longer than the octets that are kept.

        Raises ValueError for an interface that was not added, or a time before 1970.
        """
        if not 0 <= interface < self._interfaces:
            raise ValueError(f"no interface {interface}: {self._interfaces} were added")
        if not 0 <= time_ns < 1 << 64:
            raise ValueError(f"a pcapng file holds no time of {time_ns} ns")
        length = len(octets) if wire_length is None else wire_length
        fixed = struct.pack(
            self._byte_order + "IIIII",
            interface,
            time_ns >> 32,
            time_ns & 0xFFFF_FFFF,
            len(octets),
            length,
        )
        self._block(BLOCK_PACKET, fixed + octets)

    def _option(self, code: int, value: bytes) -> bytes:
        return struct.pack(self._byte_order + "HH", code, len(value)) + _padded(value)

    def _block(self, kind: int, body: bytes) -> None:
        body = _padded(body)
        length = struct.pack(self._byte_order + "I", len(body) + 12)
        self._file.write(struct.pack(self._byte_order + "I", kind) + length + body + length)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)
