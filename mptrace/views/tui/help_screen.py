"""The list of keys and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.screen import Screen

from mptrace.views.browsing.packet_rows import LEGEND
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
        """Fill it in."""
        self.query_one(TitleLine).path = "Keys"
        lines = self.query_one(TextList)
        lines.show(_lines())
        lines.focus()

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


def _lines() -> Iterator[Text]:
    for title, group in keys.GROUPS:
        yield Text(title, "bold underline")
        for key in group:
            yield Text.assemble((f"  {key.keys:<{_KEYS_WIDTH}}", "bold"), key.does)
        yield Text("")
    yield Text("Marks in the packet list", "bold underline")
    for mark, meaning in LEGEND:
        yield Text.assemble((f"  {mark:<{_KEYS_WIDTH}}", "bold"), meaning)
    yield Text("")
    yield Text("Colours tell subflows apart; C.S is the connection and the subflow.")
