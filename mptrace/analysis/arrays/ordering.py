"""Stable sort orders of group numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64


def stable_order(group: NDArray[np.integer]) -> I64:
    """Row order that sorts small non-negative numbers and keeps equal ones as they stand.

    numpy sorts 16-bit numbers by radix, in linear time; wider ones go in two such passes.
    """
    if bool((group[1:] >= group[:-1]).all()):
        return np.arange(group.size)
    low = np.argsort(group.astype(np.uint16), kind="stable")
    if int(group.max()) < 1 << 16:
        return low
    high = (group >> 16).astype(np.uint16)[low]
    return low[np.argsort(high, kind="stable")]


def group_and_frame(group: NDArray[np.integer], frame: NDArray[np.integer]) -> I64:
    """One number that sorts by group, then frame."""
    return (group.astype(np.int64) << 32) | frame


def capture_order(group: NDArray[np.integer], frame: NDArray[np.integer]) -> I64:
    """Row order that sorts by group, then frame, and keeps equal rows as they stand.

    Fast for rows that consist of few stretches in that order, as those of a subflow's ways do.
    """
    key = group_and_frame(group, frame)
    if bool((key[1:] >= key[:-1]).all()):
        return np.arange(key.size)
    order = stable_order(group)
    key = key[order]
    if bool((key[1:] >= key[:-1]).all()):
        return order
    return order[np.argsort(key, kind="stable")]
