"""Series of connections written packet by packet: every time and place is known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mptrace.analysis.timelines import DirectionTimelines, timelines_of
from mptrace.analysis.timelines.steps import Steps

MS = 1_000_000


def send(told: Any, subflow: Any, position: int, data: int, length: int) -> int:
    mapping = told.signal(0, mapping=(data, position, length))
    frame: int = told.segment(subflow, 0, 8, position, 1, [mapping], bytes(length))
    return frame


def acknowledge(told: Any, subflow: Any, ack: int, data_ack: int, **more: int) -> int:
    signal = told.signal(1, data_ack=data_ack)
    frame: int = told.segment(subflow, 1, 0, 1, ack, [signal], **more)
    return frame


def forth(told: Any, path: Path) -> DirectionTimelines:
    (connection,) = told.analyze(path / "told.pcap")
    return timelines_of(connection).direction("client_to_server")


def pairs(steps: Steps) -> list[tuple[int, int]]:
    """Frame (a packet comes every millisecond) and value of each step."""
    return [
        (time // MS + 1, value)
        for time, value in zip(steps.time_ns.tolist(), steps.value.tolist(), strict=True)
    ]


@pytest.fixture
def told(story: Callable[..., Any]) -> Any:
    """Two subflows (packets 1 to 6); data on both, in and out of order, and sent again."""
    made = story()
    one, two = made.open(), made.join()
    send(made, one, 1, 1, 100)  # packet 7
    send(made, two, 1, 201, 100)  # 8: out of order, 100 octets are missing below
    send(made, one, 101, 101, 100)  # 9: fills the gap
    acknowledge(made, one, 101, 101)  # 10
    acknowledge(made, two, 101, 101)  # 11: nothing new at the data level
    send(made, one, 101, 101, 100)  # 12: TCP's retransmission
    send(made, two, 101, 101, 100)  # 13: a reinjection
    send(made, one, 201, 101, 100)  # 14: remapped
    acknowledge(made, two, 201, 301)  # 15
    acknowledge(made, one, 201, 301)  # 16
    return made


def test_strokes_say_where_and_when_each_mapping_was_sent(told: Any, tmp_path: Path) -> None:
    strokes = forth(told, tmp_path).stretches()
    assert strokes.frame.tolist() == [7, 8, 9, 12, 13, 14]
    assert strokes.subflow.tolist() == [0, 1, 0, 0, 1, 0]
    assert strokes.start.tolist() == [1, 201, 101, 101, 101, 101]
    assert strokes.end.tolist() == [101, 301, 201, 201, 201, 201]
    assert strokes.kind.tolist() == [0, 0, 0, 1, 3, 2]
    assert strokes.start_ns.tolist() == [(frame - 1) * MS for frame in (7, 8, 9, 12, 13, 14)]


def test_repeated_data_says_what_it_repeats(told: Any, tmp_path: Path) -> None:
    strokes = forth(told, tmp_path).stretches()
    assert strokes.repeats_frame.tolist() == [0, 0, 0, 9, 12, 13]
    assert strokes.repeats_subflow.tolist() == [-1, -1, -1, 0, 0, 1]
    assert strokes.repeats_ns.tolist() == [0, 0, 0, 3 * MS, 1 * MS, 1 * MS]


def test_segments_of_one_mapping_are_one_stroke(story: Callable[..., Any], tmp_path: Path) -> None:
    made = story()
    one = made.open()
    mapping = made.signal(0, mapping=(1, 1, 300))
    first = made.segment(one, 0, 8, 1, 1, [mapping], bytes(100))
    made.segment(one, 0, 8, 101, 1, [], bytes(100))
    made.segment(one, 0, 8, 201, 1, [], bytes(100))
    send(made, one, 301, 301, 50)
    strokes = forth(made, tmp_path).stretches()
    assert strokes.frame.tolist() == [first, first + 3]
    assert strokes.packets.tolist() == [3, 1]
    assert (strokes.end - strokes.start).tolist() == [300, 50]
    assert (strokes.end_ns - strokes.start_ns).tolist() == [2 * MS, 0]


def test_data_ack_and_flights(told: Any, tmp_path: Path) -> None:
    series = forth(told, tmp_path)
    assert pairs(series.data_ack()) == [(10, 101), (15, 301)]
    flight = dict(pairs(series.data_flight()))
    assert flight == {7: 100, 8: 300, 9: 300, 10: 200, 12: 200, 13: 200, 14: 200, 15: 0}
    first, second = (dict(pairs(steps)) for steps in series.subflow_flights())
    # packets 2 and 5 acknowledge the SYNs; 16 acknowledges 100 of the 200 octets of subflow 0
    # that are outstanding since 14
    assert first == {2: 0, 7: 100, 9: 200, 10: 100, 12: 100, 14: 200, 16: 100}
    assert second == {5: 0, 8: 100, 11: 0, 13: 100, 15: 0}


def test_the_window_is_its_right_edge_less_the_data_ack(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    made = story()
    one = made.open()
    send(made, one, 1, 1, 100)
    acknowledge(made, one, 101, 101, window=1000)  # edge 1101
    send(made, one, 101, 101, 100)
    acknowledge(made, one, 201, 201, window=900)  # the edge stays, the window shrinks
    acknowledge(made, one, 201, 201, window=2000)  # edge 2201
    series = forth(made, tmp_path)
    assert [value for _, value in pairs(series.right_edge())] == [1101, 2201]
    assert pairs(series.window()) == [(5, 1000), (7, 900), (8, 2000)]


def test_the_reorder_queue_holds_what_came_too_early(told: Any, tmp_path: Path) -> None:
    series = forth(told, tmp_path)
    assert pairs(series.reorder_queue()) == [(8, 100), (9, 0)]
    late = series.out_of_order()
    assert late.frame.tolist() == [8]
    assert late.subflow.tolist() == [1]
    assert late.octets.tolist() == [100]
    assert late.extent.tolist() == [100]
    assert late.delay_ns.tolist() == [MS]


def test_what_is_never_filled_stays_in_the_queue(story: Callable[..., Any], tmp_path: Path) -> None:
    made = story()
    one = made.open()
    frame = send(made, one, 101, 101, 70)
    series = forth(made, tmp_path)
    assert pairs(series.reorder_queue()) == [(frame, 70)]
    assert series.out_of_order().delay_ns.tolist() == [-1]


def test_round_trips_stand_at_their_acknowledgements(told: Any, tmp_path: Path) -> None:
    series = forth(told, tmp_path)
    first, second = series.subflow_round_trips()
    # what TCP repeated (octets 101 to 200 of subflow 0) is no sample: Karn's rule
    assert list(zip(first.frame.tolist(), first.duration_ns.tolist(), strict=True)) == [(7, 3 * MS)]
    assert [time // MS + 1 for time in second.time_ns.tolist()] == [11, 15]
    data = series.data_round_trips()
    assert list(zip(data.frame.tolist(), data.duration_ns.tolist(), strict=True)) == [
        (7, 3 * MS),
        (8, 7 * MS),
    ]


def test_rates_add_up_to_the_octets(told: Any, tmp_path: Path) -> None:
    rates = forth(told, tmp_path).rates()
    octets = rates.throughput_bps.sum(axis=1) * rates.width_ns / 8e9
    assert octets == pytest.approx([400, 200])
    assert rates.goodput_bps.sum() * rates.width_ns / 8e9 == pytest.approx(300)
    assert rates.width_ns == MS
    assert rates.start_ns[0] == 6 * MS
    # from packet 7 to packet 15, whose DATA_ACK is the last that advanced: 300 octets in 8 ms
    assert rates.mean_goodput_bps[-1] == pytest.approx(300 * 8 / 8e-3)


def test_a_capture_that_begins_late_is_not_credited_with_what_came_before(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    made = story()
    one = made.open()
    send(made, one, 5001, 5001, 100)
    acknowledge(made, one, 5101, 5101)
    rates = forth(made, tmp_path).rates()
    assert rates.goodput_bps.sum() * rates.width_ns / 8e9 == pytest.approx(100)


def test_a_direction_without_data_has_empty_series(told: Any, tmp_path: Path) -> None:
    (connection,) = told.analyze(tmp_path / "told.pcap")
    back = timelines_of(connection).direction("server_to_client")
    assert len(back.stretches()) == 0
    assert len(back.data_flight()) == len(back.window()) == len(back.reorder_queue()) == 0
    assert back.rates().throughput_bps.shape == (2, 0)
    assert [len(samples.time_ns) for samples in back.subflow_round_trips()] == [0, 0]


def test_times_of_packets(told: Any, tmp_path: Path) -> None:
    (connection,) = told.analyze(tmp_path / "told.pcap")
    timelines = timelines_of(connection)
    assert timelines.times_of([9, 12, 99]) == {9: 8 * MS, 12: 11 * MS}
    assert timelines.extent_ns() == (0, 15 * MS)
