"""One TCP stream as a subflow: what its handshake and its end said.

RFC 8684 section 3.1 (initial subflow), 3.2 (MP_JOIN), 3.6 (MP_TCPRST). The state holds facts;
what they amount to (``handshake``, ``end``) is derived when asked. Facts are kept by the roles
in TCP, initiator and responder; ``client`` and ``server`` are the roles in the connection, whose
client stays the client whoever starts a subflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from dissector.events import EventKind
from dissector.options import CutOption, MpCapable, MpJoinAck, MptcpOption, MpTcpReset
from dissector.segment import FIN, RST, SYN, Segment, StreamEndpoints

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState

SubflowKind = Literal["initial", "join"]
SubflowHandshake = Literal[
    "complete", "no_syn_ack", "refused", "option_removed", "no_third_ack", "not_captured"
]
SubflowEnd = Literal["fin", "reset", "open"]

_NOTHING_NEW: tuple[EventKind, ...] = ()


class Appearance(NamedTuple):
    """The packet in which something was seen first."""

    frame_number: int
    time_ns: int


@dataclass(slots=True, eq=False)
class SubflowHost:
    """One end of a subflow: what it said of itself."""

    address: str
    port: int
    address_id: int | None = None
    """0 on the initial subflow, otherwise from its MP_JOIN."""
    backup: bool | None = None
    """It wants this subflow as a backup: from its MP_JOIN, changed by its MP_PRIO."""
    initial_backup: bool | None = None
    """The same, as its MP_JOIN said."""
    nonce: int | None = None
    hmac: bytes | None = None
    """From its MP_JOIN: 8 octets of a responder, 20 of an initiator."""
    hmac_valid: bool | None = None
    """None where it sent none or the keys are not known."""
    initial_seq: int | None = None
    """The TCP sequence number of its SYN."""
    first_segment: Appearance | None = None
    """Its first segment without SYN and RST."""
    first_payload: Appearance | None = None
    first_payload_plain: bool = False
    """Its first payload came with neither DSS nor MP_CAPABLE, as the very first octets of the
    stream where its SYN was captured."""
    first_dss: Appearance | None = None
    fin: Appearance | None = None
    fin_plain: bool = False
    """Its first FIN carries no MPTCP option at all."""


@dataclass(slots=True, eq=False)
class SubflowState:
    """A TCP stream: a subflow once ``connection`` is set, plain TCP as long as it is not."""

    stream: int
    endpoints: StreamEndpoints
    initiator: SubflowHost
    responder: SubflowHost
    connection: ConnectionState | None = None
    kind: SubflowKind | None = None
    client_is_initiator: bool = True
    token: int | None = None
    """The receiver's token in the MP_JOIN SYN."""
    syn: Appearance | None = None
    syn_count: int = 0
    """SYNs seen; all beyond the first are retransmissions."""
    syn_without_option: Appearance | None = None
    """The first repeated SYN that no longer carries the MPTCP option of the first one."""
    syn_ack: Appearance | None = None
    syn_ack_count: int = 0
    syn_option: bool | None = None
    """The first SYN carried an MPTCP option; None where that was not captured."""
    syn_ack_option: bool | None = None
    """A SYN/ACK carried the MPTCP option that belongs there; None: not captured."""
    third_ack: Appearance | None = None
    third_ack_option: bool | None = None
    """The third ACK carried the MPTCP option that belongs there; None: not captured."""
    keys_with_data: bool = False
    """MP_CAPABLE with a data length was seen (v1)."""
    completed: Appearance | None = None
    """The packet that proves that both hosts use MPTCP here."""
    reset: Appearance | None = None
    """The first RST."""
    reset_by_initiator: bool | None = None
    reset_option: MpTcpReset | None = None
    reset_count: int = 0
    refused: bool = False
    """The RST came where the handshake's next packet belonged."""
    closed_before_reset: bool = False
    first_control: Appearance | None = None

    @classmethod
    def of(cls, stream: int, endpoints: StreamEndpoints) -> SubflowState:
        """The state before any segment."""
        return cls(
            stream,
            endpoints,
            SubflowHost(endpoints.initiator_address, endpoints.initiator_port),
            SubflowHost(endpoints.responder_address, endpoints.responder_port),
        )

    @property
    def client(self) -> SubflowHost:
        """The end of the connection's client."""
        return self.initiator if self.client_is_initiator else self.responder

    @property
    def server(self) -> SubflowHost:
        """The end of the connection's server."""
        return self.responder if self.client_is_initiator else self.initiator

    @property
    def started_by(self) -> Literal["client", "server"]:
        """Who of the connection sent the SYN."""
        return "client" if self.client_is_initiator else "server"

    @property
    def reset_by(self) -> Literal["client", "server"] | None:
        """Who of the connection sent the first RST."""
        if self.reset_by_initiator is None:
            return None
        return "client" if self.reset_by_initiator == self.client_is_initiator else "server"

    @property
    def carries_dss(self) -> bool:
        """A DSS was seen in either direction: both hosts had agreed on MPTCP here."""
        return self.initiator.first_dss is not None or self.responder.first_dss is not None

    @property
    def handshake(self) -> SubflowHandshake:
        """How far the handshake came, later packets counted as proof of earlier ones.

        On the initial subflow this speaks of TCP's handshake: an MPTCP option that is missing
        there is a fallback of the connection.
        """
        if self.refused:
            return "option_removed" if self._join_option_missing else "refused"
        if self.syn is None and self.syn_ack is None and not self.third_ack_option:
            return "not_captured"
        if self.carries_dss:
            return "complete"
        if self.third_ack_option:
            return "complete"
        if self._join_option_missing:
            return "option_removed"
        if self.kind != "join" and self.initiator.first_segment is not None:
            return "complete"
        if self.syn_ack is None and self.responder.first_segment is None:
            return "no_syn_ack"
        return "no_third_ack"

    @property
    def _join_option_missing(self) -> bool:
        return self.kind == "join" and (
            self.syn_ack_option is False
            or (self.third_ack_option is False and not self.carries_dss)
        )

    @property
    def established(self) -> bool:
        """The handshake came to its end, in the capture or, as a DSS proves, before it."""
        return self.handshake == "complete" or (
            self.handshake == "not_captured" and self.carries_dss
        )

    @property
    def end(self) -> SubflowEnd:
        """``fin`` wants a FIN of each end that was seen at all; a RST after both adds nothing."""
        if self.reset is not None and not self.closed_before_reset:
            return "reset"
        return "fin" if self._closed else "open"

    @property
    def _closed(self) -> bool:
        initiator, responder = self.initiator, self.responder
        if initiator.fin is None:
            return responder.fin is not None and not self._seen(initiator)
        return responder.fin is not None or not self._seen(responder)

    @staticmethod
    def _seen(host: SubflowHost) -> bool:
        return host.first_segment is not None or host.initial_seq is not None

    def observe(self, segment: Segment) -> tuple[EventKind, ...]:
        """Takes in what the TCP header says; returns FIN and RST where they are new."""
        here = Appearance(segment.frame_number, segment.time_ns)
        flags = segment.flags
        host = self.initiator if segment.from_initiator else self.responder
        if self.first_control is None:
            self.first_control = here
        if flags & SYN:
            self._observe_syn(segment, host, here)
        elif not flags & RST and host.first_segment is None:
            host.first_segment = here
            if segment.from_initiator:
                self._observe_third_ack(segment, here)
        if segment.payload_length and host.first_payload is None:
            host.first_payload = here
            host.first_payload_plain = _is_plain(segment) and (
                host.initial_seq is None or segment.seq == (host.initial_seq + 1) & 0xFFFFFFFF
            )
        if segment.has_dss and host.first_dss is None:
            host.first_dss = here
        if not flags & (FIN | RST):
            return _NOTHING_NEW
        return self._observe_end(segment, host, here)

    def _observe_syn(self, segment: Segment, host: SubflowHost, here: Appearance) -> None:
        if host.initial_seq is None:
            host.initial_seq = segment.seq
        if segment.is_syn:
            self.syn_count += 1
            if self.syn is None:
                self.syn = here
        else:
            self.syn_ack_count += 1
            if self.syn_ack is None:
                self.syn_ack = here

    def _observe_third_ack(self, segment: Segment, here: Appearance) -> None:
        """The initiator's first segment is the third ACK if no octet was sent before it."""
        first_seq = self.initiator.initial_seq
        if first_seq is None or segment.seq != (first_seq + 1) & 0xFFFFFFFF:
            return
        carries_option = any(type(option) in _THIRD_ACK_OPTIONS for option in segment.options)
        if segment.payload_length and not carries_option:
            return
        self.third_ack = here
        if not carries_option and not segment.has_dss and not is_cut(segment):
            self.third_ack_option = False

    def _observe_end(
        self, segment: Segment, host: SubflowHost, here: Appearance
    ) -> tuple[EventKind, ...]:
        news = _NOTHING_NEW
        if segment.flags & FIN and host.fin is None:
            host.fin = here
            host.fin_plain = not segment.has_dss and not any(
                isinstance(option, MptcpOption | CutOption) for option in segment.options
            )
            news = (EventKind.FIN,)
        if not segment.flags & RST:
            return news
        self.reset_count += 1
        if self.reset is None:
            self.reset = here
            self.reset_by_initiator = segment.from_initiator
            self.closed_before_reset = self._closed
            self.refused = self._is_refusal(segment)
            news = (*news, EventKind.RST)
        if self.reset_option is None and self.reset_by_initiator == segment.from_initiator:
            for option in segment.options:
                if type(option) is MpTcpReset:
                    self.reset_option = option
        return news

    def _is_refusal(self, reset: Segment) -> bool:
        if self.carries_dss or self.responder.first_segment is not None:
            return False
        if reset.from_initiator:
            return self.syn_ack is not None and self.initiator.first_segment is None
        return self.syn is not None


_THIRD_ACK_OPTIONS = frozenset({MpCapable, MpJoinAck})


def _is_plain(segment: Segment) -> bool:
    if segment.has_dss or segment.flags & SYN or is_cut(segment):
        return False
    return not any(type(option) is MpCapable for option in segment.options)


def is_cut(segment: Segment) -> bool:
    """The capture ends within the segment's options: what is missing proves nothing."""
    options = segment.options
    return bool(options) and type(options[-1]) is CutOption
