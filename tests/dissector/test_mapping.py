"""Mappings against a dict with one entry an octet, and the cases RFC 8684 names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector.mapping import MappedRange, Mapping, MappingTable

mappings = st.builds(
    Mapping,
    data_seq=st.integers(1000, 1030),
    subflow_seq=st.integers(0, 40),
    length=st.integers(1, 15),
)


@given(st.lists(mappings, max_size=20), st.integers(0, 50), st.integers(0, 60))
def test_equals_a_dict_of_octets(added: list[Mapping], start: int, length: int) -> None:
    table = MappingTable()
    model: dict[int, int] = {}
    for mapping in added:
        named = {mapping.subflow_seq + i: mapping.data_seq + i for i in range(mapping.length)}
        known = {octet: model[octet] for octet in named if octet in model}
        if any(named[octet] != known[octet] for octet in known):
            expected = "conflicting"
        elif not known:
            expected = "new"
        else:
            expected = "repeated" if len(known) == len(named) else "extends"
        model = named | model
        assert table.add(mapping) == expected
    answer = table.translate(start, length)
    octets: dict[int, int | None] = {}
    for piece in answer:
        for i in range(piece.length):
            data = None if piece.data_start is None else piece.data_start + i
            octets[piece.subflow_start + i] = data
    assert octets == {octet: model.get(octet) for octet in range(start, start + length)}
    assert sum(piece.length for piece in answer) == length


def test_one_segment_that_spans_two_mappings_is_split_at_their_border() -> None:
    table = MappingTable()
    assert table.add(Mapping(data_seq=1000, subflow_seq=1, length=100)) == "new"
    assert table.add(Mapping(data_seq=5000, subflow_seq=101, length=100)) == "new"
    assert table.translate(51, 100) == [MappedRange(51, 1050, 50), MappedRange(101, 5000, 50)]


def test_a_mapping_covers_segments_before_and_after_the_one_that_carries_it() -> None:
    table = MappingTable()
    table.add(Mapping(data_seq=70_000, subflow_seq=1, length=8192, frame_number=7))
    assert table.translate(1, 1400) == [MappedRange(1, 70_000, 1400)]
    assert table.translate(8100, 200) == [
        MappedRange(8100, 78_099, 93),
        MappedRange(8193, None, 107),
    ]
    found = table.mapping_at(8192)
    assert found is not None
    assert found.frame_number == 7
    assert table.mapping_at(8193) is None
    assert table.mapping_at(0) is None


def test_of_conflicting_mappings_the_first_keeps_its_octets_and_the_rest_is_taken() -> None:
    table = MappingTable()
    table.add(Mapping(data_seq=1000, subflow_seq=10, length=10))
    assert table.add(Mapping(data_seq=2000, subflow_seq=5, length=20)) == "conflicting"
    assert table.translate(5, 20) == [
        MappedRange(5, 2000, 5),
        MappedRange(10, 1000, 10),
        MappedRange(20, 2015, 5),
    ]


def test_an_infinite_mapping_has_no_end_and_takes_nothing_from_earlier_ones() -> None:
    table = MappingTable()
    table.add(Mapping(data_seq=1000, subflow_seq=1, length=100))
    infinite = Mapping(data_seq=1100, subflow_seq=101, length=0)
    assert infinite.infinite
    assert table.add(infinite) == "new"
    assert table.add(infinite) == "repeated"
    assert table.translate(91, 2**63) == [
        MappedRange(91, 1090, 10),
        MappedRange(101, 1100, 2**63 - 10),
    ]
    assert table.add(Mapping(data_seq=9, subflow_seq=500, length=1)) == "conflicting"


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        Mapping(data_seq=0, subflow_seq=0, length=-1)
