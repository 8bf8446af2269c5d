"""Serial arithmetic against plain integers that never wrap."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dissector import sequence

HALF_32 = 1 << 31
HALF_64 = 1 << 63
places = st.integers(0, (1 << 70) - 1)
steps_32 = st.integers(-HALF_32, HALF_32 - 1)


@given(places, steps_32)
def test_difference_is_the_step_however_it_wraps(place: int, step: int) -> None:
    number, reference = (place + step) % 2**32, place % 2**32
    assert sequence.difference(number, reference) == step
    assert sequence.is_before(number, reference) == (step < 0)


@given(places, st.integers(-HALF_64, HALF_64 - 1))
def test_difference_of_data_sequence_numbers(place: int, step: int) -> None:
    number, reference = (place + step) % 2**64, place % 2**64
    assert sequence.difference(number, reference, bits=64) == step
    arrays = np.array([number], np.uint64), np.array([reference], np.uint64)
    assert sequence.data_differences(*arrays).tolist() == [step]


@given(places, steps_32)
def test_expand_finds_the_number_that_was_cut(place: int, step: int) -> None:
    full = (place + step) % 2**64
    assert sequence.expand(full % 2**32, place % 2**64) == full


def test_expand_at_the_ends_of_the_circle() -> None:
    assert sequence.expand(0x00000001, 0xFFFFFFFFFFFFFFF0) == 1
    assert sequence.expand(0xFFFFFFFF, 0) == 0xFFFFFFFFFFFFFFFF
    assert sequence.expand(0x10, 0x1_FFFFFFF0) == 0x2_00000010


@given(st.lists(st.tuples(places, steps_32), max_size=20))
def test_arrays_say_what_scalars_say(pairs: list[tuple[int, int]]) -> None:
    expected = [place % 2**64 for place, _ in pairs]
    numbers = [(place + step) % 2**32 for place, step in pairs]
    found = sequence.expand_array(np.array(numbers, np.uint32), np.array(expected, np.uint64))
    assert found.dtype == np.uint64
    assert found.tolist() == [(place + step) % 2**64 for place, step in pairs]
    steps = sequence.differences(
        np.array(numbers, np.uint32), np.array([e % 2**32 for e in expected], np.uint32)
    )
    assert steps.tolist() == [step for _, step in pairs]


def test_expand_array_takes_one_expected_number() -> None:
    numbers = np.array([0xFFFFFFFF, 0, 1], np.uint32)
    assert sequence.expand_array(numbers, np.uint64(1 << 32)).tolist() == [
        (1 << 32) - 1,
        1 << 32,
        (1 << 32) + 1,
    ]


@given(st.integers(0, 2**32 - 1), st.lists(steps_32, max_size=40))
def test_unwrap_follows_every_step(start: int, steps: list[int]) -> None:
    positions = [0]
    for step in steps:
        positions.append(positions[-1] + step)
    numbers = np.array([(start + position) % 2**32 for position in positions], np.uint32)
    assert sequence.unwrap(numbers).tolist() == positions
    assert sequence.unwrap(numbers[:0]).tolist() == []


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.lists(st.integers(-5000, 5000), max_size=6)),
        max_size=6,
    )
)
def test_unwrap_groups_starts_anew_in_each_group(groups: list[tuple[int, list[int]]]) -> None:
    numbers: list[int] = []
    names: list[int] = []
    expected: list[int] = []
    for name, (start, steps) in enumerate(groups):
        position = 0
        for step in [0, *steps]:
            position += step
            numbers.append((start + position) % 2**32)
            names.append(name)
            expected.append(position)
    found = sequence.unwrap_groups(np.array(numbers, np.uint32), np.array(names, np.int64))
    assert found.tolist() == expected
