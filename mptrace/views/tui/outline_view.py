"""A tree of lines with the words of the chosen line below it: connections, findings, events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from mptrace.views.browsing.outline import Outline
from mptrace.views.tui.outline_list import OutlineList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from mptrace.views.browsing.outline import Node
    from mptrace.views.tui.lines import LineList


class OutlineView(Vertical):
    """Titles, the tree, and what the chosen line says in full."""

    DEFAULT_CSS = """
    OutlineView .head { height: 1; text-style: bold underline; text-wrap: nowrap; }
    OutlineView .detail { height: 7; border-top: solid ansi_bright_black; }
    OutlineView .detail Static { height: auto; }
    OutlineView .detail { scrollbar-size-vertical: 1; }
    """

    def __init__(self, identity: str, nothing: str) -> None:
        super().__init__(id=identity)
        self._nothing = nothing
        """What is said where there are no lines."""

    def compose(self) -> ComposeResult:
        """Compose the panes."""
        yield Static("", classes="head", markup=False)
        yield OutlineList()
        with VerticalScroll(classes="detail", can_focus=False):
            yield Static("", markup=False)

    @property
    def list(self) -> OutlineList:
        """The tree."""
        return self.query_one(OutlineList)

    def show(self, head: str, nodes: Iterable[Node]) -> None:
        """Show a tree."""
        title = self.query_one(".head", Static)
        title.update(f"  {head}")
        title.display = bool(head)
        outline = Outline(nodes)
        self.list.show(outline)
        if not len(outline):
            self.query_one(".detail Static", Static).update(self._nothing)

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Say in full what the line says."""
        event.stop()
        node = self.list.node
        if node is not None:
            self.query_one(".detail Static", Static).update(node.detail or node.text)
            self.query_one(".detail", VerticalScroll).scroll_home(animate=False)
