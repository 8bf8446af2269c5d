"""A tree of lines: the dissection, connections with their subflows, findings with packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.message import Message

from mptrace.views.browsing.outline import Node, Outline
from mptrace.views.tui import palette
from mptrace.views.tui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import BindingType


class OutlineList(LineList):
    """An outline; right opens a node, left closes it, Enter follows its link or toggles it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "close", "Close", show=False),
        Binding("right,l", "open", "Open", show=False),
        Binding("greater_than_sign", "left_right(8)", "Shift", show=False),
        Binding("less_than_sign", "left_right(-8)", "Shift", show=False),
    ]

    class Followed(Message):
        """Enter was pressed on a node that leads somewhere."""

        def __init__(self, outline_list: OutlineList, node: Node) -> None:
            super().__init__()
            self.outline_list = outline_list
            self.node = node

        @property
        def control(self) -> OutlineList:
            """The list; for handlers that name it."""
            return self.outline_list

    def __init__(self, identity: str | None = None) -> None:
        super().__init__(identity)
        self.outline = Outline(())

    def show(self, outline: Outline, cursor: int = 0) -> None:
        """Show an outline."""
        self.outline = outline
        self.renew(cursor)

    @property
    def node(self) -> Node | None:
        """The node under the cursor."""
        if not len(self.outline):
            return None
        return self.outline.lines[min(self.cursor, len(self.outline) - 1)].node

    def line_count(self) -> int:
        """Visible lines."""
        return len(self.outline)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw one node: its depth, whether it is open, its text."""
        line = self.outline.lines[index]
        node = line.node
        sign = " " if not node.expandable else "▾" if node.expanded else "▸"
        style = palette.tone(node.tone) + palette.subflow(node.subflow)
        lead = f"{'  ' * line.depth}{sign} "
        first, last = node.link_span
        return (
            Segment(lead + node.text[:first], style),
            Segment(node.text[first:last], style + palette.LINK),
            Segment(node.text[last:], style),
        )

    def action_choose(self) -> None:
        """Follow the link; where there is none, open or close."""
        node = self.node
        if node is None:
            return
        if node.link is not None:
            self.post_message(self.Followed(self, node))
        elif self.outline.toggle(self.cursor):
            self.renew(announce=False)

    def action_open(self) -> None:
        """Open the node, or go to its first line where it is open."""
        if not len(self.outline):
            return
        if self.outline.toggle(self.cursor, expanded=True):
            self.renew(announce=False)
        elif self.outline.lines[self.cursor].node.expandable:
            self.move_to(self.cursor + 1)
        elif self.outline.lines[self.cursor].depth == 0:
            self._shift_by(8)

    def action_close(self) -> None:
        """Close the node, or go to the one above where it is closed."""
        if not len(self.outline):
            return
        if self.shift:
            self._shift_by(-8)
        elif self.outline.toggle(self.cursor, expanded=False):
            self.renew(announce=False)
        else:
            self.move_to(self.outline.parent(self.cursor))

    def action_left_right(self, columns: int) -> None:
        """Show what is beside the window."""
        self._shift_by(columns)
