"""ADD_ADDR, REMOVE_ADDR and MP_PRIO (RFC 8684 sections 3.4 and 3.3.8; RFC 6824 for v0)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from dissector import options as o
from dissector.events import EventKind
from dissector.segment import ACK, RST, StreamEndpoints
from dissector.signals import NoteCode

if TYPE_CHECKING:
    from tests.dissector.conftest import Dialogue

ADDRESS = "10.2.0.1"


def advertisement(
    talk: Dialogue,
    *,
    by_client: bool = False,
    address_id: int = 1,
    address: str = ADDRESS,
    port: int | None = None,
    wrong: bool = False,
) -> o.AddAddress:
    octets = talk.keys.address_hmac(by_client, address_id, address, port or 0)
    return o.AddAddress(
        1, address_id, ip_address(address), port, hmac=bytes(8) if wrong else octets
    )


def echo_of(option: o.AddAddress) -> o.AddAddress:
    return o.AddAddress(1, option.address_id, option.address, option.port, echo=True)


@pytest.mark.parametrize("by_client", [False, True])
@pytest.mark.parametrize("address", [ADDRESS, "fd00:2::1"])
@pytest.mark.parametrize("port", [None, 8080])
def test_advertised_and_echoed(
    dialogue: type[Dialogue], by_client: bool, address: str, port: int | None
) -> None:
    talk = dialogue().establish()
    option = advertisement(talk, by_client=by_client, address=address, port=port)
    (event,) = talk.send(ACK, option, back=not by_client)
    name = "Client" if by_client else "Server"
    words = (
        address if port is None else f"[{address}]:8080" if ":" in address else f"{address}:8080"
    )
    assert event.text == f"{name} advertises address 1: {words}; its HMAC is right."
    (advertised,) = talk.connection.addresses
    assert (advertised.by_client, advertised.address, advertised.port) == (by_client, address, port)
    assert (advertised.hmac_valid, advertised.count, advertised.frame_number) == (True, 1, 4)
    assert (advertised.echoed_frame, advertised.removed_frame) == (None, None)
    (event,) = talk.send(ACK, echo_of(option), back=by_client)
    assert event.kind is EventKind.ADD_ADDR_ECHO
    talk.send(ACK, echo_of(option), back=by_client)
    assert advertised.echoed_frame == 5
    assert talk.connection.notes == []


def test_wrong_hmac(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    (event,) = talk.send(ACK, advertisement(talk, wrong=True), back=True)
    assert event.text.endswith("; its HMAC is wrong.")
    assert talk.connection.addresses[0].hmac_valid is False


def test_the_hmac_of_the_other_direction_is_wrong(dialogue: type[Dialogue]) -> None:
    """The sender's key comes first in the HMAC's key."""
    talk = dialogue().establish()
    talk.send(ACK, advertisement(talk, by_client=True), back=True)
    assert talk.connection.addresses[0].hmac_valid is False


def test_checked_as_soon_as_both_keys_are_known(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    (event,) = talk.send(ACK, advertisement(talk), back=True)
    assert event.text.endswith("; its HMAC cannot be checked.")
    talk.send(ACK, advertisement(talk, address_id=2, wrong=True), back=True)
    assert [advertised.hmac_valid for advertised in talk.connection.addresses] == [None, None]
    talk.third_ack()
    assert [advertised.hmac_valid for advertised in talk.connection.addresses] == [True, False]


def test_v0_has_no_hmac(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0).establish()
    (event,) = talk.send(ACK, o.AddAddress(0, 2, ip_address(ADDRESS)), back=True)
    assert event.text == f"Server advertises address 2: {ADDRESS}."
    (advertised,) = talk.connection.addresses
    assert (advertised.hmac, advertised.hmac_valid) == (None, None)


def test_repeated_until_echoed_is_one_advertisement(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    for _ in range(3):
        talk.send(ACK, advertisement(talk), back=True)
    (advertised,) = talk.connection.addresses
    assert (advertised.count, advertised.frame_number) == (3, 4)
    assert "address 1 again" in talk.connection.events[-1].text
    # Another port, id or sender is another advertisement.
    talk.send(ACK, advertisement(talk, port=80), back=True)
    talk.send(ACK, advertisement(talk, address_id=2), back=True)
    talk.send(ACK, advertisement(talk, by_client=True))
    assert [each.count for each in talk.connection.addresses] == [3, 1, 1, 1]


@pytest.mark.parametrize("change", ["id", "address", "port", "direction"])
def test_an_echo_of_something_else(dialogue: type[Dialogue], change: str) -> None:
    talk = dialogue().establish()
    talk.send(ACK, advertisement(talk), back=True)
    echo = o.AddAddress(
        1,
        2 if change == "id" else 1,
        ip_address("10.9.9.9" if change == "address" else ADDRESS),
        80 if change == "port" else None,
        echo=True,
    )
    talk.send(ACK, echo, back=change == "direction")
    assert talk.connection.addresses[0].echoed_frame is None
    assert [(note.code, note.frame_number) for note in talk.connection.notes] == [
        (NoteCode.ECHO_UNMATCHED, 5)
    ]


def test_joined_by_the_client(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.send(ACK, advertisement(talk, address="10.2.0.1"), back=True)
    talk.send(ACK, advertisement(talk, address="10.2.0.1", address_id=2, port=99), back=True)
    talk.open(1, StreamEndpoints(4, "10.2.0.2", 4000, "10.2.0.1", 443, handshake_captured=True))
    talk.join_syn(1)
    any_port, one_port = talk.connection.addresses
    assert (any_port.join_attempts, any_port.joined_stream) == ([1], None)
    talk.join_syn_ack(1, address_id=1)
    talk.join_ack(1)
    assert any_port.joined_stream == 1
    assert (one_port.join_attempts, one_port.joined_stream) == ([], None)
    talk.open(2, StreamEndpoints(4, "10.2.0.2", 4001, "10.2.0.1", 99, handshake_captured=True))
    talk.join(2)
    assert (one_port.joined_stream, any_port.joined_stream) == (2, 1)
    assert any_port.join_attempts == [1, 2]


def test_refused_behind_the_third_ack_is_not_joined(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.send(ACK, advertisement(talk, address="192.0.2.1"), back=True)
    (advertised,) = talk.connection.addresses
    talk.join(1)
    talk.join(2)
    assert advertised.joined_stream == 1
    talk.send(RST, o.MpTcpReset(0, 3), stream=1, back=True)
    assert talk.subflow(1).handshake == "refused"
    assert (talk.subflow(1).completed, advertised.joined_stream) == (None, 2)
    assert talk.plain(stream=1, payload=0) == ()
    assert talk.subflow(1).completed is None
    talk.send(RST, o.MpTcpReset(0, 3), stream=2, back=True)
    talk.send(ACK, advertisement(talk, address="192.0.2.1", address_id=2), back=True)
    assert [each.joined_stream for each in talk.connection.addresses] == [None, None]


def test_advertised_after_the_join(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1)
    own = talk.subflow(1).client
    talk.send(ACK, advertisement(talk, by_client=True, address=own.address))
    talk.send(ACK, advertisement(talk, by_client=True, address=own.address, port=own.port))
    talk.send(ACK, advertisement(talk, by_client=True, address=own.address, port=1))
    assert [each.joined_stream for each in talk.connection.addresses] == [1, 1, None]


def test_removed(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join(1, address_id=5)
    talk.join(2, address_id=6)
    talk.send(ACK, advertisement(talk, by_client=True, address_id=5))
    (event,) = talk.send(ACK, o.RemoveAddress((5, 77)))
    assert event.text == "Client removes addresses 5, 77."
    (removal,) = talk.connection.removals
    assert (removal.by_client, removal.address_ids, removal.repeated) == (True, (5, 77), False)
    assert removal.subflow_streams == (1,)
    (advertised,) = talk.connection.addresses
    assert advertised.removed_frame == event.frame_number
    (event,) = talk.send(ACK, o.RemoveAddress((5,)), stream=2)
    assert event.text == "Client removes address 5 again."
    assert talk.connection.removals[-1].repeated
    # The other host's ids are other ids.
    talk.send(ACK, o.RemoveAddress((6,)), back=True)
    # Linux sends 0 for the initial subflow's address.
    talk.send(ACK, o.RemoveAddress((0,)), stream=1)
    removals = talk.connection.removals
    assert [each.subflow_streams for each in removals] == [(1,), (), (), (0,)]


def test_advertised_again_after_it_was_removed(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.send(ACK, advertisement(talk), back=True)
    talk.send(ACK, o.RemoveAddress((1,)), back=True)
    talk.send(ACK, advertisement(talk), back=True)
    first, second = talk.connection.addresses
    assert (first.removed_frame, second.removed_frame) == (5, None)
    talk.send(ACK, o.RemoveAddress((1,)), back=True)
    assert (first.removed_frame, second.removed_frame) == (5, 7)
    assert [removal.repeated for removal in talk.connection.removals] == [False, False]


def test_an_id_that_a_join_uses_again_can_be_removed_again(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1, address_id=5)
    talk.send(ACK, o.RemoveAddress((5,)))
    talk.join(2, address_id=5)
    talk.send(ACK, o.RemoveAddress((5,)))
    removals = talk.connection.removals
    assert [each.repeated for each in removals] == [False, False]
    assert [each.subflow_streams for each in removals] == [(1,), (2,)], "the first is removed"


def test_each_removal_names_the_subflows_of_its_own_time(dialogue: type[Dialogue]) -> None:
    """However many there were before: else thousands of them would take quadratic time."""
    talk = dialogue().establish()
    for stream in range(1, 51):
        talk.join(stream, address_id=5)
        talk.send(ACK, o.RemoveAddress((5,)))
    named = [each.subflow_streams for each in talk.connection.removals]
    assert named == [(stream,) for stream in range(1, 51)]


def test_priority_of_its_own_subflow(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1)
    (event,) = talk.send(ACK, o.MpPriority(True), stream=1)
    assert event.text == "Client wants this subflow for backup."
    subflow = talk.subflow(1)
    assert (subflow.client.backup, subflow.client.initial_backup) == (True, False)
    assert (subflow.server.backup, talk.subflow(0).client.backup) == (False, False)
    (event,) = talk.send(ACK, o.MpPriority(False), stream=1, back=True)
    assert event.text == "Server wants this subflow for regular use."
    changes = talk.connection.priority_changes
    assert [(c.by_client, c.backup, c.subflow_streams) for c in changes] == [
        (True, True, (1,)),
        (False, False, (1,)),
    ]


def test_priority_of_all_subflows_of_an_address(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0).establish()
    for stream, address_id in ((1, 5), (2, 5), (3, 6)):
        talk.join(stream, address_id=address_id)
    (event,) = talk.send(ACK, o.MpPriority(True, 5))
    assert event.text == "Client wants the subflows of address 5 for backup."
    backups = [talk.subflow(stream).client.backup for stream in range(4)]
    assert backups == [False, True, True, False]
    assert talk.connection.priority_changes[0].subflow_streams == (1, 2)
    talk.send(ACK, o.MpPriority(True, 99), back=True)
    assert talk.connection.priority_changes[1].subflow_streams == ()


def test_priority_on_a_subflow_that_the_server_started(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1, by_client=False)
    talk.send(ACK, o.MpPriority(True), stream=1)
    assert talk.subflow(1).server.backup is True
    assert talk.subflow(1).client.backup is False
    assert talk.connection.priority_changes[0].by_client is False
