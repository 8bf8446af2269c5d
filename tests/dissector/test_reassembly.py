"""Copies and order against models that keep one entry an octet."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector.reassembly import CopyClassifier, CopyPiece, DataReassembler, OutOfOrderPiece


class Sent(NamedTuple):
    subflow: int
    delta: int
    data_seq: int
    length: int


sent_packets = st.lists(
    st.builds(
        Sent,
        subflow=st.integers(0, 2),
        delta=st.sampled_from([0, 100, 101]),
        data_seq=st.integers(1000, 1030),
        length=st.integers(0, 15),
    ),
    max_size=30,
)


@given(sent_packets)
def test_copies_equal_a_list_of_earlier_copies_per_octet(packets: list[Sent]) -> None:
    classifier = CopyClassifier()
    earlier: dict[int, list[tuple[int, int, int]]] = {}
    for frame, packet in enumerate(packets, start=1):
        subflow, delta, data_seq, length = packet
        answer = classifier.receive(subflow, data_seq - delta, data_seq, length, frame)
        at = data_seq
        for piece in answer:
            assert piece.data_seq == at
            assert piece.length > 0
            for octet in range(at, at + piece.length):
                copies = earlier.get(octet, [])
                expected: tuple[str, int | None, int | None]
                if not copies:
                    expected = ("first", None, None)
                else:
                    if any(copy[:2] == (subflow, delta) for copy in copies):
                        kind = "retransmission"
                    elif any(copy[0] == subflow for copy in copies):
                        kind = "remapped"
                    else:
                        kind = "reinjection"
                    expected = (kind, copies[-1][2], copies[-1][0])
                assert (piece.kind, piece.previous_frame, piece.previous_subflow) == expected
            at += piece.length
        assert at == data_seq + length
        for octet in range(data_seq, data_seq + length):
            earlier.setdefault(octet, []).append((subflow, delta, frame))


def test_each_kind_of_copy_by_hand() -> None:
    classifier = CopyClassifier()
    assert classifier.receive(0, 1, 1001, 100, frame=1) == [
        CopyPiece(1001, 100, "first", None, None)
    ]
    # TCP sends the last half again, and 50 octets more in the same segment.
    assert classifier.receive(0, 51, 1051, 100, frame=2) == [
        CopyPiece(1051, 50, "retransmission", 1, 0),
        CopyPiece(1101, 50, "first", None, None),
    ]
    # MPTCP sends them on the other subflow, in pieces that do not begin where the first did.
    assert classifier.receive(1, 1, 1021, 60, frame=3) == [
        CopyPiece(1021, 30, "reinjection", 1, 0),
        CopyPiece(1051, 30, "reinjection", 2, 0),
    ]
    # ... and once more on the first subflow, under new subflow sequence numbers.
    assert classifier.receive(0, 151, 1021, 10, frame=4) == [CopyPiece(1021, 10, "remapped", 3, 1)]
    # That copy repeated is TCP's doing again: a sequence number that was used before.
    assert classifier.receive(0, 151, 1021, 10, frame=5) == [
        CopyPiece(1021, 10, "retransmission", 4, 0)
    ]


arrivals = st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 12)), max_size=30)


@given(st.one_of(st.none(), st.just(0)), arrivals)
def test_order_equals_a_set_of_octets(
    first_data_seq: int | None, packets: list[tuple[int, int]]
) -> None:
    reassembler = DataReassembler(first_data_seq)
    frontier = first_data_seq
    seen: set[int] = set()
    waiting: dict[int, tuple[int, int]] = {}  # octet -> frame and time of the copy that waits
    delivered = bytearray()
    released: dict[int, int | None] = {}
    expected_released: dict[int, int | None] = {}
    began = first_data_seq
    for frame, (data_seq, length) in enumerate(packets, start=1):
        if length and frontier is None:
            began = frontier = data_seq
        time_ns = frame * 1000
        payload = bytes(octet % 256 for octet in range(data_seq, data_seq + length))
        progress = reassembler.receive(data_seq, length, frame, time_ns, payload)
        if frontier is None:
            assert progress == ((), (), ())
            continue
        new = [o for o in range(data_seq, data_seq + length) if o >= frontier and o not in seen]
        seen.update(new)
        missing_below = {o: sum(b not in seen for b in range(frontier, o)) for o in new}
        late = [o for o in new if missing_below[o]]
        for piece in progress.out_of_order:
            octets = range(piece.data_seq, piece.data_seq + piece.length)
            assert {missing_below[octet] for octet in octets} == {piece.extent}
            assert (piece.frame, piece.time_ns, piece.delay_ns) == (frame, time_ns, None)
        named = [
            octet
            for piece in progress.out_of_order
            for octet in range(piece.data_seq, piece.data_seq + piece.length)
        ]
        assert named == late
        for octet in late:
            waiting[octet] = (frame, time_ns)
        while frontier in seen:
            if frontier in waiting:
                expected_released[frontier] = time_ns - waiting.pop(frontier)[1]
            frontier += 1
        for done in progress.released:
            for octet in range(done.data_seq, done.data_seq + done.length):
                released[octet] = done.delay_ns
        for part in progress.delivered:
            assert began is not None
            assert part.data_seq == began + len(delivered)
            assert len(part.payload) == part.length
            delivered += part.payload
        assert released == expected_released
        assert reassembler.frontier == frontier
        assert reassembler.waiting_octets == len(waiting)
    if began is not None and frontier is not None:
        assert bytes(delivered) == bytes(octet % 256 for octet in range(began, frontier))
    still = {
        octet
        for piece in reassembler.still_out_of_order
        for octet in range(piece.data_seq, piece.data_seq + piece.length)
    }
    assert still == set(waiting)


def test_a_gap_its_extent_and_its_delay() -> None:
    reassembler = DataReassembler(first_data_seq=100)
    assert reassembler.receive(110, 10, 1, 1_000, b"B" * 10).out_of_order == (
        OutOfOrderPiece(110, 10, 1, 1_000, extent=10),
    )
    assert reassembler.receive(130, 5, 2, 2_000, b"D" * 5).out_of_order == (
        OutOfOrderPiece(130, 5, 2, 2_000, extent=20),
    )
    progress = reassembler.receive(100, 10, 3, 7_000, b"A" * 10)
    assert [piece.payload for piece in progress.delivered] == [b"A" * 10, b"B" * 10]
    assert [(piece.data_seq, piece.delay_ns) for piece in progress.released] == [(110, 6_000)]
    assert reassembler.frontier == 120
    assert [piece.data_seq for piece in reassembler.still_out_of_order] == [130]


def test_skipping_a_gap_goes_on_above_it_and_claims_no_delay() -> None:
    reassembler = DataReassembler(first_data_seq=0)
    assert reassembler.skip_gap(0) == ((), (), ())
    reassembler.receive(5, 2, 1, 10, b"xy")
    reassembler.receive(9, 1, 2, 20, b"z")
    progress = reassembler.skip_gap(30)
    assert [(piece.data_seq, piece.payload) for piece in progress.delivered] == [(5, b"xy")]
    assert [piece.delay_ns for piece in progress.released] == [None]
    assert reassembler.frontier == 7
    # What was skipped is below the frontier now: too late.
    assert reassembler.receive(0, 5, 3, 40, b"aaaaa").delivered == ()
    assert [piece.payload for piece in reassembler.receive(7, 2, 4, 50, b"ww").delivered] == [
        b"ww",
        b"z",
    ]


@pytest.mark.parametrize("kept", [0, 3, 8])
def test_payload_that_the_capture_cut_is_delivered_as_far_as_it_goes(kept: int) -> None:
    (piece,) = DataReassembler(0).receive(0, 8, 1, 0, b"12345678"[:kept]).delivered
    assert (piece.length, piece.payload) == (8, b"12345678"[:kept])
