"""The series of one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.timelines.direction import DirectionTimelines
from mptrace.analysis.timelines.lives import Life, life
from mptrace.analysis.timelines.slices import stretch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.results import Evidence


class Timelines:
    """What one connection did over time."""

    def __init__(self, evidence: Evidence, index: int) -> None:
        """Look at connection ``index`` of an analysis."""
        self.evidence = evidence
        self.index = index
        owner = evidence.plane.membership.connection_of_subflow
        own = stretch(owner, index)
        self.subflows = range(own.start, own.stop)
        """Numbers of the connection's subflows over all connections."""

    def direction(self, name: DirectionName) -> DirectionTimelines:
        """One direction of the data."""
        backwards = name == "server_to_client"
        swapped = self.evidence.plane.membership.swapped
        ways = tuple(2 * number + (backwards ^ bool(swapped[number])) for number in self.subflows)
        return DirectionTimelines(self.evidence, 2 * self.index + backwards, ways)

    def lives(self) -> tuple[Life, ...]:
        """When each subflow carried packets."""
        start, end = self.extent_ns()
        return tuple(life(self.evidence, number, end - start) for number in self.subflows)

    def extent_ns(self) -> tuple[int, int]:
        """Times of the connection's first and last packet."""
        plane = self.evidence.plane.subflows
        times = plane.segments.time_ns[self._rows()]
        origin = self.evidence.origin_ns
        return int(times.min()) - origin, int(times.max()) - origin

    def times_of(self, frames: Iterable[int]) -> dict[int, int]:
        """Times of packets of this connection; packets of others are left out."""
        wanted = np.unique(np.fromiter(frames, np.int64))
        segments = self.evidence.plane.subflows.segments
        rows = self._rows()
        own = np.flatnonzero(np.isin(segments.frame_number[rows], wanted)) + rows.start
        return dict(
            zip(
                segments.frame_number[own].tolist(),
                (segments.time_ns[own] - self.evidence.origin_ns).tolist(),
                strict=True,
            )
        )

    def _rows(self) -> slice:
        first = self.evidence.plane.subflows.way_first
        return slice(int(first[2 * self.subflows.start]), int(first[2 * self.subflows.stop]))


def timelines_of(connection: Connection) -> Timelines:
    """The series of a connection.

    Raises:
        LookupError: the connection does not come from an analysis.
    """
    return Timelines(connection.evidence, connection.index)
