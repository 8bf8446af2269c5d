"""IEEE 802.11 data frames, with or without a radiotap header, many at once.

Frames that are encrypted or that aggregate several packets (A-MSDU) are said to be unreadable:
what they carry is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.frame_columns import LLC, OTHER, UNREADABLE
from dissector.octet_windows import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPE_DATA: Final = 2
_RADIOTAP_TSFT: Final = 1 << 0
_RADIOTAP_FLAGS: Final = 1 << 1
_RADIOTAP_MORE: Final = 1 << 31
_RADIOTAP_DATA_PAD: Final = 0x20
_MAX_PRESENCE_WORDS: Final = 32


def data_frame_starts(
    buffer: NDArray[np.uint8],
    offset: NDArray[np.int64],
    end: NDArray[np.int64],
    padded: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Protocol and offset of what each frame carries (IEEE 802.11-2020 section 9.3.2.1).

    ``padded`` says which frames have their header padded to a multiple of four octets.
    """
    cut = offset + 2 > end
    at = np.where(cut, 0, offset)
    control = words(buffer, at, "u1")
    flags = words(buffer, at, "u1", at=1)
    subtype = control >> 4
    is_data = control & 0x0F == _TYPE_DATA << 2
    has_payload = is_data & (subtype & 0x4 == 0)
    is_qos = subtype & 0x8 != 0
    # From one access point to another, a fourth address stands behind the sequence number.
    address_octets = 24 + np.where(flags & 0x03 == 0x03, 6, 0)
    # The Order flag of a QoS frame announces an HT control field.
    length = address_octets + np.where(is_qos, 2 + np.where(flags & 0x80 != 0, 4, 0), 0)
    if padded is not None:
        length = np.where(padded, (length + 3) & ~3, length)
    start = offset + length
    whole = ~cut & (start <= end)
    aggregated = np.zeros(offset.size, np.bool_)
    rows = np.flatnonzero(has_payload & is_qos & whole)
    aggregated[rows] = words(buffer, at[rows] + address_octets[rows], "u1") & 0x80 != 0
    encrypted = flags & 0x40 != 0
    readable = whole & ~(has_payload & (encrypted | aggregated))
    protocol = np.where(cut, UNREADABLE, np.where(has_payload, LLC, OTHER))
    protocol[has_payload & ~readable] = UNREADABLE
    return protocol, np.where(has_payload & readable, start, at)


def radiotap_starts(
    buffer: NDArray[np.uint8], offset: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same behind a radiotap header, which may say that the frame's header is padded."""
    length = np.maximum(words(buffer, offset, "<u2", at=2), 8)
    start = offset + length
    present = words(buffer, offset, "<u4", at=4)
    # Fields begin behind the last of the presence words, each of which says if one more follows.
    fields = offset + 8
    rows = np.flatnonzero(present & _RADIOTAP_MORE != 0)
    for _ in range(_MAX_PRESENCE_WORDS):
        rows = rows[fields[rows] + 4 <= np.minimum(start, end)[rows]]
        if not rows.size:
            break
        more = words(buffer, fields[rows], "<u4") & _RADIOTAP_MORE != 0
        fields[rows] += 4
        rows = rows[more]
    # The timestamp before the flags is aligned to 8 octets from the header's start.
    aligned = offset + ((fields - offset + 7) & ~7) + 8
    flags_at = np.where(present & _RADIOTAP_TSFT != 0, aligned, fields)
    has_flags = (present & _RADIOTAP_FLAGS != 0) & (flags_at < np.minimum(start, end))
    padded = np.zeros(offset.size, np.bool_)
    rows = np.flatnonzero(has_flags)
    padded[rows] = words(buffer, flags_at[rows], "u1") & _RADIOTAP_DATA_PAD != 0
    return data_frame_starts(buffer, start, end, padded)
