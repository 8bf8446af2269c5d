"""The data stream of a connection: its octets in order, as the receiver was given them.

Of each octet the delivered copy counts (docs/definitions.md): the earliest one, or, where DSS
checksums are in use, the earliest one whose mapping does not fail its checksum. Nothing is read
before it is asked for; streams may be larger than memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mptrace.analysis.arrays.segmented import group_starts
from mptrace.analysis.data_sequence.checksums import Verdict
from mptrace.analysis.data_sequence.copies import payload_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.model import DirectionName
    from mptrace.analysis.results import Evidence
    from mptrace.capture import Capture


@dataclass(frozen=True, slots=True)
class Missing:
    """Octets that the capture does not have."""

    start: int
    """Relative data sequence number of the first one."""
    length: int
    reason: Literal["not captured", "cut by the snaplen"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One direction's delivered copies, in the order of the data; every column is (n,)."""

    start: I64
    """Relative data sequence number of the first octet; the connection's first is 1."""
    length: I64
    captured: I64
    """How many of the octets are in the capture."""
    frame: I64
    """The packet that carried them."""
    source: I64
    """Index of the capture's file."""
    position: I64
    """Offset in that file."""
    available: I64
    """The packet with which all octets up to here had been seen."""

    def __len__(self) -> int:
        return int(self.start.size)

    @property
    def end(self) -> int:
        """The relative number behind the last octet; 1 where there is none."""
        return int(self.start[-1] + self.length[-1]) if len(self) else 1

    def octets(self, capture: Capture, index: int) -> bytes:
        """The octets of one piece, as far as they were captured."""
        return capture.read(
            int(self.source[index]), int(self.position[index]), int(self.captured[index])
        )

    def content(self, capture: Capture) -> Iterator[bytes | Missing]:
        """The stream from its first octet: octets, and in their place what is missing."""
        reached = 1
        for index in range(len(self)):
            start, length = int(self.start[index]), int(self.length[index])
            if start > reached:
                yield Missing(reached, start - reached, "not captured")
            octets = self.octets(capture, index)
            if octets:
                yield octets
            if len(octets) < length:
                yield Missing(start + len(octets), length - len(octets), "cut by the snaplen")
            reached = start + length


def delivered(evidence: Evidence, connection: int, direction: DirectionName) -> Delivered:
    """The delivered copies of one direction of a connection."""
    plane = evidence.plane
    space = 2 * connection + (direction == "server_to_client")
    copies = plane.copies
    first, last = np.searchsorted(copies.space, (space, space + 1))
    mine = np.arange(int(first), int(last))
    mine = mine[copies.data_place[mine] >= plane.floor[space]]
    row, data_place = copies.row[mine], copies.data_place[mine]
    place = _subflow_places(plane, row, data_place)
    failed = _failed(evidence, place)
    chosen = _earliest(data_place, failed)
    row, data_place, place = row[chosen], data_place[chosen], place[chosen]
    length = copies.data_end[mine][chosen] - data_place
    segments = plane.subflows.segments
    within = place - plane.subflows.place[row]
    frame = segments.frame_number[row].astype(np.int64)
    return Delivered(
        start=plane.data.relative(data_place, np.full(row.size, space)),
        length=length,
        captured=np.clip(segments.payload_captured[row] - within, 0, length),
        frame=frame,
        source=segments.source[row].astype(np.int64),
        position=segments.payload_position[row] + within,
        available=np.maximum.accumulate(frame) if frame.size else frame,
    )


def _subflow_places(plane: DataPlane, row: I64, data_place: I64) -> I64:
    """Where on the subflow axis the octets of copies stand."""
    if not row.size:
        return data_place
    pieces, _ = payload_pieces(plane.subflows, plane.runs, np.unique(row))
    # both keys in one number: rows, and the rank of the place among all places
    places = np.unique(np.concatenate((pieces.data_place, data_place)))
    span = np.int64(places.size)
    key = pieces.row * span + np.searchsorted(places, pieces.data_place)
    order = np.argsort(key, kind="stable")
    wanted = row * span + np.searchsorted(places, data_place)
    at = np.maximum(np.searchsorted(key[order], wanted, side="right") - 1, 0)
    piece = order[at]
    inside = (pieces.row[piece] == row) & (data_place < pieces.data_end[piece])
    for odd in np.flatnonzero(~inside).tolist():
        # a segment that carries the same octets twice: pieces of one row that overlap
        holds = (pieces.row == row[odd]) & (pieces.data_place <= data_place[odd])
        holds &= data_place[odd] < pieces.data_end
        piece[odd] = np.flatnonzero(holds)[0]
    result: I64 = pieces.place[piece] + (data_place - pieces.data_place[piece])
    return result


def _failed(evidence: Evidence, place: I64) -> Bool:
    """Copies whose mapping failed its DSS checksum: the receiver threw them away."""
    result = np.zeros(place.size, np.bool_)
    verdict = evidence.figures.checksum_verdict
    if not (verdict == Verdict.INVALID).any():
        return result
    mapping = evidence.plane.mappings.covering(place)
    known = mapping >= 0
    result[known] = verdict[mapping[known]] == Verdict.INVALID
    return result


def _earliest(data_place: I64, failed: Bool) -> I64:
    """Of the copies of each stretch (sorted by place, then capture order) the first good one.

    Where all of them failed, the first one.
    """
    if not data_place.size:
        return np.empty(0, np.int64)
    starts = group_starts(data_place)
    order = np.arange(data_place.size) + failed * np.int64(data_place.size)
    result: I64 = np.minimum.reduceat(order, starts) % data_place.size
    return result
