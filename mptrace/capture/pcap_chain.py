"""The chain of record headers of a pcap file: each says how far it is to the next.

Loads nothing: the process that reads ahead begins before numpy is there.
"""

from __future__ import annotations

import struct
from typing import Final

MAGIC_NUMBERS: Final[dict[int, tuple[int, int]]] = {
    0xA1B2C3D4: (1000, 16),
    0xA1B23C4D: (1, 16),
    0xA1B2CD34: (1000, 24),
}
"""Magic number -> (nanoseconds in one unit of the fraction, octets of a record header). The third
one is that of Kuznetzov's modified format, whose records say more of the interface."""

FILE_HEADER_OCTETS: Final = 24
_LENGTH_AT: Final = 8
"""Where in a record header the captured length stands."""


def byte_order_of_pcap(signature: bytes) -> str | None:
    """``<`` or ``>`` if the first four octets of a file are those of a pcap file, else None."""
    if len(signature) >= 4:
        for byte_order in "<>":
            if struct.unpack_from(byte_order + "I", signature)[0] in MAGIC_NUMBERS:
                return byte_order
    return None


def record_headers(octets: bytes | memoryview, byte_order: str, header_octets: int) -> list[int]:
    """Where the record headers stand; the last one may reach beyond the octets.

    The only Python loop over packets: each step must wait for the length before it. It ends by
    the error of reading beyond the octets, which is cheaper than to compare each time.
    """
    unpack = struct.Struct(byte_order + "I").unpack_from
    offsets: list[int] = []
    append = offsets.append
    offset = 0
    length_at = _LENGTH_AT
    try:
        while True:
            length = unpack(octets, offset + length_at)[0]
            append(offset)
            offset += length + header_octets
    except struct.error:
        pass
    return offsets
