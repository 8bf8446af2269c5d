"""DSS mappings in columns: which octets of a subflow are which octets of the connection.

Mappings of one way that continue each other with the same distance between DSN and subflow
sequence number make one *run*: a stretch of the way whose octets all lie at one distance from
their place in the data sequence space. Most transfers have a handful of runs, so that looking up
a segment's data sequence numbers is a binary search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.intervals import TooManyPiecesError, cut_everywhere, overlap_clusters
from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import where

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, U16, Bool, DssTable, Numbers
    from mptrace.analysis.data_sequence.data_space import DataSpace, ExpandedDss
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace


_NESTED = 4


@dataclass(slots=True)
class Mappings:
    """Distinct mappings, sorted by place in the subflow; every column is (n,)."""

    way: Numbers
    space: Numbers
    place: I64
    """Of the first octet, on the subflow axis."""
    place_end: I64
    data_place: I64
    """Of the first octet, on the data axis."""
    first_row: Numbers
    """Row of the segment (in the subflow space) that announced it first."""
    announced: I64
    """How many segments carry it."""
    has_checksum: Bool
    checksum: U16
    data_fin: Bool
    conflicting: Bool
    """Shares subflow octets with an earlier mapping that places them elsewhere."""

    def __len__(self) -> int:
        return int(self.way.size)

    @property
    def length(self) -> I64:
        """Payload octets covered, without the DATA_FIN."""
        return self.place_end - self.place

    def covering(self, place: I64) -> I64:
        """Index of the mapping that covers each place, of several the one that begins last; -1.

        Mappings that lie within others are rare: a few steps back find the one that covers.
        """
        found = np.full(place.size, -1)
        if not len(self):
            return found
        nearest = np.searchsorted(self.place, place, side="right") - 1
        for back in range(_NESTED):
            at = np.maximum(nearest - back, 0)
            covers = (found < 0) & (nearest >= back) & (self.place_end[at] > place)
            found[covers] = at[covers]
        return found


@dataclass(slots=True)
class Runs:
    """Disjoint stretches of ways with one distance to the data axis; every column is (n,)."""

    start: I64
    end: I64
    distance: I64
    """Data place less subflow place."""


@dataclass(slots=True)
class MappingRows:
    """Mappings as announced, before repeated ones are put together; every column is (n,)."""

    row: Numbers
    """Row of the announcing segment in the subflow space."""
    subflow_position: I64
    relative_data_seq: I64
    length: I64
    has_checksum: Bool
    checksum: U16
    data_fin: Bool


def announced_mappings(
    dss: DssTable,
    expanded: ExpandedDss,
    dss_row: Numbers,
    dss_space: Numbers,
    subflows: SubflowSpace,
    data: DataSpace,
) -> tuple[MappingRows, I64]:
    """The mappings that DSS options announce, and the DSS rows with an implausible DSN.

    ``dss_row`` and ``dss_space`` are (n,): the row of the segment that carries a DSS, and the
    space that its data belongs to. Infinite mappings (length 0) and DATA_FINs without data
    (RFC 8684 section 3.3.3) map no octet and are left out.
    """

    def relative_data_seq(index: I64) -> tuple[I64, Bool]:
        relative = (
            expanded.data_seq.take(index) - data.initial_data_seq.take(dss_space.take(index))
        ).view(np.int64)
        return relative, np.abs(relative) <= data.reach

    has_data_seq = dss.data_seq_octets > 0
    maps = has_data_seq & (dss.data_length > dss.data_fin)
    index, others = np.flatnonzero(maps), np.flatnonzero(has_data_seq & ~maps)
    relative, plausible = relative_data_seq(index)
    implausible = np.concatenate((index[~plausible], others[~relative_data_seq(others)[1]]))
    implausible.sort()
    index, relative = where(plausible, index, relative)
    row = dss_row.take(index)
    position = subflows.place.take(row) - subflows.origin.take(subflows.way.take(row))
    nearest = (dss.subflow_seq.take(index) - position.astype(np.uint32)).view(np.int32)
    position += nearest
    data_fin = dss.data_fin.take(index)
    return (
        MappingRows(
            row,
            position,
            relative,
            dss.data_length.take(index).astype(np.int64) - data_fin,
            dss.has_checksum.take(index),
            dss.checksum.take(index),
            data_fin,
        ),
        implausible,
    )


def distinct_mappings(
    rows: MappingRows, subflows: SubflowSpace, data: DataSpace, space_of_way: Numbers
) -> Mappings:
    """Put repeated announcements of a mapping together."""
    way = subflows.way.take(rows.row)
    place = rows.subflow_position + subflows.origin.take(way)
    order = stable_order(way)
    # nearly sorted by now, which the merge sort turns into a single pass
    order = order.take(np.argsort(place.take(order), kind="stable"))
    columns = _in_order(rows, place, order)
    same = _repeats(columns)
    if not same.all() and _is_mixed(columns, same):
        order = order[np.lexsort((rows.row[order], columns[2], columns[1], columns[0]))]
        columns = _in_order(rows, place, order)
        same = _repeats(columns)
    first = np.flatnonzero(~same)
    announced = np.diff(np.append(first, order.size))
    # of a mapping's announcements the first in the capture counts; within one way rows ascend
    lead = order[first]
    earliest = np.minimum.reduceat(rows.row.take(order), first) if order.size else first
    way = way.take(lead)
    space = space_of_way.take(way)
    start = columns[0].take(first)
    return Mappings(
        way=way,
        space=space,
        place=start,
        place_end=start + rows.length.take(lead),
        data_place=data.place(rows.relative_data_seq.take(lead), space),
        first_row=earliest,
        announced=announced,
        has_checksum=rows.has_checksum.take(lead),
        checksum=rows.checksum.take(lead),
        data_fin=rows.data_fin.take(lead),
        conflicting=np.zeros(lead.size, np.bool_),
    )


def _in_order(rows: MappingRows, place: I64, order: I64) -> tuple[I64, I64, I64]:
    return place.take(order), rows.relative_data_seq.take(order), rows.length.take(order)


def _repeats(columns: tuple[I64, ...]) -> Bool:
    """Rows that equal the row before."""
    same = np.zeros(columns[0].size, np.bool_)
    if same.size:
        same[1:] = True
        for column in columns:
            same[1:] &= column[1:] == column[:-1]
    return same


def _is_mixed(columns: tuple[I64, ...], same: Bool) -> bool:
    """Whether mappings with equal places but other contents stand between each other."""
    place = columns[0]
    return bool(((place[1:] == place[:-1]) & ~same[1:]).any())


def runs_of(mappings: Mappings, limit: int = 4_000_000) -> Runs:
    """The runs of all mappings; marks ``mappings.conflicting``.

    Where mappings contradict each other, the one seen first keeps its octets, as a receiver
    does that has a mapping in force (RFC 8684 section 3.3.1).
    """
    start, end = mappings.place, mappings.place_end
    distance = mappings.data_place - mappings.place
    clusters = overlap_clusters(start, end)
    if start.size:
        size = np.bincount(clusters)
        lowest = np.minimum.reduceat(distance, np.cumsum(size) - size)
        highest = np.maximum.reduceat(distance, np.cumsum(size) - size)
        contradicting = (lowest != highest)[clusters]
    else:
        contradicting = np.empty(0, np.bool_)
    if contradicting.any():
        who = np.flatnonzero(contradicting)
        won_start, won_end, won_distance = _first_come(mappings, who, distance, limit)
        start = np.concatenate((start[~contradicting], won_start))
        end = np.concatenate((end[~contradicting], won_end))
        distance = np.concatenate((distance[~contradicting], won_distance))
        order = np.argsort(start, kind="stable")
        start, end, distance = start[order], end[order], distance[order]
    return _joined(start, end, distance)


def _first_come(mappings: Mappings, who: I64, distance: I64, limit: int) -> tuple[I64, I64, I64]:
    """Give every octet of contradicting mappings to the mapping announced first."""
    start, end = mappings.place[who], mappings.place_end[who]
    seniority = mappings.first_row[who]
    try:
        pieces = cut_everywhere(start, end, np.empty(0, np.int64), limit)
    except TooManyPiecesError:
        return _first_come_one_by_one(mappings, who, distance)
    order = np.lexsort((seniority[pieces.source], pieces.element))
    element = pieces.element[order]
    winner = np.ones(order.size, np.bool_)
    winner[1:] = element[1:] != element[:-1]
    won = order[winner]
    source = pieces.source[won]
    owner = np.empty(int(element[-1]) + 1, np.int64)
    owner[element[winner]] = distance[who[source]]
    lost = owner[pieces.element] != distance[who[pieces.source]]
    mappings.conflicting[who[pieces.source[lost]]] = True
    return pieces.start[won], pieces.end[won], distance[who[source]]


def _first_come_one_by_one(mappings: Mappings, who: I64, distance: I64) -> tuple[I64, I64, I64]:
    """The same for pathological input, one mapping at a time in memory linear in its size.

    Time is nearly linear as well: every elementary interval is given away once, and from one that
    is taken a link leads to the next that may be free.
    """
    start, end = mappings.place[who], mappings.place_end[who]
    borders = np.unique(np.concatenate((start, end)))
    first, last = np.searchsorted(borders, start), np.searchsorted(borders, end)
    owner = [-1] * (borders.size - 1)
    free = list(range(borders.size))
    for index in np.argsort(mappings.first_row[who], kind="stable").tolist():
        element, behind = _next_free(free, int(first[index])), int(last[index])
        while element < behind:
            owner[element] = index
            free[element] = element + 1
            element = _next_free(free, element + 1)
    owners = np.array(owner, np.int64)
    own = distance[who]
    placed = own[owners]  # where nobody owns an element no mapping reaches over it
    run = np.cumsum(np.append(True, placed[1:] != placed[:-1]))
    mappings.conflicting[who] = (placed[first] != own) | (run[first] != run[last - 1])
    taken = np.flatnonzero(owners >= 0)
    return borders[taken], borders[taken + 1], placed[taken]


def _next_free(free: list[int], element: int) -> int:
    """Follow the links to an element that is its own, and shorten them on the way."""
    while free[element] != element:
        free[element] = free[free[element]]
        element = free[element]
    return element


def _joined(start: I64, end: I64, distance: I64) -> Runs:
    """Join intervals with one distance that overlap or touch."""
    if not start.size:
        return Runs(start, end, distance)
    reach = np.maximum.accumulate(end)
    opens = np.ones(start.size, np.bool_)
    opens[1:] = (start[1:] > reach[:-1]) | (distance[1:] != distance[:-1])
    first = np.flatnonzero(opens)
    return Runs(start[first], np.maximum.reduceat(end, first), distance[first])
