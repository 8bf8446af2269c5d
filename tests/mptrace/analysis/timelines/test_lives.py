"""Lives of subflows: when packets passed, and from when on nobody answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mptrace.analysis.timelines import timelines_of

MS = 1_000_000


def lives(told: Any, path: Path) -> Any:
    (connection,) = told.analyze(path / "told.pcap")
    return timelines_of(connection).lives()


def send(told: Any, subflow: Any, position: int) -> None:
    mapping = told.signal(0, mapping=(position, position, 10))
    told.segment(subflow, 0, 8, position, 1, [mapping], bytes(10))


def test_pauses_part_the_busy_stretches(story: Callable[..., Any], tmp_path: Path) -> None:
    made = story()
    one = made.open()  # until 2 ms
    made.now_ns += 150 * MS
    send(made, one, 1)  # 153 ms
    made.now_ns += 20 * MS
    made.segment(one, 1, 0, 1, 11, [made.signal(1, data_ack=11)])  # 174 ms
    (life,) = lives(made, tmp_path)
    assert life.busy == ((0, 2 * MS), (153 * MS, 174 * MS))
    assert life.unanswered_ns is None
    assert not life.ended


def test_from_the_last_answer_on_a_subflow_is_unanswered(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    made = story()
    one = made.open()  # the server's last packet is the SYN/ACK at 1 ms
    for position in (1, 11, 21):
        made.now_ns += 150 * MS
        send(made, one, position)
    (life,) = lives(made, tmp_path)
    assert life.unanswered_ns == 1 * MS
    assert life.end_ns == (2 + 3 * 151) * MS


def test_a_short_silence_before_the_end_is_none(story: Callable[..., Any], tmp_path: Path) -> None:
    made = story()
    one = made.open()
    made.now_ns += 150 * MS
    send(made, one, 1)
    made.segment(one, 0, 0x01, 11, 1, [])  # FIN
    (life,) = lives(made, tmp_path)
    assert life.unanswered_ns is None
    assert life.ended


def test_a_connection_from_nowhere_has_no_timelines(
    story: Callable[..., Any], tmp_path: Path
) -> None:
    made = story()
    made.open()
    (connection,) = made.analyze(tmp_path / "told.pcap")
    copy = replace(connection, index=connection.index)
    assert copy == connection
    assert timelines_of(connection).subflows == range(1)
    with pytest.raises(LookupError, match="does not come from an analysis"):
        timelines_of(copy)
