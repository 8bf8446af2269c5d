"""Capture duplicates: the same packet captured in two places (docs/definitions.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, U64, Bool, RecognitionTable

_FEW = 1 << 16
"""Rows that are sorted at once."""
_BUCKETS = 1 << 22
_BUCKET_SHIFTS = (42, 20)
"""Which bits of an identity choose its bucket: the highest first, then others."""


def find_duplicates(table: RecognitionTable) -> Bool:
    """Rows that are a second capture of an earlier row's packet.

    Two rows are the same packet when all that a sender sets is equal (addresses, ports, IP
    identification, TCP header and checksum, length) and they were captured in different places
    (interface, tunnel depth, direction), or, where the IP identification tells packets apart,
    even in one place, as a mirror port does.
    """
    duplicate = np.zeros(len(table), np.bool_)
    rows = _with_an_equal(table)
    if not rows.size:
        return duplicate
    rows = rows[np.argsort(table.identity[rows], kind="stable")]
    identity = table.identity[rows]
    opens = np.append(True, identity[1:] != identity[:-1])
    leader = rows[np.maximum.accumulate(np.where(opens, np.arange(rows.size), 0))]
    elsewhere = table.place[rows] != table.place[leader]
    duplicate[rows[~opens & (elsewhere | table.has_identification[rows])]] = True
    return duplicate


def _with_an_equal(table: RecognitionTable) -> I64:
    """Rows whose identity occurs more than once: in most captures none."""
    identity = table.identity
    rows: I64 = np.arange(identity.size)
    if identity.size > _FEW:
        for shift in _BUCKET_SHIFTS:  # much faster than to sort what has no equal
            kept = _in_shared_buckets(identity >> np.uint64(shift) & np.uint64(_BUCKETS - 1))
            rows, identity = rows[kept], identity[kept]
    in_order = np.sort(identity)
    repeated = in_order[1:][in_order[1:] == in_order[:-1]]
    if not repeated.size:
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(repeated, identity), repeated.size - 1)
    found: I64 = rows[repeated[at] == identity]
    return found


def _in_shared_buckets(bucket: U64) -> I64:
    """Rows that are not alone in their bucket."""
    place = bucket.astype(np.int64)
    number = np.arange(place.size, dtype=np.int32)
    last = np.empty(_BUCKETS, np.int32)
    last[place] = number  # of the rows of a bucket the one written last stays
    shared = np.zeros(_BUCKETS, np.bool_)
    shared[place[np.flatnonzero(last[place] != number)]] = True
    kept: I64 = np.flatnonzero(shared[place])
    return kept
