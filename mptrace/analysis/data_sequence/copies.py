"""Copies of octets: which payload is new, and what the rest repeats (docs/definitions.md).

Payload is cut into *pieces*: octets of one segment that one mapping run places. Most pieces share
no octet with any other and are first copies at once. The few that overlap are cut at every border
(also where an acknowledgement falls inside), and then every elementary interval is judged as one
octet would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.intervals import cut_everywhere, in_overlap, pairs_of_overlap
from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import exclusive_prefix_min, is_group_start
from mptrace.analysis.data_sequence.acknowledgements import NEVER, Acknowledgements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, Bool, Numbers
    from mptrace.analysis.data_sequence.mapping_runs import Runs
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace


class CopyClass(IntEnum):
    """What a copy is, seen in capture order."""

    FIRST = 0
    RETRANSMISSION = 1
    REMAPPED = 2
    REINJECTION = 3


class Worth(IntEnum):
    """What a reinjection was good for."""

    NONE = 0
    SPURIOUS = 1
    USEFUL = 2
    REDUNDANT = 3


@dataclass(slots=True)
class PayloadPieces:
    """Mapped payload; every column is (n,), in row order of the subflow space."""

    row: Numbers
    place: I64
    place_end: I64
    data_place: I64

    @property
    def data_end(self) -> I64:
        """End on the data axis."""
        return self.data_place + (self.place_end - self.place)


@dataclass(slots=True)
class Copies:
    """Payload pieces with their class, sorted by data place, then capture order."""

    row: Numbers
    """Row of the segment in the subflow space."""
    way: Numbers
    space: Numbers
    frame: Numbers
    data_place: I64
    data_end: I64
    kind: NDArray[np.uint8]
    worth: NDArray[np.uint8]
    repeats_row: Numbers
    """Row of the segment that carried the latest earlier copy; -1 for first copies."""
    first_row: Numbers
    """Row of the segment that carried the first copy."""
    repeated: Bool
    """Whether any other copy of these octets exists."""
    delivered_octets: I64
    """Octets of which this is the copy that was acknowledged earliest at the subflow level."""

    @property
    def length(self) -> I64:
        """Octets."""
        return self.data_end - self.data_place


def payload_pieces(subflows: SubflowSpace, runs: Runs, rows: Numbers) -> tuple[PayloadPieces, I64]:
    """Cut the payload of ``rows`` at the borders of runs.

    Returns the pieces and, per row given, the octets that no mapping covers.
    """
    start, length = subflows.place.take(rows), subflows.segments.payload_length.take(rows)
    end = start + length
    left, right = pairs_of_overlap(start, end, runs.start, runs.end)
    piece_start = np.maximum(start.take(left), runs.start.take(right))
    piece_end = np.minimum(end.take(left), runs.end.take(right))
    covered = np.bincount(left, weights=piece_end - piece_start, minlength=rows.size)
    unmapped = end - start - covered.astype(np.int64)
    return (
        PayloadPieces(
            rows.take(left), piece_start, piece_end, piece_start + runs.distance.take(right)
        ),
        unmapped,
    )


def classify(
    pieces: PayloadPieces,
    subflows: SubflowSpace,
    space_of_way: Numbers,
    acks: Acknowledgements,
    data_acks: Acknowledgements,
    limit: int,
) -> Copies:
    """Judge every piece.

    ``acks`` are grouped by the way whose data they acknowledge, ``data_acks`` by space. Raises
    TooManyPiecesError when overlaps would have to be cut into more than ``limit`` pieces.
    """
    space = space_of_way.take(subflows.way.take(pieces.row))
    order = stable_order(space)
    order = order.take(np.argsort(pieces.data_place.take(order), kind="stable"))
    start = pieces.data_place.take(order)
    end = pieces.data_end.take(order)
    shared = in_overlap(start, end)
    alone = order[~shared]
    single = _single(pieces, alone, subflows, space, acks)
    if not shared.any():
        return single
    overlapping = _Overlapping.cut(pieces, order[shared], subflows, space, acks, data_acks, limit)
    return _merged(single, overlapping.judged(acks, data_acks))


def _single(
    pieces: PayloadPieces,
    alone: I64,
    subflows: SubflowSpace,
    space: Numbers,
    acks: Acknowledgements,
) -> Copies:
    """Pieces that share no octet: first copies."""
    row = pieces.row.take(alone)
    way = subflows.way.take(row)
    nothing = np.zeros(alone.size, np.uint8)
    return Copies(
        row=row,
        way=way,
        space=space.take(alone),
        frame=subflows.segments.frame_number.take(row),
        data_place=pieces.data_place.take(alone),
        data_end=pieces.data_end.take(alone),
        kind=nothing,
        worth=nothing,
        repeats_row=np.full(alone.size, -1, np.int32),
        first_row=row,
        repeated=np.zeros(alone.size, np.bool_),
        delivered_octets=acks.octets_covered(
            way, pieces.place.take(alone), pieces.place_end.take(alone)
        ),
    )


@dataclass(slots=True)
class _Overlapping:
    """Pieces of overlap clusters, cut at every border, sorted by octets, then capture order."""

    element: I64
    row: Numbers
    way: Numbers
    frame: Numbers
    start: I64
    end: I64
    distance: I64
    """Data place less subflow place: equal means the same subflow sequence number."""
    space: Numbers

    @classmethod
    def cut(
        cls,
        pieces: PayloadPieces,
        who: I64,
        subflows: SubflowSpace,
        space: Numbers,
        acks: Acknowledgements,
        data_acks: Acknowledgements,
        limit: int,
    ) -> _Overlapping:
        distance = pieces.data_place[who] - pieces.place[who]
        start, end = pieces.data_place[who], pieces.data_end[who]
        row = pieces.row[who]
        way = subflows.way[row]
        borders = np.concatenate(
            (
                _borders_inside(acks, pieces.place[who], pieces.place_end[who], distance),
                _borders_inside(data_acks, start, end, np.zeros_like(distance)),
            )
        )
        cut = cut_everywhere(start, end, borders, limit)
        frame = subflows.segments.frame_number[row]
        order = np.lexsort((frame[cut.source], cut.element))
        source = cut.source[order]
        return cls(
            element=cut.element[order],
            row=row[source],
            way=way[source],
            frame=frame[source],
            start=cut.start[order],
            end=cut.end[order],
            distance=distance[source],
            space=space[who][source],
        )

    def judged(
        self,
        acks: Acknowledgements,
        data_acks: Acknowledgements,
    ) -> Copies:
        n = self.element.size
        opens = is_group_start(self.element)
        first_on_way = _first_of_key(self.element, self.way)
        first_numbered = _first_of_key(self.element, self.way, self.distance)
        kind = np.full(n, CopyClass.RETRANSMISSION, np.uint8)
        kind[first_numbered] = CopyClass.REMAPPED
        kind[first_on_way] = CopyClass.REINJECTION
        kind[opens] = CopyClass.FIRST
        acked = acks.frame_covering(self.way, self.end - self.distance)
        earlier = exclusive_prefix_min(self.element, acked, int(NEVER))
        worth = np.zeros(n, np.uint8)
        again = np.flatnonzero(kind == CopyClass.REINJECTION)
        covered = data_acks.place_before(
            self.space[again], self.frame[again] - 1, np.full(again.size, np.iinfo(np.int64).min)
        )
        worth[again] = np.where(
            covered >= self.end[again],
            Worth.SPURIOUS,
            np.where(acked[again] < earlier[again], Worth.USEFUL, Worth.REDUNDANT),
        )
        opening = np.maximum.accumulate(np.where(opens, np.arange(n), 0))
        size = np.bincount(np.cumsum(opens) - 1)
        repeats = np.full(n, -1, np.int32)
        repeats[1:] = self.row[:-1]
        repeats[opens] = -1
        later = np.full(n, NEVER)
        best = np.minimum.reduceat(acked, np.flatnonzero(opens))[np.cumsum(opens) - 1]
        delivered = (acked == best) & (best < later)
        # of two copies acknowledged by one ACK (a TCP retransmission) the earlier one counts
        delivered &= earlier > best
        return Copies(
            row=self.row,
            way=self.way,
            space=self.space,
            frame=self.frame,
            data_place=self.start,
            data_end=self.end,
            kind=kind,
            worth=worth,
            repeats_row=repeats,
            first_row=self.row[opening],
            repeated=(size > 1)[np.cumsum(opens) - 1],
            delivered_octets=np.where(delivered, self.end - self.start, 0),
        )


def _borders_inside(acks: Acknowledgements, start: I64, end: I64, distance: I64) -> I64:
    """Acknowledged places strictly inside intervals, on the data axis.

    Places of different groups never meet on their axis, so that no group needs to be named.
    """
    low = np.searchsorted(acks.place, start, side="right")
    high = np.searchsorted(acks.place, end, side="left")
    counts = np.maximum(high - low, 0)
    which = np.repeat(np.arange(start.size), counts)
    offset = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
    result: I64 = acks.place[low[which] + offset] + distance[which]
    return result


def _first_of_key(*keys: I64) -> Bool:
    """Rows that are the first with their combination of keys; rows stand in capture order."""
    order = np.lexsort(keys[::-1])
    opens = np.zeros(order.size, np.bool_)
    opens[0] = True
    for key in keys:
        column = key[order]
        opens[1:] |= column[1:] != column[:-1]
    first = np.zeros(order.size, np.bool_)
    first[order[opens]] = True
    return first


def _merged(single: Copies, overlapping: Copies) -> Copies:
    """Both kinds in one table, sorted by data place, then capture order."""
    columns = {
        name: np.concatenate((getattr(single, name), getattr(overlapping, name)))
        for name in Copies.__slots__
    }
    order = np.argsort(columns["data_place"], kind="stable")
    return Copies(**{name: column[order] for name, column in columns.items()})
