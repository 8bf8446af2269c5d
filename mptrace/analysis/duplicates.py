"""Capture duplicates: the same packet captured in two places (docs/definitions.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.tables import Bool, SegmentTable


def find_duplicates(table: SegmentTable, has_identification: Bool) -> Bool:
    """Rows that are a second capture of an earlier row's packet.

    Two rows are the same packet when all that a sender sets is equal (addresses, ports, IP
    identification, TCP header and checksum, length) and they were captured in different places
    (interface, tunnel depth, direction), or, where the IP identification tells packets apart,
    even in one place, as a mirror port does. ``has_identification`` is (n,): IPv4 with a non-zero
    identification.
    """
    n = len(table)
    duplicate = np.zeros(n, np.bool_)
    if n < 2:
        return duplicate
    order = np.argsort(table.identity, kind="stable")
    identity = table.identity[order]
    same = identity[1:] == identity[:-1]
    if not same.any():
        return duplicate
    opens = np.append(True, ~same)
    leader = order[np.maximum.accumulate(np.where(opens, np.arange(n), 0))]
    elsewhere = table.place[order] != table.place[leader]
    again = ~opens & (elsewhere | has_identification[order])
    duplicate[order[again]] = True
    return duplicate
