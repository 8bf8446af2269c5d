"""Fewer points than there are, without losing an extreme.

The time in view is cut into bins, and of each bin the first, the last, the lowest and the highest
point stay: a line through them covers the same pixels as one through all (M4: Jugel, Jerzak,
Hackenbroich and Markl, VLDB 2014). The report's script does the same in the page, on every zoom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis.columns.tables import I64

BINS = 500
"""About half of a screen's pixels: two thousand points at most for a series."""


def keep_extremes(x: I64, low: I64, high: I64, bins: int = BINS) -> I64:
    """Rows to draw, ascending: first, last, lowest ``low`` and highest ``high`` of each bin.

    The columns are (n,), ``x`` ascending; where a capture's clock went back, such rows count with
    the bin before them. All rows where there are at most ``4 * bins``.
    """
    n = x.size
    if n <= 4 * bins:
        return np.arange(n)
    x = np.maximum.accumulate(x)
    span = int(x[-1] - x[0]) + 1
    bin_of = ((x - x[0]) * bins) // span
    starts = np.flatnonzero(np.append(True, bin_of[1:] != bin_of[:-1]))
    last = np.append(starts[1:], n) - 1
    lowest = np.lexsort((low, bin_of))[starts]
    highest = np.lexsort((high, bin_of))[last]
    return np.unique(np.concatenate((starts, last, lowest, highest)))


def clusters(x: Sequence[float], lane: Sequence[float], closer_than: float) -> list[list[int]]:
    """Events of one lane that would be drawn over each other, as lists of rows in order of x."""
    latest: dict[float, list[int]] = {}
    found: list[list[int]] = []
    for row in sorted(range(len(x)), key=lambda row: x[row]):
        group = latest.get(lane[row])
        if group is not None and x[row] - x[group[0]] < closer_than:
            group.append(row)
        else:
            latest[lane[row]] = [row]
            found.append(latest[lane[row]])
    return found


def label_spots(
    x: Sequence[float], lane: Sequence[float], width: Sequence[float], right_end: float
) -> list[str]:
    """Where the label of each mark has room: ``right`` of it, ``left`` of it, or nowhere ("").

    Marks are in order of ``x``; labels of one lane must not cover each other.
    """
    free_from: dict[float, float] = {}
    spots = []
    for at, own, size in zip(x, lane, width, strict=True):
        taken = free_from.get(own, float("-inf"))
        if at >= taken and at + size <= right_end:
            spots.append("right")
            free_from[own] = at + size
        elif at - size >= taken:
            spots.append("left")
            free_from[own] = at
        else:
            spots.append("")
            free_from[own] = max(taken, at)
    return spots
