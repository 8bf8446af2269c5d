"""Stalls, handovers and the receive window, on connections whose clock the test sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MILLISECOND = 1_000_000


def send(told: Any, subflow: Any, position: int, data: int, length: int) -> int:
    mapping = told.signal(0, mapping=(data, position, length))
    frame: int = told.segment(subflow, 0, 8, position, 1, [mapping], bytes(length))
    return frame


def acknowledge(told: Any, subflow: Any, ack: int, data_ack: int, **more: int) -> int:
    signal = told.signal(1, data_ack=data_ack)
    frame: int = told.segment(subflow, 1, 0, 1, ack, [signal], **more)
    return frame


def test_a_stall_lasts_from_what_left_octets_outstanding_to_the_next_advance(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    send(told, one, 101, 101, 50)
    begin = acknowledge(told, one, 101, 101)
    began_ns = told.now_ns
    told.now_ns += 400 * MILLISECOND
    send(told, one, 101, 101, 50)
    acknowledge(told, one, 101, 101)  # repeats: no advance
    end = acknowledge(told, one, 151, 151)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    (stall,) = connection.client_to_server.stalls
    assert (stall.first_packet, stall.last_packet) == (begin, end)
    assert stall.duration_s == pytest.approx((told.now_ns - began_ns) / 1e9)
    assert stall.outstanding_octets == 50
    assert stall.subflow == 0
    assert connection.client_to_server.handovers == ()
    assert connection.server_to_client.stalls == ()


@pytest.mark.parametrize(("pause_ms", "stalls"), [(150, 0), (195, 0), (215, 1)])
def test_what_is_shorter_than_200_ms_is_no_stall(
    story: Callable[..., Any], tmp_path: Path, pause_ms: int, stalls: int
) -> None:
    told = story()
    one = told.open()
    for position in range(1, 401, 100):  # a data RTT of 1 ms each: their median counts too
        send(told, one, position, position, 100)
        acknowledge(told, one, position + 100, position + 100)
    send(told, one, 401, 401, 100)
    told.now_ns += pause_ms * MILLISECOND
    acknowledge(told, one, 501, 501)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert len(connection.client_to_server.stalls) == stalls


def test_four_data_round_trips_are_no_stall(story: Callable[..., Any], tmp_path: Path) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    told.now_ns += 300 * MILLISECOND
    acknowledge(told, one, 101, 101)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.client_to_server.data_rtt_s is not None
    assert connection.client_to_server.stalls == ()


def test_idle_time_is_no_stall(story: Callable[..., Any], tmp_path: Path) -> None:
    told = story()
    one = told.open()
    send(told, one, 1, 1, 100)
    acknowledge(told, one, 101, 101)
    told.now_ns += 5_000 * MILLISECOND
    send(told, one, 101, 101, 100)
    acknowledge(told, one, 201, 201)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.client_to_server.stalls == ()


def test_a_handover_moves_first_copies_to_another_subflow(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one, two = told.open(), told.join()
    send(told, one, 1, 1, 100)
    acknowledge(told, one, 101, 101)
    last = send(told, one, 101, 101, 100)
    last_ns = told.now_ns
    told.now_ns += 300 * MILLISECOND
    send(told, two, 1, 101, 100)  # a reinjection is no first copy
    first = send(told, two, 101, 201, 100)
    gap_ns = told.now_ns - last_ns
    acknowledge(told, two, 201, 301)
    send(told, two, 201, 301, 100)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    direction = connection.client_to_server
    (handover,) = direction.handovers
    assert (handover.from_subflow, handover.to_subflow) == (0, 1)
    assert (handover.from_packet, handover.to_packet) == (last, first)
    assert handover.gap_s == pytest.approx(gap_ns / 1e9)
    assert handover.cause == "stall"
    assert direction.reinjected_octets.useful == 100
    assert len(direction.stalls) == 1


def test_the_end_of_a_subflow_hands_over_without_a_stall(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    told = story()
    one, two = told.open(), told.join()
    last = send(told, one, 1, 1, 100)
    acknowledge(told, one, 101, 101)
    told.segment(one, 0, 1, 101, 1, [told.signal(0, data_ack=1)])
    first = send(told, two, 1, 101, 100)
    acknowledge(told, two, 101, 201)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    (handover,) = connection.client_to_server.handovers
    assert (handover.from_packet, handover.to_packet) == (last, first)
    assert handover.cause == "subflow_end"


def test_window_limited_is_within_one_segment_of_the_right_edge(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    """No MSS option in these handshakes: 536 octets count (RFC 9293 section 3.7.1)."""
    told = story()
    one, two = told.open(), told.join()
    acknowledge(told, one, 1, 1, window=2000)
    send(told, one, 1, 1, 1400)  # 600 octets are left
    acknowledge(told, two, 1, 1, window=1800)  # a window that is left of an earlier one
    send(told, two, 1, 1401, 64)  # 536 are left: exactly one segment
    send(told, two, 65, 1465, 1)
    send(told, two, 66, 1466, 100)
    acknowledge(told, two, 166, 1566, window=2000)
    send(told, two, 166, 1566, 100)
    (connection,) = told.analyze(tmp_path / "told.pcap")
    assert connection.client_to_server.window_limited_packets == 2
