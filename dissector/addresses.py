"""Addresses and priorities: ADD_ADDR, REMOVE_ADDR, MP_PRIO (RFC 8684 sections 3.4 and 3.3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.events import EventKind
from dissector.keys import add_address_hmac
from dissector.signals import AddressRemoval, AdvertisedAddress, NoteCode, PriorityChange
from dissector.wording import endpoint_words, hmac_words, priority_words, side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from dissector.options import AddAddress, MpPriority, RemoveAddress
    from dissector.segment import Segment
    from dissector.subflow import SubflowState


def receive_add_address(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: AddAddress
) -> None:
    """Takes in an ADD_ADDR or its echo."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    if option.echo:
        _receive_echo(connection, segment, option, from_client)
        return
    address = str(option.address)
    key = (from_client, option.address_id, address, option.port)
    advertised = connection.index_of_addresses.by_advertisement.get(key)
    repeated = advertised is not None and advertised.removed_frame is None
    if advertised is None or not repeated:
        advertised = AdvertisedAddress(
            from_client,
            option.address_id,
            address,
            option.port,
            option.hmac,
            None,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
        )
        verify_advertisement(connection, advertised, option.address.packed)
        connection.addresses.append(advertised)
        connection.index_of_addresses.add(advertised)
    else:
        advertised.count += 1
    again = " again" if repeated else ""
    checked = f"; {hmac_words(advertised.hmac_valid)}" if option.hmac is not None else ""
    connection.add_event(
        EventKind.ADD_ADDR,
        segment,
        from_client,
        f"{side_name(from_client)} advertises address {option.address_id}{again}: "
        f"{endpoint_words(address, option.port)}{checked}.",
        option,
    )


def verify_advertisement(
    connection: ConnectionState, advertised: AdvertisedAddress, packed_address: bytes
) -> None:
    """Checks an advertisement's HMAC if both keys are known."""
    sender, receiver = connection.client, connection.server
    if not advertised.by_client:
        sender, receiver = receiver, sender
    if advertised.hmac is None or sender.key is None or receiver.key is None:
        return
    advertised.hmac_valid = advertised.hmac == add_address_hmac(
        sender.key, receiver.key, advertised.address_id, packed_address, advertised.port
    )


def receive_remove_address(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: RemoveAddress
) -> None:
    """Takes in a REMOVE_ADDR: which advertisements it takes back, which subflows it names."""
    by_client = segment.from_initiator == subflow.client_is_initiator
    index = connection.index_of_addresses
    keys = {(by_client, address_id) for address_id in option.address_ids}
    streams = {stream for key in keys for stream in index.remove(*key)}
    repeated = keys <= index.removed_ids and not streams
    index.removed_ids |= keys
    for key in keys:
        for advertised in index.by_id.pop(key, ()):
            advertised.removed_frame = segment.frame_number
    connection.removals.append(
        AddressRemoval(
            by_client,
            option.address_ids,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            tuple(sorted(streams)),
            repeated,
        )
    )
    again = " again" if repeated else ""
    plural = "es" if len(option.address_ids) > 1 else ""
    ids = ", ".join(str(address_id) for address_id in option.address_ids)
    connection.add_event(
        EventKind.REMOVE_ADDR,
        segment,
        by_client,
        f"{side_name(by_client)} removes address{plural} {ids}{again}.",
        option,
    )


def receive_priority(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpPriority
) -> None:
    """Takes in an MP_PRIO: of its own subflow, or of all that use an address ID (v0)."""
    by_client = segment.from_initiator == subflow.client_is_initiator
    if option.address_id is None:
        named = [subflow]
        target = "this subflow"
    else:
        named = connection.index_of_addresses.users_of(by_client, option.address_id)
        target = f"the subflows of address {option.address_id}"
    for other in named:
        (other.client if by_client else other.server).backup = option.backup
    connection.priority_changes.append(
        PriorityChange(
            by_client,
            option.backup,
            option.address_id,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            tuple(other.stream for other in named),
        )
    )
    connection.add_event(
        EventKind.MP_PRIO,
        segment,
        by_client,
        f"{side_name(by_client)} wants {target} for {priority_words(option.backup)}.",
        option,
    )


def _receive_echo(
    connection: ConnectionState, segment: Segment, option: AddAddress, from_client: bool
) -> None:
    address = str(option.address)
    key = (not from_client, option.address_id, address, option.port)
    advertised = connection.index_of_addresses.by_advertisement.get(key)
    name = side_name(from_client)
    if advertised is None:
        connection.add_note(
            NoteCode.ECHO_UNMATCHED,
            segment,
            f"{name} echoes address {option.address_id} ({address}), which was not seen "
            "advertised.",
        )
    elif advertised.echoed_frame is None:
        advertised.echoed_frame = segment.frame_number
    connection.add_event(
        EventKind.ADD_ADDR_ECHO,
        segment,
        from_client,
        f"{name} echoes address {option.address_id}: {endpoint_words(address, option.port)}.",
        option,
    )
