"""The data that a connection carried, both directions, as text or in hexadecimal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.binding import Binding
from textual.worker import get_current_worker

from mptrace.views import figures, summary
from mptrace.views.browsing.conversation import Conversation
from mptrace.views.tui import palette
from mptrace.views.tui.lines import LineList
from mptrace.views.tui.patient_screen import PatientScreen
from mptrace.views.tui.prompt import Prompt
from mptrace.views.tui.status import StatusLine, TitleLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.views.browsing.conversation import Form
    from mptrace.views.browsing.opened import OpenedCapture

_STYLES = (Style(color="bright_red"), Style(color="bright_blue"))
"""Client and server, as Wireshark colours them."""
_FIRST_PACKETS = 500
_SIDES = ((0, 1), (0,), (1,))
_SIDE_WORDS = ("both directions", "from the client only", "from the server only")


class ConversationList(LineList):
    """The lines of a conversation."""

    def __init__(self) -> None:
        super().__init__("conversation")
        self.conversation: Conversation | None = None

    def line_count(self) -> int:
        """How many there are."""
        return 0 if self.conversation is None else len(self.conversation)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw one, with who sent it at its left."""
        if self.conversation is None:
            return ()
        line = self.conversation.line(index)
        style = palette.tone("warning") if line.missing else _STYLES[line.side]
        return (Segment("> " if line.side == 0 else "< ", style), Segment(line.text, style))


class FollowScreen(PatientScreen[int]):
    """Closes with the number of a packet to go to, or with nothing."""

    DEFAULT_CSS = "FollowScreen { overflow: hidden; layout: vertical; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "form", "Text or hexadecimal", show=False),
        Binding("d", "sides", "Directions", show=False),
        Binding("ctrl+f,slash", "find", "Find", show=False),
        Binding("n", "again(1)", "Next match", show=False),
        Binding("N", "again(-1)", "Previous match", show=False),
        Binding("escape,backspace,q", "leave", "Back", show=False),
        Binding("question_mark", "app.help", "Help", show=False),
    ]

    def __init__(self, opened: OpenedCapture, index: int) -> None:
        super().__init__()
        self._opened = opened
        self._index = index
        self._conversation: Conversation | None = None
        self._form: Form = "text"
        self._sides = 0
        self._wanted = b""

    def compose(self) -> ComposeResult:
        """Compose the lines."""
        yield TitleLine(())
        yield ConversationList()
        yield Prompt()
        yield StatusLine("x hex  d direction  Ctrl-F find  Esc back")

    @property
    def lines(self) -> ConversationList:
        """The lines."""
        return self.query_one(ConversationList)

    def on_mount(self) -> None:
        """Begin to lay the lines out."""
        connection = self._opened.analysis[self._index]
        self.query_one(TitleLine).path = f"Data of connection {self._index}: " + summary.path(
            connection
        )
        self.set_focus(self.lines)

    def on_resize(self) -> None:
        """Break the lines for the new width."""
        self._lay_out()

    @work(thread=True, exclusive=True, group="follow")
    def _lay_out(self) -> None:
        worker = get_current_worker()
        width = max(self.size.width - 4, 20)
        for most in (_FIRST_PACKETS, None):  # the begin is shown while the rest is laid out
            conversation = Conversation(self._opened, self._index)
            sides, form = _SIDES[self._sides], self._form
            if not conversation.index(form, width, sides, most, lambda: worker.is_cancelled):
                return
            self.app.call_from_thread(self._show, conversation)
            if sum(map(len, conversation.streams)) <= _FIRST_PACKETS:
                return

    def _show(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.lines.conversation = conversation
        self.lines.renew()
        sizes = [
            figures.octets(int(stream.length.sum()), exact=False) for stream in conversation.streams
        ]
        self.query_one(StatusLine).stand(
            f"> client {sizes[0]}, < server {sizes[1]}; {_SIDE_WORDS[self._sides]}"
        )

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Go to the packet that carried the line."""
        event.stop()
        if self._conversation is not None:
            self.dismiss(self._conversation.line(event.index).frame)

    def action_form(self) -> None:
        """Change between text and hexadecimal."""
        self._form = "hexadecimal" if self._form == "text" else "text"
        self._lay_out()

    def action_sides(self) -> None:
        """Show both directions, or one of them."""
        self._sides = (self._sides + 1) % len(_SIDES)
        self._lay_out()

    def action_find(self) -> None:
        """Ask what to find."""

        def find(kind: int, text: str) -> None:
            self.set_focus(self.lines)
            if kind:
                try:
                    self._wanted = bytes.fromhex(text)
                except ValueError:
                    self.query_one(StatusLine).say("Octets are pairs of digits: 0d 0a", "warning")
                    return
            else:
                self._wanted = text.encode()
            self.action_again(1)

        self.query_one(Prompt).ask(("Find text", "Find octets in hexadecimal"), find)

    def close_prompt(self) -> None:
        """Hide the prompt."""
        self.query_one(Prompt).close()
        self.set_focus(self.lines)

    def action_again(self, step: int) -> None:
        """Go to the next match."""
        if self._wanted:
            self._search(self._wanted, self.lines.cursor, step)

    @work(thread=True, exclusive=True, group="search")
    def _search(self, wanted: bytes, start: int, step: int) -> None:
        worker = get_current_worker()
        conversation = self._conversation
        if conversation is None:
            return
        found = conversation.find(wanted, start, step, lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._found, found)

    def _found(self, index: int | None) -> None:
        if index is None:
            self.query_one(StatusLine).say("Not found", "warning")
        else:
            self.lines.move_to(index)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
