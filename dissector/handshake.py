"""The handshake of the initial subflow: versions, keys, flags (RFC 8684 section 3.1).

v0: the client's key is in the SYN, the server's in the SYN/ACK, both in the third ACK. v1: the
SYN has no key; the client's comes with the third ACK or with the first data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.events import EventKind
from dissector.segment import SYN
from dissector.signals import NoteCode
from dissector.subflow import Appearance
from dissector.wording import side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionHost, ConnectionState
    from dissector.options import MpCapable, UnknownMptcpOption
    from dissector.segment import Segment
    from dissector.subflow import SubflowState
    from dissector.tokens import TokenIndex


def receive_mp_capable(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpCapable,
    tokens: TokenIndex,
) -> None:
    """Takes in an MP_CAPABLE by the packet that carries it."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    if subflow.kind != "initial" or from_client == segment.is_syn_ack:
        connection.add_note(
            NoteCode.OPTION_OUT_OF_PLACE,
            segment,
            f"{side_name(from_client)} sends MP_CAPABLE where it does not belong.",
        )
    elif segment.is_syn:
        _receive_syn(connection, subflow, segment, option, tokens)
    elif segment.flags & SYN:
        _receive_syn_ack(connection, subflow, segment, option, tokens)
    else:
        _receive_third_ack(connection, subflow, segment, option, tokens)


def receive_unknown_version(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: UnknownMptcpOption,
) -> None:
    """Takes in an MP_CAPABLE of a version that nobody knows: it has neither key nor token."""
    version = option.unknown_version
    from_client = segment.from_initiator == subflow.client_is_initiator
    if segment.is_syn:
        subflow.syn_option = True
        connection.offered_version = version
    elif segment.is_syn_ack:
        subflow.syn_ack_option = True
    text = f"{side_name(from_client)} sends MP_CAPABLE of unknown version {version}."
    connection.add_note(NoteCode.VERSION_UNKNOWN, segment, text)
    connection.add_event(EventKind.MP_CAPABLE, segment, from_client, text, option)


def receive_plain_syn(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option_name: str
) -> None:
    """Takes in a SYN or SYN/ACK without the MPTCP option that belongs there."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    name = side_name(from_client)
    if segment.is_syn:
        if subflow.syn_without_option is not None:
            return
        subflow.syn_without_option = Appearance(segment.frame_number, segment.time_ns)
        text = f"{name} repeats its SYN without {option_name}."
    else:
        if subflow.syn_ack_option is not None:
            return
        subflow.syn_ack_option = False
        text = f"{name}'s SYN/ACK has no {option_name}."
    connection.add_event(EventKind.SYN, segment, from_client, text)


def _receive_syn(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpCapable,
    tokens: TokenIndex,
) -> None:
    repeated = subflow.syn_option is True
    subflow.syn_option = True
    if connection.offered_version is None or (
        connection.offered_version != option.version and subflow.syn_ack is None
    ):
        # A host may try again with a lower version (RFC 8684 section 3.1); the last offer counts.
        connection.offered_version = option.version
        connection.version = option.version
    _note_flags(connection.client, option)
    if option.sender_key is not None:
        _learn(connection, segment, tokens, of_client=True, key=option.sender_key)
    again = " again" if repeated else ""
    connection.add_event(
        EventKind.MP_CAPABLE,
        segment,
        True,
        f"Client offers MPTCP v{option.version}{again}{_flag_words(option)}.",
        option,
    )


def _receive_syn_ack(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpCapable,
    tokens: TokenIndex,
) -> None:
    repeated = subflow.syn_ack_option is True
    subflow.syn_ack_option = True
    if not repeated:
        _agree(connection, segment, tokens, option.version)
    _note_flags(connection.server, option)
    if option.sender_key is not None:
        _learn(connection, segment, tokens, of_client=False, key=option.sender_key)
    again = " again" if repeated else ""
    connection.add_event(
        EventKind.MP_CAPABLE,
        segment,
        False,
        f"Server accepts MPTCP v{option.version}{again}{_flag_words(option)}.",
        option,
    )


def _receive_third_ack(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpCapable,
    tokens: TokenIndex,
) -> None:
    first = subflow.third_ack_option is not True
    subflow.third_ack_option = True
    if subflow.third_ack is None:
        subflow.third_ack = Appearance(segment.frame_number, segment.time_ns)
    if first:
        if connection.version is None or connection.version != option.version:
            _agree(connection, segment, tokens, option.version)
        if connection.client.checksum_required is None:
            _note_flags(connection.client, option)
        elif option.checksum_required:
            connection.client.checksum_required = True
    if option.receiver_key is not None:
        _check_echo(connection, segment, tokens, option.receiver_key, first=first)
    if option.sender_key is not None:
        _learn(connection, segment, tokens, of_client=True, key=option.sender_key)
    with_data = option.data_length is not None
    if not first and (not with_data or subflow.keys_with_data):
        return  # a retransmission, or another segment of the same first data
    subflow.keys_with_data = with_data
    text = "Client confirms both keys"
    if with_data:
        text += f" with the first {option.data_length} octets of data"
    connection.add_event(EventKind.MP_CAPABLE, segment, True, text + ".", option)


def _agree(connection: ConnectionState, segment: Segment, tokens: TokenIndex, version: int) -> None:
    """The version that the answer names is the one that holds."""
    before = connection.version if connection.version is not None else connection.offered_version
    connection.version = version
    connection.hash_version = None
    tokens.derive(connection)
    if before is not None and version < before:
        connection.add_note(
            NoteCode.VERSION_LOWERED,
            segment,
            f"Version v{before} was offered, the answer has v{version}.",
        )
    elif before is not None and version > before:
        connection.add_note(
            NoteCode.VERSION_RAISED,
            segment,
            f"Version v{before} was offered, the answer has the higher v{version}.",
        )


def _learn(
    connection: ConnectionState,
    segment: Segment,
    tokens: TokenIndex,
    *,
    of_client: bool,
    key: int,
) -> None:
    host = connection.client if of_client else connection.server
    if host.key == key:
        return
    if host.key is not None:
        connection.add_note(
            NoteCode.KEY_CHANGED,
            segment,
            f"{side_name(of_client)} sends another key than before in the same handshake.",
        )
        host.other_key = key
        return
    tokens.learn_key(connection, of_client=of_client, key=key)


def _check_echo(
    connection: ConnectionState, segment: Segment, tokens: TokenIndex, key: int, *, first: bool
) -> None:
    """The third ACK repeats the server's key, which also stands in for a lost SYN/ACK."""
    server = connection.server
    if server.key is None:
        tokens.learn_key(connection, of_client=False, key=key)
    elif server.key != key and server.other_key == key:
        # A repeated SYN/ACK had another key, and that is the one which the client took.
        tokens.learn_key(connection, of_client=False, key=key)
    elif server.key != key and first:
        connection.add_note(
            NoteCode.KEY_ECHOED_WRONGLY,
            segment,
            "The key that the client repeats is not the one in the server's SYN/ACK.",
        )


def _note_flags(host: ConnectionHost, option: MpCapable) -> None:
    host.checksum_required = option.checksum_required
    host.denies_join = option.no_join_to_this_address


def _flag_words(option: MpCapable) -> str:
    words = []
    if option.checksum_required:
        words.append("with DSS checksums")
    if option.no_join_to_this_address:
        words.append("without further subflows to this address")
    return ", " + " and ".join(words) if words else ""
