"""Thinning loses no extreme, whatever the series."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mptrace.views.charts.thinning import clusters, keep_extremes, label_spots

SERIES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(-(10**12), 10**12), st.integers(0, 10**6)),
    min_size=0,
    max_size=400,
)


@given(SERIES, st.integers(1, 20))
def test_every_bin_keeps_its_ends_and_extremes(rows: list[tuple[int, int, int]], bins: int) -> None:
    x = np.cumsum(np.array([step for step, _, _ in rows], np.int64))
    low = np.array([value for _, value, _ in rows], np.int64)
    high = low + np.array([more for _, _, more in rows], np.int64)
    kept = keep_extremes(x, low, high, bins)
    assert np.all(np.diff(kept) > 0)
    assert kept.size <= max(4 * bins, 0)
    if not x.size:
        return
    assert {0, x.size - 1} <= set(kept.tolist())
    if x.size <= 4 * bins:
        assert kept.size == x.size
        return
    # bins by exact fractions, one row at a time
    span = int(x[-1] - x[0]) + 1
    members: dict[int, list[int]] = {}
    for row, value in enumerate((x - x[0]).tolist()):
        members.setdefault(value * bins // span, []).append(row)
    chosen = set(kept.tolist())
    for own in members.values():
        mine = [row for row in own if row in chosen]
        assert own[0] in chosen
        assert own[-1] in chosen
        assert min(low[own]) == min(low[mine])
        assert max(high[own]) == max(high[mine])


def test_a_spike_among_a_million_points_survives() -> None:
    x = np.arange(1_000_000)
    value = np.zeros(x.size, np.int64)
    value[654_321] = 7
    value[123_456] = -7
    kept = keep_extremes(x, value, value)
    assert kept.size <= 2000
    assert {654_321, 123_456} <= set(kept.tolist())


def test_times_that_go_back_are_no_error() -> None:
    x = np.array([0, 5, 3, 9, 1, 2, 30, 4])
    value = np.arange(8)
    kept = keep_extremes(x, value, value, 1)
    assert kept.tolist() == [0, 7]


def test_events_that_overlap_share_a_mark_in_their_lane() -> None:
    found = clusters([0.0, 0.1, 0.15, 0.9, 0.12], [0, 0, 1, 0, 0], 0.2)
    assert found == [[0, 1, 4], [2], [3]]


def test_labels_do_not_cover_each_other() -> None:
    spots = label_spots([0.0, 0.1, 0.5, 0.95], [0, 0, 0, 0], [0.3, 0.3, 0.3, 0.3], 1.0)
    # the second has no room, the last one only on its left if the third left it any
    assert spots == ["right", "", "right", ""]
    assert label_spots([0.0, 0.95], [0, 0], [0.3, 0.3], 1.0) == ["right", "left"]
    assert label_spots([0.0, 0.1], [0, 1], [0.3, 0.3], 1.0) == ["right", "right"]
