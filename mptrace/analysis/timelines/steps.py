"""Step functions of time: values that hold until the next change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64


@dataclass(frozen=True, slots=True)
class Steps:
    """A value from each time on until the next; both columns are (n,), times ascend."""

    time_ns: I64
    value: I64

    def __len__(self) -> int:
        return int(self.time_ns.size)


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of something, in capture order; every column is (n,)."""

    frame: I64
    time_ns: I64
    value: I64


def difference(upper: Changes, lower: Changes, before_upper: int, before_lower: int) -> Steps:
    """``upper - lower`` at each change of either, never below 0.

    ``before_upper`` and ``before_lower`` hold until the first change of each.
    """
    frame = np.concatenate((upper.frame, lower.frame))
    order = np.argsort(frame, kind="stable")
    is_upper = (np.arange(frame.size) < upper.frame.size)[order]
    time_ns = np.concatenate((upper.time_ns, lower.time_ns))[order]
    value = np.concatenate((upper.value, lower.value))[order]
    high = _held(value, is_upper, before_upper)
    low = _held(value, ~is_upper, before_lower)
    return Steps(np.maximum.accumulate(time_ns), np.maximum(high - low, 0))


def _held(value: I64, own: np.ndarray[tuple[int], np.dtype[np.bool_]], before: int) -> I64:
    """The latest own value at each row."""
    latest = np.maximum.accumulate(np.where(own, np.arange(value.size), -1))
    if not value.size:
        return value
    return np.where(latest >= 0, value[np.maximum(latest, 0)], before)


def level(time_ns: I64, change: I64) -> Steps:
    """The running sum of changes, one row for each time at which something changed."""
    order = np.argsort(time_ns, kind="stable")
    time_ns, total = time_ns[order], np.cumsum(change[order])
    last = np.ones(time_ns.size, np.bool_)
    last[:-1] = time_ns[1:] != time_ns[:-1]
    return Steps(time_ns[last], total[last])
