"""DSS checksums, verified where the payload of a mapping is whole (RFC 8684 section 3.3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dissector.checksum import dss_checksums_valid, fold, slice_sums, sums_at
from mptrace.analysis.arrays.intervals import (
    TooManyPiecesError,
    cut_everywhere,
    in_overlap,
    pairs_of_overlap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, U16, Numbers
    from mptrace.analysis.data_sequence.data_space import DataSpace
    from mptrace.analysis.data_sequence.mapping_runs import Mappings
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace

_CHUNK = 8 << 20


class OctetReader(Protocol):
    """Random access to the capture's (decompressed) files."""

    def read(self, source: int, offset: int, length: int) -> bytes:
        """Octets of the file ``source`` from ``offset`` on."""


class Verdict(IntEnum):
    """What became of a mapping's checksum."""

    ABSENT = 0
    VALID = 1
    INVALID = 2
    UNVERIFIABLE = 3
    """Not all of its payload is in the capture."""


@dataclass(slots=True)
class _Cover:
    """Disjoint stretches of payload, sorted by place, each from one segment."""

    start: I64
    end: I64
    row: Numbers


def verify(
    mappings: Mappings,
    payload_rows: Numbers,
    subflows: SubflowSpace,
    data: DataSpace,
    reader: OctetReader,
) -> NDArray[np.uint8]:
    """The `Verdict` of every mapping, as (n,) uint8.

    Where a segment was retransmitted, its first copy counts: that is what the receiver checked.
    """
    verdict = np.full(len(mappings), Verdict.ABSENT, np.uint8)
    checked = np.flatnonzero(mappings.has_checksum)
    if not checked.size:
        return verdict
    concerned = np.zeros(subflows.ways, np.bool_)
    concerned[mappings.way[checked]] = True
    rows = payload_rows[concerned[subflows.way[payload_rows]]]
    cover = _cover(rows, subflows)
    left, right = pairs_of_overlap(
        mappings.place[checked], mappings.place_end[checked], cover.start, cover.end
    )
    start = np.maximum(mappings.place[checked][left], cover.start[right])
    end = np.minimum(mappings.place_end[checked][left], cover.end[right])
    row = cover.row[right]
    within = start - subflows.place[row]
    captured = within + (end - start) <= subflows.segments.payload_captured[row]
    present = np.where(captured, end - start, 0)
    whole = (
        np.bincount(left, weights=present, minlength=checked.size)
        == (mappings.place_end - mappings.place)[checked]
    )
    use = whole[left]
    sums = _sums(
        subflows.segments.source[row[use]],
        subflows.segments.payload_position[row[use]] + within[use],
        (end - start)[use],
        reader.read,
    )
    placed = sums_at(sums, start[use] - mappings.place[checked][left[use]])
    total = np.bincount(left[use], weights=placed, minlength=checked.size).astype(np.uint64)
    valid = dss_checksums_valid(
        data.data_seq(mappings.data_place[checked], mappings.space[checked]),
        subflows.position(mappings.place[checked], mappings.way[checked]).astype(np.uint32),
        (mappings.length + mappings.data_fin)[checked].astype(np.uint16),
        mappings.checksum[checked],
        fold(total),
    )
    verdict[checked] = np.where(
        whole, np.where(valid, Verdict.VALID, Verdict.INVALID), Verdict.UNVERIFIABLE
    )
    return verdict


def _cover(rows: Numbers, subflows: SubflowSpace) -> _Cover:
    """The first copy of every octet of the ways."""
    rows = rows[np.argsort(subflows.place[rows], kind="stable")]
    start, end = subflows.place[rows], subflows.place_end[rows]
    shared = in_overlap(start, end)
    if not shared.any():
        return _Cover(start, end, rows)
    who = np.flatnonzero(shared)
    try:
        pieces = cut_everywhere(start[who], end[who], np.empty(0, np.int64), 16 * who.size + 10**6)
    except TooManyPiecesError:  # a tangle made on purpose: its checksums stay unverified
        return _Cover(start[~shared], end[~shared], rows[~shared])
    source = rows[who[pieces.source]]
    order = np.lexsort((source, pieces.element))
    opens = np.ones(order.size, np.bool_)
    opens[1:] = pieces.element[order[1:]] != pieces.element[order[:-1]]
    first = order[opens]
    start = np.concatenate((start[~shared], pieces.start[first]))
    end = np.concatenate((end[~shared], pieces.end[first]))
    row = np.concatenate((rows[~shared], source[first]))
    by_place = np.argsort(start, kind="stable")
    return _Cover(start[by_place], end[by_place], row[by_place])


def _sums(source: U16, position: I64, length: I64, read: Callable[[int, int, int], bytes]) -> U16:
    """One's complement sums of stretches of the files, read in order and in bounded memory."""
    result = np.zeros(position.size, np.uint16)
    order = np.lexsort((position, source))
    first = 0
    while first < order.size:
        base = int(position[order[first]])
        same = source[order[first:]] == source[order[first]]
        reach = position[order[first:]] + length[order[first:]] <= base + _CHUNK
        count = int(np.argmin(np.append(same & reach, False)))
        chunk = order[first : first + max(count, 1)]
        end = int((position[chunk] + length[chunk]).max())
        octets = np.frombuffer(read(int(source[chunk[0]]), base, end - base), np.uint8)
        result[chunk] = slice_sums(octets, position[chunk] - base, length[chunk])
        first += chunk.size
    return result
