"""The data plane of a whole capture: every table that figures, findings and views read.

Built once, in the order of the rooms: subflow space, data space, mappings, payload, copies,
acknowledgements, windows. Nothing here is a figure yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.intervals import TooManyPiecesError
from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.second_lane import SecondLane
from mptrace.analysis.arrays.segmented import where
from mptrace.analysis.columns.tables import ACK, I32, I64, RST, DssTable, Numbers, SegmentTable
from mptrace.analysis.data_sequence import copies as copying
from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
from mptrace.analysis.data_sequence.data_acks import (
    DataAcks,
    data_acknowledgements,
    right_edges,
)
from mptrace.analysis.data_sequence.data_space import DataSpace, ExpandedDss, expand, lay_out
from mptrace.analysis.data_sequence.fallback import continued_runs, fallback_frames
from mptrace.analysis.data_sequence.mapping_runs import (
    MappingRows,
    Mappings,
    Runs,
    announced_mappings,
    distinct_mappings,
    runs_of,
)
from mptrace.analysis.data_sequence.sequential_copies import classify_one_by_one
from mptrace.analysis.data_sequence.subflow_space import SubflowSpace, build
from mptrace.analysis.data_sequence.window_shifts import window_shifts

if TYPE_CHECKING:
    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.connections.membership import Membership
    from mptrace.analysis.data_sequence.copies import Copies

_ACK_SLACK = 1 << 24
"""An ACK further than this above all captured data is no acknowledgement of it."""


@dataclass(slots=True)
class DataPlane:
    """Everything about the payload, as columns. Rows mean rows of ``subflows.segments``."""

    membership: Membership
    subflows: SubflowSpace
    data: DataSpace
    space_of_way: Numbers
    dss: DssTable
    expanded: ExpandedDss
    dss_row: Numbers
    """Row of the segment that carries each DSS."""
    implausible_dss: I64
    """DSS rows whose DSN lies far outside of the connection's data."""
    mappings: Mappings
    runs: Runs
    payload_rows: Numbers
    unmapped: I64
    """Octets without a mapping, per payload row."""
    copies: Copies
    acks: Acknowledgements
    """Grouped by the way whose octets they acknowledge."""
    data_acks: Acknowledgements
    """Grouped by space."""
    right_edges: Acknowledgements
    """Grouped by space: up to where its receiver's window reaches."""

    @property
    def floor(self) -> I64:
        """(spaces,): place of the lowest octet, relative 1."""
        return self.data.origin + 1


def build_data_plane(
    segments: SegmentTable,
    subflow: I32,
    dss: DssTable,
    control: ControlPlane,
    membership: Membership,
) -> DataPlane:
    """Build all tables. ``subflow`` is (n,), the subflow of each row of ``segments``.

    ``segments`` and ``dss`` become part of the result, in another order.
    """
    space_of_way = membership.space_of_way().astype(np.int32)
    initial, known = membership.initial_data_seqs()
    with SecondLane(len(segments)) as lane:
        subflows, row_of = build(segments, subflow, membership.ways // 2, dss, lane)
        dss_row = row_of.take(dss.segment)
        dss_space = space_of_way.take(subflows.way.take(dss_row))
        acks = lane.start(lambda: _subflow_acks(subflows))
        expanded = expand(dss, dss_space, initial, known)
        data = lay_out(dss, expanded, dss_space, membership.spaces, initial, known)
        said = lane.start(lambda: DataAcks.of(dss, expanded, dss_row, dss_space, subflows, data))
        rows, implausible = announced_mappings(dss, expanded, dss_row, dss_space, subflows, data)
        rows = _with_implicit(rows, control, row_of)
        mappings = distinct_mappings(rows, subflows, data, space_of_way)
        del rows
        fallback = fallback_frames(membership)
        runs = continued_runs(runs_of(mappings), mappings, membership, subflows, data, space_of_way)
        believed = lane.start(lambda: said.result().believable(mappings, data))
        data_acks = lane.start(
            lambda: data_acknowledgements(
                believed.result(), subflows, data, runs, fallback, space_of_way
            )
        )
        edges = lane.start(
            lambda: right_edges(
                believed.result(), subflows, data, *window_shifts(membership, control)
            )
        )
        sent = subflows.segments.payload_length > 0
        sent &= (subflows.segments.flags & RST) == 0
        payload_rows = np.flatnonzero(sent).astype(np.int32)
        pieces, unmapped = copying.payload_pieces(subflows, runs, payload_rows)
        limit = 16 * pieces.row.size + 1_000_000
        judging = (pieces, subflows, space_of_way, acks.result(), data_acks.result())
        try:
            copies = copying.classify(*judging, limit)
        except TooManyPiecesError:
            copies = classify_one_by_one(*judging)
    return DataPlane(
        membership=membership,
        subflows=subflows,
        data=data,
        space_of_way=space_of_way,
        dss=dss,
        expanded=expanded,
        dss_row=dss_row,
        implausible_dss=implausible,
        mappings=mappings,
        runs=runs,
        payload_rows=payload_rows,
        unmapped=unmapped,
        copies=copies,
        acks=acks.result(),
        data_acks=data_acks.result(),
        right_edges=edges.result(),
    )


def _with_implicit(rows: MappingRows, control: ControlPlane, row_of: Numbers) -> MappingRows:
    """Add the mappings that MP_CAPABLE options with a data length are (RFC 8684 section 3.1)."""
    found = [m for m in control.implicit_mappings if row_of[m.row] >= 0]
    if not found:
        return rows
    n = len(found)
    return MappingRows(
        row=np.append(rows.row, row_of[[m.row for m in found]]),
        subflow_position=np.append(rows.subflow_position, np.ones(n, np.int64)),
        relative_data_seq=np.append(rows.relative_data_seq, np.ones(n, np.int64)),
        length=np.append(rows.length, np.array([m.length for m in found])),
        has_checksum=np.append(rows.has_checksum, [m.checksum is not None for m in found]),
        checksum=np.append(rows.checksum, np.array([m.checksum or 0 for m in found], np.uint16)),
        data_fin=np.append(rows.data_fin, np.zeros(n, np.bool_)),
    )


def _subflow_acks(subflows: SubflowSpace) -> Acknowledgements:
    """Cumulative ACKs, grouped by the way that they acknowledge."""
    segments = subflows.segments
    highest = np.full(subflows.ways, -1, np.int64)
    filled = np.flatnonzero(np.diff(subflows.way_first) > 0)
    if filled.size:
        highest[filled] = np.maximum.reduceat(subflows.place_end, subflows.way_first[filled])
    rows = np.flatnonzero((segments.flags & (ACK | RST)) == ACK)
    target = subflows.way.take(rows) ^ 1
    believable = subflows.ack_place.take(rows) <= highest.take(target) + _ACK_SLACK
    rows, target = where(believable, rows, target)
    order = stable_order(target)
    rows, target = rows.take(order), target.take(order)
    return Acknowledgements.from_columns(
        target,
        subflows.ack_place.take(rows),
        segments.frame_number.take(rows),
        segments.time_ns.take(rows),
    )
