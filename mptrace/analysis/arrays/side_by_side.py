"""Two pieces of work over large columns at the same time.

numpy lets other threads run while it works on a column, so that two threads finish columns of
many thousand rows nearly as fast as two processes would. Neither piece may change what the other
reads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

One = TypeVar("One")
Other = TypeVar("Other")

WORTH_A_THREAD: Final = 1 << 17
"""Rows; below, threads would mostly wait for each other."""


def side_by_side(
    rows: int, one: Callable[[], One], other: Callable[[], Other]
) -> tuple[One, Other]:
    """The results of both; ``rows`` is how long their columns are.

    An exception of either comes out when both have ended; of two, that of ``one``.
    """
    if rows < WORTH_A_THREAD:
        return one(), other()
    results: list[Other] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(other())
        except BaseException as error:  # noqa: BLE001 (raised below, in the thread that asked)
            errors.append(error)

    thread = threading.Thread(target=run, name="mptrace side by side")
    thread.start()
    try:
        result = one()
    finally:
        thread.join()
    if errors:
        raise errors[0]
    return result, results[0]
