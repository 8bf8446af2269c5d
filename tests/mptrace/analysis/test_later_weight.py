"""How much of what stands below came later: layers, bits, and counting one by one agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mptrace.analysis.data_sequence.data_order import later_weight_below

ARRIVALS = st.one_of(
    st.lists(st.integers(0, 30), max_size=60),
    # long descents make more layers than are taken away, so that the rest is counted by bits
    st.integers(0, 60).map(lambda n: list(range(n, 0, -1))),
    st.lists(st.integers(0, 5), max_size=8).map(lambda xs: sorted(xs, reverse=True) * 4),
)


@settings(max_examples=150)
@given(ARRIVALS, st.data())
def test_it_is_what_counting_one_by_one_gives(arrivals: list[int], data: st.DataObject) -> None:
    n = len(arrivals)
    weights = data.draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    asked = sorted(data.draw(st.sets(st.integers(0, max(n - 1, 0)), max_size=n)) if n else [])
    expected = [sum(weights[j] for j in range(i) if arrivals[j] > arrivals[i]) for i in asked]
    found = later_weight_below(
        np.array(arrivals, np.int64), np.array(weights, np.int64), np.array(asked, np.int64)
    )
    assert found.tolist() == expected


def test_more_layers_than_are_taken_away() -> None:
    arrival = np.arange(2000, 0, -1)
    weight = np.arange(2000)
    found = later_weight_below(arrival, weight, np.arange(2000))
    assert found.tolist() == np.concatenate(([0], np.cumsum(weight)[:-1])).tolist()
