"""The subflow sequence space: 32-bit TCP numbers of every direction as places on one axis.

Each direction of each subflow (a *way*, numbered ``2 * subflow + direction``) gets its own
stretch of one int64 axis, so that everything that follows works on all subflows at once. Within
a way, a *position* is the relative subflow sequence number of RFC 8684 section 3.3.1: the first
octet after the SYN, and after what it carried, is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import group_starts
from mptrace.analysis.columns.tables import (
    ACK,
    I32,
    I64,
    SYN,
    Bool,
    DssTable,
    Numbers,
    SegmentTable,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.arrays.second_lane import SecondLane

_NUMBERING = ("seq", "ack", "flags", "payload_length")
_NOT_NUMBERING = tuple(name for name in SegmentTable.dtypes() if name not in _NUMBERING)
_ROOM = 1 << 33
"""Free places around each way, so that mappings just outside the captured data fit too."""


@dataclass(slots=True)
class SubflowSpace:
    """Segments sorted by way and frame, with their places on the axis; every column is (n,)."""

    segments: SegmentTable
    way: Numbers
    ways: int
    way_first: I64
    """(ways + 1,): rows of way w are way_first[w]:way_first[w + 1]."""
    origin: I64
    """(ways,): place of position 0 of each way."""
    place: I64
    """Of the first payload octet."""
    ack_place: I64
    """Of the octet that the ACK expects, on the axis of the opposite way; -1 without ACK."""
    initial_seq: NDArray[np.uint32]
    """(ways,): TCP sequence number of position 0."""
    initial_seq_known: Bool

    @property
    def place_end(self) -> I64:
        """(n,): place behind the last payload octet."""
        return self.place + self.segments.payload_length

    def position(self, place: I64, way: Numbers | I32) -> I64:
        """Relative subflow sequence number of a place."""
        return place - self.origin[way]


def _signed(number: NDArray[np.uint32]) -> I64:
    """A difference of 32-bit numbers as a signed number (serial arithmetic, RFC 1982)."""
    return number.view(np.int32).astype(np.int64)


def _unwrapped(number: NDArray[np.uint32], way: Numbers, anchor: NDArray[np.uint32]) -> I64:
    """32-bit numbers in capture order as distances from each way's anchor."""
    if number.size == 0:
        return np.empty(0, np.int64)
    step = np.empty(number.size, np.int32)
    step[1:] = (number[1:] - number[:-1]).view(np.int32)
    starts = group_starts(way)
    step[starts] = (number[starts] - anchor[way[starts]]).view(np.int32)
    total = np.cumsum(step, dtype=np.int64)
    before = np.zeros(starts.size, np.int64)
    before[1:] = total[starts[1:] - 1]
    counts = np.diff(np.append(starts, number.size))
    total -= np.repeat(before, counts)
    return total


def _initial_seqs(
    table: SegmentTable, way: Numbers, ways: int, dss: DssTable, row_of: Numbers
) -> tuple[NDArray[np.uint32], Bool]:
    """Position 0 of each way: its SYN, or what its mappings or the peer's ACKs say."""
    initial = np.zeros(ways, np.uint32)
    known = np.zeros(ways, np.bool_)
    starts = group_starts(way)
    # weakest first, so that better knowledge overwrites it: the first segment,
    initial[way[starts]] = table.seq[starts] - np.uint32(1)
    # the first ACK of the peer where this way has no segment of its own,
    acks = np.flatnonzero(table.flags & ACK)
    if acks.size:
        first_acks = acks[group_starts(way[acks])]
        target = way[first_acks] ^ 1
        silent = ~np.isin(target, way[starts])
        initial[target[silent]] = table.ack[first_acks[silent]] - np.uint32(1)
    # the mapping that the way's first mapped payload carries (its SSN is relative),
    syns = np.flatnonzero(table.flags & SYN)
    without_syn = np.ones(ways, np.bool_)
    without_syn[way[syns]] = False
    if without_syn[way[starts]].any():
        row = row_of[dss.segment]
        usable = (dss.data_seq_octets > 0) & (dss.subflow_seq > 0) & without_syn[way[row]]
        usable[usable] &= table.payload_length[row[usable]] > 0
        rows = row[usable]
        guess = table.seq[rows] - dss.subflow_seq[usable]
        # A mapping may have begun in an earlier segment: then the guess is too high by what
        # lies between; the most frequent guess of a way need not be right, the lowest is.
        order = stable_order(way[rows])
        rows, guess = rows[order], guess[order]
        begin = group_starts(way[rows])
        offset = _signed(guess - np.repeat(guess[begin], np.diff(np.append(begin, rows.size))))
        if rows.size:
            lowest = np.minimum.reduceat(offset, begin)
            initial[way[rows[begin]]] = guess[begin] + lowest.astype(np.uint32)
            known[way[rows[begin]]] = True
    # and its own SYN.
    if syns.size:
        first_syns = syns[group_starts(way[syns])]
        initial[way[first_syns]] = table.seq[first_syns]
        known[way[first_syns]] = True
        initial[way[first_syns]] += _fast_open_octets(table, way, ways, syns, first_syns)
    return initial, known


