"""The data sequence graph: where on the data axis each mapping was sent, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.timelines.slices import stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.timelines.direction import DirectionTimelines

LONGEST_UNMAPPED = 1 << 16
"""Payload without mappings (after a fallback) is cut into stretches of this many octets."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Payload of one mapping and one class, sent in one go; in capture order, (n,) each."""

    subflow: I64
    """Index of the subflow."""
    kind: NDArray[np.uint8]
    """`CopyClass`."""
    worth: NDArray[np.uint8]
    """`Worth`, of reinjections."""
    start_ns: I64
    end_ns: I64
    """When the packets with the first and the last octet were captured."""
    start: I64
    end: I64
    """First octet, and the one behind the last."""
    frame: I64
    """The packet with the first octet."""
    packets: I64
    repeats_frame: I64
    """The packet with the latest earlier copy; 0 where there is none."""
    repeats_subflow: I64
    """Its subflow; -1 where there is none."""
    repeats_ns: I64
    """How long before that was; 0 where there is none."""

    def __len__(self) -> int:
        return int(self.subflow.size)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Stretches:
        """The rows named, as a table of their own."""
        return Stretches(**{name: getattr(self, name)[rows] for name in self.__slots__})


def stretches(direction: DirectionTimelines, rows: slice) -> Stretches:
    """Join the copies of ``rows`` that one mapping covers and that were sent one after another."""
    plane = direction.evidence.plane
    copies, segments = plane.copies, plane.subflows.segments
    way, frame = copies.way[rows], copies.frame[rows]
    start, end = copies.data_place[rows], copies.data_end[rows]
    kind, worth = copies.kind[rows], copies.worth[rows]
    order = np.lexsort((start, frame, way))
    way, frame, start, end = way[order], frame[order], start[order], end[order]
    kind, worth = kind[order], worth[order]
    row = copies.row[rows][order]
    repeats = copies.repeats_row[rows][order]
    mapping = _mapping_of(plane, direction.ways, way, start)
    opens = np.ones(way.size, np.bool_)
    opens[1:] = start[1:] != end[:-1]
    for column in (way, kind, worth, mapping):
        opens[1:] |= column[1:] != column[:-1]
    first = np.flatnonzero(opens)
    last = np.append(first[1:], way.size) - 1
    if not first.size:
        last = first
    earlier = repeats[first]
    known = earlier >= 0
    earlier = np.maximum(earlier, 0)
    time_ns = segments.time_ns[row]
    subflow_of_way = np.full(plane.subflows.ways, -1, np.int64)
    subflow_of_way[list(direction.ways)] = np.arange(len(direction.ways))
    fresh = np.ones(way.size, np.int64)
    fresh[1:] = (frame[1:] != frame[:-1]) | opens[1:]
    result = Stretches(
        subflow=subflow_of_way[way[first]],
        kind=kind[first],
        worth=worth[first],
        start_ns=direction.since_start(time_ns[first]),
        end_ns=direction.since_start(time_ns[last]),
        start=direction.relative(start[first]),
        end=direction.relative(end[last]),
        frame=frame[first],
        packets=np.add.reduceat(fresh, first) if first.size else first,
        repeats_frame=np.where(known, segments.frame_number[earlier].astype(np.int64), 0),
        repeats_subflow=np.where(known, subflow_of_way[plane.subflows.way[earlier]], -1),
        repeats_ns=np.where(known, time_ns[first] - segments.time_ns[earlier], 0),
    )
    return result.take(np.argsort(result.frame, kind="stable"))


def _mapping_of(plane: DataPlane, ways: tuple[int, ...], way: I64, start: I64) -> I64:
    """A number for the mapping that each copy stands in; ``way`` ascends."""
    mappings = plane.mappings
    number = np.zeros(way.size, np.int64)
    for own in ways:
        here, rows = stretch(way, own), stretch(mappings.way, own)
        places = mappings.data_place[rows]
        by_place = np.argsort(places, kind="stable")
        places = places[by_place]
        ends = np.maximum.accumulate(
            places + (mappings.place_end[rows] - mappings.place[rows])[by_place]
        )
        at = np.searchsorted(places, start[here], side="right")
        covered = at > 0
        if ends.size:
            covered &= start[here] < ends[np.maximum(at - 1, 0)]
        number[here] = np.where(covered, at, -1 - start[here] // LONGEST_UNMAPPED)
    return number
