"""Mappings that contradict each other: who comes first owns the octet, however it is worked out."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mptrace.analysis.data_sequence.mapping_runs import Mappings, runs_of

MAPPING = st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(0, 3))


def mappings_of(rows: list[tuple[int, int, int]]) -> Mappings:
    """Rows in order of announcement: place, length, distance to the data axis."""
    order = sorted(range(len(rows)), key=lambda index: rows[index][0])
    place = np.array([rows[index][0] for index in order], np.int64)
    length = np.array([rows[index][1] for index in order], np.int64)
    distance = np.array([rows[index][2] for index in order], np.int64)
    n = place.size
    zeros = np.zeros(n, np.int64)
    return Mappings(
        way=zeros,
        space=zeros,
        place=place,
        place_end=place + length,
        data_place=place + distance,
        first_row=np.array(order, np.int64),
        announced=zeros + 1,
        has_checksum=np.zeros(n, np.bool_),
        checksum=np.zeros(n, np.uint16),
        data_fin=np.zeros(n, np.bool_),
        conflicting=np.zeros(n, np.bool_),
    )


@settings(max_examples=150)
@given(st.lists(MAPPING, min_size=1, max_size=12), st.sampled_from([0, 1_000_000]))
def test_every_octet_goes_to_the_mapping_announced_first(
    rows: list[tuple[int, int, int]], limit: int
) -> None:
    owner: dict[int, int] = {}
    contradicted = set()
    for index, (place, length, distance) in enumerate(rows):
        for octet in range(place, place + length):
            if owner.setdefault(octet, distance) != distance:
                contradicted.add(index)
    mappings = mappings_of(rows)
    runs = runs_of(mappings, limit)
    found = {
        octet: distance
        for start, end, distance in zip(
            runs.start.tolist(), runs.end.tolist(), runs.distance.tolist(), strict=True
        )
        for octet in range(start, end)
    }
    assert found == owner
    assert set(mappings.first_row[mappings.conflicting].tolist()) == contradicted


def test_time_is_nearly_linear_in_contradicting_mappings() -> None:
    """Each of 20,000 contradicts thousands: pair by pair this took minutes."""
    n = 20_000
    mappings = mappings_of([(index, 60_000, index) for index in range(n)])
    runs = runs_of(mappings)
    assert runs.start.tolist()[:2] == [0, 60_000]
    assert runs.end[-1] == n - 1 + 60_000
    assert int(np.count_nonzero(mappings.conflicting)) == n - 1
