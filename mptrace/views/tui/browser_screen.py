"""The main screen: filter, the three views, the prompt, the status."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual import work
from textual.binding import Binding
from textual.widgets import ContentSwitcher
from textual.worker import get_current_worker

from mptrace.analysis.filter import FilterError
from mptrace.views.browsing import searching
from mptrace.views.browsing.connection_outline import ConnectionLink
from mptrace.views.figures import printable
from mptrace.views.tui.connection_screen import ConnectionScreen
from mptrace.views.tui.filter_bar import FilterBar
from mptrace.views.tui.follow_screen import FollowScreen
from mptrace.views.tui.outline_view import OutlineView
from mptrace.views.tui.packets_view import PacketsView
from mptrace.views.tui.patient_screen import PatientScreen
from mptrace.views.tui.prompt import Prompt
from mptrace.views.tui.status import StatusLine, TitleLine

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.browsing.trees import Trees
    from mptrace.views.tui.outline_list import OutlineList

VIEWS = ("packets-view", "connections-view", "findings-view")
_HINTS = (
    "/ filter  ? help  q quit",
    "Enter open  right unfold  ? help",
    "Enter to its packet  right unfold  ? help",
)


class BrowserScreen(PatientScreen[None]):
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
        Binding("2", "view(1)", "Connections", show=False),
        Binding("3", "view(2)", "Findings", show=False),
        Binding("slash", "filter", "Filter", show=False),
        Binding("ctrl+l", "clear_filter", "Remove the filter", show=False),
        Binding("ctrl+g,colon", "go_to_packet", "Go to packet", show=False),
        Binding("ctrl+f", "find", "Find", show=False),
        Binding("n", "find_again(1)", "Next match", show=False),
        Binding("N", "find_again(-1)", "Previous match", show=False),
        Binding("c", "connection", "The packet's connection", show=False),
        Binding("o", "follow", "Follow the data", show=False),
        Binding("ctrl+s", "app.export", "Export", show=False),
        Binding("ctrl+r", "app.reload", "Read again", show=False),
        Binding("question_mark", "app.help", "Help", show=False),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def __init__(
        self, opened: OpenedCapture, trees: Trees, row: int | None = None, text: str = ""
    ) -> None:
        """Begin at a row, with a filter."""
        super().__init__()
        self.opened = opened
        self._trees = trees
        self.shown: NDArray[np.int64] = np.arange(len(opened.packets))
        self.search: searching.Search | None = None
        self._first_row = row
        self._first_filter = text

    def compose(self) -> ComposeResult:
        """Compose the lines and the views."""
        yield TitleLine()
        yield FilterBar()
        with ContentSwitcher(initial=VIEWS[0], id="views"):
            yield PacketsView()
            yield OutlineView(VIEWS[1], "The capture has no MPTCP connection.")
            yield OutlineView(VIEWS[2], "Nothing to report.")
        yield Prompt()
        yield StatusLine()

    def on_mount(self) -> None:
        """Show the capture."""
        analysis = self.opened.analysis
        title = self.query_one(TitleLine)
        title.path = printable(analysis.capture.path)
        title.counts = (None, len(analysis), len(analysis.findings))
        self.packets.show(self.opened, self.shown, self._first_row)
        trees = self._trees
        self.query_one(f"#{VIEWS[1]}", OutlineView).show(trees.connection_head, trees.connections)
        self.query_one(f"#{VIEWS[2]}", OutlineView).show("", trees.findings)
        self.set_focus(self.packets.list)
        if self._first_filter:
            self._filter(self._first_filter)

    @property
    def packets(self) -> PacketsView:
        """The view of packets."""
        return self.query_one(PacketsView)

    @property
    def status(self) -> StatusLine:
        """The last line."""
        return self.query_one(StatusLine)

    # Views.

    def action_view(self, number: int) -> None:
        """Show one of the views."""
        self.query_one("#views", ContentSwitcher).current = VIEWS[number]
        title = self.query_one(TitleLine)
        title.current = number
        title.refresh()
        self.status.hint(_HINTS[number])
        self.focus_view()

    def focus_view(self) -> None:
        """Give the view that is shown the keys."""
        current = self.query_one(TitleLine).current
        if current == 0:
            self.set_focus(self.packets.list)
        else:
            self.set_focus(self.query_one(f"#{VIEWS[current]}", OutlineView).list)

    def go_to_packet(self, number: int) -> None:
        """Show a packet."""
        self.action_view(0)
        self.packets.go_to(number - 1)

    def on_outline_list_followed(self, event: OutlineList.Followed) -> None:
        """Open what a line of connections or findings leads to."""
        event.stop()
        link = event.node.link
        if isinstance(link, ConnectionLink):
            self.open_connection(link.index)
        else:
            self.go_to_packet(link)

    def open_connection(self, index: int) -> None:
        """Open the page of a connection."""

        def closed(number: int | None) -> None:
            if number is not None:
                self.go_to_packet(number)

        self.app.push_screen(ConnectionScreen(self.opened, index), closed)

    def _chosen_connection(self) -> int | None:
        """The connection of the packet, or of the line, under the cursor."""
        current = self.query_one(TitleLine).current
        if current:
            node = self.query_one(f"#{VIEWS[current]}", OutlineView).list.node
            if node is not None and isinstance(node.link, ConnectionLink):
                return node.link.index
            row = None if node is None or node.link is None else node.link - 1
        else:
            row = self.packets.row
        index: int | None = None if row is None else self.opened.facts.get(row, "mptcp.stream")
        if index is None:
            self.status.say("This packet belongs to no MPTCP connection", "warning")
        return index

    def action_connection(self) -> None:
        """Open the page of the packet's connection."""
        index = self._chosen_connection()
        if index is not None:
            self.open_connection(index)

    def action_follow(self) -> None:
        """Follow the data of the packet's connection."""
        index = self._chosen_connection()

        def closed(number: int | None) -> None:
            if number is not None:
                self.go_to_packet(number)

        if index is not None:
            self.app.push_screen(FollowScreen(self.opened, index), closed)

    # The status line.

    def on_packets_view_row_changed(self) -> None:
        """Say where one is."""
        total, row = len(self.opened.packets), self.packets.row
        place = "No packet" if row is None else f"Packet {row + 1:,}"
        parts = [f"{place} of {total:,}"]
        if self.shown.size != total:
            share = 100 * self.shown.size / max(total, 1)
            parts.append(f"{self.shown.size:,} shown ({share:.1f} %)")
        if self.packets.list.marked:
            parts.append(f"{len(self.packets.list.marked)} marked")
        damage = self.opened.analysis.capture.damage
        if damage is not None:
            parts.append(f"damaged at offset {damage.offset:,}: {printable(damage.reason)}")
        self.status.stand("  ".join(parts))

    def on_packets_view_said(self, event: PacketsView.Said) -> None:
        """Show what a view says."""
        self.status.say(event.text, event.tone)

    # The filter.

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).focus_line()

    def action_clear_filter(self) -> None:
        """Show every packet."""
        self._filter("")

    def on_filter_bar_submitted(self, event: FilterBar.Submitted) -> None:
        """Apply what was typed."""
        self._filter(event.text)

    def on_filter_bar_left(self) -> None:
        """Go back to the view."""
        self.focus_view()

    def on_packets_view_filter_wanted(self, event: PacketsView.FilterWanted) -> None:
        """Apply a filter for a field."""
        self._filter(event.text)

    @work(thread=True, exclusive=True, group="filter")
    def _filter(self, text: str) -> None:
        worker = get_current_worker()
        try:
            rows = self.opened.filter.rows(text)
        except FilterError as error:
            self.app.call_from_thread(
                self.query_one(FilterBar).fault, error.reason, error.start, text
            )
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._filtered, text, rows)

    def _filtered(self, text: str, rows: NDArray[np.int64]) -> None:
        self.query_one(FilterBar).accepted(text)
        row = self.packets.row
        self.shown = rows
        self.packets.show(self.opened, rows, row)
        self.action_view(0)

    # Finding packets.

    def action_go_to_packet(self) -> None:
        """Ask for a packet number."""

        def go(_: int, text: str) -> None:
            self.focus_view()
            total, number = len(self.opened.packets), text.strip()
            if number.isascii() and number.isdecimal() and 0 < int(number) <= total:
                self.go_to_packet(int(number))
            else:
                self.status.say(f"There is no packet {number}: they count to {total:,}", "warning")

        self.query_one(Prompt).ask(("Go to packet",), go)

    def action_find(self) -> None:
        """Ask what to find."""

        def find(kind: int, text: str) -> None:
            self.focus_view()
            try:
                self.search = searching.Search.of(searching.KINDS[kind], text)
            except searching.SearchFaultError as error:
                self.status.say(str(error), "warning")
            else:
                self.action_find_again(1)

        kind = 0 if self.search is None else searching.KINDS.index(self.search.kind)
        self.query_one(Prompt).ask(searching.LABELS, find, kind=kind)

    def action_find_again(self, step: int) -> None:
        """Go to the next match."""
        if self.search is None:
            self.action_find()
        elif self.shown.size:
            self.status.say("Searching…")
            self._find(self.search, self.packets.row or 0, step)

    @work(thread=True, exclusive=True, group="find")
    def _find(self, search: searching.Search, row: int, step: int) -> None:
        worker = get_current_worker()
        try:
            found = searching.find(
                self.opened, search, self.shown, row, step, lambda: worker.is_cancelled
            )
        except FilterError as error:
            self.app.call_from_thread(self.status.say, str(error), "error")
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._found, search, found)

    def _found(self, search: searching.Search, row: int | None) -> None:
        if row is None:
            self.status.say(f"Not found: {printable(search.text)}", "warning")
            return
        self.action_view(0)
        self.packets.list.move_to(self.packets.list.place_of(row), always=True)

    def close_prompt(self) -> None:
        """Hide the prompt."""
        self.query_one(Prompt).close()
        self.focus_view()
