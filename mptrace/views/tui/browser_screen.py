"""The main screen: filter, the three views, the prompt, the status."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from mptrace.views.tui.filter_bar import FilterBar
from mptrace.views.tui.packets_view import PacketsView
from mptrace.views.tui.prompt import Prompt
from mptrace.views.tui.status import StatusLine, TitleLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.views.browsing.filtering import Candidate
    from mptrace.views.browsing.opened import OpenedCapture


class BrowserScreen(Screen[None]):
    """Everything of one capture."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - as Textual has it
    DEFAULT_CSS = """
    BrowserScreen { overflow: hidden; layout: vertical; }
    BrowserScreen #views { height: 1fr; }
    BrowserScreen.-wide #lower { layout: horizontal; }
    BrowserScreen.-wide #fields { width: 1fr; height: 1fr; }
    BrowserScreen.-wide #octets { width: 74; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view(0)", "Packets", show=False),
        Binding("slash", "filter", "Filter", show=False),
        Binding("ctrl+l", "clear_filter", "Remove the filter", show=False),
        Binding("ctrl+g,colon", "go_to_packet", "Go to packet", show=False),
    ]

    def __init__(self, opened: OpenedCapture) -> None:
        super().__init__()
        self.opened = opened
        self.shown: NDArray[np.int64] = np.arange(len(opened.packets))

    def on_mount(self) -> None:
        """Show the capture."""
        title = self.query_one(TitleLine)
        title.path = self.opened.analysis.capture.path
        title.counts = (None, len(self.opened.analysis), len(self.opened.analysis.findings))
        self.packets.show(self.opened, self.shown, None)
        self.packets.list.focus()

    def compose(self) -> ComposeResult:
        """Compose the lines and the views."""
        yield TitleLine()
        yield FilterBar(self._candidates)
        with ContentSwitcher(initial="packets-view", id="views"):
            yield PacketsView()
        yield Prompt()
        yield StatusLine()

    @property
    def packets(self) -> PacketsView:
        """The view of packets."""
        return self.query_one(PacketsView)

    @property
    def status(self) -> StatusLine:
        """The last line."""
        return self.query_one(StatusLine)

    def _candidates(self, text: str, cursor: int) -> Sequence[Candidate]:
        del text, cursor
        return ()

    def on_packets_view_row_changed(self) -> None:
        """Say where one is."""
        self._stand()

    def on_packets_view_said(self, event: PacketsView.Said) -> None:
        """Show what a view says."""
        self.call_after_refresh(self.status.say, event.text, event.tone)

    def _stand(self) -> None:
        total, row = len(self.opened.packets), self.packets.row
        place = "No packet" if row is None else f"Packet {row + 1:,}"
        parts = [f"{place} of {total:,}"]
        if self.shown.size != total:
            share = 100 * self.shown.size / max(total, 1)
            parts.append(f"{self.shown.size:,} shown ({share:.1f} %)")
        if self.packets.list.marked:
            parts.append(f"{len(self.packets.list.marked)} marked")
        self.status.stand("  ".join(parts))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).focus_line()

    def action_go_to_packet(self) -> None:
        """Ask for a packet number."""

        def go(_: int, text: str) -> None:
            self._focus_view()
            total = len(self.opened.packets)
            number = text.strip()
            if number.isascii() and number.isdecimal() and 0 < int(number) <= total:
                self.packets.go_to(int(number) - 1)
            else:
                self.status.say(
                    f"There is no packet {number!r}: they count to {total:,}", "warning"
                )

        self.query_one(Prompt).ask(("Go to packet",), go)

    def _focus_view(self) -> None:
        self.packets.list.focus()

    def close_prompt(self) -> None:
        """Hide the prompt."""
        self.query_one(Prompt).close()
        self._focus_view()
