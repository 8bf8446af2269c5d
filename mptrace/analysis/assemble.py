"""From tables and machines to the model: one `Connection` value per connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mptrace.analysis.arrays.segmented import sum_by
from mptrace.analysis.columns.reading import CUT_OPTIONS
from mptrace.analysis.model import (
    AdvertisedAddress,
    CapturePoint,
    Connection,
    Endpoint,
    Event,
    Fallback,
    HmacValidity,
    Host,
    ResetReason,
    Side,
    Subflow,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dissector.connection_state import ConnectionHost, ConnectionState
    from dissector.subflow import Appearance, SubflowHost, SubflowState
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.model import ConnectionDirection, SubflowDirection

SECOND = 1e-9
_NEAR = 0.1
"""Share of the handshake's round trip below which a host counts as near the capture point."""


@dataclass(slots=True)
class Assembler:
    """Builds the values of all connections of one capture."""

    plane: DataPlane
    ways: list[SubflowDirection]
    """By way."""
    spaces: list[ConnectionDirection]
    """By space."""
    origin_ns: int
    """Time of the capture's first packet: all `_s` times are relative to it."""

    def connections(self) -> tuple[Connection, ...]:
        """All connections, in order of their first packet."""
        lives = _Lives.of(self.plane)
        first = 0
        found = []
        for index, state in enumerate(self.plane.membership.connections):
            count = len(self.plane.membership.subflows[index])
            found.append(self._connection(index, state, first, lives))
            first += count
        return tuple(found)

    def _connection(
        self, index: int, state: ConnectionState, first_subflow: int, lives: _Lives
    ) -> Connection:
        members = self.plane.membership.subflows[index]
        numbers = range(first_subflow, first_subflow + len(members))
        start_ns = min(lives.first_ns[number] for number in numbers)
        end_ns = max(lives.last_ns[number] for number in numbers)
        opening = next((s.syn.time_ns for s in members if s.kind == "initial" and s.syn), None)
        subflows = tuple(
            self._subflow(position, member, number, lives, opening)
            for position, (member, number) in enumerate(zip(members, numbers, strict=True))
        )
        by_stream = {subflow.tcp_stream: subflow.index for subflow in subflows}
        version: Literal[0, 1] | None = None
        if state.version in (0, 1):
            version = 1 if state.version == 1 else 0
        return Connection(
            index=index,
            version=version,
            state=state.state,
            start_s=self._since_start(start_ns),
            duration_s=(end_ns - start_ns) * SECOND,
            end=state.end,
            client=_host(state.client),
            server=_host(state.server),
            checksum=state.checksum,
            fallback=(
                None
                if state.fallback is None
                else Fallback(state.fallback.cause, state.fallback.frame_number)
            ),
            addresses=_addresses(state),
            subflows=subflows,
            client_to_server=self.spaces[2 * index],
            server_to_client=self.spaces[2 * index + 1],
            capture_point=_capture_point(members),
            first_packet=min(lives.first_packet[number] for number in numbers),
            last_packet=max(lives.last_packet[number] for number in numbers),
            packets=sum(lives.packets[number] for number in numbers),
            mptcp_packets=sum(lives.mptcp_packets[number] for number in numbers),
            events=tuple(
                Event(
                    time_s=self._since_start(event.time_ns),
                    packet=event.frame_number,
                    kind=event.kind.value,
                    subflow=by_stream.get(event.stream),
                    by=_side(event.from_client),
                    text=event.text,
                )
                for event in state.events
            ),
        )

    def _subflow(
        self,
        position: int,
        state: SubflowState,
        number: int,
        lives: _Lives,
        opening_ns: int | None,
    ) -> Subflow:
        start_ns = lives.first_ns[number]
        joined = state.kind == "join" and state.syn is not None and opening_ns is not None
        towards_server = 2 * number + (not state.client_is_initiator)
        return Subflow(
            index=position,
            tcp_stream=state.stream,
            kind="join" if state.kind == "join" else "initial",
            family=6 if state.endpoints.family == 6 else 4,
            client=_endpoint(state.client),
            server=_endpoint(state.server),
            started_by=state.started_by if state.endpoints.handshake_captured else None,
            handshake=state.handshake,
            hmac_valid=HmacValidity(state.client.hmac_valid, state.server.hmac_valid),
            start_s=self._since_start(start_ns),
            duration_s=(lives.last_ns[number] - start_ns) * SECOND,
            handshake_s=_between(state.syn, state.syn_ack),
            third_ack_s=_between(state.syn, state.third_ack),
            join_delay_s=(
                (state.syn.time_ns - opening_ns) * SECOND
                if joined and state.syn is not None and opening_ns is not None
                else None
            ),
            end=state.end,
            reset_by=state.reset_by if state.end == "reset" else None,
            reset_reason=_reset_reason(state),
            first_packet=lives.first_packet[number],
            last_packet=lives.last_packet[number],
            client_to_server=self.ways[towards_server],
            server_to_client=self.ways[towards_server ^ 1],
        )

    def _since_start(self, time_ns: int) -> float:
        return (time_ns - self.origin_ns) * SECOND


