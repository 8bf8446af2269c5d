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
    RAW_IP,
    UNREADABLE,
    Layers,
)
from dissector.octet_windows import words

Start = tuple["NDArray[np.int64] | int", NDArray[np.int64]]
"""Protocol (as in dissector.frame_columns) and offset of the layer behind the link header."""
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


def _cooked(protocol_at: int, length: int) -> _Reader:
    """Linux cooked: an EtherType somewhere in a header of fixed length."""

    def read(
        buffer: NDArray[np.uint8], offset: NDArray[np.int64], _end: NDArray[np.int64]
    ) -> Start:
        return words(buffer, offset, ">u2", at=protocol_at), offset + length

    return read


_READERS: Final[dict[int, _Reader]] = {
    1: _starts_with(ETHERNET),
    12: _starts_with(RAW_IP),
    14: _starts_with(RAW_IP),
    101: _starts_with(RAW_IP),
    113: _cooked(14, 16),
    228: _starts_with(IPV4),
    229: _starts_with(IPV6),
    276: _cooked(0, 20),
}
