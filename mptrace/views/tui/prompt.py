"""The line at the bottom that asks for a packet number, something to find, a file name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType


class PromptInput(Input):
    """The line that is typed on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.close_prompt", "Cancel", show=False),
        Binding("up", "older", "Older", show=False),
        Binding("down", "newer", "Newer", show=False),
        Binding("ctrl+f", "kind", "Another kind of search", show=False),
        Binding("tab", "kind", "Another kind of search", show=False),
    ]

    def action_older(self) -> None:
        """Show what was typed before."""
        self._prompt().recall(-1)

    def action_newer(self) -> None:
        """Show what was typed after that."""
        self._prompt().recall(1)

    def action_kind(self) -> None:
        """Go on to the next kind of question."""
        self._prompt().next_kind()

    def _prompt(self) -> Prompt:
        return self.query_ancestor(Prompt)


class Prompt(Horizontal):
    """A label and a line; hidden but while something is asked."""

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; }
    Prompt.open { display: block; }
    Prompt Static { width: auto; }
    Prompt Input { width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._labels: tuple[str, ...] = ("",)
        self._kind = 0
        self._answer: Callable[[int, str], None] | None = None
        self._history: dict[str, list[str]] = {}
        self._recalled = 0

    def compose(self) -> ComposeResult:
        """Compose the label and the line."""
        yield Static("", markup=False)
        yield PromptInput(compact=True)

    def ask(
        self,
        labels: tuple[str, ...],
        answer: Callable[[int, str], None],
        *,
        text: str = "",
        kind: int = 0,
    ) -> None:
        """Ask; ``answer`` gets the number of the label that stood there, and the text.

        Of several labels, Tab and Ctrl-F go from one to the next.
        """
        self._labels, self._answer, self._kind = labels, answer, kind
        self._recalled = 0
        self.add_class("open")
        self._label()
        line = self.query_one(Input)
        line.value = text
        self.screen.set_focus(line)

    def close(self) -> None:
        """Hide the line."""
        self.remove_class("open")
        self._answer = None

    @property
    def is_open(self) -> bool:
        """Whether something is asked."""
        return self.has_class("open")

    def next_kind(self) -> None:
        """Go on to the next label."""
        self._kind = (self._kind + 1) % len(self._labels)
        self._label()

    def recall(self, step: int) -> None:
        """Show an earlier answer to the same question."""
        known = self._history.get(self._labels[0], [])
        self._recalled = max(min(self._recalled - step, len(known)), 0)
        line = self.query_one(Input)
        line.value = known[-self._recalled] if self._recalled else ""
        line.cursor_position = len(line.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer."""
        event.stop()
        answer, text = self._answer, event.value
        if text.strip():
            known = self._history.setdefault(self._labels[0], [])
            if text not in known[-1:]:
                known.append(text)
        self.close()
        if answer is not None:
            answer(self._kind, text)

    def _label(self) -> None:
        more = " (Tab: other kinds)" if len(self._labels) > 1 else ""
        self.query_one(Static).update(f"{self._labels[self._kind]}{more}: ")
