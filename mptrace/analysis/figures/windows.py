"""How often the receive window held a connection back (docs/definitions.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.segmented import count_by

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.flight import Flight

DEFAULT_SEGMENT_SIZE = 536
"""Where no MSS option was captured (RFC 9293 section 3.7.1)."""


def window_limited_packets(plane: DataPlane, control: ControlPlane, flight: Flight) -> I64:
    """(spaces,): packets after which the flight was within one MSS of the window."""
    spaces = plane.membership.spaces
    sizes = _segment_sizes(plane, control)
    frame = plane.subflows.segments.frame_number.take(flight.row)
    unknown = np.full(flight.row.size, np.iinfo(np.int64).max)
    edge = plane.right_edges.place_before(flight.group, frame, unknown)
    limited = edge - flight.sent_end < sizes.take(plane.subflows.way.take(flight.row))
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
