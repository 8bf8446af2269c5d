"""Work over large columns beside other such work, in a second thread.

numpy lets other threads run while it works on a column, so that two threads finish columns of
many thousand rows nearly as fast as two processes would. Neither may change what the other reads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Result = TypeVar("Result")

WORTH_A_THREAD: Final = 1 << 17
"""Rows; below, threads would mostly wait for each other."""


class Later(Generic[Result]):
    """A result that is on its way."""

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self, work: Callable[[], Result]) -> None:
        """Do the work that the result is of, in whichever thread."""
        try:
            self._results.append(work())
        except BaseException as error:  # noqa: BLE001 (raised by `result`, where it is asked for)
            self._error = error
        finally:
            self._done.set()

    def result(self) -> Result:
        """The result, as soon as it is there, or the exception that the work ended with."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._results[0]


class SecondLane:
    """Takes pieces of work and does one after the other; a context manager.

    At its end all of them are done, also where nobody asked for a result.
    """

    def __init__(self, rows: int) -> None:
        """``rows`` is how long the columns are: with few, all is done when it is given."""
        self._threads: list[threading.Thread] | None = [] if rows >= WORTH_A_THREAD else None

    def start(self, work: Callable[[], Result]) -> Later[Result]:
        """Do ``work`` when all that was given before is done; it may ask for their results."""
        later: Later[Result] = Later()
        if self._threads is None:
            later.run(work)
            return later
        before = self._threads[-1] if self._threads else None

        def run_in_turn() -> None:
            if before is not None:
                before.join()
            later.run(work)

        thread = threading.Thread(target=run_in_turn, name="mptrace second lane")
        self._threads.append(thread)
        thread.start()
        return later

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for thread in self._threads or ():
            thread.join()
