"""A list of lines of which only those in sight are made: the one widget that scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mptrace.views.tui import palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

_SHIFT = 8
"""Columns that the left and right keys move."""


class LineList(ScrollView, can_focus=True):
    """Lines with a cursor. Subclasses say how many there are and draw one at a time."""

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        overflow-x: hidden;
        overflow-y: auto;
    }
    """
    CURSOR_LINE: ClassVar[bool] = True
    """Whether the cursor is a line that stands out."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("left,h", "left", "Left", show=False),
        Binding("right,l", "right", "Right", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, lines: LineList, index: int) -> None:
            super().__init__()
            self.lines = lines
            self.index = index

        @property
        def control(self) -> LineList:
            """The list; for handlers that name it."""
            return self.lines

    class Chosen(Message):
        """Enter was pressed on a line, or it was clicked twice."""

        def __init__(self, lines: LineList, index: int) -> None:
            super().__init__()
            self.lines = lines
            self.index = index

        @property
        def control(self) -> LineList:
            """The list; for handlers that name it."""
            return self.lines

    class Shifted(Message):
        """The lines were moved sideways."""

        def __init__(self, lines: LineList) -> None:
            super().__init__()
            self.lines = lines

    def __init__(self, identity: str | None = None) -> None:
        super().__init__(id=identity)
        self.cursor = 0
        self.shift = 0
        """Columns that lines are moved to the left."""

    # What subclasses say.

    def line_count(self) -> int:
        """How many lines there are."""
        return 0

    def draw(self, index: int) -> Sequence[Segment]:
        """The segments of a line; they may be wider than the list."""
        del index
        return ()

    # The list itself.

    def renew(self, cursor: int | None = None, *, announce: bool = True) -> None:
        """Draw anew after the lines changed; optionally move the cursor."""
        self.virtual_size = Size(self.size.width, self.line_count())
        self.refresh()
        wanted = self.cursor if cursor is None else cursor
        self.move_to(wanted, announce=announce, always=True)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, self.line_count())
        self.call_after_refresh(self._into_sight)

    def move_to(self, index: int, *, announce: bool = True, always: bool = False) -> None:
        """Put the cursor on a line (the nearest that exists)."""
        count = self.line_count()
        index = max(0, min(index, count - 1))
        moved = index != self.cursor
        if moved:
            self.refresh_line(self.cursor)
            self.cursor = index
            self.refresh_line(index)
        self._into_sight()
        if announce and count and (moved or always):
            self.post_message(self.Moved(self, index))

    def _into_sight(self) -> None:
        height = self.scrollable_content_region.height
        if height <= 0:
            return
        top = round(self.scroll_offset.y)
        if not top - height <= self.cursor < top + 2 * height:
            top = max(self.cursor - height // 2, 0)  # a jump: show what is around it
        elif self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + height:
            top = self.cursor - height + 1
        else:
            return
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def render_line(self, y: int) -> Strip:
        """Draw the line at a height of the window."""
        index = self.scroll_offset.y + y
        width = self.size.width
        base = self.rich_style
        if index >= self.line_count():
            return Strip.blank(width, base)
        strip = Strip(Segment.apply_style(self.draw(index), base))
        shift = self.shift
        strip = strip.crop_extend(shift, shift + width, base)
        if index == self.cursor and self.CURSOR_LINE:
            strip = _over(strip, base, self.has_focus)
        return strip

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self.refresh()

    def on_blur(self) -> None:
        """Show the cursor as another pane's."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor; a second click chooses."""
        index = self.scroll_offset.y + event.y
        if index < self.line_count():
            self.move_to(index)
            if event.chain > 1:
                self.action_choose()

    def action_move(self, lines: int) -> None:
        """Move by lines."""
        self.move_to(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move by what is in sight, less a line."""
        self.move_to(self.cursor + pages * max(self.scrollable_content_region.height - 1, 1))

    def action_first(self) -> None:
        """Move to the first line."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move to the last line."""
        self.move_to(self.line_count() - 1)

    def action_left(self) -> None:
        """Show what is left of the window."""
        self._shift_by(-_SHIFT)

    def action_right(self) -> None:
        """Show what is right of the window."""
        self._shift_by(_SHIFT)

    def _shift_by(self, columns: int) -> None:
        self.shift = max(self.shift + columns, 0)
        self.refresh()
        self.post_message(self.Shifted(self))

    def action_choose(self) -> None:
        """Choose the line."""
        if self.line_count():
            self.post_message(self.Chosen(self, self.cursor))


def _over(strip: Strip, base: Style, focused: bool) -> Strip:
    """The line of the cursor: one pair of colours for all of it, whatever stands there."""
    cursor = base + (palette.CURSOR if focused else palette.CURSOR_ELSEWHERE)
    return Strip(
        [Segment(text, _colorless(own) + cursor, control) for text, own, control in strip],
        strip.cell_length,
    )


def _colorless(style: Style | None) -> Style:
    return Style() if style is None else style.without_color
