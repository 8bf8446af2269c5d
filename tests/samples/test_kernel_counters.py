"""Counters of Linux's MPTCP that can be counted from packets, recounted from the analysis.

Each is held on the capture of the very host that counted. What packets cannot tell is left out:
SndWndShared, RcvWndShared, RcvWndConflict, *TxDrop, SubflowStale, SubflowRecover, RmSubflow,
Blackhole and OFOQueueTail, OFOMerge (how the queue was searched and joined).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dissector.connection_state import ConnectionState
from dissector.options import (
    AddAddress,
    MpCapable,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    TcpOption,
)
from dissector.subflow import SubflowState
from mptrace import Analysis

AnalysisOf = Callable[[Any], Analysis]
Options = Mapping[type, TcpOption]

RECOUNTED = (
    "MPCapableSYNTX",
    "MPCapableSYNRX",
    "MPCapableSYNACKRX",
    "MPCapableACKRX",
    "MPCapableFallbackACK",
    "MPCapableFallbackSYNACK",
    "MPCapableDataFallback",
    "MPJoinSynTx",
    "MPJoinSynRx",
    "MPJoinSynBackupRx",
    "MPJoinSynAckRx",
    "MPJoinSynAckHMacFailure",
    "MPJoinAckRx",
    "MPJoinAckHMacFailure",
    "MPJoinRejected",
    "MPJoinNoTokenFound",
    "MPJoinPortSynRx",
    "MPJoinPortSynAckRx",
    "MPJoinPortAckRx",
    "AddAddr",
    "AddAddrTx",
    "EchoAdd",
    "EchoAddTx",
    "PortAdd",
    "RmAddr",
    "RmAddrTx",
    "MPPrioTx",
    "MPPrioRx",
    "MPFailTx",
    "MPFailRx",
    "MPFastcloseTx",
    "MPFastcloseRx",
    "MPRstTx",
    "MPRstRx",
    "InfiniteMapTx",
    "InfiniteMapRx",
    "DataCsumErr",
)


def recount(analysis: Analysis, side: str) -> Counter[str]:
    """Count what the host on ``side`` has sent and received."""
    counts: Counter[str] = Counter()
    is_client = side == "client"
    for connection, state in zip(
        analysis, analysis.evidence.control.table.connections, strict=True
    ):
        counts.update(_handshake(state, is_client))
        counts.update(_joins(state, is_client))
        counts.update(_addresses(state, is_client))
        counts.update(_signals(state, is_client))
        incoming = connection.server_to_client if is_client else connection.client_to_server
        counts["DataCsumErr"] += incoming.checksum_failures
    return counts


def _handshake(state: ConnectionState, is_client: bool) -> Iterator[str]:
    kinds = {
        (event.from_client, event.frame_number)
        for event in state.events
        if isinstance(event.option, MpCapable)
    }
    from_client = sorted(frame for by_client, frame in kinds if by_client)
    offered = state.subflows[0].syn is not None and bool(from_client)
    accepted = any(not by_client for by_client, _ in kinds)
    if is_client:
        yield from ["MPCapableSYNTX"] * offered
        yield from ["MPCapableSYNACKRX"] * accepted
    else:
        yield from ["MPCapableSYNRX"] * offered
        # The third ACK, or the first data where that was lost.
        confirmed = [frame for frame in from_client if not _is_syn(state, frame)]
        yield from ["MPCapableACKRX"] * bool(confirmed)
    match state.fallback.cause if state.fallback else None:
        case "mp_capable_missing_in_syn_ack" if is_client:
            yield "MPCapableFallbackSYNACK"
        case "mp_capable_missing_in_third_ack" if not is_client:
            yield "MPCapableFallbackACK"
        case "dss_missing_on_first_data" if is_client:
            yield "MPCapableDataFallback"


def _is_syn(state: ConnectionState, frame: int) -> bool:
    return any(s.syn is not None and s.syn.frame_number == frame for s in state.subflows)


def _joins(state: ConnectionState, is_client: bool) -> Iterator[str]:
    for subflow in state.subflows:
        if subflow.kind != "join":
            continue
        started = (subflow.started_by == "client") == is_client
        options = {
            type(event.option): event.option
            for event in state.events
            if event.stream == subflow.stream and event.option is not None
        }
        # A port of its own in ADD_ADDR: the answerer listens there, not where the connection is.
        first = state.subflows[0]
        own_port = subflow.endpoints.responder_port not in (
            first.endpoints.initiator_port,
            first.endpoints.responder_port,
        )
        if started:
            yield from _join_started(subflow, options, own_port)
        else:
            yield from _join_answered(state, subflow, options, own_port)


def _join_started(subflow: SubflowState, options: Options, own_port: bool) -> Iterator[str]:
    if MpJoinSyn in options:
        yield "MPJoinSynTx"
    if MpJoinSynAck in options:
        right = subflow.responder.hmac_valid
        yield "MPJoinSynAckRx" if right else "MPJoinSynAckHMacFailure"
        if own_port:
            yield "MPJoinPortSynAckRx"


def _join_answered(
    state: ConnectionState, subflow: SubflowState, options: Options, own_port: bool
) -> Iterator[str]:
    syn = options.get(MpJoinSyn)
    if isinstance(syn, MpJoinSyn):
        yield "MPJoinSynRx"
        if syn.backup:
            yield "MPJoinSynBackupRx"
        if own_port:
            yield "MPJoinPortSynRx"
        if state.partial:
            yield "MPJoinNoTokenFound"
    if MpJoinAck in options:
        if not subflow.initiator.hmac_valid:
            yield "MPJoinAckHMacFailure"
        elif subflow.refused:
            yield "MPJoinRejected"
        else:
            yield "MPJoinAckRx"
        if own_port:
            yield "MPJoinPortAckRx"


def _addresses(state: ConnectionState, is_client: bool) -> Iterator[str]:
    for event in state.events:
        option = event.option
        if not isinstance(option, AddAddress):
            continue
        sent = event.from_client == is_client
        if option.echo:
            yield "EchoAddTx" if sent else "EchoAdd"
        elif sent:
            yield "AddAddrTx"
        elif all(a.hmac_valid for a in state.addresses if a.address_id == option.address_id):
            yield "AddAddr"  # counted once its HMAC was found right
        if not sent and option.port is not None:
            yield "PortAdd"
    for removal in state.removals:
        name = "RmAddrTx" if removal.by_client == is_client else "RmAddr"
        yield from [name] * len(removal.address_ids)


def _signals(state: ConnectionState, is_client: bool) -> Iterator[str]:
    for change in state.priority_changes:
        yield "MPPrioTx" if change.by_client == is_client else "MPPrioRx"
    for fail in state.fails:
        yield "MPFailTx" if fail.from_client == is_client else "MPFailRx"
    for by_client in {mapping.from_client for mapping in state.infinite_mappings}:
        yield "InfiniteMapTx" if by_client == is_client else "InfiniteMapRx"
    for close in state.fastcloses:
        if close.by_client == is_client:
            yield "MPFastcloseTx"
        elif not _reset_before(state, close.stream, close.frame_number, is_client):
            yield "MPFastcloseRx"
    for reset in state.resets:
        subflow = next(s for s in state.subflows if s.stream == reset.stream)
        if reset.from_client == is_client:
            # Linux counts what a socket of its own sends (ACK set), and no answers on behalf of a
            # socket that is gone or of a request that never became a subflow.
            by_initiator = reset.from_client == subflow.client_is_initiator
            if reset.with_ack and (by_initiator or subflow.established):
                yield "MPRstTx"
        # It looks at the options of what arrives only where the subflow was established.
        elif subflow.established and not _reset_before(
            state, reset.stream, reset.frame_number, is_client
        ):
            yield "MPRstRx"


def _reset_before(state: ConnectionState, stream: int, frame: int, by_client: bool) -> bool:
    """The host had reset the subflow itself: what came later met no socket and counts nowhere."""
    for subflow in state.subflows:
        if subflow.stream == stream and subflow.reset is not None:
            own = subflow.reset_by == ("client" if by_client else "server")
            return own and subflow.reset.frame_number < frame
    return False


def test_the_kernels_counters_follow_from_the_packets(
    recorded: Any, analysis_of: AnalysisOf
) -> None:
    counted = recount(analysis_of(recorded), recorded.side)
    assert {name: counted[name] for name in RECOUNTED} == {
        name: recorded.counters.get(name, 0) for name in RECOUNTED
    }


@pytest.mark.parametrize("name", RECOUNTED)
def test_each_counter_moves_in_some_sample(name: str, samples_directory: Path) -> None:
    """A counter that never moves would be held to nothing."""
    moved = [
        path.parent.name
        for path in samples_directory.glob("*/truth.json")
        if f'"{name}"' in path.read_text(encoding="utf-8")
    ]
    assert moved
