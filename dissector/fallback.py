"""When a connection goes on as plain TCP, and why (RFC 8684 section 3.7).

What is missing is told apart from what is late: an MP_CAPABLE or DSS that is missing behind the
SYN/ACK counts only once the capture is over and no DSS came after all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.events import EventKind
from dissector.segment import RST
from dissector.signals import (
    FALLBACK_WORDS,
    FailSignal,
    Fallback,
    FallbackCause,
    InfiniteMapping,
)
from dissector.wording import side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from dissector.options import DataSequenceSignal, MpFail
    from dissector.segment import Segment
    from dissector.subflow import Appearance, SubflowState


def receive_fail(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpFail
) -> None:
    """Takes in an MP_FAIL; without RST on the only subflow it is a fallback."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    with_reset = bool(segment.flags & RST)
    connection.fails.append(
        FailSignal(
            from_client,
            option.data_seq,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            with_reset,
        )
    )
    connection.add_event(
        EventKind.MP_FAIL,
        segment,
        from_client,
        f"{side_name(from_client)} reports a failed checksum at data sequence number "
        f"{option.data_seq}.",
        option,
    )
    if connection.fallback is None and not with_reset and not _another_is_open(connection, subflow):
        _fall_back(connection, "checksum_failure", segment)


def receive_infinite_mapping(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: DataSequenceSignal,
) -> None:
    """Takes in a DSS with data-level length 0: from here on data follows the subflow's octets."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    first = not any(
        mapping.stream == segment.stream and mapping.from_client == from_client
        for mapping in connection.infinite_mappings[-2:]
    )
    connection.infinite_mappings.append(
        InfiniteMapping(
            from_client,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            option.subflow_seq or 0,
            option.data_seq or 0,
            option.data_seq_octets,
        )
    )
    if first:
        connection.add_event(
            EventKind.INFINITE_MAPPING,
            segment,
            from_client,
            f"{side_name(from_client)} maps the rest of the subflow onto its data.",
            option,
        )
    if connection.fallback is None:
        failed = any(not fail.with_reset for fail in connection.fails[-2:])
        _fall_back(connection, "checksum_failure" if failed else "infinite_mapping", segment)


def check_syn_ack(connection: ConnectionState, subflow: SubflowState, segment: Segment) -> None:
    """Takes in a SYN/ACK of the initial subflow."""
    if connection.fallback is None and subflow.syn_ack_option is False:
        _fall_back(connection, _missing(subflow, "mp_capable_missing_in_syn_ack"), segment)


def conclude(connection: ConnectionState) -> None:
    """At the end of the capture: what was missing behind the SYN/ACK and never came."""
    subflow = connection.initial_subflow
    if connection.partial or connection.fallback is not None or subflow is None:
        return
    if subflow.syn is None and subflow.syn_ack is None and not subflow.third_ack_option:
        return
    plain = _plain_data(subflow)
    if plain is None:
        stopped = _stopped(connection, subflow)
        if stopped is not None:
            _record(connection, "dss_stopped", stopped, subflow)
        return
    if subflow.third_ack_option is False and subflow.initiator.first_payload_plain:
        # What the client sends behind it does not help: the server has given MPTCP up already.
        _record(
            connection,
            _missing(subflow, "mp_capable_missing_in_third_ack"),
            subflow.third_ack or plain,
            subflow,
        )
    elif subflow.completed is not None:
        _record(connection, "dss_missing_on_first_data", plain, subflow)
    elif subflow.syn_ack_option:
        cause = _missing(subflow, "mp_capable_missing_in_third_ack")
        third_ack = subflow.third_ack if subflow.third_ack_option is False else None
        _record(connection, cause, third_ack or plain, subflow)


def _plain_data(subflow: SubflowState) -> Appearance | None:
    """The first payload without DSS of a host that never sent one."""
    found = None
    for host in (subflow.initiator, subflow.responder):
        if not host.first_payload_plain or host.first_dss is not None:
            continue
        if found is None or (host.first_payload and host.first_payload.time_ns < found.time_ns):
            found = host.first_payload
    return found


def _stopped(connection: ConnectionState, subflow: SubflowState) -> Appearance | None:
    """A FIN without any MPTCP option, on the only subflow, of a host that had sent DSS before.

    A host that uses MPTCP ends its data with a DATA_FIN, and sends a DSS with its FIN (RFC 8684
    section 3.3.3).
    """
    if len([other for other in connection.subflows if other.established]) != 1:
        return None
    if connection.fastclose is not None or not subflow.established:
        return None
    for host, from_client in ((subflow.client, True), (subflow.server, False)):
        ended = any(fin.from_client == from_client for fin in connection.data_fins)
        if host.fin is not None and host.fin_plain and host.first_dss is not None and not ended:
            return host.fin
    return None


def _missing(subflow: SubflowState, cause: FallbackCause) -> FallbackCause:
    if subflow.syn_without_option is not None:
        return "mp_capable_missing_in_syn_retransmission"
    return cause


def _another_is_open(connection: ConnectionState, subflow: SubflowState) -> bool:
    return any(
        other is not subflow and other.end == "open" and other.established
        for other in connection.subflows
    )


def _fall_back(connection: ConnectionState, cause: FallbackCause, segment: Segment) -> None:
    connection.fallback = Fallback(cause, segment.frame_number, segment.time_ns, segment.stream)
    connection.add_event(EventKind.FALLBACK, segment, None, _text(cause))


def _record(
    connection: ConnectionState, cause: FallbackCause, where: Appearance, subflow: SubflowState
) -> None:
    fallback = Fallback(cause, where.frame_number, where.time_ns, subflow.stream)
    connection.fallback = fallback
    connection.add_fallback_event(fallback, _text(cause))


def _text(cause: FallbackCause) -> str:
    return f"The connection goes on as plain TCP: {FALLBACK_WORDS[cause]}."
