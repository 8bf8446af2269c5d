"""Capture duplicates: the same packet captured in two places (docs/definitions.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Bool, RecognitionTable


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
    identity = np.sort(table.identity)
    repeated = identity[1:][identity[1:] == identity[:-1]]
    if not repeated.size:
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(repeated, table.identity), repeated.size - 1)
    return np.flatnonzero(repeated[at] == table.identity)
