"""The application: opens the capture in a thread, then shows it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding
from textual.worker import get_current_worker

from mptrace.capture.errors import CaptureError
from mptrace.views.browsing import exporting
from mptrace.views.browsing.opened import open_for_browsing
from mptrace.views.browsing.trees import Trees
from mptrace.views.figures import counted, printable
from mptrace.views.tui.browser_screen import BrowserScreen
from mptrace.views.tui.filter_bar import FilterBar
from mptrace.views.tui.follow_screen import FollowScreen
from mptrace.views.tui.help_screen import HelpScreen
from mptrace.views.tui.keys_in_turn import KeysInTurnApp
from mptrace.views.tui.loading import LoadingScreen
from mptrace.views.tui.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import BindingType
    from textual.screen import Screen

    from mptrace.views.browsing.opened import OpenedCapture

_BETWEEN_UPDATES_S = 0.05
_SWITCH_S = 0.001
"""How long a thread that works may keep the screen waiting, where it runs Python."""
_EXPORTS = ("Packets shown, as pcapng", "Table shown, as CSV", "Report of the capture, as HTML")
_SUFFIXES = (".pcapng", ".csv", ".html")


class BrowserApp(KeysInTurnApp[str]):
    """Browses one capture; its result is why nothing could be shown, or None."""

    TITLE = "mptrace"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, paths: Sequence[str]) -> None:
        # without colours at all Textual must not make shades of grey of the terminal's own ones
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.paths = tuple(paths)
        self.opened: OpenedCapture | None = None
        self._loading: LoadingScreen | None = None
        self._place: tuple[int | None, str] = (None, "")
        self.theme = "ansi-dark"

    def on_mount(self) -> None:
        """Begin to read."""
        self._load()

    # Opening.

    def _load(self) -> None:
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
            self.call_from_thread(self._failed, str(error))
            return
        self.call_from_thread(self._show, opened, Trees.of(opened))

    def _progress(self, phase: str, done: int, total: int) -> None:
        if self._loading is not None:
            self._loading.progress(phase, done, total)

    def _failed(self, reason: str) -> None:
        if self.opened is None:
            self.exit(reason)
            return
        self._loading = None
        self.pop_screen()
        if isinstance(self.screen, BrowserScreen):
            self.screen.status.say(f"Could not be read again: {printable(reason)}", "error")

    def _show(self, opened: OpenedCapture, trees: Trees) -> None:
        before, self.opened = self.opened, opened
        row, text = self._place
        if row is not None:
            row = min(row, len(opened.packets) - 1)
        self._loading = None
        if before is not None:
            self.pop_screen()
            before.close()
        self.switch_screen(BrowserScreen(opened, trees, row, text))

    def action_reload(self) -> None:
        """Read the file again, and come back to the same packet and filter."""
        screen = self.screen
        if isinstance(screen, BrowserScreen):
            self._place = (screen.packets.row, screen.query_one(FilterBar).applied)
            self._load()

    # What all screens share.

    def action_help(self) -> None:
        """List the keys."""
        self.push_screen(HelpScreen())

    def action_close_prompt(self) -> None:
        """Hide the prompt of the screen that has one."""
        if isinstance(self.screen, BrowserScreen | FollowScreen):
            self.screen.close_prompt()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """List what the command palette offers."""
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand("Keys", "List the keys", self.action_help)
        yield SystemCommand("Quit", "Leave mptrace", self.action_quit)
        if not isinstance(screen, BrowserScreen):
            return
        packets = screen.packets
        for title, help_text, action in (
            ("Packets", "Show the packets", lambda: screen.action_view(0)),
            ("Connections", "Show the connections", lambda: screen.action_view(1)),
            ("Findings", "Show the findings", lambda: screen.action_view(2)),
            ("Filter", "Type a display filter", screen.action_filter),
            ("Remove the filter", "Show every packet", screen.action_clear_filter),
            ("Go to packet", "By its number", screen.action_go_to_packet),
            ("Find", "Words, text, octets or a filter", screen.action_find),
            ("Connection", "Open the packet's connection", screen.action_connection),
            ("Follow", "Follow the connection's data", screen.action_follow),
            ("Export", "Packets, the table or the report", self.action_export),
            ("Reload", "Read the file again", self.action_reload),
            ("Time format", "Relative, delta, time of day", packets.action_time_format),
            ("Time reference", "Count from this packet", packets.action_time_reference),
            ("Mark", "Mark this packet", packets.action_mark),
            ("Remove all marks", "Unmark every packet", packets.action_unmark_all),
        ):
            yield SystemCommand(title, help_text, action)

    # Exports.

    def action_export(self) -> None:
        """Ask where what is shown is to be written."""
        screen = self.screen
        if isinstance(screen, BrowserScreen):
            labels = tuple(f"{label}, to" for label in _EXPORTS)
            screen.query_one(Prompt).ask(labels, self._export)

    def _export(self, kind: int, text: str) -> None:
        screen = self.screen
        if not isinstance(screen, BrowserScreen):
            return
        screen.focus_view()
        if not text.strip():
            screen.status.say("No file was named", "warning")
            return
        path = Path(text.strip()).expanduser()
        if not path.suffix:
            path = path.with_suffix(_SUFFIXES[kind])
        screen.status.say(f"Writing {printable(str(path))}…")
        self._write(screen, kind, path)

    @work(thread=True, exclusive=True, group="export")
    def _write(self, screen: BrowserScreen, kind: int, path: Path) -> None:
        worker = get_current_worker()
        opened, rows, times = screen.opened, screen.shown, screen.packets.times
        try:
            if kind == 0:
                number = exporting.write_packets(opened, rows, path, lambda: worker.is_cancelled)
                said = counted(number, "packet")
            elif kind == 1 and times is not None:
                number = exporting.write_table(
                    opened, times, rows, path, lambda: worker.is_cancelled
                )
                said = counted(number, "row")
            else:
                exporting.write_report(opened, path)
                said = "The report"
        except FileExistsError:
            message, tone = f"{path} exists already; nothing was written", "error"
        except OSError as error:
            message, tone = f"{path}: {error.strerror or error}", "error"
        else:
            message, tone = f"{said} written to {path}", "good"
        self.call_from_thread(screen.status.say, printable(message), tone)


def browse(paths: Sequence[str]) -> str | None:
    """Browse a capture until the user quits; returns why nothing could be shown."""
    sys.setswitchinterval(_SWITCH_S)
    app = BrowserApp(paths)
    try:
        return app.run()
    finally:
        if app.opened is not None:
            app.opened.close()
