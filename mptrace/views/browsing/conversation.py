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
_BLOCK: Final = 1024
"""Packets whose lines are laid out before it is asked whether to go on."""


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
        self._side = np.empty(0, np.int64)
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
        most: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Lay the lines out for a width; False where that was cancelled.

        ``most`` is how many of the packets that carried data are looked at; None: all.
        """
        side, piece = (column[:most] for column in self._turns(sides))
        per_line = max((width - 12) // 4 // 8 * 8, 8) if form == "hexadecimal" else max(width, 20)
        blocks: list[tuple[Numbers, ...]] = [(np.empty(0, np.int64),) * 4]
        for begin in range(0, side.size, _BLOCK):
            if cancelled():
                return False
            rows = slice(begin, begin + _BLOCK)
            blocks.append(self._block(side[rows], piece[rows], form, per_line))
        self._form = form
        columns = (np.concatenate(column) for column in zip(*blocks, strict=True))
        self._side, self._piece, self._offset, self._length = columns
        return True

    def _block(
        self, side: Numbers, piece: Numbers, form: Form, per_line: int
    ) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Side, piece, offset and length of the lines of some pieces."""
        parts = [
            self._lines_of(self.streams[s], p, form, per_line)
            for s, p in zip(side.tolist(), piece.tolist(), strict=True)
        ]
        counts = np.array([offset.size for offset, _ in parts], np.int64)
        return (
            np.repeat(side, counts),
            np.repeat(piece, counts),
            np.concatenate([offset for offset, _ in parts]),
            np.concatenate([length for _, length in parts]),
        )

    def _turns(self, sides: tuple[int, ...]) -> tuple[Numbers, Numbers]:
        """Both directions' pieces in the order in which a receiver could read them."""
        side = np.concatenate([np.full(len(self.streams[s]), s) for s in sides])
        piece = np.concatenate([np.arange(len(self.streams[s])) for s in sides])
        frame = np.concatenate([self.streams[s].available for s in sides])
        order = np.argsort(frame, kind="stable")
        return side[order], piece[order]

    def _lines_of(
        self, stream: Delivered, piece: int, form: Form, per_line: int
    ) -> tuple[Numbers, Numbers]:
        """Offsets and lengths of a piece's lines; a gap before it is a line with offset -1."""
        gap = int(stream.start[piece]) - _end_before(stream, piece)
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
