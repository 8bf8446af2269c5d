"""Subflow RTTs and data RTTs (docs/definitions.md), one sample a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.intervals import in_overlap
from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import where
from mptrace.analysis.data_sequence.copies import Copies, CopyClass

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Numbers
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.mapping_runs import Mappings
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace


@dataclass(slots=True)
class RoundTrips:
    """Samples; every column is (n,)."""

    group: Numbers
    """Way of a subflow, or data sequence space."""
    row: Numbers
    """Row of the segment that was sent."""
    sent_ns: I64
    acked_ns: I64
    ack_frame: I64

    @property
    def duration_ns(self) -> I64:
        """From the data to the acknowledgement that first covers it."""
        return self.acked_ns - self.sent_ns


def subflow_round_trips(
    subflows: SubflowSpace, payload_rows: Numbers, acks: Acknowledgements
) -> RoundTrips:
    """Time from a segment to the ACK that first covers its last octet, without retransmissions.

    A segment is left out when any octet of it was sent more than once on its subflow (Karn).
    """
    start = subflows.place.take(payload_rows)
    end = start + subflows.segments.payload_length.take(payload_rows)
    order = np.argsort(start, kind="stable")
    once = np.ones(payload_rows.size, np.bool_)
    once[order] = ~in_overlap(start.take(order), end.take(order))
    rows, end = where(once, payload_rows, end)
    way = subflows.way.take(rows)
    return _samples(way, rows, subflows, acks.first_covering(way, end), acks)


def data_round_trips(
    mappings: Mappings, copies: Copies, subflows: SubflowSpace, data_acks: Acknowledgements
) -> RoundTrips:
    """Time from the first copy of a mapping's last octet to the DATA_ACK that first covers it.

    Octets that were sent more than once, on whichever subflow, are left out.
    """
    first = np.flatnonzero(copies.kind == CopyClass.FIRST)
    order = stable_order(mappings.space)
    last_end = (mappings.data_place + mappings.length)[order]
    last_end = last_end[np.argsort(last_end, kind="stable")]
    if last_end.size:
        last_end = last_end[np.append(True, last_end[1:] != last_end[:-1])]
    piece = np.searchsorted(copies.data_end[first], last_end, side="left")
    inside = piece < first.size
    piece, last_end = first[piece[inside]], last_end[inside]
    usable = (copies.data_place[piece] < last_end) & ~copies.repeated[piece]
    piece, last_end = piece[usable], last_end[usable]
    space = copies.space[piece]
    return _samples(
        space, copies.row[piece], subflows, data_acks.first_covering(space, last_end), data_acks
    )


def _samples(
    group: Numbers, row: Numbers, subflows: SubflowSpace, ack: I64, acks: Acknowledgements
) -> RoundTrips:
    """Keep what was acknowledged, by a packet that came after the data."""
    acked = np.flatnonzero(ack >= 0)
    ack, row, group = ack.take(acked), row.take(acked), group.take(acked)
    later = acks.frame.take(ack) > subflows.segments.frame_number.take(row)
    ack, row, group = where(later, ack, row, group)
    return RoundTrips(
        group,
        row,
        subflows.segments.time_ns.take(row),
        acks.time_ns.take(ack),
        acks.frame.take(ack),
    )
