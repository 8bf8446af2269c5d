"""What is wrong with a display filter, and where."""

from __future__ import annotations


class FilterError(ValueError):
    """A display filter that cannot be understood; ``str`` says why and at which column.

    ``start`` and ``end`` are the offsets of the part at fault within ``text``.
    """

    def __init__(self, reason: str, text: str, start: int, end: int | None = None) -> None:
        self.reason = reason
        self.text = text
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start, min(self.start + 1 if end is None else end, len(text)))
        super().__init__(f"{reason} (column {self.column})")

    @property
    def column(self) -> int:
        """Where the part at fault begins, from 1."""
        return self.start + 1

    def pointed(self) -> str:
        """The filter, and below it a line that points at the part at fault."""
        shown = "".join(c if c.isprintable() else " " for c in self.text)
        return f"{shown}\n{' ' * self.start}^{'~' * (self.end - self.start - 1)}"
