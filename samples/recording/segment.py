"""One TCP segment in an Ethernet frame, as a middlebox sees and changes it.

This reads and writes octets by itself and uses nothing of the project's decoder: what the samples
prove must not depend on what they test.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MPTCP_KIND = 30
NOP = b"\x01"

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

MP_CAPABLE, MP_JOIN, DSS, ADD_ADDR, REMOVE_ADDR, MP_PRIO, MP_FAIL, MP_FASTCLOSE, MP_TCPRST = range(
    9
)


@dataclass(frozen=True, slots=True)
class OptionPlace:
    """Where one TCP option stands in the frame; ``subtype`` for MPTCP only."""

    kind: int
    offset: int
    length: int
    subtype: int | None


class Segment:
    """A TCP segment over IPv4 or IPv6; changes are made in place in ``frame``."""

    def __init__(self, frame: bytearray, network: int, transport: int, end: int) -> None:
        self.frame = frame
        self.network = network
        self.transport = transport
        self.end = end

    @property
    def flags(self) -> int:
        """The eight low flag bits."""
        return self.frame[self.transport + 13]

    @property
    def is_syn(self) -> bool:
        """SYN without ACK."""
        return self.flags & (SYN | ACK) == SYN

    @property
    def is_syn_ack(self) -> bool:
        """SYN with ACK."""
        return self.flags & (SYN | ACK) == SYN | ACK

    @property
    def payload_offset(self) -> int:
        """Where the payload starts in the frame."""
        return self.transport + (self.frame[self.transport + 12] >> 4) * 4

    @property
    def payload_octets(self) -> int:
        """How many octets of payload the IP length leaves."""
        return max(0, self.end - self.payload_offset)

    def options(self) -> list[OptionPlace]:
        """List the TCP options up to the end, or to the first that makes no sense."""
        places: list[OptionPlace] = []
        at, end = self.transport + 20, self.payload_offset
        while at < end:
            kind = self.frame[at]
            if kind == 0:
                break
            length = 1 if kind == 1 else self.frame[at + 1] if at + 1 < end else 0
            if length < 1 or (kind != 1 and length < 2) or at + length > end:
                break
            subtype = self.frame[at + 2] >> 4 if kind == MPTCP_KIND and length > 2 else None
            places.append(OptionPlace(kind, at, length, subtype))
            at += length
        return places

    def mptcp(self, *subtypes: int) -> list[OptionPlace]:
        """List the MPTCP options of these subtypes (all of them when none is named)."""
        return [
            place
            for place in self.options()
            if place.kind == MPTCP_KIND and (not subtypes or place.subtype in subtypes)
        ]

    def blank(self, place: OptionPlace) -> None:
        """Overwrite an option with NOPs, as middleboxes that remove options do."""
        self.frame[place.offset : place.offset + place.length] = NOP * place.length

    def flip(self, offset: int) -> None:
        """Invert one octet of the frame."""
        self.frame[offset] ^= 0xFF

    def seal(self) -> bytearray:
        """Write a right TCP checksum and return the frame."""
        at = self.transport + 16
        self.frame[at : at + 2] = b"\0\0"
        self.frame[at : at + 2] = struct.pack(">H", self._checksum())
        return self.frame

    def _checksum(self) -> int:
        length = self.end - self.transport
        if self.frame[self.network] >> 4 == 4:
            addresses = self.frame[self.network + 12 : self.network + 20]
        else:
            addresses = self.frame[self.network + 8 : self.network + 40]
        octets = bytes(addresses) + struct.pack(">II", length, 6)
        octets += bytes(self.frame[self.transport : self.end])
        if len(octets) % 2:
            octets += b"\0"
        total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF


def read_segment(frame: bytearray) -> Segment | None:
    """Read an Ethernet frame; None when it holds no whole TCP segment."""
    network = 14
    if len(frame) < network + 40:
        return None
    protocol = frame[12:14]
    if protocol == b"\x08\x00":
        header = (frame[network] & 0x0F) * 4
        total = struct.unpack_from(">H", frame, network + 2)[0]
        if frame[network + 9] != 6:
            return None
    elif protocol == b"\x86\xdd":
        header = 40
        total = header + struct.unpack_from(">H", frame, network + 4)[0]
        if frame[network + 6] != 6 or len(frame) < network + 60:
            return None
    else:
        return None
    segment = Segment(frame, network, network + header, network + total)
    if segment.end > len(frame) or segment.payload_offset > segment.end:
        return None
    return segment
