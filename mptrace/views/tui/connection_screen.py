"""The page of one connection: its summary, its timelines, its signalling."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.text import Text
from textual import work
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Static
from textual.worker import get_current_worker

from mptrace.views import summary, text
from mptrace.views.browsing import plots, signalling, steps
from mptrace.views.connection_tables import DIRECTIONS
from mptrace.views.figures import moment
from mptrace.views.reading import Selection
from mptrace.views.tui.outline_view import OutlineView
from mptrace.views.tui.patient_screen import PatientScreen
from mptrace.views.tui.status import StatusLine, TitleLine
from mptrace.views.tui.text_list import TextList
from mptrace.views.tui.timeline import Timeline

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.tui.outline_list import OutlineList

PAGES = ("Summary", "Timeline", "Signalling")
_IDENTITIES = ("summary", "timeline-page", "signalling")


class ConnectionScreen(PatientScreen[int]):
    """Closes with the number of a packet to go to, or with nothing."""

    DEFAULT_CSS = """
    ConnectionScreen { overflow: hidden; layout: vertical; }
    ConnectionScreen #pages { height: 1fr; }
    ConnectionScreen .caption { height: 1; text-style: bold; text-wrap: nowrap; }
    ConnectionScreen .at-cursor { height: 2; }
    ConnectionScreen .detail { height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1,s", "page(0)", "Summary", show=False),
        Binding("2", "page(1)", "Timeline", show=False),
        Binding("3", "page(2)", "Signalling", show=False),
        Binding("tab", "turn(1)", "Next page", show=False),
        Binding("shift+tab", "turn(-1)", "Previous page", show=False),
        Binding("t,v", "kind(1)", "Next timeline", show=False),
        Binding("T", "kind(-1)", "Previous timeline", show=False),
        Binding("d", "direction", "Other direction", show=False),
        Binding("r", "copy(1)", "Next repeated data", show=False),
        Binding("R", "copy(-1)", "Previous repeated data", show=False),
        Binding("o", "follow", "Follow the data", show=False),
        Binding("escape,backspace,q", "leave", "Back", show=False),
        Binding("question_mark", "app.help", "Help", show=False),
    ]

    def __init__(self, opened: OpenedCapture, index: int) -> None:
        super().__init__()
        self.opened = opened
        self.connection: Connection = opened.analysis[index]
        self.kind: plots.Kind = "data sequence"
        sent = (self.connection.client_to_server, self.connection.server_to_client)
        backwards = sent[1].unique_octets > sent[0].unique_octets
        self.direction: DirectionName = "server_to_client" if backwards else "client_to_server"
        self._rows = opened.facts.rows_of_connection(index)
        self._times = opened.packets.time_ns[self._rows] - opened.packets.time_ns[0]

    def compose(self) -> ComposeResult:
        """Compose the pages."""
        yield TitleLine(PAGES)
        with ContentSwitcher(initial="summary", id="pages"):
            yield TextList("summary")
            with Vertical(id="timeline-page"):
                yield Static("", classes="caption", markup=False)
                yield Timeline()
                yield Static("", classes="at-cursor", markup=False)
            yield OutlineView("signalling", "No signalling was captured.")
        yield StatusLine("Tab page  Esc back  ? help")

    def on_mount(self) -> None:
        """Show the connection."""
        title = self.query_one(TitleLine)
        title.path = f"Connection {self.connection.index}: {summary.path(self.connection)}"
        page = self.query_one(OutlineView)
        page.show(signalling.heading(self.connection), signalling.ladder_nodes(self.connection))
        self.set_focus(self.query_one(TextList))
        self._draw()

    def on_resize(self) -> None:
        """Lay the summary out anew."""
        index = self.connection.index
        part = Selection(self.opened.analysis, [index])
        width = max(self.size.width - 1, 40)
        lines = text.lines(part, color=True, width=width, detail=True)
        shown = [Text.from_ansi(piece) for line in lines for piece in line.split("\n")]
        starts = (i for i, line in enumerate(shown) if line.plain.startswith(f"Connection {index}"))
        self.query_one(TextList).show(shown[next(starts, 0) :])

    # Pages.

    def action_page(self, number: int) -> None:
        """Turn to a page."""
        self.query_one("#pages", ContentSwitcher).current = _IDENTITIES[number]
        title = self.query_one(TitleLine)
        title.current = number
        title.refresh()
        pages = (self.query_one(TextList), self.query_one(Timeline), self.query_one(OutlineView))
        target = pages[number]
        self.set_focus(target.list if isinstance(target, OutlineView) else target)
        hints = (
            "Tab page  o follow  Esc back  ? help",
            "t kind  d direction  r repeated  +- zoom  Enter packet",
            "Enter packet  Tab page  Esc back  ? help",
        )
        self.query_one(StatusLine).hint(hints[number])

    def action_turn(self, step: int) -> None:
        """Turn the page."""
        self.action_page((self.query_one(TitleLine).current + step) % len(PAGES))

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_follow(self) -> None:
        """Follow the connection's data."""
        from mptrace.views.tui.follow_screen import FollowScreen

        def gone(number: int | None) -> None:
            if number is not None:
                self.dismiss(number)

        self.app.push_screen(FollowScreen(self.opened, self.connection.index), gone)

    # The timeline.

    def action_kind(self, step: int) -> None:
        """Show another kind of timeline."""
        kinds = plots.KINDS
        self.kind = kinds[(kinds.index(self.kind) + step) % len(kinds)]
        self.action_page(1)
        self._draw()

    def action_direction(self) -> None:
        """Show the other direction."""
        forth = self.direction == "client_to_server"
        self.direction = "server_to_client" if forth else "client_to_server"
        self.action_page(1)
        self._draw()

    def _draw(self) -> None:
        caption = f"{self.kind}, {DIRECTIONS[self.direction]}"
        self.query_one(".caption", Static).update(f"{caption[0].upper()}{caption[1:]}")
        self._gather(self.kind, self.direction)

    @work(thread=True, exclusive=True, group="plot")
    def _gather(self, kind: plots.Kind, direction: DirectionName) -> None:
        plot = plots.plot(self.connection, direction, kind)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self.query_one(Timeline).show, plot)

    def _row_at(self, time_ns: int) -> int:
        """The packet of the connection at a time, or the first one after it."""
        at = int(np.searchsorted(self._times, time_ns))
        return int(self._rows[min(at, self._rows.size - 1)])

    def on_timeline_cursor_moved(self, event: Timeline.CursorMoved) -> None:
        """Say which packet is at the cursor."""
        if not self._rows.size:
            return
        row = self._row_at(event.time_ns)
        packet = self.opened.rows.row(row)
        time_ns = int(self.opened.packets.time_ns[row] - self.opened.packets.time_ns[0])
        self.query_one(".at-cursor", Static).update(
            f"{moment(time_ns * 1e-9)}  packet {packet.number}  subflow {packet.subflow}  "
            f"{packet.source} {summary.ARROW} {packet.destination}  {packet.info}"
        )

    def on_timeline_chosen(self, event: Timeline.Chosen) -> None:
        """Go to the packet at the cursor."""
        if self._rows.size:
            self.dismiss(self._row_at(event.time_ns) + 1)

    def action_copy(self, step: int) -> None:
        """Put the cursor on the next packet that repeats data."""
        rows = np.intersect1d(self.opened.facts.rows_with_copies, self._rows)
        times = self.opened.packets.time_ns[rows] - self.opened.packets.time_ns[0]
        timeline = self.query_one(Timeline)
        found = steps.next_row(times, timeline.time_ns, step)
        if found is not None:
            timeline.go_to(found)
        else:
            self.query_one(StatusLine).say("No more packets that repeat data", "warning")

    def on_outline_list_followed(self, event: OutlineList.Followed) -> None:
        """Go to the packet of an event."""
        event.stop()
        self.dismiss(event.node.link)
