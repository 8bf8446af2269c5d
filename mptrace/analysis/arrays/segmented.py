"""Operations over groups that stand together in one column: no Python loop over groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


def where(mask: Bool, *columns: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """The columns where the mask is true; not copied where it is so everywhere."""
    if mask.all():
        return columns
    rows = np.flatnonzero(mask)
    return tuple(column.take(rows) for column in columns)


def group_starts(group: NDArray[np.integer]) -> Int:
    """Index of the first row of each run of equal values; ``group`` is (n,), runs contiguous."""
    if group.size == 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))


def is_group_start(group: NDArray[np.integer]) -> Bool:
    """True at the first row of each run of equal values."""
    flag = np.ones(group.size, np.bool_)
    flag[1:] = group[1:] != group[:-1]
    return flag


def exclusive_prefix_min(group: Int, value: Int, nothing: int) -> Int:
    """The smallest ``value`` of the earlier rows of the same run; ``nothing`` where none.

    Values must lie in [0, nothing].
    """
    starts = is_group_start(group)
    rank = np.cumsum(starts)
    span = np.int64(nothing) + 1
    # a later group lies a whole span lower, so that the running minimum starts anew there
    lowered = value - rank * span
    running = np.minimum.accumulate(lowered) + rank * span
    result = np.empty_like(value)
    result[1:] = running[:-1]
    result[starts] = nothing
    return result


_VALUE_BITS = 44
"""Room for nanoseconds of almost five hours."""


def sorted_within(group: NDArray[np.integer], value: Int) -> Int:
    """The values of each group, sorted, group by group."""
    if not value.size:
        return value
    wide = group.astype(np.int64)
    narrow = int(value.min()) >= 0 and int(value.max()) < 1 << _VALUE_BITS
    if narrow and int(wide.max()) < 1 << (62 - _VALUE_BITS):
        # one number for both: sorting numbers is several times as fast as ordering rows
        key = np.sort(wide << _VALUE_BITS | value)
        return key & ((1 << _VALUE_BITS) - 1)
    return value[np.lexsort((value, group))]


def percentile_of_sorted(
    value: NDArray[np.int64], first: Int, count: Int, quantile: float
) -> NDArray[np.float64]:
    """The quantile of each group of a column sorted within groups, linearly interpolated.

    The same rule as ``numpy.percentile`` and ``pandas.Series.quantile`` by default.
    """
    rank = quantile * (count - 1)
    below = np.floor(rank).astype(np.int64)
    low = value[first + below].astype(np.float64)
    high = value[first + np.minimum(below + 1, count - 1)].astype(np.float64)
    result: NDArray[np.float64] = low + (high - low) * (rank - below)
    return result


def sum_by(group: NDArray[np.integer], weight: NDArray[np.integer], groups: int) -> Int:
    """Integer sums per group number; exact for sums below 2**53."""
    return np.bincount(group, weights=weight, minlength=groups).astype(np.int64)


def count_by(group: NDArray[np.integer], groups: int) -> Int:
    """Rows per group number."""
    return np.bincount(group, minlength=groups).astype(np.int64)
