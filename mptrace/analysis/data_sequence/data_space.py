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

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import group_starts

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, U8, U64, Bool, DssTable, Numbers

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
        return relative + self.origin.take(space)

    def relative(self, place: I64, space: Numbers) -> I64:
        """Relative data sequence number of places."""
        return place - self.origin.take(space)

    def data_seq(self, place: I64, space: Numbers) -> U64:
        """64-bit data sequence numbers of places."""
        relative = (place - self.origin[space]).view(np.uint64)
        return relative + self.initial_data_seq[space]


@dataclass(slots=True)
class ExpandedDss:
    """64-bit values of a DSS table; every column is (n,), in the table's order.

    They are the table's own columns: what a 4-octet option carries is in their low 32 bits.
    """

    data_seq: U64
    data_ack: U64


def as_carried(number: U64, octets: U8) -> U64:
    """What the option carries of expanded numbers: of 4 ``octets``, the low 32 bits."""
    return np.where(octets == 4, number & np.uint64(0xFFFFFFFF), number)


def expand(dss: DssTable, space: Numbers, initial: U64, known: Bool) -> ExpandedDss:
    """Expand 4-octet DSNs and DATA_ACKs to 64 bits (RFC 8684 section 3.3.1), in place.

    A 4-octet number is taken next to the number before it in the same space, whoever sent that:
    the sender's DSN or the receiver's DATA_ACK. ``space`` is (n,) the space of each row's DSN;
    its DATA_ACK belongs to ``space ^ 1``.
    """
    result = ExpandedDss(dss.data_seq, dss.data_ack)
    short_seq = dss.data_seq_octets == 4
    short_ack = dss.data_ack_octets == 4
    if not (short_seq.any() or short_ack.any()):
        return result
    concerned = np.zeros(int(space.max()) + 2, np.bool_)
    concerned[space[short_seq]] = True
    concerned[space[short_ack] ^ 1] = True
    # DSNs and DATA_ACKs of one space together, in capture order: item 2 * row is the row's DSN,
    # item 2 * row + 1 its DATA_ACK
    n = space.size
    owner = np.empty((n, 2), np.int32)
    octets = np.empty((n, 2), np.uint8)
    owner[:, 0], owner[:, 1] = space, space ^ 1
    octets[:, 0], octets[:, 1] = dss.data_seq_octets, dss.data_ack_octets
    items = np.flatnonzero((octets.ravel() > 0) & concerned[owner.ravel()])
    items = items.take(stable_order(owner.ravel().take(items)))
    short = octets.ravel().take(items) == 4
    # a whole number next to no short one is nobody's anchor
    needed = short.copy()
    needed[1:] |= short[:-1]
    needed[:-1] |= short[1:]
    items, short = items[needed], short[needed]
    row, is_ack = items >> 1, (items & 1).astype(np.bool_)
    value = np.where(is_ack, dss.data_ack[row], dss.data_seq[row])
    expanded = _expand_sorted(owner.ravel()[items], value, ~short, initial, known)
    for column, own in ((result.data_seq, short & ~is_ack), (result.data_ack, short & is_ack)):
        column[row[own]] = expanded[own]
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
    kinds = (
        (np.flatnonzero(dss.data_seq_octets > 0), expanded.data_seq, 0),
        (np.flatnonzero(dss.data_ack_octets > 0), expanded.data_ack, 1),
    )
    if not known.all():
        _guess_initial(kinds, space, initial, known, reach // 4)
    low, high = np.zeros(spaces, np.int64), np.zeros(spaces, np.int64)
    for rows, value, opposite in kinds:
        owner = space.take(rows) ^ opposite
        relative = (value.take(rows) - initial.take(owner)).view(np.int64)
        plausible = np.abs(relative) <= reach // 2
        if not plausible.all():
            owner, relative = owner[plausible], relative[plausible]
        np.minimum.at(low, owner, relative)
        np.maximum.at(high, owner, relative)
    low -= _ROOM
    high += _ROOM
    span = high - low
    return DataSpace(initial, known, np.cumsum(span) - span - low, reach // 2)


def _guess_initial(
    kinds: tuple[tuple[I64, U64, int], ...],
    space: Numbers,
    initial: U64,
    known: Bool,
    farthest: int,
) -> None:
    """Set ``initial`` of the spaces that no handshake tells it of: one below the lowest number."""
    parts = []
    for rows, value, opposite in kinds:
        owner = space[rows] ^ opposite
        unknown = ~known[owner]
        parts.append((owner[unknown], value[rows[unknown]], rows[unknown]))
    who, what, when = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not who.size:
        return
    order = np.lexsort((when, who))
    who, what = who[order], what[order]
    starts = group_starts(who)
    counts = np.diff(np.append(starts, who.size))
    distance = (what - np.repeat(what[starts], counts)).view(np.int64)
    distance[np.abs(distance) > farthest] = 0
    lowest = np.minimum.reduceat(distance, starts)
    initial[who[starts]] = what[starts] + lowest.view(np.uint64) - np.uint64(1)
