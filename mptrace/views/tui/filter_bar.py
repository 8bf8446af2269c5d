"""The display filter: a line to type on, how it may go on, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from mptrace.analysis.filter import complete
from mptrace.views.tui import palette
from mptrace.views.tui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from mptrace.analysis.filter import Candidate

_LABEL = "Filter: "
_MOST_CANDIDATES = 8


class CandidateList(LineList):
    """How the filter may go on."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__("candidates")
        self.candidates: Sequence[Candidate] = ()

    def line_count(self) -> int:
        """How many there are."""
        return len(self.candidates)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw one: what would be typed, and what it means."""
        candidate = self.candidates[index]
        width = max(len(other.text) for other in self.candidates)
        return (
            Segment(f"{'':{len(_LABEL)}}{candidate.text:<{width}}  "),
            Segment(candidate.meaning, palette.tone("faint")),
        )


class FilterInput(Input):
    """The line of the filter; Tab from pane to pane passes it by."""

    can_focus = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "accept", "Complete", show=False, priority=True),
        Binding("up", "up", "Up", show=False),
        Binding("down", "down", "Down", show=False),
        Binding("escape", "leave", "Leave", show=False),
    ]

    def _bar(self) -> FilterBar:
        return self.query_ancestor(FilterBar)

    def on_blur(self) -> None:
        """Be passed by again."""
        self.can_focus = False

    def action_accept(self) -> None:
        """Take the candidate."""
        self._bar().accept()

    def action_up(self) -> None:
        """Go to the candidate above, or to an earlier filter."""
        self._bar().go(-1)

    def action_down(self) -> None:
        """Go to the candidate below, or to a later filter."""
        self._bar().go(1)

    def action_leave(self) -> None:
        """Give up typing."""
        self._bar().leave()


class FilterBar(Vertical):
    """The filter's line; below it candidates while it is typed, or what is wrong."""

    DEFAULT_CSS = """
    FilterBar { height: auto; max-height: 10; }
    FilterBar Horizontal { height: 1; }
    FilterBar .label { width: 8; }
    FilterBar Input { width: 1fr; }
    FilterBar CandidateList { height: auto; max-height: 8; display: none; }
    FilterBar.listing CandidateList { display: block; }
    FilterBar .fault { height: auto; display: none; }
    FilterBar.faulty .fault { display: block; }
    """

    class Submitted(Message):
        """A filter is to be applied."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Typing was given up."""

    def __init__(self) -> None:
        super().__init__(id="filter")
        self._history: list[str] = []
        self._recalled = 0
        self.applied = ""

    def compose(self) -> ComposeResult:
        """Compose the line, the list and the fault."""
        with Horizontal():
            yield Static(_LABEL, classes="label", markup=False)
            yield FilterInput(compact=True, placeholder="/ to type one, as in Wireshark")
        yield CandidateList()
        yield Static("", classes="fault", markup=False)

    @property
    def line(self) -> FilterInput:
        """What is typed on."""
        return self.query_one(FilterInput)

    def focus_line(self) -> None:
        """Begin to type."""
        self.line.can_focus = True
        self.screen.set_focus(self.line)

    def on_click(self) -> None:
        """Begin to type."""
        self.focus_line()

    def accepted(self, text: str) -> None:
        """The filter was understood and holds now."""
        self.applied = text
        self.remove_class("faulty")
        if text and text not in self._history[-1:]:
            self._history.append(text)
        self._recalled = 0
        if self.line.value != text:
            with self.prevent(Input.Changed):
                self.line.value = text
        self._list(())

    def fault(self, message: str, position: int, text: str) -> None:
        """Say what is wrong with a filter, and point at the place."""
        self._list(())
        if self.line.value != text:
            with self.prevent(Input.Changed):
                self.line.value = text
        indent = " " * (len(_LABEL) + position)
        fault = self.query_one(".fault", Static)
        width = max(self.size.width, 20)
        pointer = f"{indent[: width - 1]}^"
        fault.update(f"{pointer}\n{message}")
        fault.styles.color = palette.FAULT
        self.add_class("faulty")
        self.focus_line()
        self.line.cursor_position = position

    def accept(self) -> None:
        """Take the candidate under the cursor."""
        listed = self.query_one(CandidateList)
        if not listed.candidates:
            self._list(complete(self.line.value, self.line.cursor_position))
            if len(listed.candidates) != 1:
                return
        chosen = listed.candidates[listed.cursor]
        text, cursor = chosen.completed(self.line.value)
        self.line.value = text
        self.line.cursor_position = cursor

    def go(self, step: int) -> None:
        """Move among the candidates, or through the history where none are listed."""
        listed = self.query_one(CandidateList)
        if listed.candidates:
            listed.move_to(listed.cursor + step)
            return
        self._recalled = max(min(self._recalled - step, len(self._history)), 0)
        value = self._history[-self._recalled] if self._recalled else ""
        with self.prevent(Input.Changed):
            self.line.value = value
        self.line.cursor_position = len(value)

    def leave(self) -> None:
        """Close the list; where none is open, go back to the filter that holds."""
        if self.has_class("listing"):
            self._list(())
            return
        self.remove_class("faulty")
        with self.prevent(Input.Changed):
            self.line.value = self.applied
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        """List how it may go on."""
        event.stop()
        self.remove_class("faulty")
        if self.line.has_focus and event.value:
            self._list(complete(event.value, len(event.value)))
        else:
            self._list(())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask for the filter to be applied."""
        event.stop()
        self._list(())
        self.post_message(self.Submitted(event.value.strip()))

    def _list(self, candidates: Sequence[Candidate]) -> None:
        listed = self.query_one(CandidateList)
        listed.candidates = tuple(candidates)[:_MOST_CANDIDATES]
        self.set_class(bool(listed.candidates), "listing")
        listed.styles.height = len(listed.candidates)
        listed.renew(0, announce=False)
