"""The time column: relative to the first packet or a reference, since the row above, absolute."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Final, Literal

from mptrace.views.figures import readable_time

if TYPE_CHECKING:
    from mptrace.views.browsing.packet_table import PacketTable

TimeFormat = Literal["relative", "delta", "absolute"]
FORMATS: Final[tuple[TimeFormat, ...]] = ("relative", "delta", "absolute")
FORMAT_WORDS: Final[dict[TimeFormat, str]] = {
    "relative": "seconds since the first packet, or since the time reference above",
    "delta": "seconds since the packet shown above",
    "absolute": "time of day, UTC",
}
REFERENCE: Final = "*REF*"
_SECOND_NS: Final = 1_000_000_000


class TimeColumn:
    """How times are shown, and which packets are time references."""

    def __init__(self, packets: PacketTable) -> None:
        self._packets = packets
        self._origin_ns = int(packets.time_ns[0]) if len(packets) else 0
        self.format: TimeFormat = "relative"
        self.references: list[int] = []
        """Rows, ascending."""

    @property
    def width(self) -> int:
        """Characters that every time fits in."""
        if self.format == "absolute":
            return 15
        if not len(self._packets):
            return 8
        last = int(self._packets.time_ns[-1]) - self._origin_ns
        return max(len(_seconds(last)), 8)

    def next_format(self) -> TimeFormat:
        """Go on to the next format; returns it."""
        self.format = FORMATS[(FORMATS.index(self.format) + 1) % len(FORMATS)]
        return self.format

    def toggle_reference(self, row: int) -> bool:
        """Make a packet a time reference, or take that back; returns whether it is one now."""
        if row in self.references:
            self.references.remove(row)
            return False
        insort(self.references, row)
        return True

    def text(self, row: int, row_above: int | None) -> str:
        """The time of a packet; ``row_above`` is the packet shown above it, if there is one."""
        time_ns = int(self._packets.time_ns[row])
        if self.format == "absolute":
            return readable_time(time_ns)[11:26]
        if self.format == "delta":
            return _seconds(
                0 if row_above is None else time_ns - int(self._packets.time_ns[row_above])
            )
        before = bisect_right(self.references, row) - 1
        if before < 0:
            return _seconds(time_ns - self._origin_ns)
        reference = self.references[before]
        if reference == row:
            return REFERENCE
        return _seconds(time_ns - int(self._packets.time_ns[reference]))


def _seconds(duration_ns: int) -> str:
    """Seconds with microseconds, as Wireshark shows them by default."""
    sign = "-" if duration_ns < 0 else ""
    whole, rest = divmod(abs(duration_ns), _SECOND_NS)
    return f"{sign}{whole}.{rest // 1000:06}"
