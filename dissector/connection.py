"""All MPTCP connections of a capture, from their signalling (RFC 8684 section 3).

Rules: a stream whose handshake has MP_CAPABLE starts a connection. A stream whose SYN has MP_JOIN
belongs to the connection that its token names; where no key explains the token it starts, or
joins, a *partial* connection, which is merged into the whole one if the key turns up later. A
stream whose handshake is not in the capture waits unassigned until its owner is found from its
data sequence numbers (``adopt``). Any other stream is plain TCP.

Nothing that a segment says of one connection changes another, and no segment raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.connection_handlers import advance, verify_again
from dissector.connection_state import ConnectionHost, ConnectionState
from dissector.fallback import conclude
from dissector.join import note_owner
from dissector.options import (
    MalformedOption,
    MpCapable,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    MptcpOption,
    UnknownMptcpOption,
)
from dissector.segment import Segment, StreamEndpoints
from dissector.signals import OddOption
from dissector.subflow import SubflowHost, SubflowState, is_cut
from dissector.tokens import TokenIndex

if TYPE_CHECKING:
    from dissector.events import Event

__all__ = [
    "ConnectionHost",
    "ConnectionState",
    "ConnectionTable",
    "Segment",
    "StreamEndpoints",
    "SubflowHost",
    "SubflowState",
]

_KEPT_WITHOUT_EVIDENCE: Final = 16
"""Segments kept of a stream that was captured in the middle and shows no MPTCP so far."""

_UNKNOWN_ENDPOINTS: Final = StreamEndpoints(0, "", 0, "", 0, handshake_captured=False)


class ConnectionTable:
    """Receives the signalling of all streams in capture order and keeps the connections."""

    def __init__(self) -> None:
        self._subflows: dict[int, SubflowState] = {}
        self._connections: dict[int, ConnectionState] = {}
        self._created = 0
        self._tokens = TokenIndex()
        self._waiting: dict[int, list[Segment]] = {}
        self._unassigned: dict[int, None] = {}
        self.stray_options: list[OddOption] = []
        """Malformed and unknown MPTCP options on streams of no connection."""

    @property
    def connections(self) -> list[ConnectionState]:
        """All connections, after ``finish`` in the order of their first packets."""
        return list(self._connections.values())

    @property
    def unassigned_streams(self) -> tuple[int, ...]:
        """Streams that carry MPTCP options and whose handshake is not in the capture."""
        return tuple(self._unassigned)

    def subflow(self, stream: int) -> SubflowState | None:
        """What is known of a stream, whether or not it belongs to a connection."""
        return self._subflows.get(stream)

    def open_stream(self, stream: int, endpoints: StreamEndpoints) -> None:
        """Says who the ends of a stream are; to be called before its first segment."""
        if stream not in self._subflows:
            self._subflows[stream] = SubflowState.of(stream, endpoints)

    def receive(self, segment: Segment) -> tuple[Event, ...]:
        """Takes in one segment and returns what it brought about."""
        subflow = self._subflows.get(segment.stream)
        if subflow is None:
            self.open_stream(segment.stream, _UNKNOWN_ENDPOINTS)
            subflow = self._subflows[segment.stream]
        connection = subflow.connection
        if connection is not None:
            count = len(connection.events)
            advance(connection, subflow, segment, self._tokens)
        else:
            connection = self._assign(subflow, segment)
            if connection is None:
                self._keep(subflow, segment)
                return ()
            count = len(connection.events)
            self._replay(connection, segment.stream)
            advance(connection, self._subflows[segment.stream], segment, self._tokens)
        if self._tokens.explained:
            self._merge_explained()
        return tuple(connection.events[count:]) if len(connection.events) > count else ()

    def adopt(
        self, stream: int, connection: ConnectionState | None = None, *, swapped: bool = False
    ) -> tuple[Event, ...]:
        """Gives an unassigned stream to a connection, or makes a partial one for it.

        Args:
            stream: one of ``unassigned_streams``; any other is left as it is.
            connection: its owner; None makes a new partial connection.
            swapped: the stream's initiator is the connection's server.

        Returns:
            The events of the stream's signalling so far.
        """
        subflow = self._subflows.get(stream)
        if stream not in self._unassigned or subflow is None:
            return ()
        new = connection is None
        if connection is None:
            first = subflow.first_control
            connection = self._create(
                first.frame_number if first else 0, first.time_ns if first else 0, partial=True
            )
        subflow.client_is_initiator = not swapped
        joins = any(
            isinstance(option, MpJoinSyn | MpJoinSynAck | MpJoinAck)
            for segment in self._waiting.get(stream, ())
            for option in segment.options
        )
        self._attach(connection, subflow, is_join=joins or not new)
        count = len(connection.events)
        self._replay(connection, stream)
        if self._tokens.explained:
            self._merge_explained()
        return tuple(connection.events[count:])

    def merge(
        self, partial: ConnectionState, connection: ConnectionState, *, swapped: bool = False
    ) -> None:
        """Makes a partial connection part of another one, its subflows' order kept.

        Args:
            partial: the connection that ends to exist; left as it is unless it is partial.
            connection: the one that it belongs to.
            swapped: the partial connection's client is the other one's server.
        """
        if not partial.partial or partial is connection:
            return
        if self._connections.pop(partial.index, None) is None:
            return
        self._tokens.forget(partial)
        for old in partial.subflows:
            subflow = SubflowState.of(old.stream, old.endpoints)
            subflow.client_is_initiator = old.client_is_initiator != swapped
            subflow.token = old.token
            self._subflows[old.stream] = subflow
            self._attach(connection, subflow, is_join=old.kind == "join")
        connection.first_frame = min(connection.first_frame, partial.first_frame)
        connection.first_time_ns = min(connection.first_time_ns, partial.first_time_ns)
        for segment in partial.segments:
            advance(connection, self._subflows[segment.stream], segment, self._tokens)
        verify_again(connection)

    def finish(self) -> tuple[Event, ...]:
        """Draws the conclusions that want the whole capture; returns their events.

        Connections are then in the order of their first packets and numbered so.
        """
        late: list[Event] = []
        order = sorted(self._connections.values(), key=lambda c: (c.first_frame, c.index))
        for index, connection in enumerate(order):
            connection.index = index
            count = len(connection.events)
            conclude(connection)
            late += connection.events[count:]
            connection.events.sort(key=lambda event: event.frame_number)
            connection.subflows.sort(key=_first_frame)
        self._connections = {connection.index: connection for connection in order}
        self._created = len(order)
        return tuple(late)

    def _create(self, frame_number: int, time_ns: int, *, partial: bool) -> ConnectionState:
        connection = ConnectionState(self._created, partial, frame_number, time_ns)
        self._connections[self._created] = connection
        self._created += 1
        return connection

    @staticmethod
    def _attach(connection: ConnectionState, subflow: SubflowState, *, is_join: bool) -> None:
        subflow.connection = connection
        subflow.kind = "join" if is_join else "initial"
        if not is_join:
            for host in (subflow.initiator, subflow.responder):
                host.address_id = 0
                host.backup = host.initial_backup = False
                connection.index_of_addresses.use(host is subflow.client, 0, subflow)
        connection.subflows.append(subflow)

    def _assign(self, subflow: SubflowState, segment: Segment) -> ConnectionState | None:
        """Finds, or makes, the connection that a handshake packet speaks of."""
        for option in segment.options:
            kind = type(option)
            if kind is MpCapable or (
                isinstance(option, UnknownMptcpOption)
                and option.unknown_version is not None
                and segment.is_syn
            ):
                return self._start(subflow, segment)
            if isinstance(option, MpJoinSyn) and segment.is_syn and segment.from_initiator:
                return self._join(subflow, segment, option)
        return None

    def _start(self, subflow: SubflowState, segment: Segment) -> ConnectionState:
        first = subflow.first_control
        connection = self._create(
            first.frame_number if first else segment.frame_number,
            first.time_ns if first else segment.time_ns,
            partial=False,
        )
        # Of MP_CAPABLE only the SYN/ACK comes from the server.
        subflow.client_is_initiator = segment.from_initiator != segment.is_syn_ack
        self._attach(connection, subflow, is_join=False)
        return connection

    def _join(self, subflow: SubflowState, segment: Segment, option: MpJoinSyn) -> ConnectionState:
        owner = self._tokens.find(option.token)
        subflow.token = option.token
        if owner is not None:
            connection = owner.connection
            subflow.client_is_initiator = not owner.of_client
        else:
            known = self._tokens.partials.get(option.token)
            if known is None:
                known = self._create(segment.frame_number, segment.time_ns, partial=True)
                known.server.token = option.token
                self._tokens.partials[option.token] = known
            connection = known
        note_owner(connection, segment, owner)
        self._attach(connection, subflow, is_join=True)
        return connection

    def _keep(self, subflow: SubflowState, segment: Segment) -> None:
        """Holds on to a segment of a stream that no connection owns so far."""
        subflow.observe(segment)
        stream = segment.stream
        evidence = segment.has_dss
        for option in segment.options:
            if isinstance(option, MalformedOption | UnknownMptcpOption):
                self._keep_stray(segment, option)
            elif isinstance(option, MptcpOption):
                # Behind a SYN without option this is a stray, such as the MP_TCPRST that answers
                # a JOIN whose option was removed: the stream is plain TCP.
                evidence |= subflow.syn is None or segment.stream in self._waiting
        if evidence:
            self._unassigned[stream] = None
        without_handshake = subflow.syn is None and subflow.syn_ack is None
        if stream in self._unassigned or is_cut(segment):
            self._waiting.setdefault(stream, []).append(segment)
        elif without_handshake:
            waiting = self._waiting.setdefault(stream, [])
            if len(waiting) < _KEPT_WITHOUT_EVIDENCE:
                waiting.append(segment)

    def _keep_stray(self, segment: Segment, option: MalformedOption | UnknownMptcpOption) -> None:
        if not isinstance(option, MalformedOption) or option.subtype is not None:
            self.stray_options.append(
                OddOption(
                    segment.frame_number,
                    segment.time_ns,
                    segment.stream,
                    segment.from_initiator,
                    option,
                )
            )

    def _replay(self, connection: ConnectionState, stream: int) -> None:
        """Lets a stream's kept segments count, now that its connection is known."""
        self._unassigned.pop(stream, None)
        waiting = self._waiting.pop(stream, None)
        if waiting is None:
            return
        old = self._subflows[stream]
        subflow = SubflowState.of(stream, old.endpoints)
        subflow.client_is_initiator = old.client_is_initiator
        subflow.token = old.token
        self._subflows[stream] = subflow
        connection.subflows.pop()  # where it was attached a moment ago
        self._attach(connection, subflow, is_join=old.kind == "join")
        for segment in waiting:
            advance(connection, subflow, segment, self._tokens)

    def _merge_explained(self) -> None:
        """Merges partial connections whose token a key explains by now."""
        while self._tokens.explained:
            value, partial = self._tokens.explained.pop()
            owner = self._tokens.find(value)
            if owner is None or owner.connection is partial:
                continue
            # A partial connection took the named host for its server.
            self.merge(partial, owner.connection, swapped=owner.of_client)
            if owner.hash_version != owner.connection.version:
                owner.connection.hash_version = owner.hash_version
                verify_again(owner.connection)


def _first_frame(subflow: SubflowState) -> int:
    return subflow.first_control.frame_number if subflow.first_control else 0
