"""The list of keys and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.screen import Screen

from mptrace.views.browsing.packet_rows import LEGEND
from mptrace.views.layout import wrap
from mptrace.views.tui import keys
from mptrace.views.tui.status import StatusLine, TitleLine
from mptrace.views.tui.text_list import TextList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType

_KEYS_WIDTH = 21


class HelpScreen(Screen[None]):
    """Lists all keys; any key that leaves a screen leaves it."""

    DEFAULT_CSS = "HelpScreen { overflow: hidden; layout: vertical; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,backspace", "leave", "Back", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Compose the list."""
        yield TitleLine(())
        yield TextList()
        yield StatusLine("Esc back")

    def on_mount(self) -> None:
        """Say what it is."""
        self.query_one(TitleLine).path = "Keys"
        self.set_focus(self.query_one(TextList))

    def on_resize(self) -> None:
        """Break the lines for the new width."""
        self.query_one(TextList).show(_lines(self.size.width - 1))

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


def _lines(width: int) -> Iterator[Text]:
    groups = [*keys.GROUPS, ("Marks in the packet list", LEGEND)]
    for title, group in groups:
        yield Text.assemble((title, "bold underline"))
        for name, meaning in group:
            lead = f"  {name:<{_KEYS_WIDTH}}"
            for line in wrap(meaning, max(width - len(lead), 20)):
                yield Text.assemble((lead, "bold"), line)
                lead = " " * len(lead)
        yield Text("")
    yield Text("Colours tell subflows apart; C.S is the connection and the subflow.")
