"""What one segment means to the connection that it belongs to."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from dissector.addresses import (
    receive_add_address,
    receive_priority,
    receive_remove_address,
    verify_advertisement,
)
from dissector.closing import (
    add_end_events,
    receive_data_fin,
    receive_fastclose,
    receive_reset_reason,
)
from dissector.events import EventKind
from dissector.fallback import check_syn_ack, receive_fail, receive_infinite_mapping
from dissector.handshake import receive_mp_capable, receive_plain_syn, receive_unknown_version
from dissector.join import receive_mp_join, verify_join
from dissector.options import (
    AddAddress,
    DataSequenceSignal,
    MalformedOption,
    MpCapable,
    MpExperimental,
    MpFail,
    MpFastclose,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    MpPriority,
    MptcpOption,
    MpTcpReset,
    RemoveAddress,
    UnknownMptcpOption,
)
from dissector.segment import SYN
from dissector.signals import OddOption
from dissector.subflow import Appearance, is_cut
from dissector.wording import side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from dissector.options import TcpOption
    from dissector.segment import Segment
    from dissector.subflow import SubflowState
    from dissector.tokens import TokenIndex


def advance(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, tokens: TokenIndex
) -> None:
    """Takes in one segment of one of the connection's subflows."""
    if connection.partial:
        connection.segments.append(segment)
    news = subflow.observe(segment)
    shakes_hands = False
    for option in segment.options:
        if isinstance(option, MptcpOption):
            shakes_hands |= _receive_option(connection, subflow, segment, option, tokens)
        elif isinstance(option, MalformedOption) and option.subtype is not None:
            _receive_odd(connection, subflow, segment, option)
    if segment.flags & SYN:
        if not shakes_hands and not is_cut(segment):
            name = "MP_JOIN" if subflow.kind == "join" else "MP_CAPABLE"
            receive_plain_syn(connection, subflow, segment, name)
        if subflow.kind == "initial" and segment.is_syn_ack:
            check_syn_ack(connection, subflow, segment)
    if subflow.completed is None and not (subflow.refused and subflow.kind == "join"):
        _check_completion(connection, subflow, segment)
    if news:
        add_end_events(connection, subflow, segment, news)
        if subflow.refused and subflow.completed is not None and subflow.kind == "join":
            _take_back_join(connection, subflow)


def verify_again(connection: ConnectionState) -> None:
    """Checks every HMAC that could not be checked before a key was known."""
    if connection.client.key is None or connection.server.key is None:
        return
    for subflow in connection.subflows:
        if subflow.kind == "join":
            verify_join(connection, subflow)
    for advertised in connection.addresses:
        if advertised.hmac_valid is None:
            packed = ip_address(advertised.address).packed
            verify_advertisement(connection, advertised, packed)


def _receive_option(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MptcpOption,
    tokens: TokenIndex,
) -> bool:
    """Hands an option to its rule; says whether it is one of a handshake."""
    match option:
        case DataSequenceSignal():
            if option.data_fin:
                receive_data_fin(connection, subflow, segment, option)
            elif option.is_infinite_mapping:
                receive_infinite_mapping(connection, subflow, segment, option)
        case MpCapable():
            known = (connection.client.key, connection.server.key)
            receive_mp_capable(connection, subflow, segment, option, tokens)
            if known != (connection.client.key, connection.server.key):
                verify_again(connection)
            return True
        case MpJoinSyn() | MpJoinSynAck() | MpJoinAck():
            receive_mp_join(connection, subflow, segment, option)
            return True
        case AddAddress():
            receive_add_address(connection, subflow, segment, option)
        case RemoveAddress():
            receive_remove_address(connection, subflow, segment, option)
        case MpPriority():
            receive_priority(connection, subflow, segment, option)
        case MpFail():
            receive_fail(connection, subflow, segment, option)
        case MpFastclose():
            receive_fastclose(connection, subflow, segment, option, tokens)
        case MpTcpReset():
            receive_reset_reason(connection, subflow, segment, option)
        case UnknownMptcpOption() if option.unknown_version is not None:
            receive_unknown_version(connection, subflow, segment, option)
            return True
        case UnknownMptcpOption() | MpExperimental():
            _receive_odd(connection, subflow, segment, option)
    return False


def _receive_odd(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: TcpOption
) -> None:
    from_client = segment.from_initiator == subflow.client_is_initiator
    connection.odd_options.append(
        OddOption(segment.frame_number, segment.time_ns, segment.stream, from_client, option)
    )
    name = side_name(from_client)
    if isinstance(option, MalformedOption):
        kind = EventKind.MALFORMED_OPTION
        text = f"{name} sends a malformed MPTCP option: {option.text}."
    elif isinstance(option, UnknownMptcpOption):
        kind = EventKind.UNKNOWN_OPTION
        text = f"{name} sends an MPTCP option of unknown subtype {option.subtype}."
    else:
        kind = EventKind.MP_EXPERIMENTAL
        text = f"{name} sends an experimental MPTCP option."
    connection.add_event(kind, segment, from_client, text, option)


def _check_completion(connection: ConnectionState, subflow: SubflowState, segment: Segment) -> None:
    """Both hosts use MPTCP on the subflow: its third ACK, or a DSS that it must have preceded."""
    if not subflow.carries_dss and (
        not subflow.third_ack_option or subflow.initiator.hmac_valid is False
    ):
        return
    subflow.completed = Appearance(segment.frame_number, segment.time_ns)
    if subflow.kind == "initial":
        connection.established = subflow.completed
        text = "The handshake of the connection is complete."
    else:
        text = "The subflow has joined."
        index = connection.index_of_addresses
        for by_client, host in ((True, subflow.client), (False, subflow.server)):
            index.note_join(by_client, host.address, host.port, subflow.stream)
    if subflow.syn is not None or subflow.syn_ack is not None or subflow.third_ack_option:
        connection.add_event(EventKind.ESTABLISHED, segment, None, text)


def _take_back_join(connection: ConnectionState, subflow: SubflowState) -> None:
    """The responder answered the third ACK with a RST: the subflow was never used."""
    subflow.completed = None
    index = connection.index_of_addresses
    for by_client, host in ((True, subflow.client), (False, subflow.server)):
        index.forget_join(by_client, host.address, host.port, subflow.stream)