def _fast_open_octets(
    table: SegmentTable, way: Numbers, ways: int, syns: I64, first_syns: I64
) -> NDArray[np.uint32]:
    """(first SYNs,): octets that each SYN carried and the SYN/ACK took (TCP Fast Open).

    They are no part of the data sequence space, and subflow sequence numbers begin behind them
    (RFC 8684 appendix B.2). What the SYN/ACK did not take is sent again, as ordinary data.
    """
    carried = table.payload_length[first_syns].astype(np.uint32)
    answers = syns[(table.flags[syns] & ACK) != 0]
    first_answers = answers[group_starts(way[answers])]
    acked = np.zeros(ways, np.uint32)
    acked[way[first_answers] ^ 1] = table.ack[first_answers]
    taken = acked[way[first_syns]] - table.seq[first_syns] - np.uint32(1)
    return np.where(taken <= carried, taken, np.uint32(0))


def build(
    table: SegmentTable, subflow: I32, subflows: int, dss: DssTable, lane: SecondLane
) -> tuple[SubflowSpace, I32]:
    """Sort the segments by way and unwrap their numbers.

    ``subflow`` is (n,) the subflow number of each row; ``table`` is brought into the space's
    order, not copied. Returns the space and, per row that ``table`` had, its row in the space.
    """
    way = 2 * subflow + ~table.from_initiator
    ways = 2 * subflows
    order = stable_order(way)
    others = lane.start(lambda: table.keep(order, _NOT_NUMBERING))
    table.keep(order, _NUMBERING)
    way = way.take(order)
    row_of = np.empty(order.size, np.int32)
    row_of[order] = np.arange(order.size, dtype=np.int32)
    initial, known = _initial_seqs(table, way, ways, dss, row_of)
    place = _unwrapped(table.seq, way, initial)
    place += (table.flags & SYN) != 0
    acking = np.flatnonzero(table.flags & ACK)
    acking_way = way.take(acking)
    ack = _unwrapped(table.ack.take(acking), acking_way, initial[np.arange(ways) ^ 1])

    low, high = np.zeros(ways, np.int64), np.zeros(ways, np.int64)
    begin = group_starts(way)
    if begin.size:
        low[way[begin]] = np.minimum.reduceat(place, begin)
        high[way[begin]] = np.maximum.reduceat(place + table.payload_length, begin)
    low -= _ROOM
    high += _ROOM
    span = high - low
    origin = np.cumsum(span) - span - low

    ack_place = np.full(way.size, -1, np.int64)
    acked_way = acking_way ^ 1
    np.clip(ack, low.take(acked_way), high.take(acked_way), out=ack)
    ack += origin.take(acked_way)
    ack_place[acking] = ack
    place += origin.take(way)
    way_first = np.searchsorted(way, np.arange(ways + 1))
    others.result()
    return (
        SubflowSpace(
            segments=table,
            way=way,
            ways=ways,
            way_first=way_first,
            origin=origin,
            place=place,
            ack_place=ack_place,
            initial_seq=initial,
            initial_seq_known=known,
        ),
        row_of,
    )
