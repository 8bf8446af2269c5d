"""What IP packets carry for other packets: IP in IP, GRE, VXLAN, GTP-U, MPLS, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.frame_columns import (
    ETHERNET,
    IPV4,
    IPV6,
    MPLS,
    OTHER,
    PPP_IN_GRE,
    RAW_IP,
    UNREADABLE,
    Layers,
)
from dissector.octet_windows import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_IPV4_IN_IP: Final = 4
_UDP: Final = 17
_IPV6_IN_IP: Final = 41
_GRE: Final = 47
_MPLS_IN_IP: Final = 137
_PORT_GTP_U: Final = 2152
_PORT_VXLAN: Final = 4789
_GTP_T_PDU: Final = 255
_MAX_GTP_EXTENSIONS: Final = 16
_DIRECT: Final = {_IPV4_IN_IP: IPV4, _IPV6_IN_IP: IPV6, _MPLS_IN_IP: MPLS}


def tunnelled_layers(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """The packets within the IP payloads at ``layers``; payloads that carry none are left out.

    ``layers.protocol`` is the IP protocol number; in the result it is a frame protocol again.
    """
    parts: list[Layers] = []
    for number, protocol in _DIRECT.items():
        rows = layers.protocol == number
        if rows.any():
            inner = layers.take(rows)
            parts.append(_moved(inner, np.full(inner.record.size, protocol), inner.offset))
    for number, read in ((_GRE, _gre), (_UDP, _udp)):
        rows = layers.protocol == number
        if rows.any():
            parts.append(read(buffer, layers.take(rows)))
    inner = Layers.joined(parts)
    return inner.take(np.argsort(inner.record, kind="stable")) if len(parts) > 1 else inner


def _moved(layers: Layers, protocol: NDArray[np.int64], offset: NDArray[np.int64]) -> Layers:
    """The layers at new offsets; what begins behind the end of its packet cannot be read."""
    cut = offset > layers.captured_end
    return Layers(
        layers.record,
        np.where(cut, UNREADABLE, protocol),
        np.where(cut, layers.offset, offset),
        layers.captured_end,
        layers.wire_end,
    )


def _gre(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """RFC 2784, RFC 2890; of RFC 1701 the routing field is not followed."""
    flags = words(buffer, layers.offset, ">u2")
    protocol = words(buffer, layers.offset, ">u2", at=2)
    # Checksum, key and sequence number take four octets each (the first with 2 reserved ones).
    optional = (flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1)
    # Version 1 (PPTP, RFC 2637) has an acknowledgement number more.
    is_pptp = flags & 0x0007 == 1
    optional += np.where(is_pptp, flags >> 7 & 1, 0)
    followed = (flags & 0x4006 == 0) & (~is_pptp | (protocol == PPP_IN_GRE))
    protocol = np.where(followed, protocol, OTHER)
    return _moved(layers, protocol, layers.offset + 4 + 4 * optional)


def _udp(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """VXLAN and GTP-U by their ports; every other payload is left out."""
    source = words(buffer, layers.offset, ">u2")
    destination = words(buffer, layers.offset, ">u2", at=2)
    whole = layers.offset + 8 <= layers.captured_end
    parts = [
        read(buffer, layers.take(whole & rows))
        for rows, read in (
            (destination == _PORT_VXLAN, _vxlan),
            ((destination == _PORT_GTP_U) | (source == _PORT_GTP_U), _gtp_u),
        )
    ]
    return Layers.joined(parts)


def _vxlan(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """RFC 7348 section 5: flags with the I bit, then an Ethernet frame."""
    valid = words(buffer, layers.offset, "u1", at=8) & 0x08 != 0
    inner = _moved(layers, np.full(valid.size, ETHERNET), layers.offset + 16)
    return inner.take(valid)


def _gtp_u(buffer: NDArray[np.uint8], layers: Layers) -> Layers:
    """3GPP TS 29.281 section 5: a T-PDU with optional fields and extension headers."""
    flags = words(buffer, layers.offset, "u1", at=8)
    kind = words(buffer, layers.offset, "u1", at=9)
    # Version 1, protocol type GTP.
    layers = layers.take((flags & 0xF0 == 0x30) & (kind == _GTP_T_PDU))
    flags = words(buffer, layers.offset, "u1", at=8)
    start = layers.offset + 16
    # Any of the three flags brings all four octets of sequence number, N-PDU and next type.
    offset = start + np.where(flags & 0x07 != 0, 4, 0)
    rows = np.flatnonzero((flags & 0x04 != 0) & (offset <= layers.captured_end))
    rows = rows[words(buffer, offset[rows] - 1, "u1") != 0]
    looping = np.zeros(offset.size, np.bool_)
    for _ in range(_MAX_GTP_EXTENSIONS):
        if not rows.size:
            break
        length = words(buffer, offset[rows], "u1") * 4
        # A length of 0 is not allowed and would never end.
        looping[rows[length == 0]] = True
        offset[rows] += length
        rows = rows[(length > 0) & (offset[rows] <= layers.captured_end[rows])]
        rows = rows[words(buffer, offset[rows] - 1, "u1") != 0]
    looping[rows] = True
    return _moved(layers, np.where(looping, UNREADABLE, RAW_IP), offset)
