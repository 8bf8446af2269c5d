"""DATA_ACKs: how far the data of each space was acknowledged, and up to where it was wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import capture_order
from mptrace.analysis.arrays.segmented import where
from mptrace.analysis.columns.tables import SYN
from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
from mptrace.analysis.data_sequence.fallback import stream_acknowledgements

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Bool, DssTable, Numbers
    from mptrace.analysis.data_sequence.data_space import DataSpace, ExpandedDss
    from mptrace.analysis.data_sequence.mapping_runs import Mappings, Runs
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace

_SLACK = 1 << 30
"""A DATA_ACK further than this above all mapped data is no acknowledgement of it."""


@dataclass(slots=True)
class DataAcks:
    """DATA_ACKs as they came, sorted by space, then capture order; every column is (n,)."""

    row: Numbers
    """Of the segment that carries it."""
    space: Numbers
    """Whose data it acknowledges."""
    frame: Numbers
    relative: I64

    @classmethod
    def of(
        cls,
        dss: DssTable,
        expanded: ExpandedDss,
        dss_row: Numbers,
        dss_space: Numbers,
        subflows: SubflowSpace,
        data: DataSpace,
    ) -> DataAcks:
        """All that lie within reach of their space's data."""
        ack, row, space = where(dss.data_ack_octets > 0, expanded.data_ack, dss_row, dss_space ^ 1)
        relative = (ack - data.initial_data_seq.take(space)).view(np.int64)
        plausible = (relative >= -_SLACK) & (np.abs(relative) <= data.reach)
        row, space, relative = where(plausible, row, space, relative)
        frame = subflows.segments.frame_number.take(row)
        order = capture_order(space, frame)
        return cls(row.take(order), space.take(order), frame.take(order), relative.take(order))

    def believable(self, mappings: Mappings, data: DataSpace) -> DataAcks:
        """Those that are not far beyond what was mapped."""
        highest = np.zeros(data.origin.size, np.int64)
        end = data.relative(mappings.data_place + mappings.length, mappings.space)
        np.maximum.at(highest, mappings.space, end)
        known = self.relative <= highest.take(self.space) + _SLACK
        return DataAcks(*where(known, self.row, self.space, self.frame, self.relative))


def data_acknowledgements(
    said: DataAcks,
    subflows: SubflowSpace,
    data: DataSpace,
    runs: Runs,
    fallback: I64,
    space_of_way: Numbers,
) -> Acknowledgements:
    """What advanced, grouped by space; after a fallback ACKs stand for DATA_ACKs."""
    time_ns = subflows.segments.time_ns
    row, space, frame = said.row, said.space, said.frame
    place = data.place(said.relative, space)
    plain_row, plain_space, plain_place = stream_acknowledgements(
        subflows, runs, fallback, space_of_way
    )
    if plain_row.size:
        row, space = np.append(row, plain_row), np.append(space, plain_space)
        place = np.append(place, plain_place)
        frame = np.append(frame, subflows.segments.frame_number[plain_row])
        order = capture_order(space, frame)
        row, space, place, frame = row[order], space[order], place[order], frame[order]
    return Acknowledgements.from_columns(space, place, frame, time_ns.take(row))


def right_edges(
    said: DataAcks, subflows: SubflowSpace, data: DataSpace, shift: I64, known: Bool
) -> Acknowledgements:
    """The largest DATA_ACK + (window << shift) of each space so far, where it advanced.

    ``shift`` is (ways,), that of the windows which a way's sender announces; ``known`` says
    where it is known.
    """
    segments = subflows.segments
    row, space, frame, relative = said.row, said.space, said.frame, said.relative
    way = subflows.way.take(row)
    if not known.all():
        row, space, frame, relative, way = where(known[way], row, space, frame, relative, way)
    scale = shift.take(way)
    scale[(segments.flags.take(row) & SYN) != 0] = 0
    edge = data.place(relative, space)
    edge += segments.window.take(row).astype(np.int64) << scale
    return Acknowledgements.from_columns(space, edge, frame, segments.time_ns.take(row))