@dataclass(slots=True)
class _Lives:
    """First and last packets of subflows, as plain lists for quick access by number."""

    first_ns: list[int]
    last_ns: list[int]
    first_packet: list[int]
    last_packet: list[int]
    packets: list[int]
    mptcp_packets: list[int]

    @classmethod
    def of(cls, plane: DataPlane) -> _Lives:
        subflows = plane.subflows
        segments = subflows.segments
        subflow = subflows.way >> 1
        count = subflows.ways // 2
        starts = subflows.way_first[:-1:2]
        if not count:
            return cls([], [], [], [], [], [])
        mptcp = (segments.subtypes & ~np.uint16(CUT_OPTIONS)) != 0

        def lowest(column: NDArray[np.integer]) -> list[int]:
            values: list[int] = np.minimum.reduceat(column, starts).tolist()
            return values

        def highest(column: NDArray[np.integer]) -> list[int]:
            values: list[int] = np.maximum.reduceat(column, starts).tolist()
            return values

        return cls(
            lowest(segments.time_ns),
            highest(segments.time_ns),
            lowest(segments.frame_number),
            highest(segments.frame_number),
            np.bincount(subflow, minlength=count).tolist(),
            sum_by(subflow, mptcp.astype(np.int64), count).tolist(),
        )


def _between(first: Appearance | None, second: Appearance | None) -> float | None:
    if first is None or second is None:
        return None
    return (second.time_ns - first.time_ns) * SECOND


def _side(from_client: bool | None) -> Side | None:
    if from_client is None:
        return None
    return "client" if from_client else "server"


def _host(host: ConnectionHost) -> Host:
    return Host(host.key, host.token, host.initial_data_seq)


def _endpoint(host: SubflowHost) -> Endpoint:
    return Endpoint(host.address, host.port, host.address_id, host.backup)


def _reset_reason(state: SubflowState) -> ResetReason | None:
    option = state.reset_option
    if option is None:
        return None
    return ResetReason(option.reason, option.reason_name, option.transient)


def _addresses(state: ConnectionState) -> tuple[AdvertisedAddress, ...]:
    return tuple(
        AdvertisedAddress(
            by="client" if address.by_client else "server",
            address_id=address.address_id,
            address=str(address.address),
            port=address.port,
            hmac_valid=address.hmac_valid,
            echoed=address.echoed_frame is not None,
            removed=address.removed_frame is not None,
            packet=address.frame_number,
            joined=address.joined_stream is not None,
        )
        for address in state.addresses
    )


def _capture_point(members: list[SubflowState]) -> CapturePoint | None:
    """Near whom the capture was taken, from the first handshake that was captured whole."""
    for member in members:
        if member.syn is None or member.syn_ack is None or member.third_ack is None:
            continue
        if member.syn_count > 1 or member.syn_ack_count > 1:
            continue
        there = member.syn_ack.time_ns - member.syn.time_ns
        back = member.third_ack.time_ns - member.syn_ack.time_ns
        if there < 0 or back < 0 or there + back == 0:
            continue
        share = back / (there + back)
        initiator_near, responder_near = share < _NEAR, share > 1 - _NEAR
        if initiator_near or responder_near:
            return "client" if initiator_near == member.client_is_initiator else "server"
        return "between"
    return None
