"""The first and the last line of the screen."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from mptrace.views.tui import palette

VIEWS = ("Packets", "Connections", "Findings")


class TitleLine(Widget):
    """What is open, and the views with the keys that show them."""

    DEFAULT_CSS = "TitleLine { height: 1; }"

    def __init__(self, names: tuple[str, ...] = VIEWS) -> None:
        super().__init__(id="title")
        self._names = names
        self.path = ""
        self.current = 0
        self.counts: tuple[int | None, ...] = (None,) * len(names)

    def render(self) -> Text:
        """Draw it: the path gives way where space is short."""
        tabs = Text()
        for index, name in enumerate(self._names):
            number = self.counts[index]
            count = "" if number is None else f" {number:,}"
            style = "reverse bold" if index == self.current else ""
            tabs.append(f" {index + 1} {name}{count} ", style)
        space = self.size.width - tabs.cell_len - 10
        path = self.path if len(self.path) <= space else "…" + self.path[-max(space - 1, 0) :]
        line = Text("mptrace ", "bold", no_wrap=True, end="")
        line.append(f" {path}")
        line.append(" " * max(self.size.width - line.cell_len - tabs.cell_len, 1))
        line.append_text(tabs)
        return line


class StatusLine(Widget):
    """Where one is, the latest message, and the keys that lead on."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def __init__(self, hint: str = "/ filter  ? help  q quit") -> None:
        super().__init__(id="status")
        self._hint = f"  {hint}"
        self.place = ""
        self.message = ""
        self.tone = ""

    def say(self, message: str, tone: str = "") -> None:
        """Show a message until something else happens."""
        self.message, self.tone = message, tone
        self.refresh()

    def hint(self, hint: str) -> None:
        """Show which keys lead on."""
        self._hint = f"  {hint}"
        self.refresh()

    def stand(self, place: str) -> None:
        """Show where one is; takes a message away."""
        self.place, self.message = place, ""
        self.refresh()

    def render(self) -> Text:
        """Draw it."""
        text = self.message or self.place
        line = Text(text, palette.tone(self.tone) if self.message else "", no_wrap=True, end="")
        space = self.size.width - len(self._hint)
        if line.cell_len <= space:
            line.append(" " * (space - line.cell_len))
            line.append(self._hint, "dim")
        return line
