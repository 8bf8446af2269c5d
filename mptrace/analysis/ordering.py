"""Stable sort orders of group numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.tables import I64


def stable_order(group: NDArray[np.integer]) -> I64:
    """Row order that sorts small non-negative numbers and keeps equal ones as they stand.

    numpy sorts 16-bit numbers by radix, in linear time; wider ones go in two such passes.
    """
    if group.size == 0:
        return np.empty(0, np.int64)
    low = np.argsort(group.astype(np.uint16), kind="stable")
    if int(group.max()) < 1 << 16:
        return low
    high = (group >> 16).astype(np.uint16)[low]
    return low[np.argsort(high, kind="stable")]
