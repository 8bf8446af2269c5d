"""From figure columns to the values of one direction of a subflow or connection."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.data_sequence.copies import CopyClass
from mptrace.analysis.figures.sums import (
    Extent,
    SpaceFigures,
    WayFigures,
    checksum_counts,
    reinjected_by_worth,
)
from mptrace.analysis.model import (
    ConnectionDirection,
    Handover,
    ReinjectedOctets,
    Stall,
    SubflowDirection,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.handovers import FirstCopies, HandoverRow
    from mptrace.analysis.figures.stalls import StallColumns

SECOND = 1e-9
OCTET = 1.0


def rate(octets: int, duration_ns: int) -> float | None:
    """Bits per second; None where no time passed."""
    return None if duration_ns <= 0 else octets * 8e9 / duration_ns


@dataclass(slots=True)
class AckedEnd:
    """How far each space was acknowledged, and when that was reached; (spaces,) each."""

    octets: I64
    reached_ns: I64
    data_fin_acked: NDArray[np.int8]
    """-1: no DATA_FIN was seen."""

    @classmethod
    def of(cls, plane: DataPlane, figures: SpaceFigures, fin_relative: I64) -> AckedEnd:
        """``fin_relative`` is (spaces,): where the DATA_FIN stands, -1 where there is none."""
        acks: Acknowledgements = plane.data_acks
        spaces = fin_relative.size
        beyond = (fin_relative >= 0) & (figures.highest_acked > fin_relative)
        octets = np.maximum(figures.highest_acked - 1 - beyond, 0)
        end = plane.data.place(octets + 1, np.arange(spaces))
        row = acks.first_covering(np.arange(spaces), end)
        reached = np.where(row >= 0, acks.time_ns[row], 0) if acks.group.size else octets * 0
        return cls(
            octets, reached, np.where(fin_relative < 0, -1, beyond.astype(np.int8)).astype(np.int8)
        )


@dataclass(slots=True)
class DirectionValues:
    """Looks up the figures of ways and spaces and gives them as model values."""

    plane: DataPlane
    ways: WayFigures
    spaces: SpaceFigures
    acked: AckedEnd
    fin_relative: I64
    missing: I64
    window_limited: I64
    mapping_spread: list[tuple[int, ...]]
    stalls: dict[int, list[tuple[int, ...]]]
    handovers: dict[int, list[HandoverRow]]
    first_copies: FirstCopies
    origin_ns: int

    @staticmethod
    def stalls_by_space(columns: StallColumns) -> dict[int, list[tuple[int, ...]]]:
        """Rows of the stall columns by space."""
        result: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for space, *rest in zip(
            columns.space.tolist(),
            columns.start_ns.tolist(),
            columns.end_ns.tolist(),
            columns.outstanding.tolist(),
            columns.start_frame.tolist(),
            columns.end_frame.tolist(),
            strict=True,
        ):
            result[space].append(tuple(rest))
        return result

    @staticmethod
    def handovers_by_space(rows: list[HandoverRow]) -> dict[int, list[HandoverRow]]:
        """Handovers by space."""
        result: dict[int, list[HandoverRow]] = defaultdict(list)
        for row in rows:
            result[row.space].append(row)
        return result

    def subflow(self, way: int, space: int) -> SubflowDirection:
        """What one direction of a subflow carried."""
        figures = self.ways
        octets = figures.octets[way].tolist()
        unique = int(self.spaces.octets[space, CopyClass.FIRST])
        payload = int(figures.payload_octets[way])
        return SubflowDirection(
            packets=int(figures.packets[way]),
            payload_octets=payload,
            first_octets=octets[CopyClass.FIRST],
            retransmitted_octets=octets[CopyClass.RETRANSMISSION],
            remapped_octets=octets[CopyClass.REMAPPED],
            reinjected_octets=octets[CopyClass.REINJECTION],
            unmapped_octets=int(figures.unmapped_octets[way]),
            contribution=octets[CopyClass.FIRST] / unique if unique else None,
            rtt_s=figures.round_trips.distribution(way, SECOND),
            delivered_contribution=(
                int(figures.delivered_octets[way]) / unique if unique else None
            ),
            throughput_bps=_throughput(payload, figures.payload, way),
            max_flight_octets=int(figures.max_flight[way]),
            duplicates_caused_octets=int(figures.caused_octets[way]),
            bursts=int(figures.bursts[way]),
        )

    def connection(self, space: int) -> ConnectionDirection:
        """The data sequence space of one direction of a connection."""
        figures = self.spaces
        octets = figures.octets[space].tolist()
        spurious, useful, redundant = reinjected_by_worth(figures, space)
        verified, failures, unverifiable = checksum_counts(figures, space)
        payload = int(figures.payload_octets[space])
        acked = int(self.acked.octets[space])
        goodput = None
        if acked and figures.payload.count[space]:
            goodput = rate(
                acked, int(self.acked.reached_ns[space] - figures.payload.first_ns[space])
            )
        fin_acked = int(self.acked.data_fin_acked[space])
        return ConnectionDirection(
            unique_octets=octets[CopyClass.FIRST],
            acked_octets=acked,
            missing_octets=int(self.missing[space]),
            retransmitted_octets=octets[CopyClass.RETRANSMISSION],
            remapped_octets=octets[CopyClass.REMAPPED],
            reinjected_octets=ReinjectedOctets(
                octets[CopyClass.REINJECTION], spurious, useful, redundant
            ),
            out_of_order_packets=int(figures.out_of_order_packets[space]),
            out_of_order_octets=int(figures.out_of_order_octets[space]),
            goodput_bps=goodput,
            throughput_bps=_throughput(payload, figures.payload, space),
            data_fin=bool(self.fin_relative[space] >= 0),
            checksum_failures=failures,
            max_data_flight_octets=int(figures.max_flight[space]),
            data_rtt_s=figures.data_round_trips.distribution(space, SECOND),
            unmapped_octets=int(figures.unmapped_octets[space]),
            payload_octets=payload,
            out_of_order_delay_s=figures.out_of_order_delay.distribution(space, SECOND),
            out_of_order_max_extent_octets=int(figures.max_extent[space]),
            out_of_order_never_filled_packets=int(figures.never_filled[space]),
            data_fin_acked=None if fin_acked < 0 else bool(fin_acked),
            checksums_verified=verified,
            checksums_unverifiable=unverifiable,
            window_limited_packets=int(self.window_limited[space]),
            mappings=int(figures.mappings[space]),
            mappings_by_subflow_count=self.mapping_spread[space],
            data_ack_octets=figures.ack_octets.distribution(space, OCTET),
            stalls=tuple(self._stall(space, row) for row in self.stalls.get(space, ())),
            handovers=tuple(self._handover(row) for row in self.handovers.get(space, ())),
        )

    def position_of_way(self, way: int) -> int:
        """Index within its connection of the subflow that a way belongs to."""
        subflow = way >> 1
        owner = self.plane.membership.connection_of_subflow
        return subflow - int(np.searchsorted(owner, owner[subflow]))

    def _stall(self, space: int, row: tuple[int, ...]) -> Stall:
        start_ns, end_ns, outstanding, start_frame, end_frame = row
        last = self.first_copies.last_until(space, start_frame)
        return Stall(
            start_s=(start_ns - self.origin_ns) * SECOND,
            duration_s=(end_ns - start_ns) * SECOND,
            outstanding_octets=outstanding,
            first_packet=start_frame,
            last_packet=end_frame,
            subflow=None if last < 0 else self.position_of_way(int(self.first_copies.way[last])),
        )

    def _handover(self, row: HandoverRow) -> Handover:
        subflows = self.plane.subflows
        segments = subflows.segments
        start_ns, end_ns = int(segments.time_ns[row.from_row]), int(segments.time_ns[row.to_row])
        return Handover(
            start_s=(start_ns - self.origin_ns) * SECOND,
            gap_s=(end_ns - start_ns) * SECOND,
            from_subflow=self.position_of_way(int(subflows.way[row.from_row])),
            to_subflow=self.position_of_way(int(subflows.way[row.to_row])),
            from_packet=int(segments.frame_number[row.from_row]),
            to_packet=int(segments.frame_number[row.to_row]),
            cause=row.cause,
        )


def _throughput(octets: int, extent: Extent, group: int) -> float | None:
    return rate(octets, int(extent.last_ns[group] - extent.first_ns[group]))
