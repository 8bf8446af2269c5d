"""The finished analysis, as plain values: what every view reads and nothing else.

The names are those of the JSON that other programs rely on (docs/json.md), so that a view
translates nothing. Times named ``_s`` are seconds; times named ``_ns`` are integer nanoseconds
since 1970-01-01 UTC. Data sequence numbers, keys and tokens are Python integers here (never
floats) and become hexadecimal strings in JSON. Each figure is defined in docs/definitions.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from mptrace.analysis.results import Evidence

State = Literal["established", "handshake", "fallback", "partial"]
ConnectionEnd = Literal["data_fin", "fastclose", "reset", "open"]
SubflowKind = Literal["initial", "join"]
SubflowHandshake = Literal[
    "complete", "no_syn_ack", "refused", "option_removed", "no_third_ack", "not_captured"
]
SubflowEnd = Literal["fin", "reset", "open"]
Side = Literal["client", "server"]
DirectionName = Literal["client_to_server", "server_to_client"]
CapturePoint = Literal["client", "server", "between"]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Percentiles of a set of samples, in seconds; absent (None) where there is no sample."""

    samples: int
    min: float
    median: float
    p95: float
    max: float


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a capture file stops being readable, and why."""

    offset: int
    reason: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class CaptureSummary:
    """What the capture is, before anything is said of MPTCP."""

    path: str
    format: str
    link_types: tuple[str, ...]
    packets: int
    tcp_packets: int
    mptcp_packets: int
    first_time_ns: int | None
    duration_s: float
    truncated_packets: int
    capture_duplicates: int
    damage: Damage | None
    compression: str | None = None
    interfaces: tuple[str, ...] = ()
    ip_fragments: int = 0
    unreadable_packets: int = 0
    """Packets of a link type or with headers that could not be read to their end."""


@dataclass(frozen=True, slots=True)
class Host:
    """One end of a connection: what its handshake said."""

    key: int | None
    token: int | None
    initial_dsn: int | None


@dataclass(frozen=True, slots=True)
class Fallback:
    """Why and where a connection went on as plain TCP."""

    cause: str
    packet: int


@dataclass(frozen=True, slots=True)
class AdvertisedAddress:
    """One ADD_ADDR and what became of it (RFC 8684 section 3.4.1)."""

    by: Side
    address_id: int
    address: str
    port: int | None
    hmac_valid: bool | None
    echoed: bool
    removed: bool
    packet: int
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a subflow."""

    address: str
    port: int
    address_id: int | None
    backup: bool | None


@dataclass(frozen=True, slots=True)
class ResetReason:
    """MP_TCPRST (RFC 8684 section 3.6)."""

    code: int
    name: str
    transient: bool


@dataclass(frozen=True, slots=True)
class HmacValidity:
    """Whether each side's HMAC in the MP_JOIN handshake is right; None: it can't be checked."""

    client: bool | None
    server: bool | None


@dataclass(frozen=True, slots=True)
class SubflowDirection:
    """What one direction of a subflow carried."""

    packets: int
    payload_octets: int
    first_octets: int
    retransmitted_octets: int
    remapped_octets: int
    reinjected_octets: int
    unmapped_octets: int
    contribution: float | None
    rtt_s: Distribution | None
    delivered_contribution: float | None = None
    throughput_bps: float | None = None
    max_flight_octets: int = 0
    duplicates_caused_octets: int = 0
    """Octets that this subflow carried first and another subflow then reinjected."""
    bursts: int = 0
    """Runs of consecutive new mappings of the direction that this subflow carried."""


@dataclass(frozen=True, slots=True)
class Subflow:
    """One TCP connection that belongs to an MPTCP connection."""

    index: int
    tcp_stream: int
    kind: SubflowKind
    family: Literal[4, 6]
    client: Endpoint
    server: Endpoint
    started_by: Side | None
    handshake: SubflowHandshake
    hmac_valid: HmacValidity
    start_s: float
    duration_s: float
    handshake_s: float | None
    """SYN to SYN/ACK."""
    third_ack_s: float | None
    """SYN to third ACK."""
    join_delay_s: float | None
    end: SubflowEnd
    reset_by: Side | None
    reset_reason: ResetReason | None
    first_packet: int
    last_packet: int
    client_to_server: SubflowDirection
    server_to_client: SubflowDirection


