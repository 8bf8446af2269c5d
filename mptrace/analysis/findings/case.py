"""One connection with everything that the rules look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mptrace.analysis.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissector.connection_state import ConnectionState
    from dissector.subflow import SubflowState
    from mptrace.analysis.findings.kind import FindingKind
    from mptrace.analysis.findings.rare_rows import RareRows
    from mptrace.analysis.model import (
        CaptureSummary,
        Connection,
        ConnectionDirection,
        DirectionName,
        Side,
        Subflow,
        SubflowDirection,
    )

NAMED_PACKETS: Final = 100
_PATIENCE_S: Final = 0.2
_PATIENCE_ROUND_TRIPS: Final = 4
DIRECTIONS: Final[tuple[DirectionName, DirectionName]] = ("client_to_server", "server_to_client")


def report(
    kind: FindingKind,
    message: str,
    packets: Iterable[int],
    *,
    connection: int | None = None,
    subflow: int | None = None,
    version: int | None = None,
    count: int | None = None,
) -> Finding:
    """A finding of this kind.

    ``packets`` prove it, in any order; ``count`` is how many do in all where not all are given.
    """
    proof = sorted(set(packets))
    return Finding(
        code=kind.code,
        severity=kind.severity,
        connection=connection,
        subflow=subflow,
        packets=tuple(proof[:NAMED_PACKETS]),
        message=message,
        reference=kind.reference(version),
        packet_count=max(len(proof), count or 0),
    )


@dataclass(slots=True)
class Case:
    """A connection as the model tells it, and the evidence behind."""

    connection: Connection
    state: ConnectionState
    members: list[SubflowState]
    """In the order of ``connection.subflows``."""
    first_subflow: int
    """Number of the first subflow over all connections."""
    rows: RareRows
    capture: CaptureSummary
    origin_ns: int

    def report(
        self,
        kind: FindingKind,
        message: str,
        packets: Iterable[int],
        *,
        subflow: int | None = None,
        count: int | None = None,
    ) -> Finding:
        """A finding about this connection, or one of its subflows."""
        return report(
            kind,
            message,
            packets,
            connection=self.connection.index,
            subflow=subflow,
            version=self.connection.version,
            count=count,
        )

    @property
    def subflows(self) -> Iterator[tuple[Subflow, SubflowState]]:
        """Each subflow, as the model tells it and as its state machine left it."""
        return zip(self.connection.subflows, self.members, strict=True)

    @property
    def end_s(self) -> float:
        """When the connection's last packet was captured."""
        return self.connection.start_s + self.connection.duration_s

    def index_of(self, stream: int) -> int | None:
        """The subflow whose tcp.stream this is."""
        for subflow in self.connection.subflows:
            if subflow.tcp_stream == stream:
                return subflow.index
        return None

    def since_start(self, time_ns: int) -> float:
        """Seconds since the capture's first packet."""
        return (time_ns - self.origin_ns) * 1e-9

    def patience_s(self, subflow: Subflow | None = None) -> float:
        """How long an answer may take before its absence means something."""
        one = (subflow,) if subflow is not None else self.connection.subflows
        round_trips = [s.handshake_s or 0.0 for s in one]
        for each in one:
            ways = (each.client_to_server, each.server_to_client)
            round_trips += [way.rtt_s.p95 for way in ways if way.rtt_s is not None]
        return max(_PATIENCE_S, _PATIENCE_ROUND_TRIPS * max(round_trips, default=0.0))

    def direction(self, name: DirectionName) -> ConnectionDirection:
        """One direction of the connection."""
        if name == "client_to_server":
            return self.connection.client_to_server
        return self.connection.server_to_client

    def space(self, name: DirectionName) -> int:
        """The data sequence space of a direction."""
        return 2 * self.connection.index + (name == "server_to_client")

    def was_heard(self, side: Side) -> bool:
        """Whether any packet of this host is in the capture: what nobody recorded may be there."""
        return any(sent_by(side, subflow).packets for subflow in self.connection.subflows)

    def has_cut_options(self, subflow: int | None = None) -> bool:
        """Whether the capture ends within the options of a packet (of this subflow)."""
        if not self.rows.cut_options:
            return False
        numbers = (
            range(self.first_subflow, self.first_subflow + len(self.members))
            if subflow is None
            else (self.first_subflow + subflow,)
        )
        return any(number in self.rows.cut_options for number in numbers)


def sent_by(side: Side, subflow: Subflow) -> SubflowDirection:
    """What a host sent on a subflow."""
    return subflow.client_to_server if side == "client" else subflow.server_to_client
