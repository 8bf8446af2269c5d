"""IntervalMap against the plainest model there is: a dict with one entry an octet."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dissector.interval_map import IntervalMap

positions = st.integers(0, 60)
assignments = st.lists(st.tuples(positions, st.integers(-2, 20), st.integers(0, 4)), max_size=25)


@given(assignments, positions, st.integers(-2, 70))
def test_equals_a_dict_of_octets(
    assigned: list[tuple[int, int, int]], start: int, length: int
) -> None:
    ranges: IntervalMap[int] = IntervalMap()
    model: dict[int, int] = {}
    for at, octets, value in assigned:
        ranges.assign(at, at + octets, value)
        model.update(dict.fromkeys(range(at, at + octets), value))
    pieces = ranges.pieces(start, start + length)
    answered = [octet for piece in pieces for octet in range(piece.start, piece.end)]
    assert answered == list(range(start, start + length))
    for piece in pieces:
        assert piece.start < piece.end
        assert {model.get(octet) for octet in range(piece.start, piece.end)} == {piece.value}
    stored = list(ranges)
    assert len(stored) == len(ranges)
    assert {octet: value for s, e, value in stored for octet in range(s, e)} == model
    assert all(end <= after for (_, end, _), (after, _, _) in pairwise(stored))


def test_neighbours_stay_apart_and_only_what_is_laid_over_is_split() -> None:
    ranges: IntervalMap[str] = IntervalMap()
    ranges.assign(0, 10, "a")
    ranges.assign(10, 20, "a")
    assert list(ranges) == [(0, 10, "a"), (10, 20, "a")]
    ranges.assign(4, 12, "b")
    assert list(ranges) == [(0, 4, "a"), (4, 12, "b"), (12, 20, "a")]
    ranges.assign(5, 6, "c")
    assert list(ranges) == [(0, 4, "a"), (4, 5, "b"), (5, 6, "c"), (6, 12, "b"), (12, 20, "a")]


def test_positions_of_64_bits_and_more() -> None:
    ranges: IntervalMap[str] = IntervalMap()
    ranges.assign(2**64 - 1, 2**64 + 1, "wraps")
    assert ranges.pieces(2**64 - 2, 2**64 + 2) == [
        (2**64 - 2, 2**64 - 1, None),
        (2**64 - 1, 2**64 + 1, "wraps"),
        (2**64 + 1, 2**64 + 2, None),
    ]
