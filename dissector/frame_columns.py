"""From the start of a frame to its IP header, for many packets at once.

Each packet is at a layer: an offset and a protocol. Protocols are numbered by their EtherType;
those that have none are numbered above 65535. Steps over VLAN tags, MPLS labels, PPP, PPPoE and
LLC are taken until every packet is at IP, at something else, or at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.octet_windows import windows, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ETHERNET: Final = 0x6558
"""A whole Ethernet frame (transparent Ethernet bridging)."""
MPLS: Final = 0x8847
PPPOE_SESSION: Final = 0x8864
PPP_IN_GRE: Final = 0x880B
OTHER: Final = 0x10000
"""Nothing that is followed."""
UNREADABLE: Final = 0x10001
"""The headers are cut or encrypted."""
PPP: Final = 0x10002
"""A PPP frame, with or without address and control."""
LLC: Final = 0x10003
RAW_IP: Final = 0x10004
"""IPv4 or IPv6, as the first four bits say."""

_FINAL: Final = (IPV4, IPV6, OTHER, UNREADABLE)
_VLAN_TAGS: Final = (0x8100, 0x88A8, 0x9100, 0x9200)
_MPLS_MULTICAST: Final = 0x8848
_LEAST_ETHERTYPE: Final = 0x0600
"""Below, the field is the length of an LLC frame (IEEE 802.3)."""
_MAX_STEPS: Final = 64
_PPP_PROTOCOLS: Final = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS}


@dataclass(frozen=True, slots=True)
class Layers:
    """Where one layer of each packet begins, and what it is. All arrays have the shape (n,)."""

    record: NDArray[np.int64]
    """Row of the packet in what the caller gave."""
    protocol: NDArray[np.int64]
    offset: NDArray[np.int64]
    captured_end: NDArray[np.int64]
    """Offset behind the last octet of this layer that is in the capture."""
    wire_end: NDArray[np.int64]
    """Offset behind its last octet, had all of them been captured."""

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Layers:
        """Some of the packets."""
        return Layers(
            self.record[rows],
            self.protocol[rows],
            self.offset[rows],
            self.captured_end[rows],
            self.wire_end[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Layers]) -> Layers:
        """All packets of several parts."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            none = np.zeros(0, np.int64)
            return cls(none, none, none, none, none)
        return cls(
            np.concatenate([part.record for part in parts]),
            np.concatenate([part.protocol for part in parts]),
            np.concatenate([part.offset for part in parts]),
            np.concatenate([part.captured_end for part in parts]),
            np.concatenate([part.wire_end for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """One packet's next protocol, and where it begins."""

    protocol: NDArray[np.int64]
    offset: NDArray[np.int64]


def resolve_frames(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """Step over link layers until each protocol is IPV4, IPV6, OTHER or UNREADABLE."""
    protocol = layers.protocol.copy()
    offset = layers.offset.copy()
    rows = np.flatnonzero(_unresolved(protocol))
    for _ in range(_MAX_STEPS):
        if not rows.size:
            break
        for number in _distinct(protocol[rows]):
            of_number = rows[protocol[rows] == number]
            step = _STEPS.get(number)
            if step is None:
                protocol[of_number] = OTHER
                continue
            at = offset[of_number]
            end = layers.captured_end[of_number]
            taken = step(buffer, at)
            # What a step read is the packet's only if the packet reaches to where the step ended.
            cut = taken.offset > end
            protocol[of_number] = np.where(cut, UNREADABLE, taken.protocol)
            offset[of_number] = np.where(cut, at, taken.offset)
        rows = rows[_unresolved(protocol[rows])]
    protocol[rows] = UNREADABLE
    return Layers(layers.record, protocol, offset, layers.captured_end, layers.wire_end)


def _unresolved(protocol: NDArray[np.int64]) -> NDArray[np.bool_]:
    unresolved: NDArray[np.bool_] = (
        protocol != IPV4
    )  # a few comparisons are much faster than np.isin
    for number in _FINAL[1:]:
        unresolved &= protocol != number
    return unresolved


def _distinct(numbers: NDArray[np.int64]) -> list[int]:
    """The numbers that occur, in ascending order; quick where it is only one."""
    lowest, highest = int(numbers.min()), int(numbers.max())
    return [lowest] if lowest == highest else np.unique(numbers).tolist()


def _from_ethertype(protocol: NDArray[np.int64]) -> NDArray[np.int64]:
    """A field that is an EtherType or, below 1536, a length with LLC behind it."""
    return np.where(protocol < _LEAST_ETHERTYPE, LLC, protocol)


def _ethernet(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    return _Step(_from_ethertype(words(buffer, offset, ">u2", at=12)), offset + 14)


def _vlan_tag(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    return _Step(_from_ethertype(words(buffer, offset, ">u2", at=2)), offset + 4)


def _mpls_label(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    """RFC 3032: a label says whether it is the last; what follows, only its content does."""
    bottom = words(buffer, offset, "u1", at=2) & 1 != 0
    return _Step(np.where(bottom, RAW_IP, MPLS), offset + 4)


def _raw_ip(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    version = words(buffer, offset, "u1") >> 4
    protocol = np.where(version == 4, IPV4, np.where(version == 6, IPV6, OTHER))
    # An empty packet has no version: behind its end there is none to claim.
    return _Step(protocol, offset)


def _pppoe(_buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    """RFC 2516 section 4."""
    return _Step(np.full(offset.size, PPP), offset + 6)


def _ppp(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    """RFC 1661 sections 2 and 6.5, RFC 1662 section 3.1: address, control, compressed protocol."""
    framed = words(buffer, offset, ">u2") == 0xFF03
    offset = offset + np.where(framed, 2, 0)
    number = words(buffer, offset, ">u2")
    compressed = number & 0x0100 != 0
    number = np.where(compressed, number >> 8, number)
    protocol = np.full(offset.size, OTHER)
    for known, follows in _PPP_PROTOCOLS.items():
        protocol[number == known] = follows
    return _Step(protocol, offset + np.where(compressed, 1, 2))


def _llc(buffer: NDArray[np.uint8], offset: NDArray[np.int64]) -> _Step:
    """IEEE 802.2: SNAP with an EtherType (RFC 1042), or IP by its own service access point."""
    header = windows(buffer, offset, 8).view(">u8").astype(np.uint64)
    access_points = header >> np.uint64(40)
    organization = (header >> np.uint64(16)) & np.uint64(0xFFFFFF)
    # Organization 0000F8 is that of IEEE 802.1H bridges: an EtherType as well.
    snap = (access_points == 0xAAAA03) & ((organization == 0) | (organization == 0x0000F8))
    ethertype = (header & np.uint64(0xFFFF)).astype(np.int64)
    protocol = np.where(snap, ethertype, np.where(access_points == 0x060603, IPV4, OTHER))
    return _Step(protocol, offset + np.where(snap, 8, 3))


_STEPS: Final[dict[int, Callable[[NDArray[np.uint8], NDArray[np.int64]], _Step]]] = {
    ETHERNET: _ethernet,
    **dict.fromkeys(_VLAN_TAGS, _vlan_tag),
    MPLS: _mpls_label,
    _MPLS_MULTICAST: _mpls_label,
    PPPOE_SESSION: _pppoe,
    PPP_IN_GRE: _ppp,
    PPP: _ppp,
    LLC: _llc,
    RAW_IP: _raw_ip,
}
