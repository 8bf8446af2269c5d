"""The application: opens the capture in a thread, then shows it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding

from mptrace.capture.errors import CaptureError
from mptrace.views.browsing.opened import open_for_browsing
from mptrace.views.figures import printable
from mptrace.views.tui.browser_screen import BrowserScreen
from mptrace.views.tui.loading import LoadingScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType

    from mptrace.views.browsing.opened import OpenedCapture

_BETWEEN_UPDATES_S = 0.05


class BrowserApp(App[str]):
    """Browses one capture; its result is why nothing could be shown, or None."""

    TITLE = "mptrace"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", show=False),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__()
        self.paths = tuple(paths)
        self.opened: OpenedCapture | None = None
        self._loading: LoadingScreen | None = None
        self.theme = "ansi-dark"

    def on_mount(self) -> None:
        """Begin to read."""
        self.load()

    def load(self) -> None:
        """Read the capture, showing how far it is."""
        self._loading = LoadingScreen(printable(", ".join(self.paths)))
        self.push_screen(self._loading)
        self._open()

    @work(thread=True, exclusive=True, group="open")
    def _open(self) -> None:
        latest = 0.0

        def tell(phase: str, done: int, total: int) -> None:
            nonlocal latest
            now = time.monotonic()
            if now - latest >= _BETWEEN_UPDATES_S:
                latest = now
                self.call_from_thread(self._progress, phase, done, total)

        try:
            opened = open_for_browsing(self.paths, tell)
        except CaptureError as error:
            self.call_from_thread(self.exit, str(error), 2)
            return
        self.call_from_thread(self._opened, opened)

    def _progress(self, phase: str, done: int, total: int) -> None:
        if self._loading is not None:
            self._loading.progress(phase, done, total)

    def _opened(self, opened: OpenedCapture) -> None:
        before, self.opened = self.opened, opened
        if before is not None:
            before.close()
        self._loading = None
        self.switch_screen(BrowserScreen(opened))

    def action_close_prompt(self) -> None:
        """Hide the prompt of the screen that has one."""
        if isinstance(self.screen, BrowserScreen):
            self.screen.close_prompt()


def browse(paths: Sequence[str]) -> str | None:
    """Browse a capture until the user quits; returns why nothing could be shown."""
    os.environ.setdefault("ESCDELAY", "50")
    app = BrowserApp(paths)
    try:
        return app.run()
    finally:
        if app.opened is not None:
            app.opened.close()
