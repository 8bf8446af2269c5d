"""Order at the data level: what a receiver's reorder queue had to hold (docs/definitions.md).

First copies, sorted by data place, cover every octet that was seen once. The time when *all*
octets below a place had been seen is then a running maximum of arrivals, and a first copy is out
of order when that comes after its own arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import group_starts, is_group_start
from mptrace.analysis.data_sequence.copies import Copies, CopyClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, Bool, Numbers

_NEVER = np.int64(1) << 31
_LAYERS = 8
"""More than a connection has subflows, as a rule."""


@dataclass(slots=True)
class OutOfOrder:
    """Packets with out-of-order first copies, in capture order within a space; (n,) each."""

    space: Numbers
    frame: Numbers
    row: Numbers
    octets: I64
    """First copies in the packet that came before lower octets had been seen."""
    extent: I64
    """Octets missing below the lowest of them at that moment."""
    closing_frame: I64
    """The packet that completed what was missing; -1 if the capture never shows it."""


@dataclass(slots=True)
class Holes:
    """Octets of which no copy was captured, as ranges on the data axis; (n,) each."""

    space: Numbers
    start: I64
    end: I64


def holes_of(space: Numbers, start: I64, end: I64, floor: I64) -> Holes:
    """The gaps between disjoint first copies sorted by place, and below the first one.

    ``floor`` is (spaces,), the place of the lowest octet of each space.
    """
    opens = is_group_start(space)
    below = np.empty(start.size, np.int64)
    below[1:] = end[:-1]
    below[opens] = floor[space[opens]]
    gap = np.flatnonzero(start > below)
    return Holes(space[gap], below[gap], start[gap])


def find_out_of_order(copies: Copies, floor: I64) -> tuple[OutOfOrder, Holes]:
    """Every packet with a first copy above the lowest octet not seen so far."""
    is_first = copies.kind == CopyClass.FIRST
    first = slice(None) if is_first.all() else np.flatnonzero(is_first)
    space, frame = copies.space[first], copies.frame[first]
    start, end, row = copies.data_place[first], copies.data_end[first], copies.row[first]
    holes = holes_of(space, start, end, floor)
    complete = _completed_below(space, frame, start, end, floor)
    late = np.flatnonzero(complete > frame)
    if not late.size:
        nothing = np.empty(0, np.int64)
        return OutOfOrder(nothing, nothing, nothing, nothing, nothing, nothing), holes
    extent = _missing_below(space, frame, start, end, floor, late)
    # a packet may have several such pieces: they count as one packet
    order = stable_order(frame[late])
    order = order[stable_order(space[late[order]])]
    late, extent = late.take(order), extent.take(order)
    opens = np.ones(late.size, np.bool_)
    opens[1:] = (frame[late[1:]] != frame[late[:-1]]) | (space[late[1:]] != space[late[:-1]])
    begin = np.flatnonzero(opens)
    closing = np.maximum.reduceat(complete[late], begin)
    return (
        OutOfOrder(
            space=space[late[begin]],
            frame=frame[late[begin]],
            row=row[late[begin]],
            octets=np.add.reduceat((end - start)[late], begin),
            extent=extent[begin],
            closing_frame=np.where(closing < _NEVER, closing, -1),
        ),
        holes,
    )


def _completed_below(space: Numbers, frame: Numbers, start: I64, end: I64, floor: I64) -> I64:
    """The frame in which the last octet below each piece was seen; _NEVER below a hole."""
    n = space.size
    opens = is_group_start(space)
    rank = np.cumsum(opens)
    below = np.empty(n, np.int64)
    below[1:] = end[:-1]
    below[opens] = floor[space[opens]]
    arrival = np.where(start > below, _NEVER, 0)
    arrival[1:] = np.maximum(arrival[1:], np.where(opens[1:], 0, frame[:-1]))
    # a later group lies a whole span higher, so one running maximum serves all groups
    span = 2 * _NEVER
    return np.maximum.accumulate(arrival + rank * span) - rank * span


def _missing_below(
    space: Numbers, frame: Numbers, start: I64, end: I64, floor: I64, late: I64
) -> I64:
    """Octets below the ``late`` pieces that had not been seen when these were captured.

    These are the holes below, which are never seen, and the lower pieces that came later.
    """
    n = space.size
    opens = is_group_start(space)
    gap = np.zeros(n, np.int64)
    gap[1:] = start[1:] - end[:-1]
    gap[opens] = np.maximum(start[opens] - floor[space[opens]], 0)
    holes_below = np.cumsum(gap)
    begin = np.flatnonzero(opens)
    counts = np.diff(np.append(begin, n))
    holes_below -= np.repeat(holes_below[begin] - gap[begin], counts)
    # a later group's packets count as captured after all of the groups before
    arrival = frame + np.cumsum(opens) * 2 * _NEVER
    return holes_below[late] + later_weight_below(arrival, end - start, late)


def later_weight_below(arrival: I64, weight: I64, asked: I64) -> I64:
    """For the rows ``asked``, the weight of the rows before each that have a higher arrival.

    Rows are taken away in layers within which arrivals ascend, as those of one subflow do: there,
    what came later is what stands before less what had arrived. Few layers hold nearly all
    rows; the rest is counted by `_later_weight_by_bits`.
    """
    total = np.zeros(asked.size, np.int64)
    rows = np.arange(arrival.size)
    when = arrival[asked]
    for _ in range(_LAYERS):
        if not rows.size:
            return total
        own = arrival[rows]
        ascending = own <= np.minimum.accumulate(own[::-1])[::-1]
        layer = rows[ascending]
        so_far = np.concatenate(([0], np.cumsum(weight[layer])))
        before = so_far[np.searchsorted(layer, asked)]
        arrived = so_far[np.searchsorted(own[ascending], when, side="right")]
        total += np.maximum(before - arrived, 0)
        rows = rows[~ascending]
    if not rows.size:
        return total
    both = np.union1d(rows, asked)
    load = np.zeros(both.size, np.int64)
    load[np.searchsorted(both, rows)] = weight[rows]
    return total + _later_weight_by_bits(arrival[both], load)[np.searchsorted(both, asked)]


def _later_weight_by_bits(arrival: I64, weight: I64) -> I64:
    """For every row, the weight of the rows before it that have a higher arrival.

    Only within blocks between which order holds; see `_later_weight_in_blocks`.
    """
    # A block ends where everything below had been seen before anything above was.
    reach = np.maximum.accumulate(arrival)
    soonest_above = np.minimum.accumulate(arrival[::-1])[::-1]
    parts = np.ones(arrival.size, np.bool_)
    parts[1:] = reach[:-1] <= soonest_above[1:]
    return _later_weight_in_blocks(np.cumsum(parts) - 1, arrival, weight)


def _later_weight_in_blocks(block: I64, arrival: I64, weight: I64) -> I64:
    """For each row, the weight of the rows before it in its block that have a higher arrival.

    Rows are parted by one bit of their arrival rank after the other, highest first: a row with
    the bit unset has, before it in the same part, exactly the rows that arrived later by that
    bit. Linear time for each bit, and as many bits as the largest block needs.
    """
    n = block.size
    result = np.zeros(n, np.int64)
    size = np.bincount(block)
    busy = size[block] > 1
    if not busy.any():
        return result
    rows = np.flatnonzero(busy)
    part = block[rows]
    order = np.lexsort((arrival[rows], part))
    begin = group_starts(part)
    counts = np.diff(np.append(begin, rows.size))
    rank = np.empty(rows.size, np.int64)
    # equal arrivals (pieces of one packet) share a rank: neither came later
    sorted_arrival, sorted_part = arrival[rows][order], part[order]
    fresh = np.ones(rows.size, np.bool_)
    fresh[1:] = (sorted_arrival[1:] != sorted_arrival[:-1]) | (sorted_part[1:] != sorted_part[:-1])
    dense = np.cumsum(fresh) - 1
    rank[order] = dense - np.repeat(dense[begin], counts)
    load = weight[rows]
    total = np.zeros(rows.size, np.int64)
    for bit in reversed(range(int(rank.max()).bit_length())):
        high = ((rank >> bit) & 1).astype(np.bool_)
        carried = np.cumsum(np.where(high, load, 0))
        starts = group_starts(part)
        before = np.zeros(starts.size, np.int64)
        before[1:] = carried[starts[1:] - 1]
        lengths = np.diff(np.append(starts, part.size))
        total += np.where(high, 0, carried - np.repeat(before, lengths))
        order = _parted(part, high)
        rows, part, rank, load, total = (
            rows[order],
            part[order],
            rank[order],
            load[order],
            total[order],
        )
        part = 2 * part + high[order]
        part = np.cumsum(np.append(False, part[1:] != part[:-1]))
    result[rows] = total
    return result


def _parted(part: I64, high: Bool) -> I64:
    """The order that puts each part's rows with the bit unset first, stably."""
    n = part.size
    starts = group_starts(part)
    lengths = np.diff(np.append(starts, n))
    base = np.repeat(starts, lengths)
    ones: I64 = np.cumsum(high) - high
    ones_in_part: I64 = ones - np.repeat(ones[starts], lengths)
    row = np.arange(n)
    zeros_in_part = row - base - ones_in_part
    zeros = np.add.reduceat(~high, starts, dtype=np.int64)
    target = np.where(high, base + np.repeat(zeros, lengths) + ones_in_part, base + zeros_in_part)
    order: NDArray[np.int64] = np.empty(n, np.int64)
    order[target] = row
    return order
