"""Half-open integer intervals in columns: overlap clusters, elementary pieces, coverage.

Positions are int64 on one flat axis; callers put groups (subflow directions, data sequence
spaces) side by side on it, so that no function here needs to know of groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


class TooManyPiecesError(Exception):
    """Cutting would make more pieces than the caller allows; the input is pathological."""


def overlap_clusters(start: Int, end: Int) -> Int:
    """Number the clusters of transitively overlapping intervals, sorted by ``start``.

    ``start`` and ``end`` are (n,) int64 with ``start`` ascending. Returns (n,) int64 cluster
    numbers from 0, ascending. Intervals that only touch are in different clusters.
    """
    if start.size == 0:
        return np.empty(0, np.int64)
    reach = np.maximum.accumulate(end)
    opens = np.empty(start.size, np.int64)
    opens[0] = 0
    opens[1:] = start[1:] >= reach[:-1]
    return np.cumsum(opens)


def in_overlap(start: Int, end: Int) -> Bool:
    """Which of the intervals (sorted by ``start``) share an octet with another one."""
    n = start.size
    shared = np.zeros(n, np.bool_)
    if n > 1:
        reach = np.maximum.accumulate(end)
        touches = start[1:] < reach[:-1]
        # a cluster's members are the interval that opens it and all that follow until the next
        shared[1:] = touches
        shared[:-1] |= touches
    return shared


@dataclass(frozen=True, slots=True)
class Pieces:
    """Intervals cut at every border: piece i is [start, end) of interval ``source[i]``."""

    start: Int
    end: Int
    source: Int
    element: Int
    """Number of the elementary interval; equal numbers mean the same octets."""


def cut_everywhere(start: Int, end: Int, extra_borders: Int, limit: int) -> Pieces:
    """Cut every interval at every border of any of them and at ``extra_borders``.

    Pieces of one interval stand together, ascending; intervals keep their order.
    Raises TooManyPiecesError when there would be more than ``limit`` pieces.
    """
    borders = np.unique(np.concatenate((start, end, extra_borders)))
    first = np.searchsorted(borders, start)
    counts = np.searchsorted(borders, end) - first
    total = int(counts.sum())
    if total > limit:
        raise TooManyPiecesError(f"{total} pieces from {start.size} intervals")
    source = np.repeat(np.arange(start.size), counts)
    element = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts) + first[source]
    return Pieces(borders[element], borders[element + 1], source, element)


def pairs_of_overlap(start: Int, end: Int, other_start: Int, other_end: Int) -> tuple[Int, Int]:
    """Pairs (i, j) where [start, end) of i shares an octet with interval j of the others.

    The others are disjoint and sorted. Pairs stand in order of i, then j.
    """
    first = np.searchsorted(other_end, start, side="right")
    counts = np.maximum(np.searchsorted(other_start, end, side="left") - first, 0)
    counts[end <= start] = 0
    if counts.size and counts.min() == 1 and counts.max() == 1:
        return np.arange(start.size), first
    left = np.repeat(np.arange(start.size), counts)
    offset = np.arange(left.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, first[left] + offset
