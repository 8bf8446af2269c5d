"""Step functions by hand, and bins of round widths."""

from __future__ import annotations

import numpy as np
import pytest

from mptrace.analysis.timelines.rates import bin_width_ns
from mptrace.analysis.timelines.steps import Changes, difference, level


def changes(*rows: tuple[int, int]) -> Changes:
    frames = np.array([frame for frame, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.int64)
    return Changes(frames, frames * 10, values)


def test_a_difference_holds_each_side_until_its_next_change() -> None:
    steps = difference(changes((2, 7), (5, 20)), changes((3, 5), (6, 30)), 1, 1)
    assert steps.time_ns.tolist() == [20, 30, 50, 60]
    assert steps.value.tolist() == [6, 2, 15, 0]  # never below 0
    assert len(difference(changes(), changes(), 0, 0)) == 0


def test_a_level_has_one_row_for_each_time() -> None:
    steps = level(np.array([30, 10, 30, 20]), np.array([-5, 5, 2, 1]))
    assert steps.time_ns.tolist() == [10, 20, 30]
    assert steps.value.tolist() == [5, 6, 3]


@pytest.mark.parametrize(
    ("duration_ns", "width_ns"),
    [
        (0, 1_000_000),
        (60_000_000, 1_000_000),
        (61_000_000, 2_000_000),
        (3_600_000_000, 100_000_000),
        (10**9, 20_000_000),
        (86_400 * 10**9, 2_000 * 10**9),
    ],
)
def test_bins_have_round_widths(duration_ns: int, width_ns: int) -> None:
    assert bin_width_ns(duration_ns) == width_ns
