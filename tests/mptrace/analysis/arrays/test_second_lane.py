"""Work in a second thread: its order, its results, and what becomes of its exceptions."""

from __future__ import annotations

import threading
import time

import pytest

from mptrace.analysis.arrays.second_lane import WORTH_A_THREAD, SecondLane


class WorkError(Exception):
    pass


def fails() -> None:
    raise WorkError


def test_a_second_thread_for_many_rows_only() -> None:
    here = threading.get_ident()
    with SecondLane(WORTH_A_THREAD - 1) as few, SecondLane(WORTH_A_THREAD) as many:
        assert few.start(threading.get_ident).result() == here
        assert many.start(threading.get_ident).result() != here


@pytest.mark.parametrize("rows", [0, WORTH_A_THREAD])
def test_one_after_the_other(rows: int) -> None:
    done: list[int] = []

    def slowly(number: int) -> int:
        time.sleep(0.01 * (3 - number))
        done.append(number)
        return number

    with SecondLane(rows) as lane:
        first = lane.start(lambda: slowly(0))
        second = lane.start(lambda: slowly(1) + first.result())
        lane.start(lambda: slowly(2))
        assert (second.result(), first.result()) == (1, 0)
    assert done == [0, 1, 2]


@pytest.mark.parametrize("rows", [0, WORTH_A_THREAD])
def test_exceptions_come_out_where_the_result_is_asked_for(rows: int) -> None:
    before = threading.active_count()
    with SecondLane(rows) as lane:
        failed = lane.start(fails)
        assert lane.start(lambda: 2).result() == 2
        with pytest.raises(WorkError):
            failed.result()
    assert threading.active_count() == before


def test_all_is_done_when_something_else_fails() -> None:
    done: list[bool] = []

    def slowly() -> None:
        time.sleep(0.05)
        done.append(True)

    def begin_and_fail() -> None:
        with SecondLane(WORTH_A_THREAD) as lane:
            lane.start(slowly)
            fails()

    with pytest.raises(WorkError):
        begin_and_fail()
    assert done == [True]
