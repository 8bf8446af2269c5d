"""Two pieces of work at once, and what becomes of their exceptions."""

from __future__ import annotations

import threading

import pytest

from mptrace.analysis.arrays.side_by_side import WORTH_A_THREAD, side_by_side


class FirstError(Exception):
    pass


class SecondError(Exception):
    pass


def fails(error: type[Exception]) -> None:
    raise error


@pytest.mark.parametrize("rows", [0, WORTH_A_THREAD])
def test_results_of_both(rows: int) -> None:
    assert side_by_side(rows, lambda: "one", lambda: 2) == ("one", 2)


def test_a_second_thread_for_many_rows_only() -> None:
    here = threading.get_ident()
    few = side_by_side(WORTH_A_THREAD - 1, threading.get_ident, threading.get_ident)
    many = side_by_side(WORTH_A_THREAD, threading.get_ident, threading.get_ident)
    assert few == (here, here)
    assert many[0] == here != many[1]


@pytest.mark.parametrize("rows", [0, WORTH_A_THREAD])
def test_exceptions_come_out(rows: int) -> None:
    before = threading.active_count()
    with pytest.raises(FirstError):
        side_by_side(rows, lambda: fails(FirstError), lambda: 2)
    with pytest.raises(SecondError):
        side_by_side(rows, lambda: 1, lambda: fails(SecondError))
    with pytest.raises(FirstError):
        side_by_side(rows, lambda: fails(FirstError), lambda: fails(SecondError))
    assert threading.active_count() == before
