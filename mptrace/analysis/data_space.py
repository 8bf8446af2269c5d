"""The data sequence space: DSNs and DATA_ACKs of every connection as places on one axis.

Each direction of each connection (a *space*, numbered ``2 * connection + direction``, direction 0
from client to server) gets its own stretch of one int64 axis. Within a space, *relative* 1 is the
first octet (DSN = IDSN + 1, RFC 8684 section 3.1); where the IDSN is not known, relative 1 is the
lowest octet that the capture names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.ordering import stable_order
from mptrace.analysis.segmented import group_starts

if TYPE_CHECKING:
    from mptrace.analysis.tables import I64, U64, Bool, DssTable, Numbers

_ROOM = np.int64(1) << 33
_WIDEST = 1 << 46
_AXIS = 1 << 62


@dataclass(slots=True)
class DataSpace:
    """Where each space lies on the axis; every column is (spaces,)."""

    initial_data_seq: U64
    """IDSN, or one less than the lowest DSN or DATA_ACK seen."""
    initial_known: Bool
    origin: I64
    """Place of relative 0."""
    reach: int
    """Relative numbers further away than this are no plausible DSNs of their space."""

    def place(self, relative: I64, space: Numbers) -> I64:
        """Place on the axis of relative data sequence numbers."""
        return relative + self.origin[space]

    def relative(self, place: I64, space: Numbers) -> I64:
        """Relative data sequence number of places."""
        return place - self.origin[space]

    def data_seq(self, place: I64, space: Numbers) -> U64:
        """64-bit data sequence numbers of places."""
        relative = (place - self.origin[space]).view(np.uint64)
        return relative + self.initial_data_seq[space]


@dataclass(slots=True)
class ExpandedDss:
    """64-bit values of a DSS table; every column is (n,), in the table's order."""

    data_seq: U64
    data_ack: U64


def expand(dss: DssTable, space: Numbers, initial: U64, known: Bool) -> ExpandedDss:
    """Expand 4-octet DSNs and DATA_ACKs to 64 bits (RFC 8684 section 3.3.1).

    A 4-octet number is taken next to the number before it in the same space, whoever sent that:
    the sender's DSN or the receiver's DATA_ACK. ``space`` is (n,) the space of each row's DSN;
    its DATA_ACK belongs to ``space ^ 1``.
    """
    result = ExpandedDss(dss.data_seq.copy(), dss.data_ack.copy())
    short_seq = dss.data_seq_octets == 4
    short_ack = dss.data_ack_octets == 4
    if not (short_seq.any() or short_ack.any()):
        return result
    concerned = np.zeros(int(space.max()) + 2, np.bool_)
    concerned[space[short_seq]] = True
    concerned[space[short_ack] ^ 1] = True
    seq_rows = np.flatnonzero((dss.data_seq_octets > 0) & concerned[space])
    ack_rows = np.flatnonzero((dss.data_ack_octets > 0) & concerned[space ^ 1])
    # DSNs and DATA_ACKs of one space together, in capture order
    row = np.concatenate((seq_rows, ack_rows))
    owner = np.concatenate((space[seq_rows], space[ack_rows] ^ 1))
    value = np.concatenate((dss.data_seq[seq_rows], dss.data_ack[ack_rows]))
    whole = np.concatenate((dss.data_seq_octets[seq_rows], dss.data_ack_octets[ack_rows])) == 8
    order = np.lexsort((row, owner))
    expanded = np.empty(row.size, np.uint64)
    expanded[order] = _expand_sorted(owner[order], value[order], whole[order], initial, known)
    result.data_seq[seq_rows] = expanded[: seq_rows.size]
    result.data_ack[ack_rows] = expanded[seq_rows.size :]
    return result


def _expand_sorted(owner: I64, value: U64, whole: Bool, initial: U64, known: Bool) -> U64:
    """Expansion of one column sorted by space, then capture order."""
    low = value.astype(np.uint32)
    starts = group_starts(owner)
    counts = np.diff(np.append(starts, owner.size))
    step = np.empty(low.size, np.int64)
    step[1:] = (low[1:] - low[:-1]).view(np.int32)
    first_low = np.where(
        known[owner[starts]], initial[owner[starts]].astype(np.uint32), low[starts]
    )
    step[starts] = (low[starts] - first_low).view(np.int32)
    total = np.cumsum(step)
    before = np.zeros(starts.size, np.int64)
    before[1:] = total[starts[1:] - 1]
    walked = (total - np.repeat(before, counts)).view(np.uint64)
    # every whole number is an anchor for what follows it; before the first one of a space its
    # IDSN is, and where that is unknown the first anchor serves backwards
    row = np.arange(low.size)
    anchor = np.maximum.accumulate(np.where(whole, row, -1))
    anchored = anchor >= np.repeat(starts, counts)
    following = np.where(whole, row, low.size)
    next_whole = np.minimum.accumulate(following[::-1])[::-1][starts]
    has_next = next_whole < np.append(starts[1:], low.size)
    next_whole = np.where(has_next, next_whole, starts)
    opening = np.where(
        known[owner[starts]],
        initial[owner[starts]],
        value[next_whole] - walked[next_whole],
    )
    base = np.where(anchored, value[anchor] - walked[anchor], np.repeat(opening, counts))
    return np.where(whole, value, base + walked)


def lay_out(
    dss: DssTable, expanded: ExpandedDss, space: Numbers, spaces: int, initial: U64, known: Bool
) -> DataSpace:
    """Find the origin of spaces without a captured handshake, and place all on the axis."""
    reach = min(_WIDEST, _AXIS // max(spaces, 1))
    initial = initial.copy()
    with_seq = np.flatnonzero(dss.data_seq_octets > 0)
    with_ack = np.flatnonzero(dss.data_ack_octets > 0)
    owner = np.concatenate((space[with_seq], space[with_ack] ^ 1))
    value = np.concatenate((expanded.data_seq[with_seq], expanded.data_ack[with_ack]))
    row = np.concatenate((with_seq, with_ack))
    unknown = ~known[owner]
    if unknown.any():
        who, what, when = owner[unknown], value[unknown], row[unknown]
        order = np.lexsort((when, who))
        who, what = who[order], what[order]
        starts = group_starts(who)
        counts = np.diff(np.append(starts, who.size))
        distance = (what - np.repeat(what[starts], counts)).view(np.int64)
        distance[np.abs(distance) > reach // 4] = 0
        lowest = np.minimum.reduceat(distance, starts)
        initial[who[starts]] = what[starts] + lowest.view(np.uint64) - np.uint64(1)
    relative = (value - initial[owner]).view(np.int64)
    plausible = np.abs(relative) <= reach // 2
    low, high = np.zeros(spaces, np.int64), np.zeros(spaces, np.int64)
    order = stable_order(owner[plausible])
    who, distance = owner[plausible][order], relative[plausible][order]
    if who.size:
        starts = group_starts(who)
        low[who[starts]] = np.minimum.reduceat(distance, starts)
        high[who[starts]] = np.maximum.reduceat(distance, starts)
    low = np.minimum(low, 0) - _ROOM
    high = np.maximum(high, 0) + _ROOM
    span = high - low
    return DataSpace(initial, known, np.cumsum(span) - span - low, reach // 2)
