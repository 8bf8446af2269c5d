"""Further subflows: whom tokens name, HMACs, and how a join fails (RFC 8684 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector import options as o
from dissector.connection import ConnectionTable
from dissector.events import EventKind
from dissector.segment import ACK, RST, SYN, StreamEndpoints
from dissector.signals import NoteCode

if TYPE_CHECKING:
    from tests.dissector.conftest import Dialogue

TO_CLIENT = StreamEndpoints(4, "192.0.2.1", 51000, "10.1.0.2", 40000, handshake_captured=True)
WRONG_8, WRONG_20 = bytes(8), bytes(20)
ALL_DATA_ENDS = o.DataSequenceSignal(
    data_seq=1, data_seq_octets=8, subflow_seq=0, data_length=1, data_fin=True
)


def notes(talk: Dialogue) -> list[tuple[NoteCode, int]]:
    return [(note.code, note.frame_number) for note in talk.connection.notes]


@pytest.mark.parametrize("version", [0, 1])
def test_the_client_joins(dialogue: type[Dialogue], version: int) -> None:
    talk = dialogue(version=version).establish()
    (asked,) = talk.join_syn(1, address_id=9, backup=True)
    assert asked.text == (
        "Client asks to join from address 9 (10.2.0.2) to 192.0.2.1:443, as a backup."
    )
    assert asked.from_client is True
    (answered,) = talk.join_syn_ack(1, address_id=4)
    assert answered.text == "Server answers the join from address 4; its HMAC is right."
    confirmed, joined = talk.join_ack(1)
    assert confirmed.text == "Client confirms the join; its HMAC is right."
    assert (joined.kind, joined.text) == (EventKind.ESTABLISHED, "The subflow has joined.")
    subflow = talk.subflow(1)
    assert talk.connection.subflows == [talk.subflow(0), subflow]
    assert (subflow.kind, subflow.handshake, subflow.started_by) == ("join", "complete", "client")
    assert subflow.token == talk.keys.token(of_client=False)
    client, server = subflow.client, subflow.server
    assert (client.address_id, client.backup, client.nonce) == (9, True, 0x11111111)
    assert (server.address_id, server.backup, server.nonce) == (4, False, 0x22222222)
    assert (client.hmac_valid, server.hmac_valid) == (True, True)
    appearances = [subflow.syn, subflow.syn_ack, subflow.third_ack]
    assert [seen and seen.frame_number for seen in appearances] == [4, 5, 6]
    assert notes(talk) == []


def test_the_server_joins_and_stays_the_server(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.open(1, TO_CLIENT)
    (asked,) = talk.join_syn(1, by_client=False, address_id=3)
    assert asked.text == "Server asks to join from address 3 (192.0.2.1) to 10.1.0.2:40000."
    assert asked.from_client is False
    talk.join_syn_ack(1, by_client=False, address_id=5)
    talk.join_ack(1, by_client=False)
    subflow = talk.subflow(1)
    assert subflow.connection is talk.subflow(0).connection
    assert (subflow.started_by, subflow.handshake) == ("server", "complete")
    assert (subflow.client.address, subflow.server.address) == ("10.1.0.2", "192.0.2.1")
    assert (subflow.client.address_id, subflow.server.address_id) == (5, 3)
    assert (subflow.client.hmac_valid, subflow.server.hmac_valid) == (True, True)
    assert talk.connection.client.key == talk.keys.client


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("by_client", [False, True])
def test_wrong_hmacs(dialogue: type[Dialogue], version: int, by_client: bool) -> None:
    talk = dialogue(version=version).establish()
    talk.join_syn(1, by_client=by_client)
    (event,) = talk.join_syn_ack(1, by_client=by_client, hmac_octets=WRONG_8)
    assert event.text.endswith("its HMAC is wrong.")
    talk.join_ack(1, by_client=by_client, hmac_octets=WRONG_20)
    subflow = talk.subflow(1)
    assert (subflow.responder.hmac_valid, subflow.initiator.hmac_valid) == (False, False)
    assert subflow.completed is None


def test_wrong_hmac_in_the_syn_ack_is_refused_by_the_initiator(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    talk.join_syn_ack(1, hmac_octets=WRONG_8)
    (event,) = talk.send(RST, o.MpTcpReset(0, 1), stream=1)
    assert event.text == "Client refuses the subflow (MPTCP-specific error)."
    subflow = talk.subflow(1)
    assert (subflow.handshake, subflow.server.hmac_valid, subflow.reset_by) == (
        "refused",
        False,
        "client",
    )


def test_wrong_hmac_in_the_third_ack_is_reset_by_the_responder(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    talk.join_syn_ack(1)
    talk.join_ack(1, hmac_octets=WRONG_20)
    talk.send(RST, o.MpTcpReset(1, 3), stream=1, back=True)
    subflow = talk.subflow(1)
    assert (subflow.handshake, subflow.client.hmac_valid, subflow.server.hmac_valid) == (
        "refused",
        False,
        True,
    )
    assert (subflow.reset_by, subflow.end) == ("server", "reset")
    assert subflow.reset_option is not None
    assert subflow.reset_option.transient


def test_nobody_answers(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    for _ in range(4):
        talk.join_syn(1)
    subflow = talk.subflow(1)
    assert (subflow.handshake, subflow.syn_count) == ("no_syn_ack", 4)
    assert talk.connection.events[-1].text.startswith("Client asks again to join")


def test_refused_at_the_syn(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    (event,) = talk.send(RST | ACK, stream=1, back=True)
    assert (event.kind, event.text) == (EventKind.RST, "Server refuses the subflow.")
    assert talk.subflow(1).handshake == "refused"
    assert talk.subflow(1).server.hmac_valid is None
    assert talk.finish().end == "open"


def test_option_removed_from_the_syn_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    (event,) = talk.send(SYN | ACK, stream=1, back=True)
    assert event.text == "Server's SYN/ACK has no MP_JOIN."
    assert talk.subflow(1).handshake == "option_removed"
    talk.send(RST, o.MpTcpReset(0, 1), stream=1)
    assert talk.subflow(1).handshake == "option_removed"


def test_option_removed_from_the_third_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    talk.join_syn_ack(1)
    talk.plain(stream=1, payload=0)
    assert talk.subflow(1).handshake == "option_removed"
    talk.send(RST, stream=1, back=True)
    assert (talk.subflow(1).handshake, talk.subflow(1).end) == ("option_removed", "reset")


def test_a_dss_proves_the_third_ack_that_was_not_captured(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    talk.join_syn_ack(1)
    assert talk.subflow(1).handshake == "no_third_ack"
    events = talk.data(stream=1, seq=9000)
    assert [event.text for event in events] == ["The subflow has joined."]
    assert talk.subflow(1).handshake == "complete"
    assert talk.subflow(1).client.hmac_valid is None


def test_a_syn_that_is_repeated_without_its_option(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    (event,) = talk.send(SYN, stream=1)
    assert event.text == "Client repeats its SYN without MP_JOIN."
    assert talk.finish().fallback is None


def test_the_nonce_of_the_syn_that_was_answered_counts(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1, nonce=0x99999999)
    talk.join_syn(1)
    talk.join_syn_ack(1)
    # A SYN that arrives late changes nothing any more.
    talk.join_syn(1, nonce=0x88888888)
    talk.join_ack(1)
    hosts = (talk.subflow(1).client, talk.subflow(1).server)
    assert [host.hmac_valid for host in hosts] == [True, True]


def test_repeated_answers_are_told_and_change_nothing(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.join_syn(1)
    talk.join_syn_ack(1)
    (event,) = talk.join_syn_ack(1, hmac_octets=WRONG_8)
    assert event.text == "Server answers the join again from address 0; its HMAC is right."
    talk.join_ack(1)
    assert talk.join_ack(1) == ()
    assert talk.subflow(1).handshake == "complete"


def test_a_port_that_is_used_again_is_another_subflow(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1).close(1)
    talk.join_syn(2, nonce=0x33333333)
    talk.join_syn_ack(2, nonces=(0x33333333, 0x44444444))
    talk.join_ack(2, nonces=(0x33333333, 0x44444444))
    assert [subflow.handshake for subflow in talk.connection.subflows] == ["complete"] * 3
    assert talk.subflow(2).client.hmac_valid is True


@pytest.mark.parametrize(("stated", "real"), [(1, 0), (0, 1)])
def test_the_other_versions_hash_explains_the_token(
    dialogue: type[Dialogue], stated: int, real: int
) -> None:
    talk = dialogue(version=stated).establish()
    other = dialogue(version=real)
    talk.keys = other.keys
    talk.join(1)
    assert notes(talk) == [(NoteCode.JOIN_BY_OTHER_HASH, 4)]
    assert (talk.connection.version, talk.connection.hash_version) == (stated, real)
    hosts = (talk.subflow(1).client, talk.subflow(1).server)
    assert [host.hmac_valid for host in hosts] == [True, True]


def test_tokens_that_nothing_explains_make_partial_connections(dialogue: type[Dialogue]) -> None:
    table = ConnectionTable()
    talk = dialogue(table)
    other = dialogue(table, client=1, server=2, first_stream=5)
    talk.join(0)
    other.join(0)
    talk.join(1)
    partial = talk.connection
    assert [subflow.stream for subflow in partial.subflows] == [0, 1]
    assert (partial.partial, partial.state, partial.end) == (True, "partial", "open")
    assert partial.server.token == talk.keys.token(of_client=False)
    assert partial.initial_subflow is None
    assert other.connection is not partial
    assert [note.code for note in partial.notes] == [NoteCode.JOIN_UNEXPLAINED] * 2
    for subflow in partial.subflows:
        assert subflow.handshake == "complete"
        assert (subflow.client.hmac_valid, subflow.server.hmac_valid) == (None, None)
    assert talk.finish().fallback is None


@pytest.mark.parametrize("by_client", [False, True])
def test_a_key_that_comes_later_explains_the_token(
    dialogue: type[Dialogue], by_client: bool
) -> None:
    """Interfaces captured side by side: a join may stand before the third ACK in the file."""
    talk = dialogue()
    talk.join(1, by_client=by_client, address_id=6)
    talk.send(ACK, o.MpPriority(True), stream=1)
    (partial,) = talk.table.connections
    assert partial.partial
    talk.establish()
    connection = talk.finish()
    assert talk.table.connections == [connection]
    assert (connection.partial, connection.state, connection.first_frame) == (
        False,
        "established",
        1,
    )
    assert [subflow.stream for subflow in connection.subflows] == [1, 0]
    subflow = talk.subflow(1)
    assert subflow.connection is connection
    assert subflow.started_by == ("client" if by_client else "server")
    assert (subflow.client.hmac_valid, subflow.server.hmac_valid) == (True, True)
    (change,) = connection.priority_changes
    assert (change.by_client, change.frame_number) == (by_client, 4)
    assert [event.frame_number for event in connection.events] == sorted(
        event.frame_number for event in connection.events
    )
    assert connection.segments == []


def test_a_key_that_comes_later_explains_the_token_by_the_other_hash(
    dialogue: type[Dialogue],
) -> None:
    talk = dialogue(version=0)
    talk.join(1)
    first_keys = talk.keys
    talk.keys = dialogue(version=1).keys
    talk.establish()
    talk.keys = first_keys
    connection = talk.finish()
    assert talk.table.connections == [connection]
    assert (connection.version, connection.hash_version) == (1, 0)
    assert talk.subflow(1).client.hmac_valid is True


def test_a_fastclose_tells_the_key_of_a_partial_connection(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.join(0)
    talk.send(ACK, o.MpFastclose(1234), stream=0)
    talk.send(ACK, o.MpFastclose(talk.keys.server), stream=0)
    connection = talk.connection
    assert [signal.key_valid for signal in connection.fastcloses] == [False, True]
    assert (connection.server.key, connection.version) == (talk.keys.server, 1)
    assert connection.server.initial_data_seq == talk.keys.initial_data_seq(of_client=False)
    assert connection.end == "fastclose"


@pytest.mark.parametrize("end", ["fastclose", "data_fin"])
def test_a_join_after_the_end(dialogue: type[Dialogue], end: str) -> None:
    talk = dialogue().establish()
    if end == "fastclose":
        talk.send(ACK, o.MpFastclose(talk.keys.server))
    else:
        talk.send(ACK, ALL_DATA_ENDS)
        talk.send(ACK, ALL_DATA_ENDS, back=True)
    frame = talk.frame + 1
    talk.join_syn(1)
    assert notes(talk) == [(NoteCode.JOIN_AFTER_CLOSE, frame)]
    assert talk.subflow(1).connection is talk.connection


def test_keys_used_twice_the_connection_that_lives_owns_the_token(
    dialogue: type[Dialogue],
) -> None:
    first = dialogue().establish()
    second = dialogue(first.table, first_stream=10).establish()
    assert second.connection is not first.connection
    first.join_syn(1)
    assert first.subflow(1).connection is second.connection
    second.send(ACK, o.MpFastclose(second.keys.server))
    first.join_syn(2)
    assert first.subflow(2).connection is first.connection


def test_joins_to_an_address_whose_host_wants_none(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack(0x21)
    talk.third_ack()
    talk.join_syn(1)
    assert notes(talk) == [(NoteCode.JOIN_DENIED_ADDRESS, 4)]
    assert "192.0.2.1:443" in talk.connection.notes[0].text
    # Another address of that host is fine.
    talk.open(2, StreamEndpoints(4, "10.3.0.2", 1, "192.0.2.99", 443, handshake_captured=True))
    talk.join_syn(2)
    # And the flag is the server's: who joins to the client may.
    talk.open(3, TO_CLIENT)
    talk.join_syn(3, by_client=False)
    assert len(notes(talk)) == 1


def test_mp_join_where_it_does_not_belong(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1)
    token = talk.keys.token(of_client=False)
    frame = talk.frame
    talk.send(ACK, o.MpJoinAck(bytes(20)), stream=0)
    talk.send(ACK, o.MpJoinSyn(False, 1, token, 5), stream=1)
    talk.send(ACK, o.MpJoinSynAck(False, 1, bytes(8), 5), stream=1, back=True)
    talk.send(ACK, o.MpJoinAck(bytes(20)), stream=1, back=True)
    assert notes(talk) == [(NoteCode.OPTION_OUT_OF_PLACE, frame + number) for number in range(1, 5)]
    assert talk.subflow(1).handshake == "complete"
    assert talk.subflow(1).client.hmac_valid is True


def test_ipv6_endpoints_are_in_brackets(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    ends = StreamEndpoints(6, "2001:db8::2", 4000, "2001:db8::1", 443, handshake_captured=True)
    talk.open(1, ends)
    (event,) = talk.join_syn(1)
    assert "(2001:db8::2) to [2001:db8::1]:443" in event.text
