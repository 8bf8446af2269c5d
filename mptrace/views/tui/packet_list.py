"""The table of packets: a row is made when it comes into sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from mptrace.views.browsing.packet_rows import COPY_MARKS
from mptrace.views.tui import palette
from mptrace.views.tui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.browsing.packet_rows import PacketRow
    from mptrace.views.browsing.time_column import TimeColumn

_WIDE = 110
"""From this width on addresses are given all the space that they need."""
_MARK_STYLES = {
    "t": palette.tone("warning"),
    "m": palette.tone("warning"),
    "r": palette.tone("error"),
    "o": palette.tone("note"),
    "!": palette.tone("error"),
    "?": palette.tone("note"),
    "*": Style(bold=True),
}


@dataclass(frozen=True, slots=True)
class ColumnWidths:
    """How wide the columns are; the information takes the rest."""

    number: int
    time: int
    address: int
    length: int = 5

    def head(self) -> str:
        """The line of titles."""
        return (
            f"{'No.':>{self.number}} {'Time':>{self.time}} "
            f"{'Source':<{self.address}} {'Destination':<{self.address}} "
            f"{'C.S':>4} {'Len':>{self.length}}      Info"
        )


class PacketListHead(Widget):
    """The titles above the table."""

    DEFAULT_CSS = "PacketListHead { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.shift = 0

    def show(self, text: str, shift: int) -> None:
        """Show these titles, as far left as the table is."""
        self.text, self.shift = text, shift
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw them."""
        del y
        style = self.rich_style + palette.HEAD + Style(underline=True)
        strip = Strip([Segment(self.text, style)])
        return strip.crop_extend(self.shift, self.shift + self.size.width, style)


class PacketList(LineList):
    """The packets that pass the filter, in the order of their numbers."""

    def __init__(self) -> None:
        super().__init__("packets")
        self.opened: OpenedCapture | None = None
        self.times: TimeColumn | None = None
        self.shown: NDArray[np.int64] = np.empty(0, np.int64)
        """(n,): rows of the packet table."""
        self.marked: set[int] = set()
        """Rows that the user marked."""
        self.widths = ColumnWidths(5, 9, 15)

    def show(
        self, opened: OpenedCapture, times: TimeColumn, shown: NDArray[np.int64], row: int | None
    ) -> None:
        """Show rows of a capture, with the cursor on ``row`` or the nearest that is shown."""
        self.opened, self.times, self.shown = opened, times, shown
        self.fit()
        self.renew(0 if row is None else self.place_of(row))

    def fit(self) -> None:
        """Find the widths of the columns."""
        if self.opened is None or self.times is None:
            return
        most = 39 if self.size.width >= _WIDE else 15
        address = max(min(self.opened.packets.widest_address, most), 11)
        self.widths = ColumnWidths(
            max(len(str(len(self.opened.packets))), 4), self.times.width, address
        )

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self.fit()
        super().on_resize()

    @property
    def row(self) -> int | None:
        """The row of the packet table under the cursor; None where nothing is shown."""
        return int(self.shown[self.cursor]) if self.shown.size else None

    def place_of(self, row: int) -> int:
        """The line of a row, or of the next one that is shown."""
        place = int(np.searchsorted(self.shown, row))
        return min(place, max(self.shown.size - 1, 0))

    def line_count(self) -> int:
        """Rows that are shown."""
        return int(self.shown.size)

    def draw(self, index: int) -> Sequence[Segment]:
        """Draw one packet."""
        if self.opened is None or self.times is None:
            return ()
        above = int(self.shown[index - 1]) if index else None
        row = int(self.shown[index])
        packet = self.opened.rows.row(row)
        time = self.times.text(row, above)
        widths = self.widths
        style = palette.subflow(packet.subflow)
        if row in self.marked:
            style += palette.MARKED
        cells = (
            f"{packet.number:>{widths.number}} {time:>{widths.time}} "
            f"{_fitted(packet.source, widths.address)} "
            f"{_fitted(packet.destination, widths.address)} "
            f"{_membership(packet):>4} {packet.length:>{widths.length}} "
        )
        marks = packet.marks + ("*" if row in self.marked else " ")
        segments = [Segment(cells, style)]
        segments += [Segment(mark, _MARK_STYLES.get(mark, style)) for mark in marks]
        remark, bracket, rest = packet.info.partition("] ")
        if bracket and remark.startswith("["):
            told = palette.tone("warning" if packet.copy in COPY_MARKS else "note")
            segments.append(Segment(f" {remark}]", told))
            segments.append(Segment(f" {rest}", style))
        else:
            segments.append(Segment(f" {packet.info}", style))
        return segments


def _membership(packet: PacketRow) -> str:
    """Connection and subflow: ``0.1``."""
    return "" if packet.connection is None else f"{packet.connection}.{packet.subflow}"


def _fitted(text: str, width: int) -> str:
    """Text cut in its middle where it is too long: both ends of an address tell it apart."""
    if len(text) <= width:
        return f"{text:<{width}}"
    left = (width - 1) // 2
    return f"{text[:left]}…{text[-(width - 1 - left) :]}"
