"""A progress bar on standard error, for captures that take a while, on a terminal only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, TaskID

WORTH_SHOWING: Final = 32 * 1024 * 1024
"""Octets of capture from which a bar is shown: less is read in about a second."""


class ProgressBar:
    """Context manager; call it with what is done so far and in all (by default octets read).

    It stays away where there is less to do than ``worth_showing``.
    """

    def __init__(self, label: str = "reading", worth_showing: int = WORTH_SHOWING) -> None:
        self._label = label
        self._worth_showing = worth_showing
        self._wanted = sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show nothing yet: the first call knows how long the capture is."""
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show how far reading has come."""
        if not self._wanted or total < self._worth_showing:
            return
        if self._progress is None:
            from rich.console import Console
            from rich.progress import Progress

            self._progress = Progress(console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task(self._label, total=total)
            self._progress.start()
        if self._task is not None:
            self._progress.update(self._task, completed=done)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
