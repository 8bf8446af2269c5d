"""The handshake of the initial subflow, packet by packet (RFC 8684 and RFC 6824 section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector import options as o
from dissector.connection import StreamEndpoints
from dissector.events import EventKind
from dissector.segment import ACK, FIN, SYN
from dissector.signals import NoteCode

if TYPE_CHECKING:
    from tests.dissector.conftest import Dialogue

OTHER_KEY = 0x0123456789ABCDEF


def notes(talk: Dialogue) -> list[tuple[NoteCode, int]]:
    return [(note.code, note.frame_number) for note in talk.connection.notes]


@pytest.mark.parametrize("version", [0, 1])
def test_keys_tokens_and_initial_data_sequence_numbers(
    dialogue: type[Dialogue], version: int
) -> None:
    talk = dialogue(version=version)
    (offer,) = talk.syn()
    connection = talk.connection
    assert (offer.kind, offer.text) == (EventKind.MP_CAPABLE, f"Client offers MPTCP v{version}.")
    # The client's key is in the SYN of v0 and only in the third ACK of v1.
    assert connection.client.key == (None if version else talk.keys.client)
    states: list[str] = [connection.state]
    talk.syn_ack()
    assert connection.server.key == talk.keys.server
    assert connection.server.token == talk.keys.token(of_client=False)
    states.append(connection.state)
    kinds = [event.kind for event in talk.third_ack()]
    states.append(connection.state)
    assert states == ["handshake", "handshake", "established"]
    assert kinds == [EventKind.MP_CAPABLE, EventKind.ESTABLISHED]
    assert connection.version == connection.offered_version == version
    for host, of_client in ((connection.client, True), (connection.server, False)):
        assert host.token == talk.keys.token(of_client=of_client)
        assert host.initial_data_seq == talk.keys.initial_data_seq(of_client=of_client)
    assert connection.established is not None
    assert connection.established.frame_number == 3
    assert (connection.checksum, connection.notes) == (False, [])
    subflow = talk.subflow()
    assert (subflow.kind, subflow.handshake, subflow.started_by) == (
        "initial",
        "complete",
        "client",
    )
    assert [host.address_id for host in (subflow.client, subflow.server)] == [0, 0]
    appearances = [subflow.syn, subflow.syn_ack, subflow.third_ack, subflow.completed]
    assert [seen and seen.frame_number for seen in appearances] == [1, 2, 3, 3]
    assert connection.initial_subflow is subflow


def test_third_ack_lost_the_first_data_brings_the_keys(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    events = talk.third_ack(length=1200)
    assert events[0].text == "Client confirms both keys with the first 1200 octets of data."
    assert talk.connection.client.key == talk.keys.client
    assert talk.subflow().keys_with_data
    assert talk.finish().state == "established"


def test_keys_with_data_after_the_third_ack_are_told_once(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    first = talk.third_ack(length=1200)
    assert [event.kind for event in first] == [EventKind.MP_CAPABLE]
    # Offload repeats the option on each segment of the same data.
    assert talk.third_ack(length=1200) == ()
    assert talk.finish().notes == []


@pytest.mark.parametrize(
    ("syn", "syn_ack", "third", "checksum"),
    [
        (0x01, 0x01, 0x01, False),
        (0x81, 0x01, 0x01, True),
        (0x01, 0x81, 0x01, True),
        (0x01, 0x01, 0x81, True),
        (0x81, 0x81, 0x81, True),
    ],
)
def test_one_host_that_asks_for_checksums_decides(
    dialogue: type[Dialogue], syn: int, syn_ack: int, third: int, checksum: bool
) -> None:
    talk = dialogue()
    talk.syn(syn)
    assert talk.connection.checksum is (True if syn & 0x80 else None)
    talk.syn_ack(syn_ack)
    talk.third_ack(third)
    assert talk.connection.checksum is checksum


def test_flags_are_in_the_events_words(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    (offer,) = talk.syn(0xA1)
    assert offer.text == (
        "Client offers MPTCP v1, with DSS checksums and without further subflows to this address."
    )
    assert talk.connection.client.denies_join is True


def test_v0_has_no_flag_c(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0)
    talk.syn(0x21)
    assert talk.connection.client.denies_join is False


def test_keys_echoed_wrongly(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.third_ack(echoed=OTHER_KEY)
    assert notes(talk) == [(NoteCode.KEY_ECHOED_WRONGLY, 3)]
    assert talk.connection.server.key == talk.keys.server


def test_syn_ack_not_captured_the_third_ack_has_its_key(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.third_ack()
    assert talk.connection.server.key == talk.keys.server
    assert talk.connection.server.token == talk.keys.token(of_client=False)
    assert talk.finish().state == "established"
    assert talk.subflow().handshake == "complete"


def test_capture_begins_at_the_syn_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn_ack()
    talk.third_ack()
    connection = talk.finish()
    assert (connection.version, connection.offered_version) == (1, None)
    assert (connection.partial, connection.state) == (False, "established")
    assert connection.client.key == talk.keys.client
    assert talk.subflow().started_by == "client"


def test_capture_begins_at_the_third_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.third_ack()
    connection = talk.finish()
    assert connection.state == "established"
    assert connection.server.token == talk.keys.token(of_client=False)


def test_a_guessed_initiator_is_corrected_by_the_keys(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.open(0, StreamEndpoints(4, "192.0.2.1", 443, "10.0.0.2", 40000, handshake_captured=False))
    option = o.MpCapable(1, 1, talk.keys.client, talk.keys.server)
    talk.send(ACK, option, back=True)
    subflow = talk.subflow()
    assert subflow.client_is_initiator is False
    assert (subflow.client.address, subflow.server.address) == ("10.0.0.2", "192.0.2.1")
    assert talk.connection.client.key == talk.keys.client


def test_retransmissions_change_nothing(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    (again,) = talk.syn()
    assert again.text == "Client offers MPTCP v1 again."
    talk.syn_ack()
    (again,) = talk.syn_ack()
    assert again.text == "Server accepts MPTCP v1 again."
    talk.third_ack()
    assert talk.third_ack() == ()
    subflow = talk.subflow()
    assert (subflow.syn_count, subflow.syn_ack_count) == (2, 2)
    assert subflow.syn is not None
    assert subflow.syn.frame_number == 1
    assert talk.finish().state == "established"
    assert notes(talk) == []


def test_repeated_syn_ack_with_another_key_that_the_client_takes(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack(key=OTHER_KEY)
    talk.syn_ack()
    talk.third_ack()
    assert notes(talk) == [(NoteCode.KEY_CHANGED, 3)]
    assert talk.connection.server.key == talk.keys.server
    assert talk.connection.server.token == talk.keys.token(of_client=False)
    # The token of the key that was given up names nobody any more.
    first = dialogue(server=OTHER_KEY)
    talk.join_syn(1, token=first.keys.token(of_client=False))
    assert talk.subflow(1).connection is not talk.connection


def test_the_client_repeats_itself_with_another_key(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0)
    talk.syn()
    talk.keys.client = OTHER_KEY
    talk.syn()
    assert notes(talk) == [(NoteCode.KEY_CHANGED, 2)]


def test_the_server_lowers_the_version(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0)
    talk.syn(version=1)
    talk.syn_ack()
    assert notes(talk) == [(NoteCode.VERSION_LOWERED, 2)]
    talk.third_ack()
    connection = talk.connection
    assert (connection.offered_version, connection.version) == (1, 0)
    assert connection.server.token == talk.keys.token(of_client=False)


def test_the_server_raises_the_version(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=1)
    talk.send(SYN, o.MpCapable(0, 1, talk.keys.client))
    talk.syn_ack()
    talk.third_ack()
    assert notes(talk) == [(NoteCode.VERSION_RAISED, 2)]
    assert talk.connection.client.token == talk.keys.token(of_client=True)


def test_the_client_tries_again_with_a_lower_version(dialogue: type[Dialogue]) -> None:
    talk = dialogue(version=0)
    talk.syn(version=1)
    talk.syn()
    assert (talk.connection.offered_version, talk.connection.version) == (0, 0)
    talk.syn_ack()
    talk.third_ack()
    assert notes(talk) == []
    assert talk.finish().state == "established"


@pytest.mark.parametrize("version", [2, 15])
def test_unknown_versions_have_neither_keys_nor_a_shared_token(
    dialogue: type[Dialogue], version: int
) -> None:
    offer = o.UnknownMptcpOption(0, version, b"\x01")
    answer = o.UnknownMptcpOption(0, version, b"\x01" + bytes(8))
    first = dialogue()
    second = dialogue(first.table, first_stream=1)
    for talk in (first, second):
        (event,) = talk.send(SYN, offer)
        assert event.text == f"Client sends MP_CAPABLE of unknown version {version}."
        talk.send(SYN | ACK, answer, back=True)
        assert talk.connection.offered_version == version
        assert talk.connection.version is None
        assert talk.subflow().syn_ack_option is True
        for host in (talk.connection.client, talk.connection.server):
            assert (host.key, host.token, host.initial_data_seq) == (None, None, None)
        assert {code for code, _ in notes(talk)} == {NoteCode.VERSION_UNKNOWN}
    assert first.connection is not second.connection
    joiner = dialogue(first.table, first_stream=2)
    joiner.join_syn(0, token=0)
    assert joiner.connection.partial


def test_mp_capable_where_it_does_not_belong(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    keys = o.MpCapable(1, 1, talk.keys.client, talk.keys.server)
    talk.send(ACK, keys, back=True)
    talk.join(1)
    talk.send(ACK, keys, stream=1)
    talk.send(SYN | ACK, o.MpCapable(1, 1, OTHER_KEY))
    assert notes(talk) == [
        (NoteCode.OPTION_OUT_OF_PLACE, 4),
        (NoteCode.OPTION_OUT_OF_PLACE, 8),
        (NoteCode.OPTION_OUT_OF_PLACE, 9),
    ]
    assert talk.connection.client.key == talk.keys.client
    assert talk.connection.server.key == talk.keys.server


def test_the_handshake_stops_where_nobody_answers(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    for _ in range(3):
        talk.syn()
    connection = talk.finish()
    assert (connection.state, connection.end, connection.fallback) == ("handshake", "open", None)
    assert (talk.subflow().handshake, talk.subflow().syn_count) == ("no_syn_ack", 3)


def test_the_handshake_stops_behind_the_syn_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    connection = talk.finish()
    assert (connection.state, connection.fallback) == ("handshake", None)
    assert talk.subflow().handshake == "no_third_ack"


def test_a_first_segment_further_on_is_no_third_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.plain(seq=2500, payload=0)
    assert talk.subflow().third_ack is None
    assert talk.subflow().third_ack_option is None


def test_first_control_frame(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.send(FIN | ACK)
    subflow = talk.subflow()
    assert subflow.first_control is not None
    assert subflow.first_control.frame_number == 1
    assert (subflow.initiator.initial_seq, subflow.responder.initial_seq) == (1000, 5000)
