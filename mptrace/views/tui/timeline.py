"""A timeline drawn with dots, with a cursor that leads to packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mptrace.views.browsing.canvas import NO_LAYER
from mptrace.views.browsing.plots import REPEATED
from mptrace.views.figures import moment
from mptrace.views.tui import palette

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from mptrace.views.browsing.canvas import Canvas
    from mptrace.views.browsing.plots import Layer, Plot

_AXIS = 13
"""Columns of the axis on the left, its line included."""
_NARROWEST_NS = 1000
_CURSOR = Style(reverse=True)


class Timeline(Widget, can_focus=True):
    """One plot; left and right move the cursor, + and - zoom around it."""

    DEFAULT_CSS = "Timeline { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Left", show=False),
        Binding("right,l", "step(1)", "Right", show=False),
        Binding("shift+left,pageup", "step(-10)", "Left", show=False),
        Binding("shift+right,pagedown", "step(10)", "Right", show=False),
        Binding("home,g", "edge(0)", "Begin", show=False),
        Binding("end,G", "edge(1)", "End", show=False),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", show=False),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False),
        Binding("0", "whole", "Whole", show=False),
        Binding("enter", "choose", "Go to the packet", show=False),
    ]

    class CursorMoved(Message):
        """The cursor stands at another time."""

        def __init__(self, time_ns: int) -> None:
            super().__init__()
            self.time_ns = time_ns

    class Chosen(Message):
        """Enter was pressed."""

        def __init__(self, time_ns: int) -> None:
            super().__init__()
            self.time_ns = time_ns

    def __init__(self) -> None:
        super().__init__()
        self.plot: Plot | None = None
        self.time_ns = 0
        self.window_ns = (0, 1)
        self._canvas: Canvas | None = None

    def show(self, plot: Plot) -> None:
        """Show a plot; the window and the cursor stay where they can."""
        if self.plot is None or self.plot.span_ns != plot.span_ns:
            self.window_ns = plot.span_ns
            self.time_ns = plot.span_ns[0]
        self.plot = plot
        self._redraw()
        self.post_message(self.CursorMoved(self.time_ns))

    def go_to(self, time_ns: int) -> None:
        """Put the cursor at a time."""
        if self.plot is None:
            return
        first, last = self.plot.span_ns
        self.time_ns = min(max(time_ns, first), last)
        low, high = self.window_ns
        if not low <= self.time_ns <= high:
            width = high - low
            low = min(max(self.time_ns - width // 2, first), max(last - width, first))
            self.window_ns = (low, low + width)
            self._canvas = None
        self.refresh()
        self.post_message(self.CursorMoved(self.time_ns))

    @property
    def columns(self) -> int:
        """Characters across the drawing."""
        return max(self.size.width - _AXIS, 2)

    @property
    def column_ns(self) -> int:
        """Time that one character stands for."""
        return max((self.window_ns[1] - self.window_ns[0]) // (self.columns - 1), 1)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._redraw()

    def _redraw(self) -> None:
        self._canvas = None
        self.refresh()

    def _cursor_column(self) -> int:
        first, last = self.window_ns
        return round((self.time_ns - first) * (self.columns - 1) / max(last - first, 1))

    def render_line(self, y: int) -> Strip:
        """Draw a line: the axis, then dots; below it times and the key to the colours."""
        width, height = self.size
        base = self.rich_style
        if self.plot is None:
            return Strip([Segment("drawing…" if y == 0 else "", base)]).crop_extend(0, width, base)
        rows = max(height - 2, 1)
        if self._canvas is None:
            self._canvas = self.plot.drawn(self.columns, rows, self.window_ns)
        if y < rows:
            segments = self._drawing(self._canvas, y, rows)
        elif y == rows:
            segments = self._times()
        else:
            segments = self._key()
        return Strip(Segment.apply_style(segments, base)).crop_extend(0, width, base)

    def _drawing(self, canvas: Canvas, y: int, rows: int) -> list[Segment]:
        plot = self.plot
        if plot is None:
            return []
        label = ""
        if y in (0, rows // 2, rows - 1):
            share = 1 - y / max(rows - 1, 1)
            label = plot.unit(plot.lowest + share * (plot.highest - plot.lowest))
        segments = [Segment(f"{label:>{_AXIS - 1}}│", palette.tone("faint"))]
        cursor, at = self._cursor_column(), 0
        for text, layer in canvas.row(y):
            style = Style() if layer == NO_LAYER else layer_style(plot.layers[layer])
            if at <= cursor < at + len(text):
                before = cursor - at
                segments.append(Segment(text[:before], style))
                segments.append(Segment(text[before], style + _CURSOR))
                segments.append(Segment(text[before + 1 :], style))
            else:
                segments.append(Segment(text, style))
            at += len(text)
        return segments

    def _times(self) -> list[Segment]:
        first, last = (moment(time_ns * 1e-9) for time_ns in self.window_ns)
        gap = max(self.columns - len(first) - len(last), 1)
        return [Segment(f"{'':{_AXIS}}{first}{'':{gap}}{last}", palette.tone("faint"))]

    def _key(self) -> list[Segment]:
        if self.plot is None:
            return []
        segments = [Segment(" " * _AXIS)]
        for layer in self.plot.layers:
            if layer.time_ns.size:
                segments.append(Segment("■ ", layer_style(layer)))
                segments.append(Segment(f"{layer.name}  "))
        return segments

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where it was clicked; twice goes to the packet."""
        first, last = self.window_ns
        share = (event.x - _AXIS) / max(self.columns - 1, 1)
        self.go_to(round(first + share * (last - first)))
        if event.chain > 1:
            self.action_choose()

    def action_step(self, columns: int) -> None:
        """Move the cursor by characters."""
        self.go_to(self.time_ns + columns * self.column_ns)

    def action_edge(self, end: int) -> None:
        """Move the cursor to the begin or the end."""
        if self.plot is not None:
            self.go_to(self.plot.span_ns[end])

    def action_zoom(self, factor: float) -> None:
        """Show less or more time, around the cursor."""
        if self.plot is None:
            return
        first, last = self.plot.span_ns
        width = max(round((self.window_ns[1] - self.window_ns[0]) * factor), _NARROWEST_NS)
        if width >= last - first:
            self.window_ns = (first, last)
        else:
            low = min(max(self.time_ns - width // 2, first), last - width)
            self.window_ns = (low, low + width)
        self._redraw()

    def action_whole(self) -> None:
        """Show all of it."""
        if self.plot is not None:
            self.window_ns = self.plot.span_ns
            self._redraw()

    def action_choose(self) -> None:
        """Go to the packet at the cursor."""
        self.post_message(self.Chosen(self.time_ns))


def layer_style(layer: Layer) -> Style:
    """The colour of a series: its subflow's, red for what repeats, white for the whole."""
    if layer.color == REPEATED:
        return palette.tone("error")
    if isinstance(layer.color, int):
        return palette.subflow(layer.color)
    return Style()
