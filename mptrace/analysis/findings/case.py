"""One connection with everything that the rules look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
) -> Finding:
    """A finding of this kind; ``packets`` prove it, all of them, in any order."""
    proof = sorted(set(packets))
    return Finding(
        code=kind.code,
        severity=kind.severity,
        connection=connection,
        subflow=subflow,
        packets=tuple(proof[:NAMED_PACKETS]),
        message=message,
        reference=kind.reference(version),
        packet_count=len(proof),
    )


@dataclass
class Case:
    """A connection as the model tells it, and the evidence behind.

    What rules ask for again and again is worked out once, when first asked for: a connection may
    have thousands of subflows.
    """

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
    ) -> Finding:
        """A finding about this connection, or one of its subflows."""
        return report(
            kind,
            message,
            packets,
            connection=self.connection.index,
            subflow=subflow,
            version=self.connection.version,
        )

    @property
    def subflows(self) -> Iterator[tuple[Subflow, SubflowState]]:
        """Each subflow, as the model tells it and as its state machine left it."""
        return zip(self.connection.subflows, self.members, strict=True)

    @property
    def end_s(self) -> float:
        """When the connection's last packet was captured."""
        return self.connection.start_s + self.connection.duration_s

    @cached_property
    def _index_of_stream(self) -> dict[int, int]:
        return {subflow.tcp_stream: subflow.index for subflow in self.connection.subflows}

    def index_of(self, stream: int) -> int | None:
        """The subflow whose tcp.stream this is."""
        return self._index_of_stream.get(stream)

    def since_start(self, time_ns: int) -> float:
        """Seconds since the capture's first packet."""
        return (time_ns - self.origin_ns) * 1e-9

    @cached_property
    def patience_s(self) -> float:
        """How long an answer may take before its absence means something."""
        round_trips = [0.0]
        for subflow in self.connection.subflows:
            round_trips.append(subflow.handshake_s or 0.0)
            ways = (subflow.client_to_server, subflow.server_to_client)
            round_trips += [way.rtt_s.p95 for way in ways if way.rtt_s is not None]
        return max(_PATIENCE_S, _PATIENCE_ROUND_TRIPS * max(round_trips))

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

    @cached_property
    def uncaptured_side(self) -> Side | None:
        """The host that must have sent packets (the other one answers it) and has none here."""
        sides: tuple[Side, Side] = ("client", "server")
        for silent, heard in (sides, sides[::-1]):
            if not self.was_heard(silent) and any(
                sent_by(heard, subflow).payload_octets
                or (member.client if heard == "client" else member.server).first_segment
                for subflow, member in self.subflows
            ):
                return silent
        return None

    def way(self, subflow: int, sender: Side) -> int:
        """The way number of what a host sends on a subflow."""
        from_initiator = self.members[subflow].client_is_initiator == (sender == "client")
        return 2 * (self.first_subflow + subflow) + (not from_initiator)

    @cached_property
    def last_heard_ns(self) -> dict[Side, int]:
        """When the last packet of each host was captured, on whichever subflow; 0: never."""
        last = self.rows.ways.last_time_ns
        sides: tuple[Side, Side] = ("client", "server")
        return {
            side: max((last[self.way(i, side)] for i in range(len(self.members))), default=0)
            for side in sides
        }

    @cached_property
    def removal_frames(self) -> dict[int, int]:
        """The packet that first removed an address of a stream's, by stream."""
        found: dict[int, int] = {}
        for removal in self.state.removals:
            for stream in removal.subflow_streams:
                found.setdefault(stream, removal.frame_number)
        return found

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
