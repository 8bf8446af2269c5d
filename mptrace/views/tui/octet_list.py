"""The octets of the packet, with those of the chosen field highlighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.message import Message

from mptrace.views.browsing import octet_lines
from mptrace.views.tui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

_HIGHLIGHT = Style(color="yellow", reverse=True)
_CURSOR = Style(reverse=True, bold=True)
_OFFSET = Style(dim=True)


class OctetList(LineList):
    """Hexadecimal digits and characters; a cursor on one octet finds its field."""

    CURSOR_LINE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Left", show=False),
        Binding("right,l", "step(1)", "Right", show=False),
        Binding("up,k", "step_line(-1)", "Up", show=False),
        Binding("down,j", "step_line(1)", "Down", show=False),
    ]

    class OctetChosen(Message):
        """The cursor stands on another octet."""

        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    def __init__(self) -> None:
        super().__init__("octets")
        self.octets = b""
        self.span: tuple[int, int] | None = None
        self.octet = 0
        self.per_line = 16

    def show(self, octets: bytes) -> None:
        """Show the octets of a packet."""
        self.octets = octets
        self.span = None
        self.octet = 0
        self.shift = 0
        self.renew(0, announce=False)

    def highlight(self, span: tuple[int, int] | None) -> None:
        """Highlight octets (offset and length) and bring them into sight."""
        self.span = span
        if span is not None:
            self.octet = min(span[0], max(len(self.octets) - 1, 0))
            last = min(span[0] + span[1] - 1, max(len(self.octets) - 1, 0))
            if span[1] < 4 * self.per_line:
                self.move_to(last // self.per_line, announce=False)
            self.move_to(self.octet // self.per_line, announce=False)
        self.refresh()

    def on_resize(self) -> None:
        """Put as many octets on a line as fit."""
        self.per_line = octet_lines.octets_per_line(self.size.width)
        super().on_resize()
        self.refresh()

    def line_count(self) -> int:
        """Lines that the octets take."""
        return octet_lines.line_count(self.octets, self.per_line)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw a line of octets."""
        line = octet_lines.line(self.octets, index, self.per_line)
        plain = Style()
        digits: list[Segment] = [Segment(f"{line.offset:04x} ", _OFFSET)]
        characters: list[Segment] = [Segment(" ")]
        styles = [self._style(line.offset + i) for i in range(len(line.octets))]
        for i, (pair, style) in enumerate(zip(line.digits, styles, strict=True)):
            gap = " " if i and i % 8 == 0 else ""
            joined = i > 0 and styles[i - 1] is style is _HIGHLIGHT
            digits.append(Segment(f"{gap} ", style if joined else plain))
            digits.append(Segment(pair, style))
        missing = self.per_line - len(line.octets)
        gaps = (self.per_line - 1) // 8 - (max(len(line.octets) - 1, 0)) // 8
        digits.append(Segment("   " * missing + " " * gaps, plain))
        characters += [
            Segment(character, style)
            for character, style in zip(line.characters, styles, strict=True)
        ]
        return [*digits, *characters]

    def _style(self, offset: int) -> Style:
        if offset == self.octet and self.has_focus:
            return _CURSOR
        if self.span is not None and self.span[0] <= offset < self.span[0] + self.span[1]:
            return _HIGHLIGHT
        return Style.null()

    def action_step(self, octets: int) -> None:
        """Move the cursor by octets."""
        self._go(self.octet + octets)

    def action_step_line(self, lines: int) -> None:
        """Move the cursor by lines."""
        self._go(self.octet + lines * self.per_line)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the octet that was clicked."""
        line = self.scroll_offset.y + event.y
        column = event.x - 6
        within = min(max((column - column // 25) // 3, 0), self.per_line - 1)
        if column >= 0 and line < self.line_count():
            self._go(line * self.per_line + within)

    def _go(self, octet: int) -> None:
        if not self.octets:
            return
        self.octet = min(max(octet, 0), len(self.octets) - 1)
        self.move_to(self.octet // self.per_line, announce=False)
        self.refresh()
        self.post_message(self.OctetChosen(self.octet))
