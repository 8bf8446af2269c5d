"""The receive window of a connection: its right edge, whichever subflow announced it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import capture_order
from mptrace.analysis.arrays.segmented import count_by, where
from mptrace.analysis.columns.tables import I64, SYN, Bool
from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements

if TYPE_CHECKING:
    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.flight import Flight

DEFAULT_SEGMENT_SIZE = 536
"""Where no MSS option was captured (RFC 9293 section 3.7.1)."""


def window_shifts(plane: DataPlane, control: ControlPlane) -> tuple[I64, Bool]:
    """(ways,): the shift of the windows that a way's sender announces, and whether it is known.

    A subflow whose handshake was not captured takes the shift of its host's other subflows.
    """
    members = plane.membership
    shift = np.zeros(members.ways, np.int64)
    known = np.zeros(members.ways, np.bool_)
    number = 0
    for subflows in members.subflows:
        of_side: dict[bool, int] = {}
        missing: list[tuple[int, bool]] = []
        for state in subflows:
            for from_initiator, value in _negotiated(control, state.stream):
                way = 2 * number + (not from_initiator)
                from_client = from_initiator == state.client_is_initiator
                if value is None:
                    missing.append((way, from_client))
                else:
                    shift[way], known[way] = value, True
                    of_side.setdefault(from_client, value)
            number += 1
        for way, from_client in missing:
            if from_client in of_side:
                shift[way], known[way] = of_side[from_client], True
    return shift, known


def _negotiated(control: ControlPlane, stream: int) -> tuple[tuple[bool, int | None], ...]:
    """The shift of the initiator's (True) and the responder's windows; None: not captured.

    Windows are scaled only where both SYNs carry the option (RFC 7323 section 2.2).
    """
    offered = control.window_shift
    keys = (stream, True), (stream, False)
    if any(key in offered and offered[key] is None for key in keys):
        return (True, 0), (False, 0)
    return (True, offered.get(keys[0])), (False, offered.get(keys[1]))


def right_edges(plane: DataPlane, control: ControlPlane) -> Acknowledgements:
    """The largest DATA_ACK + (window << shift) of each space so far, where it advanced."""
    shift, known = window_shifts(plane, control)
    segments = plane.subflows.segments
    ack, row = where(plane.dss.data_ack_octets > 0, plane.expanded.data_ack, plane.dss_row)
    way = plane.subflows.way[row]
    if not known.all():
        ack, row, way = where(known[way], ack, row, way)
    space = plane.space_of_way[way] ^ 1
    relative = (ack - plane.data.initial_data_seq[space]).view(np.int64)
    plausible = np.abs(relative) <= plane.data.reach
    row, way, space, relative = where(plausible, row, way, space, relative)
    edge = plane.data.place(relative, space)
    scale = shift[way]
    scale[(segments.flags[row] & SYN) != 0] = 0
    edge += segments.window[row].astype(np.int64) << scale
    frame = segments.frame_number[row]
    order = capture_order(space, frame)
    return Acknowledgements.from_columns(
        space[order], edge[order], frame[order], segments.time_ns[row[order]]
    )


def window_limited_packets(
    plane: DataPlane, control: ControlPlane, flight: Flight, edges: Acknowledgements
) -> I64:
    """(spaces,): packets after which the flight was within one MSS of the window."""
    spaces = plane.membership.spaces
    sizes = _segment_sizes(plane, control)
    frame = plane.subflows.segments.frame_number[flight.row]
    unknown = np.full(flight.row.size, np.iinfo(np.int64).max)
    edge = edges.place_before(flight.group, frame, unknown)
    limited = edge - flight.sent_end < sizes[plane.subflows.way[flight.row]]
    return count_by(flight.group[limited], spaces)


def _segment_sizes(plane: DataPlane, control: ControlPlane) -> I64:
    """(ways,): the MSS that a way's receiver accepts."""
    sizes = np.full(plane.membership.ways, DEFAULT_SEGMENT_SIZE)
    number = 0
    for subflows in plane.membership.subflows:
        for state in subflows:
            for from_initiator in (True, False):
                value = control.segment_size.get((state.stream, not from_initiator))
                if value is not None:
                    sizes[2 * number + (not from_initiator)] = value
            number += 1
    return sizes
