"""Packets: the table, below it the chosen packet's fields and octets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message

from mptrace.views.browsing import steps
from mptrace.views.browsing.outline import Outline
from mptrace.views.browsing.packet_outline import OPENED, packet_nodes
from mptrace.views.browsing.rows_alike import ROWS_ALIKE
from mptrace.views.browsing.time_column import FORMAT_WORDS, TimeColumn
from mptrace.views.tui.octet_list import OctetList
from mptrace.views.tui.outline_list import OutlineList
from mptrace.views.tui.packet_list import PacketList, PacketListHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.browsing.outline import Node
    from mptrace.views.tui.lines import LineList


class PacketsView(Vertical):
    """The three panes of packets, and what moves between packets."""

    DEFAULT_CSS = """
    PacketsView #lower { height: 1fr; layout: vertical; }
    PacketsView #packets { height: 1fr; }
    PacketsView #fields { height: 3fr; border-top: solid ansi_bright_black; }
    PacketsView #octets { height: 2fr; border-top: solid ansi_bright_black; }
    PacketsView #fields:focus, PacketsView #octets:focus { border-top: heavy ansi_bright_blue; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark", show=False),
        Binding("M", "unmark_all", "Remove all marks", show=False),
        Binding("t", "time_format", "Time format", show=False),
        Binding("ctrl+t,T", "time_reference", "Time reference", show=False),
        Binding(
            "right_square_bracket", "next('of this subflow', 1)", "Next of subflow", show=False
        ),
        Binding(
            "left_square_bracket", "next('of this subflow', -1)", "Previous of subflow", show=False
        ),
        Binding(
            "right_curly_bracket", "next('of this connection', 1)", "Next of connection", show=False
        ),
        Binding(
            "left_curly_bracket",
            "next('of this connection', -1)",
            "Previous of connection",
            show=False,
        ),
        Binding("f", "next('with a finding', 1)", "Next with a finding", show=False),
        Binding("F", "next('with a finding', -1)", "Previous with a finding", show=False),
        Binding("r", "next('that repeats data', 1)", "Next repeated", show=False),
        Binding("R", "next('that repeats data', -1)", "Previous repeated", show=False),
        Binding("apostrophe", "marked(1)", "Next marked", show=False),
        Binding("quotation_mark", "marked(-1)", "Previous marked", show=False),
        Binding("backspace,alt+left", "back", "Back", show=False),
        Binding("alt+right", "forward", "Forward", show=False),
        Binding("a", "as_filter", "Filter for the field", show=False),
        Binding("escape", "to_list", "To the list", show=False),
    ]

    class RowChanged(Message):
        """Another packet is under the cursor, or what is shown changed."""

    class FilterWanted(Message):
        """A filter for the chosen field."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Said(Message):
        """A sentence for the status line."""

        def __init__(self, text: str, tone: str = "") -> None:
            super().__init__()
            self.text = text
            self.tone = tone

    def __init__(self) -> None:
        super().__init__(id="packets-view")
        self.opened: OpenedCapture | None = None
        self.times: TimeColumn | None = None
        self.trail = steps.Trail()
        self._opened_keys = set(OPENED)

    def compose(self) -> ComposeResult:
        """Compose the panes."""
        yield PacketListHead()
        yield PacketList()
        with Container(id="lower"):
            yield OutlineList("fields")
            yield OctetList()

    def on_mount(self) -> None:
        """Name the panes."""
        self.fields.border_title = "Fields"
        self.octets.border_title = "Octets"

    @property
    def list(self) -> PacketList:
        """The table."""
        return self.query_one(PacketList)

    @property
    def fields(self) -> OutlineList:
        """The dissection."""
        return self.query_one("#fields", OutlineList)

    @property
    def octets(self) -> OctetList:
        """The hex dump."""
        return self.query_one(OctetList)

    @property
    def row(self) -> int | None:
        """The chosen packet's row."""
        return self.list.row

    def show(self, opened: OpenedCapture, shown: NDArray[np.int64], row: int | None) -> None:
        """Show rows of a capture."""
        times = self.times
        if opened is not self.opened or times is None:
            times = self.times = TimeColumn(opened.packets)
            self.trail = steps.Trail()
        self.opened = opened
        self.list.show(opened, times, shown, row)
        self._head()
        if not shown.size:
            self.fields.show(Outline(()))
            self.octets.show(b"")
            self.post_message(self.RowChanged())

    def go_to(self, row: int) -> None:
        """Jump to a packet, and remember where from; says so where the filter hides it."""
        if self.row is not None and self.row != row:
            self.trail.leave(self.row)
        self._place(row)

    def _place(self, row: int) -> None:
        place = self.list.place_of(row)
        if not self.list.shown.size or int(self.list.shown[place]) != row:
            self.say(f"Packet {row + 1} is hidden by the filter; Ctrl-L removes it", "warning")
            return
        self.list.move_to(place)

    def say(self, text: str, tone: str = "") -> None:
        """Put a sentence on the status line."""
        self.post_message(self.Said(text, tone))

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Show the packet, or highlight the octets of the field, under the cursor."""
        event.stop()
        if event.lines is self.list:
            self._show_packet()
        elif event.lines is self.fields:
            node = self.fields.node
            self.octets.highlight(None if node is None else node.span)

    def on_line_list_shifted(self, event: LineList.Shifted) -> None:
        """Titles move with their columns."""
        event.stop()
        self._head()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Enter on a packet goes to its fields."""
        event.stop()
        if event.lines is self.list:
            self.screen.set_focus(self.fields)

    def on_octet_list_octet_chosen(self, event: OctetList.OctetChosen) -> None:
        """Choose the field that an octet belongs to, opening what hides it."""
        event.stop()
        outline = self.fields.outline

        def holds(node: Node) -> bool:
            if node.span is None or node.key == "frame":
                return False
            return node.span[0] <= event.offset < node.span[0] + node.span[1]

        line = outline.reveal(holds)
        if line is not None:
            self.fields.renew(line, announce=False)
            self.octets.span = outline.lines[line].node.span
            self.octets.refresh()

    def on_outline_list_followed(self, event: OutlineList.Followed) -> None:
        """Jump to the packet that a field speaks of."""
        event.stop()
        self.go_to(event.node.link - 1)

    def _show_packet(self) -> None:
        row = self.row
        if self.opened is None or row is None:
            return
        nodes = packet_nodes(self.opened.packets, self.opened.facts, row)
        outline = Outline(nodes, self._opened_keys)
        before = self.fields.node
        # the same field of the next packet stays chosen
        cursor = None if before is None else outline.find(lambda node: node.key == before.key)
        self.octets.show(self.opened.packets.record(row).octets)
        self.fields.border_title = f"Packet {row + 1}"
        self.fields.show(outline, cursor or 0)
        self.post_message(self.RowChanged())

    def _head(self) -> None:
        self.query_one(PacketListHead).show(self.list.widths.head(), self.list.shift)

    def on_resize(self) -> None:
        """Titles follow the table's columns."""
        self.call_after_refresh(self._head)

    # What keys do.

    def action_to_list(self) -> None:
        """Go back to the table."""
        self.screen.set_focus(self.list)

    def action_as_filter(self) -> None:
        """Filter for the value of the chosen field."""
        node = self.fields.node
        if node is None or not node.filter:
            self.say("No filter knows this field", "warning")
        else:
            self.post_message(self.FilterWanted(node.filter))

    def action_mark(self) -> None:
        """Mark the packet, or take the mark away."""
        row = self.row
        if row is not None:
            self.list.marked ^= {row}
            self.list.refresh()
            self.post_message(self.RowChanged())

    def action_unmark_all(self) -> None:
        """Take all marks away."""
        self.list.marked.clear()
        self.list.refresh()
        self.post_message(self.RowChanged())

    def action_time_format(self) -> None:
        """Show times in the next format."""
        if self.times is not None:
            self.say(f"Time: {FORMAT_WORDS[self.times.next_format()]}")
            self._times_changed()

    def action_time_reference(self) -> None:
        """Count times from this packet on, or no longer."""
        if self.times is not None and self.row is not None:
            self.times.toggle_reference(self.row)
            self._times_changed()

    def _times_changed(self) -> None:
        self.list.fit()
        self.list.refresh()
        self._head()

    def action_next(self, what: str, step: int) -> None:
        """Go to the next packet of a kind."""
        if self.opened is not None and self.row is not None:
            self._step(ROWS_ALIKE[what](self.opened.facts, self.row), step, what)

    def action_marked(self, step: int) -> None:
        """Go to the next marked packet."""
        self._step(np.array(sorted(self.list.marked), np.int64), step, "that is marked")

    def _step(self, rows: NDArray[np.int64], step: int, what: str) -> None:
        if self.opened is None or self.row is None:
            return
        if self.list.shown.size < len(self.opened.packets):
            rows = steps.common(rows, self.list.shown)
        found = steps.next_row(rows, self.row, step)
        if found is None:
            self.say(f"No {'later' if step > 0 else 'earlier'} packet {what}", "warning")
        else:
            self.list.move_to(self.list.place_of(found))

    def action_back(self) -> None:
        """Go back to where the last jump began."""
        self._travel(self.trail.back)

    def action_forward(self) -> None:
        """Undo going back."""
        self._travel(self.trail.forward)

    def _travel(self, way: Callable[[int], int | None]) -> None:
        row = None if self.row is None else way(self.row)
        if row is None:
            self.say("No jump to go back or forward to", "warning")
        else:
            self._place(row)
