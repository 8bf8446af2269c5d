"""Lines of text to read, and to scroll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.views.tui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.segment import Segment
    from rich.text import Text


class TextList(LineList):
    """A finished text."""

    def __init__(self, identity: str | None = None) -> None:
        super().__init__(identity)
        self._lines: list[Text] = []

    def show(self, lines: Iterable[Text]) -> None:
        """Show these lines."""
        self._lines = list(lines)
        self.renew()

    def line_count(self) -> int:
        """How many there are."""
        return len(self._lines)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw one."""
        return [*self._lines[index].render(self.app.console, end="")]