@dataclass(frozen=True, slots=True)
class ReinjectedOctets:
    """Octets that another subflow had carried before, by what the reinjection was good for."""

    total: int
    spurious: int
    useful: int
    redundant: int


@dataclass(frozen=True, slots=True)
class Stall:
    """A stretch in which data was outstanding and no DATA_ACK advanced."""

    start_s: float
    duration_s: float
    outstanding_octets: int
    first_packet: int
    last_packet: int
    subflow: int | None
    """The subflow that carried the last first copies before the stall."""


@dataclass(frozen=True, slots=True)
class Handover:
    """First copies moved from one subflow to another, at a stall or at a subflow's end."""

    start_s: float
    gap_s: float
    from_subflow: int
    to_subflow: int
    from_packet: int
    to_packet: int
    cause: Literal["stall", "subflow_end"]


@dataclass(frozen=True, slots=True)
class ConnectionDirection:
    """The data sequence space of one direction of a connection."""

    unique_octets: int
    acked_octets: int
    missing_octets: int
    retransmitted_octets: int
    remapped_octets: int
    reinjected_octets: ReinjectedOctets
    out_of_order_packets: int
    out_of_order_octets: int
    goodput_bps: float | None
    throughput_bps: float | None
    data_fin: bool
    checksum_failures: int
    max_data_flight_octets: int
    data_rtt_s: Distribution | None
    unmapped_octets: int = 0
    payload_octets: int = 0
    out_of_order_delay_s: Distribution | None = None
    out_of_order_max_extent_octets: int = 0
    out_of_order_never_filled_packets: int = 0
    data_fin_acked: bool | None = None
    checksums_verified: int = 0
    checksums_unverifiable: int = 0
    window_limited_packets: int = 0
    mappings: int = 0
    mappings_by_subflow_count: tuple[int, ...] = ()
    """Mappings sent on 1, 2, 3... subflows."""
    data_ack_octets: Distribution | None = None
    """Octets that each advancing DATA_ACK released (a distribution of octets, not seconds)."""
    stalls: tuple[Stall, ...] = ()
    handovers: tuple[Handover, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on the signalling plane, for lanes and ladders."""

    time_s: float
    packet: int
    kind: str
    """MP_CAPABLE, MP_JOIN, ADD_ADDR, REMOVE_ADDR, MP_PRIO, DATA_FIN, RST ... (RFC 8684 names)."""
    subflow: int | None
    by: Side | None
    text: str
    """The event in words, options included."""


_EVIDENCE: Final = "_evidence"


class Traced:
    """What a connection remembers beside its values: the evidence that it was made from.

    No field: two connections with equal values are equal, and JSON knows nothing of it.
    """

    __slots__ = (_EVIDENCE,)

    @property
    def evidence(self) -> Evidence:
        """The analysis' tables; LookupError for a connection that no capture was read for."""
        evidence: Evidence | None = getattr(self, _EVIDENCE, None)
        if evidence is None:
            raise LookupError("this connection does not come from an analysis")
        return evidence

    def trace_to(self, evidence: Evidence) -> None:
        """Say what the connection was made from."""
        object.__setattr__(self, _EVIDENCE, evidence)


@dataclass(frozen=True, slots=True)
class Connection(Traced):
    """One MPTCP connection."""

    index: int
    version: Literal[0, 1] | None
    state: State
    start_s: float
    duration_s: float
    end: ConnectionEnd
    client: Host
    server: Host
    checksum: bool | None
    fallback: Fallback | None
    addresses: tuple[AdvertisedAddress, ...]
    subflows: tuple[Subflow, ...]
    client_to_server: ConnectionDirection
    server_to_client: ConnectionDirection
    capture_point: CapturePoint | None = None
    first_packet: int = 0
    last_packet: int = 0
    packets: int = 0
    mptcp_packets: int = 0
    events: tuple[Event, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that went wrong or is worth knowing, with its proof."""

    code: str
    severity: Severity
    connection: int | None
    subflow: int | None
    packets: tuple[int, ...]
    message: str
    reference: str
    packet_count: int = 0
    """How many packets prove it in all; ``packets`` names at most the first hundred."""
