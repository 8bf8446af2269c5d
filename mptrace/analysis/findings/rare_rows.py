"""Rows of the big tables that findings speak of, found once for the whole capture.

Nearly all connections have none of them, so they are kept in dictionaries by connection, subflow
or space number; what is found in columns is found for all connections at once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.segmented import count_by
from mptrace.analysis.columns.reading import CUT_OPTIONS
from mptrace.analysis.data_sequence.checksums import Verdict
from mptrace.analysis.data_sequence.copies import Worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, Bool, Numbers
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.sums import SpaceFigures
    from mptrace.analysis.results import Evidence


@dataclass(slots=True)
class Ways:
    """What every direction of a subflow looked like at its end; lists over way numbers."""

    last_time_ns: list[int]
    """Of its last packet; 0 where it has none."""
    last_frame: list[int]
    unacknowledged: list[int]
    """Octets sent that no ACK of the subflow ever covered."""
    first_unacknowledged_frame: list[int]
    """The packet that sent the lowest of them; 0 where there is none."""


@dataclass(slots=True)
class RareRows:
    """By connection, by subflow (numbered over all connections), or by space."""

    evidence: Evidence
    ways: Ways
    wrong_checksums: dict[int, list[int]]
    """Mappings with a wrong checksum, by way."""
    unverifiable: dict[int, list[int]]
    """Mappings whose checksum can't be verified, by connection."""
    conflicting: dict[int, list[int]]
    """Mappings that contradict an earlier one, by way."""
    implausible: dict[int, list[int]]
    """DSS rows with an impossible data sequence number, by way."""
    unmapped: dict[int, list[int]]
    """Positions in the plane's payload rows that hold unmapped octets, by way."""
    cut_options: dict[int, list[int]]
    """Frames whose options the capture cuts off, by subflow."""
    spurious: dict[int, list[int]]
    """Frames of spurious reinjections, by space."""
    data_fins: list[int]
    """How many DSS options signal the end of the data, over space numbers."""
    moved_data_fins: dict[int, list[int]]
    """Frames of DATA_FINs that stand elsewhere than the lowest one, by space."""

    @classmethod
    def of(cls, evidence: Evidence) -> RareRows:
        """Look through the tables."""
        plane, figures = evidence.plane, evidence.figures
        mappings, segments = plane.mappings, plane.subflows.segments
        verdict = figures.checksum_verdict
        owner = plane.membership.connection_of_subflow
        unverifiable = np.flatnonzero(verdict == Verdict.UNVERIFIABLE)
        cut = np.flatnonzero(segments.subtypes & np.uint16(CUT_OPTIONS))
        unmapped = np.flatnonzero(plane.unmapped > 0)
        implausible = plane.implausible_dss
        return cls(
            evidence=evidence,
            ways=_ways(plane),
            wrong_checksums=_grouped(mappings.way, np.flatnonzero(verdict == Verdict.INVALID)),
            unverifiable=_by(owner[mappings.way[unverifiable] >> 1], unverifiable),
            conflicting=_grouped(mappings.way, np.flatnonzero(mappings.conflicting)),
            implausible=_by(plane.subflows.way[plane.dss_row[implausible]], implausible),
            unmapped=_by(plane.subflows.way[plane.payload_rows[unmapped]], unmapped),
            cut_options=_by(plane.subflows.way[cut] >> 1, segments.frame_number[cut]),
            spurious=_spurious(plane),
            data_fins=_data_fins(plane),
            moved_data_fins=_moved_data_fins(plane, figures.data_fin_relative),
        )

    @property
    def plane(self) -> DataPlane:
        """The tables."""
        return self.evidence.plane

    @property
    def spaces(self) -> SpaceFigures:
        """Figures per direction of a connection."""
        return self.evidence.figures.spaces

    def frames_of_mappings(self, mappings: list[int]) -> list[int]:
        """The packets that announced these mappings first."""
        plane = self.plane
        rows = plane.mappings.first_row[np.array(mappings, np.int64)]
        return [int(frame) for frame in plane.subflows.segments.frame_number[rows]]

    def frames_of_payload(self, positions: list[int]) -> list[int]:
        """The packets at these positions of the payload rows."""
        plane = self.plane
        rows = plane.payload_rows[np.array(positions, np.int64)]
        return [int(frame) for frame in plane.subflows.segments.frame_number[rows]]


def _grouped(group_of_row: I64, rows: I64) -> dict[int, list[int]]:
    return _by(group_of_row[rows], rows)


def _by(group: Numbers, value: NDArray[np.integer]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for key, item in zip(group.tolist(), value.tolist(), strict=True):
        found[key].append(item)
    return dict(found)


def _spurious(plane: DataPlane) -> dict[int, list[int]]:
    rows = np.flatnonzero(plane.copies.worth == Worth.SPURIOUS)
    return _by(plane.copies.space[rows], plane.copies.frame[rows])


def _data_fins(plane: DataPlane) -> list[int]:
    way = plane.subflows.way[plane.dss_row[plane.dss.data_fin]]
    counts: list[int] = count_by(plane.space_of_way[way], plane.membership.spaces).tolist()
    return counts


def _moved_data_fins(plane: DataPlane, lowest: I64) -> dict[int, list[int]]:
    dss, data = plane.dss, plane.data
    index = np.flatnonzero(dss.data_fin & (dss.data_seq_octets > 0))
    row = plane.dss_row[index]
    space = plane.space_of_way[plane.subflows.way[row]]
    relative = (plane.expanded.data_seq[index] - data.initial_data_seq[space]).view(np.int64)
    place = relative + np.maximum(dss.data_length[index].astype(np.int64) - 1, 0)
    moved = (np.abs(relative) <= data.reach) & (place != lowest[space]) & (lowest[space] >= 0)
    return _by(space[moved], plane.subflows.segments.frame_number[row[moved]])


def _ways(plane: DataPlane) -> Ways:
    subflows = plane.subflows
    segments, ways = subflows.segments, subflows.ways
    last_time = np.zeros(ways, np.int64)
    last_frame = np.zeros(ways, np.int64)
    filled = np.flatnonzero(np.diff(subflows.way_first) > 0)
    if filled.size:
        starts = subflows.way_first[filled]
        last_time[filled] = np.maximum.reduceat(segments.time_ns, starts)
        last_frame[filled] = np.maximum.reduceat(segments.frame_number, starts)
    rows = plane.payload_rows
    way = subflows.way[rows]
    sent = np.zeros(ways, np.int64)
    np.maximum.at(sent, way, subflows.place_end[rows])
    acked = np.full(ways, -1, np.int64)
    np.maximum.at(acked, plane.acks.group, plane.acks.place)
    outstanding: Bool = (sent > 0) & (acked >= 0) & (sent > acked)
    beyond = np.flatnonzero(outstanding[way] & (subflows.place_end[rows] > acked[way]))
    first = np.zeros(ways, np.int64)
    # of several packets the first one in the capture stays, which is written last
    late = beyond[np.argsort(-segments.frame_number[rows[beyond]].astype(np.int64))]
    first[way[late]] = segments.frame_number[rows[late]]
    return Ways(
        last_time.tolist(),
        last_frame.tolist(),
        np.where(outstanding, sent - acked, 0).tolist(),
        first.tolist(),
    )
