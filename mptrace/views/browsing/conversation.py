"""The data of a connection as lines to read: text or hexadecimal, both directions in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.analysis.follow import delivered
from mptrace.views.browsing.octet_lines import characters
from mptrace.views.figures import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mptrace.analysis.follow import Delivered
    from mptrace.analysis.model import DirectionName
    from mptrace.views.browsing.opened import OpenedCapture

    Numbers = NDArray[np.int64]

Form = Literal["text", "hexadecimal"]
SIDES: Final[tuple[DirectionName, ...]] = ("client_to_server", "server_to_client")
_NEWLINE: Final = 10
_GAP: Final = -1


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """One line as it is shown."""

    side: int
    """0 client, 1 server."""
    text: str
    frame: int
    """The packet that carried its first octet."""
    missing: bool = False


class Conversation:
    """Lines over the delivered octets of a connection; a line's octets are read when it is seen.

    ``index`` lays the lines out first; it reads all octets once, where text is to be broken at
    its own line ends.
    """

    def __init__(self, opened: OpenedCapture, connection: int) -> None:
        self._capture = opened.capture
        self.streams: tuple[Delivered, Delivered] = (
            delivered(opened.analysis.evidence, connection, "client_to_server"),
            delivered(opened.analysis.evidence, connection, "server_to_client"),
        )
        self._side = np.empty(0, np.int8)
        self._piece = np.empty(0, np.int64)
        self._offset = np.empty(0, np.int64)
        self._length = np.empty(0, np.int64)
        self._form: Form = "text"

    def __len__(self) -> int:
        return int(self._side.size)

    def index(
        self,
        form: Form,
        width: int,
        sides: tuple[int, ...] = (0, 1),
        cancelled: Callable[[], bool] | None = None,
    ) -> bool:
        """Lay the lines out for a width; False where that was cancelled."""
        side, piece = self._turns(sides)
        parts: list[tuple[Numbers, Numbers]] = []
        per_line = max((width - 12) // 4 // 8 * 8, 8) if form == "hexadecimal" else max(width, 20)
        before = (-1, 0)
        for s, p in zip(side.tolist(), piece.tolist(), strict=True):
            if cancelled is not None and cancelled():
                return False
            stream = self.streams[s]
            start = int(stream.start[p])
            gap = start - (before[1] if before[0] == s else _end_before(stream, p))
            parts.append(self._lines_of(stream, p, gap, form, per_line))
            before = (s, start + int(stream.length[p]))
        counts = np.array([offset.size for offset, _ in parts], np.int64)
        self._form = form
        self._side = np.repeat(side, counts).astype(np.int8)
        self._piece = np.repeat(piece, counts)
        nothing = np.empty(0, np.int64)
        self._offset = np.concatenate([offset for offset, _ in parts]) if parts else nothing
        self._length = np.concatenate([length for _, length in parts]) if parts else nothing
        return True

    def _turns(self, sides: tuple[int, ...]) -> tuple[Numbers, Numbers]:
        """Both directions' pieces in the order in which a receiver could read them."""
        side = np.concatenate([np.full(len(self.streams[s]), s) for s in sides])
        piece = np.concatenate([np.arange(len(self.streams[s])) for s in sides])
        frame = np.concatenate([self.streams[s].available for s in sides])
        order = np.argsort(frame, kind="stable")
        return side[order], piece[order]

    def _lines_of(
        self, stream: Delivered, piece: int, gap: int, form: Form, per_line: int
    ) -> tuple[Numbers, Numbers]:
        """Offsets and lengths of a piece's lines; a gap before it is a line with offset -1."""
        captured, length = int(stream.captured[piece]), int(stream.length[piece])
        if form == "text" and captured:
            octets = np.frombuffer(stream.octets(self._capture, piece), np.uint8)
            captured = octets.size
            ends = np.flatnonzero(octets == _NEWLINE) + 1
            ends = np.append(ends, captured) if not ends.size or ends[-1] < captured else ends
            starts = np.append(0, ends[:-1])
        else:
            starts, ends = np.array([0]), np.array([captured])
        counts = -(-(ends - starts) // per_line)
        which = np.repeat(np.arange(starts.size), counts)
        within = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        offset = starts[which] + within * per_line
        size = np.minimum(per_line, ends[which] - offset)
        if gap > 0:
            offset, size = np.append(_GAP, offset), np.append(gap, size)
        if captured < length:
            offset, size = np.append(offset, _GAP), np.append(size, length - captured)
        return offset, size

    def line(self, index: int) -> ConversationLine:
        """One line."""
        side, piece = int(self._side[index]), int(self._piece[index])
        offset, length = int(self._offset[index]), int(self._length[index])
        stream = self.streams[side]
        frame = int(stream.frame[piece])
        if offset == _GAP:
            text = f"[{counted(length, 'octet')} not in the capture]"
            return ConversationLine(side, text, frame, missing=True)
        octets = self.octets(index)
        if self._form == "text":
            return ConversationLine(side, characters(octets.rstrip(b"\r\n")), frame)
        digits = " ".join(f"{octet:02x}" for octet in octets)
        width = 3 * 8 * -(-length // 8) - 1
        text = f"{int(stream.start[piece]) + offset:>10}  {digits:<{width}}  {characters(octets)}"
        return ConversationLine(side, text, frame)

    def octets(self, index: int) -> bytes:
        """The octets of a line; none of a gap."""
        side, piece = int(self._side[index]), int(self._piece[index])
        offset, length = int(self._offset[index]), int(self._length[index])
        if offset == _GAP:
            return b""
        stream = self.streams[side]
        position = int(stream.position[piece]) + offset
        return self._capture.read(int(stream.source[piece]), position, length)

    def find(
        self,
        wanted: bytes,
        after: int,
        step: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> int | None:
        """The next or previous line that holds some octets, in it or across into the next one."""
        index = after + step
        while 0 <= index < len(self):
            if cancelled is not None and index % 256 == 0 and cancelled():
                return None
            if wanted in self._octets_and_on(index, len(wanted) - 1):
                return index
            index += step
        return None

    def _octets_and_on(self, index: int, more: int) -> bytes:
        """The octets of a line and some of the lines after it that the same side sent."""
        octets, reach = self.octets(index), index + 1
        while more > 0 and reach < len(self) and self._side[reach] == self._side[index]:
            if self._offset[reach] == _GAP:
                break
            following = self.octets(reach)[:more]
            octets += following
            more -= len(following)
            reach += 1
        return octets


def _end_before(stream: Delivered, piece: int) -> int:
    return 1 if piece == 0 else int(stream.start[piece - 1] + stream.length[piece - 1])
