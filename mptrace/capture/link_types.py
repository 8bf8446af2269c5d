"""Link types: where the network layer begins in the packets of an interface, many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dissector.frame_columns import (
    ETHERNET,
    IPV4,
    IPV6,
    LLC,
    OTHER,
    PPP,
    PPPOE_SESSION,
    RAW_IP,
    UNREADABLE,
    Layers,
)
from dissector.octet_windows import words
from mptrace.capture.ieee80211 import data_frame_starts, radiotap_starts

Start = tuple["NDArray[np.int64] | int", NDArray[np.int64]]
"""Protocol (as in dissector.frame_columns) and offset of the layer behind the link header."""
_LINK_TYPE_80211: Final = 105
_ETH_P_802_2: Final = 4
_LEAST_ETHERTYPE: Final = 0x0600
_Reader = Callable[[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]], Start]


def network_layers(
    link_type: int,
    buffer: NDArray[np.uint8],
    record: NDArray[np.int64],
    offset: NDArray[np.int64],
    captured_length: NDArray[np.int64],
    wire_length: NDArray[np.int64],
) -> Layers:
    """The first layer of each packet that `dissector.frame_columns` can go on from."""
    captured_end = offset + captured_length
    read = _READERS.get(link_type)
    if read is None:
        protocol: NDArray[np.int64] | int = UNREADABLE
        start = offset
    else:
        protocol, start = read(buffer, offset, captured_end)
        cut = start > captured_end
        if cut.any():
            protocol = np.where(cut, UNREADABLE, protocol)
            start = np.where(cut, offset, start)
    return Layers(
        record,
        np.broadcast_to(np.asarray(protocol, np.int64), offset.shape),
        start,
        captured_end,
        offset + wire_length,
    )


def _starts_with(protocol: int, skipped: int = 0) -> _Reader:
    """A link header of fixed length that says nothing of what follows."""

    def read(
        _buffer: NDArray[np.uint8], offset: NDArray[np.int64], _end: NDArray[np.int64]
    ) -> Start:
        return protocol, offset + skipped

    return read


def _ethertype_at(protocol_at: int, length: int) -> _Reader:
    """An EtherType somewhere in a header of fixed length, as in Linux cooked captures."""

    def read(
        buffer: NDArray[np.uint8], offset: NDArray[np.int64], _end: NDArray[np.int64]
    ) -> Start:
        protocol = words(buffer, offset, ">u2", at=protocol_at)
        # Linux writes small numbers of its own where a frame has no EtherType; 4 is LLC.
        small = np.where(protocol == _ETH_P_802_2, LLC, OTHER)
        return np.where(protocol < _LEAST_ETHERTYPE, small, protocol), offset + length

    return read


def _address_family(
    buffer: NDArray[np.uint8], offset: NDArray[np.int64], _end: NDArray[np.int64]
) -> Start:
    """BSD loopback: the address family in 32 bits, in the byte order of whoever captured."""
    big = words(buffer, offset, ">u4")
    family = np.where(big > 0xFFFF, words(buffer, offset, "<u4"), big)
    protocol = np.full(offset.size, OTHER)
    protocol[family == _AF_INET] = IPV4
    protocol[np.isin(family, _AF_INET6)] = IPV6
    return protocol, offset + 4


def _ppp_with_direction(
    buffer: NDArray[np.uint8], offset: NDArray[np.int64], _end: NDArray[np.int64]
) -> Start:
    """The direction stands in place of the address octet, with the control octet behind it."""
    framed = words(buffer, offset, "u1", at=1) == 0x03
    return PPP, offset + np.where(framed, 2, 1)


def _behind_header(header: int, length_at: int, length_kind: str) -> _Reader:
    """An 802.11 frame behind a header that states its length, ``header`` octets at least."""

    def read(buffer: NDArray[np.uint8], offset: NDArray[np.int64], end: NDArray[np.int64]) -> Start:
        length = words(buffer, offset, length_kind, at=length_at)
        return data_frame_starts(buffer, offset + np.maximum(length, header), end)

    return read


def _ppi(buffer: NDArray[np.uint8], offset: NDArray[np.int64], end: NDArray[np.int64]) -> Start:
    """Per-packet information: its length, and the link type of the frame behind it."""
    length = np.maximum(words(buffer, offset, "<u2", at=2), 8)
    is_80211 = words(buffer, offset, "<u4", at=4) == _LINK_TYPE_80211
    protocol, start = data_frame_starts(buffer, offset + length, end)
    return np.where(is_80211, protocol, UNREADABLE), start


def _prism(buffer: NDArray[np.uint8], offset: NDArray[np.int64], end: NDArray[np.int64]) -> Start:
    """Prism monitoring header of 144 octets; some drivers write an AVS header instead."""
    is_avs = words(buffer, offset, ">u4") & 0xFFFFF000 == 0x80211000
    length = np.where(is_avs, np.maximum(words(buffer, offset, ">u4", at=4), 64), 144)
    return data_frame_starts(buffer, offset + length, end)


_AF_INET: Final = 2
_AF_INET6: Final = (10, 24, 28, 30)
"""Linux, NetBSD and OpenBSD, FreeBSD, macOS."""
_READERS: Final[dict[int, _Reader]] = {
    0: _address_family,
    1: _starts_with(ETHERNET),
    9: _starts_with(PPP),
    12: _starts_with(RAW_IP),
    14: _starts_with(RAW_IP),
    50: _starts_with(PPP),
    51: _starts_with(PPPOE_SESSION),
    101: _starts_with(RAW_IP),
    104: _ethertype_at(2, 4),
    105: data_frame_starts,
    108: _address_family,
    113: _ethertype_at(14, 16),
    119: _prism,
    127: radiotap_starts,
    163: _behind_header(64, 4, ">u4"),
    166: _ppp_with_direction,
    192: _ppi,
    204: _starts_with(PPP, 1),
    228: _starts_with(IPV4),
    229: _starts_with(IPV6),
    276: _ethertype_at(0, 20),
}
SUPPORTED_LINK_TYPES: Final = frozenset(_READERS)
