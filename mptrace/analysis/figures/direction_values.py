"""From figure columns to the values of each direction of the subflows and connections."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from mptrace.analysis.data_sequence.checksums import Verdict
from mptrace.analysis.data_sequence.copies import CopyClass, Worth
from mptrace.analysis.figures.sums import Extent, mappings_by_subflow_count
from mptrace.analysis.model import (
    ConnectionDirection,
    Handover,
    ReinjectedOctets,
    Stall,
    SubflowDirection,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.figure_columns import Figures
    from mptrace.analysis.figures.handovers import HandoverRow

SECOND: Final = 1e-9
OCTET: Final = 1.0

Value = TypeVar("Value")


def subflow_directions(plane: DataPlane, figures: Figures) -> list[SubflowDirection]:
    """What each way carried, in the order of the ways."""
    ways = figures.ways
    octets = ways.octets
    unique = figures.spaces.octets[plane.space_of_way, CopyClass.FIRST]
    columns = {
        "packets": ways.packets.tolist(),
        "payload_octets": ways.payload_octets.tolist(),
        "first_octets": octets[:, CopyClass.FIRST].tolist(),
        "retransmitted_octets": octets[:, CopyClass.RETRANSMISSION].tolist(),
        "remapped_octets": octets[:, CopyClass.REMAPPED].tolist(),
        "reinjected_octets": octets[:, CopyClass.REINJECTION].tolist(),
        "unmapped_octets": ways.unmapped_octets.tolist(),
        "contribution": _shares(octets[:, CopyClass.FIRST], unique),
        "rtt_s": ways.round_trips.distributions(SECOND),
        "delivered_contribution": _shares(ways.delivered_octets, unique),
        "throughput_bps": _throughput(ways.payload_octets, ways.payload),
        "max_flight_octets": ways.max_flight.tolist(),
        "duplicates_caused_octets": ways.caused_octets.tolist(),
        "bursts": ways.bursts.tolist(),
    }
    return _values(SubflowDirection, columns)


def connection_directions(
    plane: DataPlane, figures: Figures, origin_ns: int
) -> list[ConnectionDirection]:
    """The data sequence space of each direction of a connection, in the order of the spaces."""
    spaces, acked, fins = figures.spaces, figures.acked, figures.data_fin_relative
    octets, checksums = spaces.octets, spaces.checksums
    first = octets[:, CopyClass.FIRST]
    top = np.maximum(spaces.highest_seen, acked.octets + 1)
    sent_and_acked = (acked.octets > 0) & (spaces.payload.count > 0)
    columns = {
        "unique_octets": first.tolist(),
        "acked_octets": acked.octets.tolist(),
        "missing_octets": np.maximum(top - 1 - first, 0).tolist(),
        "retransmitted_octets": octets[:, CopyClass.RETRANSMISSION].tolist(),
        "remapped_octets": octets[:, CopyClass.REMAPPED].tolist(),
        "reinjected_octets": _values(
            ReinjectedOctets,
            {
                "total": octets[:, CopyClass.REINJECTION].tolist(),
                "spurious": spaces.reinjected[:, Worth.SPURIOUS].tolist(),
                "useful": spaces.reinjected[:, Worth.USEFUL].tolist(),
                "redundant": spaces.reinjected[:, Worth.REDUNDANT].tolist(),
            },
        ),
        "out_of_order_packets": spaces.out_of_order_packets.tolist(),
        "out_of_order_octets": spaces.out_of_order_octets.tolist(),
        "goodput_bps": _rates(
            acked.octets, acked.reached_ns - spaces.payload.first_ns, sent_and_acked
        ),
        "throughput_bps": _throughput(spaces.payload_octets, spaces.payload),
        "data_fin": (fins >= 0).tolist(),
        "checksum_failures": checksums[:, Verdict.INVALID].tolist(),
        "max_data_flight_octets": spaces.max_flight.tolist(),
        "data_rtt_s": spaces.data_round_trips.distributions(SECOND),
        "unmapped_octets": spaces.unmapped_octets.tolist(),
        "payload_octets": spaces.payload_octets.tolist(),
        "out_of_order_delay_s": spaces.out_of_order_delay.distributions(SECOND),
        "out_of_order_max_extent_octets": spaces.max_extent.tolist(),
        "out_of_order_never_filled_packets": spaces.never_filled.tolist(),
        "data_fin_acked": _where_known(acked.data_fin_acked > 0, acked.data_fin_acked >= 0),
        "checksums_verified": checksums[:, Verdict.VALID].tolist(),
        "checksums_unverifiable": checksums[:, Verdict.UNVERIFIABLE].tolist(),
        "window_limited_packets": figures.window_limited.tolist(),
        "mappings": spaces.mappings.tolist(),
        "mappings_by_subflow_count": mappings_by_subflow_count(plane),
        "data_ack_octets": spaces.ack_octets.distributions(OCTET),
        "stalls": _stalls(plane, figures, origin_ns),
        "handovers": _handovers(plane, figures, origin_ns),
    }
    return _values(ConnectionDirection, columns)


def _values(kind: type[Value], columns: dict[str, list[Any]]) -> list[Value]:
    """One value of a dataclass for each row of columns named like its fields."""
    names: tuple[str, ...] = tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    return list(map(kind, *(columns[name] for name in names)))


def _where_known(values: NDArray[Any], known: Bool) -> list[Any]:
    """Python values, None where nothing is known."""
    return [
        value if is_known else None
        for value, is_known in zip(values.tolist(), known.tolist(), strict=True)
    ]


def _shares(part: I64, whole: I64) -> list[float | None]:
    return _where_known(part / np.maximum(whole, 1), whole > 0)


def _rates(octets: I64, duration_ns: I64, known: Bool) -> list[float | None]:
    """Bits per second; None where no time passed."""
    return _where_known(octets * 8e9 / np.maximum(duration_ns, 1), known & (duration_ns > 0))


def _throughput(octets: I64, extent: Extent) -> list[float | None]:
    return _rates(octets, extent.last_ns - extent.first_ns, extent.count > 0)


def _position(plane: DataPlane, way: int) -> int:
    """Index within its connection of the subflow that a way belongs to."""
    subflow = way >> 1
    owner = plane.membership.connection_of_subflow
    return subflow - int(np.searchsorted(owner, owner[subflow]))


def _stalls(plane: DataPlane, figures: Figures, origin_ns: int) -> list[tuple[Stall, ...]]:
    columns, found = figures.stalls, defaultdict(list)
    for space, start_ns, end_ns, outstanding, start_frame, end_frame in zip(
        columns.space.tolist(),
        columns.start_ns.tolist(),
        columns.end_ns.tolist(),
        columns.outstanding.tolist(),
        columns.start_frame.tolist(),
        columns.end_frame.tolist(),
        strict=True,
    ):
        last = figures.first_copies.last_until(space, start_frame)
        found[space].append(
            Stall(
                start_s=(start_ns - origin_ns) * SECOND,
                duration_s=(end_ns - start_ns) * SECOND,
                outstanding_octets=outstanding,
                first_packet=start_frame,
                last_packet=end_frame,
                subflow=(
                    None if last < 0 else _position(plane, int(figures.first_copies.way[last]))
                ),
            )
        )
    return [tuple(found.get(space, ())) for space in range(plane.membership.spaces)]


def _handovers(plane: DataPlane, figures: Figures, origin_ns: int) -> list[tuple[Handover, ...]]:
    found = defaultdict(list)
    for row in figures.handovers:
        found[row.space].append(_handover(plane, row, origin_ns))
    return [tuple(found.get(space, ())) for space in range(plane.membership.spaces)]


def _handover(plane: DataPlane, row: HandoverRow, origin_ns: int) -> Handover:
    segments, way = plane.subflows.segments, plane.subflows.way
    start_ns, end_ns = int(segments.time_ns[row.from_row]), int(segments.time_ns[row.to_row])
    return Handover(
        start_s=(start_ns - origin_ns) * SECOND,
        gap_s=(end_ns - start_ns) * SECOND,
        from_subflow=_position(plane, int(way[row.from_row])),
        to_subflow=_position(plane, int(way[row.to_row])),
        from_packet=int(segments.frame_number[row.from_row]),
        to_packet=int(segments.frame_number[row.to_row]),
        cause=row.cause,
    )
