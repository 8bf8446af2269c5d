"""Range sets against plain sets of integers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dissector.range_set import RangeSet

bounds = st.integers(-5, 45)
changes = st.lists(st.tuples(st.booleans(), bounds, bounds), max_size=30)
EVERYTHING = range(-10, 50)


def numbers(ranges: object) -> set[int]:
    return {n for start, end in ranges for n in range(start, end)}  # type: ignore[attr-defined]


@given(changes, bounds, bounds)
def test_like_a_set_of_integers(steps: list[tuple[bool, int, int]], start: int, end: int) -> None:
    ranges, expected = RangeSet(), set[int]()
    for is_added, low, high in steps:
        if is_added:
            ranges.add(low, high)
            expected |= set(range(low, high))
        else:
            ranges.subtract(low, high)
            expected -= set(range(low, high))
    assert numbers(ranges) == expected
    assert ranges.size == len(expected)
    assert [n for n in EVERYTHING if n in ranges] == sorted(expected)
    # Sorted, not empty, neither overlapping nor touching.
    flat = [bound for pair in ranges for bound in pair]
    assert flat == sorted(set(flat))
    assert len(ranges) == len(flat) // 2
    asked = set(range(start, end))
    assert ranges.contains(start, end) == (asked <= expected)
    covered, missing = list(ranges.covered(start, end)), list(ranges.missing(start, end))
    assert numbers(covered) == asked & expected
    assert numbers(missing) == asked - expected
    assert covered == sorted(covered)
    assert missing == sorted(missing)
    assert all(low < high for low, high in covered + missing)
    assert ranges.start == min(expected, default=None)
    assert ranges.end == (max(expected) + 1 if expected else None)


def test_data_sequence_numbers_of_64_bits_are_exact() -> None:
    top = 2**64
    ranges = RangeSet([(top - 3, top), (top + 1, top + 2)])
    ranges.add(top, top + 1)
    assert list(ranges) == [(top - 3, top + 2)]
    assert top + 1 in ranges
    assert top + 2 not in ranges


def test_equality_is_that_of_the_numbers() -> None:
    assert RangeSet([(1, 3), (3, 5)]) == RangeSet([(1, 5)])
    assert RangeSet([(1, 3)]) != RangeSet([(1, 4)])
    assert RangeSet() != object()
    assert repr(RangeSet([(1, 3)])) == "RangeSet([(1, 3)])"
