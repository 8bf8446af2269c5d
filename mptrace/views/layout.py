"""Lines of a terminal: tables that fit, paragraphs that hang, and colour where it is wanted.

Small on purpose: rich costs as much time to load as analyzing a small capture, and breaks
addresses in the middle where a table is too wide. Here a table that is too wide gives its
addresses a line of their own, then breaks its longest texts between words.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from mptrace.views.summary import ARROW, Cell, Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP: Final = "  "
_COMFORTABLE: Final = 16
"""Texts are broken into pieces of this width before addresses leave the table..."""
_NARROWEST: Final = 8
"""... and of this width before the table is wider than the terminal."""
_ESCAPES: Final[dict[Tone, str]] = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[33m",
    "note": "\x1b[36m",
    "good": "\x1b[32m",
    "faint": "\x1b[2m",
    "strong": "\x1b[1m",
}
_RESET: Final = "\x1b[0m"


class Layout:
    """How wide the lines are, and whether they are coloured."""

    def __init__(self, width: int, *, color: bool) -> None:
        """Lay out lines of so many columns; too narrow a width counts as 40."""
        self.width = max(width, 40)
        self.color = color

    def paint(self, text: str, tone: Tone) -> str:
        """Return the text in the colour of its tone."""
        if not self.color or not tone or not text:
            return text
        return f"{_ESCAPES[tone]}{text}{_RESET}"

    def paragraph(self, text: str, tone: Tone = "", *, lead: str = "", indent: int = 0) -> str:
        """Return text broken between words; ``lead`` (not coloured) hangs before it."""
        first = " " * indent + lead
        body = wrap(text, max(self.width - display_width(first), 20))
        hanging = " " * display_width(first)
        lines = [first + self.paint(body[0], tone)]
        lines += [hanging + self.paint(line, tone) for line in body[1:]]
        return "\n".join(lines)

    def table(self, table: Table, *, indent: int = 0) -> Iterator[str]:
        """Yield the lines of a table: its heads, a rule, its rows."""
        available = self.width - indent
        columns = list(range(len(table.columns)))
        aside: list[int] = []
        widths = _natural_widths(table)
        _shrink(table.columns, widths, columns, available, _COMFORTABLE)
        if _total(widths, columns) > available:
            widths = _natural_widths(table)
            aside = [index for index in columns if table.columns[index].address]
            columns = [index for index in columns if index not in aside]
            _shrink(table.columns, widths, columns, available, _NARROWEST)
        margin = " " * indent
        heads = [Cell(table.columns[index].label, "strong") for index in columns]
        yield from self._row(table.columns, columns, widths, heads, margin)
        yield margin + self.paint("─" * _total(widths, columns), "faint")
        for row in table.rows:
            yield from self._row(
                table.columns, columns, widths, [row[index] for index in columns], margin
            )
            if aside:
                yield from self._aside([row[index] for index in aside], indent + widths[0] + 2)

    def _row(
        self,
        columns: Sequence[Column],
        shown: Sequence[int],
        widths: Sequence[int],
        cells: Sequence[Cell],
        margin: str,
    ) -> Iterator[str]:
        pieces = [
            _break(cell.text, widths[index]) for index, cell in zip(shown, cells, strict=True)
        ]
        height = max(map(len, pieces))
        heads = all(cell.tone == "strong" for cell in cells)
        for line in range(height):
            parts = []
            for index, cell, piece in zip(shown, cells, pieces, strict=True):
                at = line - (height - len(piece)) if heads else line
                text = piece[at] if 0 <= at < len(piece) else ""
                blank = " " * (widths[index] - display_width(text))
                painted = self.paint(text, cell.tone)
                parts.append(blank + painted if columns[index].numeric else painted + blank)
            yield (margin + _GAP.join(parts)).rstrip()

    def _aside(self, cells: Sequence[Cell], indent: int) -> Iterator[str]:
        texts = [cell.text for cell in cells]
        joined = f" {ARROW} ".join(texts)
        if indent + display_width(joined) <= self.width:
            yield " " * indent + joined
            return
        for number, text in enumerate(texts):
            yield " " * indent + (f"{ARROW} {text}" if number else text)


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes (wide characters take two)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrap(text: str, width: int) -> list[str]:
    """Return text broken between words, and within words that are wider than a line."""
    lines = [""]
    used = 0
    for word in text.split():
        size = display_width(word)
        if used and used + 1 + size <= width:
            lines[-1] += f" {word}"
            used += 1 + size
            continue
        if used:
            lines.append("")
            used = 0
        for character in word if size > width else (word,):
            step = display_width(character)
            if used and used + step > width:
                lines.append("")
                used = 0
            lines[-1] += character
            used += step
    return lines


def _natural_widths(table: Table) -> list[int]:
    widths = []
    for index, column in enumerate(table.columns):
        texts = [column.label, *(row[index].text for row in table.rows)]
        widths.append(max(display_width(line) for text in texts for line in text.split("\n")))
    return widths


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + len(_GAP) * (len(shown) - 1)


def _shrink(
    columns: Sequence[Column], widths: list[int], shown: Sequence[int], available: int, floor: int
) -> None:
    """Narrow the columns of text, the widest first, until the table fits or all are at floor."""
    texts = [index for index in shown if not (columns[index].numeric or columns[index].address)]
    while texts and _total(widths, shown) > available:
        widest = max(texts, key=lambda index: widths[index])
        if widths[widest] <= floor:
            return
        widths[widest] -= 1


def _break(text: str, width: int) -> list[str]:
    lines = []
    for line in text.split("\n"):
        if display_width(line) <= width:
            lines.append(line)
        else:
            lines += wrap(line, width)
    return lines or [""]
