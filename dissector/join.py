"""The handshake of further subflows: tokens, nonces, HMACs (RFC 8684 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.events import EventKind
from dissector.keys import join_ack_hmac, join_syn_ack_hmac
from dissector.options import MpJoinAck, MpJoinSyn, MpJoinSynAck
from dissector.segment import SYN
from dissector.signals import NoteCode
from dissector.subflow import Appearance
from dissector.wording import endpoint_words, hmac_words, side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from dissector.segment import Segment
    from dissector.subflow import SubflowHost, SubflowState
    from dissector.tokens import TokenOwner


def receive_mp_join(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpJoinSyn | MpJoinSynAck | MpJoinAck,
) -> None:
    """Takes in an MP_JOIN of any of the three packets that carry one."""
    if subflow.kind == "join":
        if isinstance(option, MpJoinSyn):
            if segment.is_syn and segment.from_initiator:
                _receive_syn(connection, subflow, segment, option)
                return
        elif isinstance(option, MpJoinSynAck):
            if segment.is_syn_ack and not segment.from_initiator:
                _receive_syn_ack(connection, subflow, segment, option)
                return
        elif not segment.flags & SYN and segment.from_initiator:
            _receive_third_ack(connection, subflow, segment, option)
            return
    connection.add_note(
        NoteCode.OPTION_OUT_OF_PLACE,
        segment,
        f"{_name(subflow, segment)} sends MP_JOIN where it does not belong.",
    )


def note_owner(connection: ConnectionState, segment: Segment, owner: TokenOwner | None) -> None:
    """Notes what is peculiar about the way in which a token named its connection."""
    if owner is None:
        connection.add_note(
            NoteCode.JOIN_UNEXPLAINED,
            segment,
            "No key in the capture explains the token of this MP_JOIN.",
        )
        return
    if connection.closed:
        connection.add_note(
            NoteCode.JOIN_AFTER_CLOSE,
            segment,
            "This MP_JOIN names a connection that had already ended.",
        )
    if owner.hash_version != connection.version:
        connection.hash_version = owner.hash_version
        connection.add_note(
            NoteCode.JOIN_BY_OTHER_HASH,
            segment,
            f"The token is that of v{owner.hash_version}'s hash, though the handshake says "
            f"v{connection.version}.",
        )


def verify_join(connection: ConnectionState, subflow: SubflowState) -> None:
    """Checks both HMACs as far as keys and nonces are known."""
    version = connection.version if connection.hash_version is None else connection.hash_version
    initiator, responder = subflow.initiator, subflow.responder
    nonces_known = initiator.nonce is not None and responder.nonce is not None
    if subflow.client_is_initiator:
        initiator_key, responder_key = connection.client.key, connection.server.key
    else:
        initiator_key, responder_key = connection.server.key, connection.client.key
    if version is None or not nonces_known or initiator_key is None or responder_key is None:
        return
    initiator_nonce, responder_nonce = initiator.nonce or 0, responder.nonce or 0
    if responder.hmac is not None:
        responder.hmac_valid = responder.hmac == join_syn_ack_hmac(
            responder_key, initiator_key, responder_nonce, initiator_nonce, version
        )
    if initiator.hmac is not None:
        initiator.hmac_valid = initiator.hmac == join_ack_hmac(
            initiator_key, responder_key, initiator_nonce, responder_nonce, version
        )


def _receive_syn(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpJoinSyn
) -> None:
    repeated = subflow.syn_option is True
    subflow.syn_option = True
    if subflow.token is None:
        subflow.token = option.token
    host = subflow.initiator
    if subflow.syn_ack is None:
        host.nonce = option.nonce
    if not repeated:
        _introduce(connection, subflow, host, option)
        _note_addresses(connection, subflow, segment, option)
    again = " again" if repeated else ""
    target = endpoint_words(subflow.responder.address, subflow.responder.port)
    connection.add_event(
        EventKind.MP_JOIN,
        segment,
        subflow.client_is_initiator,
        f"{_name(subflow, segment)} asks{again} to join from address {option.address_id} "
        f"({host.address}) to {target}{_backup_words(option)}.",
        option,
    )


def _receive_syn_ack(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpJoinSynAck
) -> None:
    repeated = subflow.syn_ack_option is True
    subflow.syn_ack_option = True
    host = subflow.responder
    if not repeated:
        _introduce(connection, subflow, host, option)
        host.nonce = option.nonce
        host.hmac = option.hmac
        verify_join(connection, subflow)
    again = " again" if repeated else ""
    connection.add_event(
        EventKind.MP_JOIN,
        segment,
        not subflow.client_is_initiator,
        f"{_name(subflow, segment)} answers the join{again} from address {option.address_id}"
        f"{_backup_words(option)}; {hmac_words(host.hmac_valid)}.",
        option,
    )


def _receive_third_ack(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpJoinAck
) -> None:
    if subflow.third_ack_option:
        return
    subflow.third_ack_option = True
    if subflow.third_ack is None:
        subflow.third_ack = Appearance(segment.frame_number, segment.time_ns)
    host = subflow.initiator
    host.hmac = option.hmac
    verify_join(connection, subflow)
    connection.add_event(
        EventKind.MP_JOIN,
        segment,
        subflow.client_is_initiator,
        f"{_name(subflow, segment)} confirms the join; {hmac_words(host.hmac_valid)}.",
        option,
    )


def _introduce(
    connection: ConnectionState,
    subflow: SubflowState,
    host: SubflowHost,
    option: MpJoinSyn | MpJoinSynAck,
) -> None:
    host.address_id = option.address_id
    connection.index_of_addresses.use(host is subflow.client, option.address_id, subflow)
    host.backup = host.initial_backup = option.backup


def _note_addresses(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpJoinSyn
) -> None:
    """What the join means for addresses advertised, removed or denied before."""
    by_client = subflow.client_is_initiator
    index = connection.index_of_addresses
    index.removed_ids.discard((by_client, option.address_id))
    for owner, host in ((by_client, subflow.initiator), (not by_client, subflow.responder)):
        for advertised in index.at(owner, host.address, host.port):
            advertised.join_attempts.append(segment.stream)
    receiver = connection.server if by_client else connection.client
    first = connection.subflows[0]
    if not receiver.denies_join or first.kind != "initial":
        return
    denied = first.server if by_client else first.client
    target = subflow.responder
    if (denied.address, denied.port) == (target.address, target.port):
        connection.add_note(
            NoteCode.JOIN_DENIED_ADDRESS,
            segment,
            f"{side_name(by_client)} joins {endpoint_words(target.address, target.port)}, to "
            "which no further subflows were wanted (flag C).",
        )


def _name(subflow: SubflowState, segment: Segment) -> str:
    return side_name(segment.from_initiator == subflow.client_is_initiator)


def _backup_words(option: MpJoinSyn | MpJoinSynAck) -> str:
    return ", as a backup" if option.backup else ""
