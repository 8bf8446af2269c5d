"""The Internet checksum and the DSS checksum over it, of one range of octets or of many.

A *sum* here is the one's complement sum of 16-bit words (RFC 1071), from 0 to 0xffff, before
it is complemented: 0 only where every octet is 0. Sums of parts can be put together, so that a
mapping of several segments is summed segment by segment. The DSS checksum covers the mapping's
payload and a pseudo-header (RFC 8684 section 3.3.1).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.errors import DissectorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_ONES: Final = 0xFFFF


def octet_sum(octets: bytes) -> int:
    """The sum of these octets, an odd last one as the high half of a word."""
    padded = octets + b"\x00" if len(octets) % 2 else octets
    # 2**16 is 1 modulo 0xffff: the remainder of the whole number is the folded sum.
    return _folded(int.from_bytes(padded))


def internet_checksum(octets: bytes) -> int:
    """RFC 1071: the complement of the sum."""
    return octet_sum(octets) ^ _ONES


def combine_sums(parts: Iterable[tuple[int, int]]) -> int:
    """The sum of octets that stand behind each other, from (sum, octets) of each part.

    A part that begins at an odd place contributes with its two octets exchanged.
    """
    total = place = 0
    for part_sum, length in parts:
        total += part_sum if place % 2 == 0 else _exchanged(part_sum)
        place += length
    return _folded(total)


def dss_checksum(data_seq: int, subflow_seq: int, data_length: int, payload: bytes) -> int:
    """The checksum that belongs into the DSS of this mapping.

    ``data_seq`` is the 64-bit number whatever the option carries; ``data_length`` counts the
    DATA_FIN if there is one, ``payload`` does not.
    """
    return dss_sum(data_seq, subflow_seq, data_length, octet_sum(payload)) ^ _ONES


def dss_sum(data_seq: int, subflow_seq: int, data_length: int, payload_sum: int) -> int:
    """The sum over pseudo-header and payload, from the sum of the payload."""
    header = data_seq.to_bytes(8) + subflow_seq.to_bytes(4) + data_length.to_bytes(2) + b"\x00\x00"
    return combine_sums([(octet_sum(header), len(header)), (payload_sum, 0)])


def is_dss_checksum_valid(
    data_seq: int, subflow_seq: int, data_length: int, checksum: int, payload_sum: int
) -> bool:
    """Whether a received DSS checksum fits: the sum with it is all ones."""
    return _folded(dss_sum(data_seq, subflow_seq, data_length, payload_sum) + checksum) == _ONES


def _folded(total: int) -> int:
    return total % _ONES or (_ONES if total else 0)


def _exchanged(part_sum: int) -> int:
    return (part_sum & 0xFF) << 8 | part_sum >> 8


def slice_sums(
    buffer: NDArray[np.uint8], offset: NDArray[np.int64], length: NDArray[np.int64]
) -> NDArray[np.uint16]:
    """``octet_sum`` of many slices of a buffer: int64[n] offsets and lengths -> uint16[n].

    Slices may overlap, be empty, and begin and end anywhere, but must lie within the buffer
    (otherwise DissectorError). Cost grows with the buffer between the slices as well: slices in
    the buffer's order are the fast case.
    """
    end = offset + length
    if offset.size and (offset.min() < 0 or length.min() < 0 or end.max() > buffer.size):
        raise DissectorError("a slice reaches beyond the buffer")
    # Whole words at even places of the buffer, and an octet before and after where a slice
    # begins or ends at an odd one.
    first_word, end_word = (offset + 1) // 2, end // 2
    total = _word_sums(buffer, first_word, end_word)
    before = (offset % 2 == 1) & (length > 0)
    after = (end % 2 == 1) & (length > 0)
    total[before] += buffer[offset[before]]
    total[after] += buffer[end[after] - 1].astype(np.uint64) << np.uint64(8)
    sums = fold(total)
    return np.where(offset % 2 == 1, sums.byteswap(), sums)


def _word_sums(
    buffer: NDArray[np.uint8], first: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Sums of the big-endian words [first, end) of the buffer, before folding: uint64[n]."""
    words = buffer[: buffer.size // 2 * 2].view(np.uint16)
    totals = np.zeros(first.size, np.uint64)
    wanted = np.flatnonzero(first < end)
    if not wanted.size:
        return totals
    # reduceat takes no index behind the last word: that word is added on its own.
    last = words.size - 1
    bounds = np.empty(2 * wanted.size, np.int64)
    bounds[::2] = first[wanted]
    bounds[1::2] = np.minimum(end[wanted], last)
    sums = np.add.reduceat(words, bounds, dtype=np.uint64)[::2]
    sums[bounds[::2] >= bounds[1::2]] = 0
    sums[end[wanted] > last] += words[last]
    if sys.byteorder == "little":
        # The sum of exchanged words is the exchanged sum (RFC 1071 section 2 (B)).
        sums = fold(sums).byteswap().astype(np.uint64)
    totals[wanted] = sums
    return totals


def fold(totals: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Totals of words or of sums, folded to sums: uint64[n] -> uint16[n]."""
    sums = totals % np.uint64(_ONES)
    sums[(sums == 0) & (totals != 0)] = _ONES
    return sums.astype(np.uint16)


def sums_at(sums: NDArray[np.uint16], place: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Sums of parts as they count at these places of a whole: exchanged at odd places.

    ``fold`` of their totals (per whole) is the sum of the whole.
    """
    return np.where(place % 2 == 1, sums.byteswap(), sums)


def dss_checksums_valid(
    data_seq: NDArray[np.uint64],
    subflow_seq: NDArray[np.uint32],
    data_length: NDArray[np.uint16],
    checksum: NDArray[np.uint16],
    payload_sum: NDArray[np.uint16],
) -> NDArray[np.bool_]:
    """``is_dss_checksum_valid`` for many mappings: bool[n]; ``data_seq`` in its 64-bit form."""
    total = payload_sum.astype(np.uint64) + checksum + data_length
    for shift in (0, 16, 32, 48):
        total += (data_seq >> np.uint64(shift)) & np.uint64(_ONES)
    for shift in (0, 16):
        total += (subflow_seq.astype(np.uint64) >> np.uint64(shift)) & np.uint64(_ONES)
    valid: NDArray[np.bool_] = fold(total) == _ONES
    return valid
