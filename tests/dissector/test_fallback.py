"""When a connection goes on as plain TCP, each cause by its packets (RFC 8684 section 3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector import options as o
from dissector.events import EventKind
from dissector.segment import ACK, RST, SYN

if TYPE_CHECKING:
    from tests.dissector.conftest import Dialogue

INFINITE = o.DataSequenceSignal(data_seq=99, data_seq_octets=8, subflow_seq=5, data_length=0)
PLAIN_SYN_OPTION = o.MaximumSegmentSize(1460)


def cause(talk: Dialogue) -> tuple[str, int, int] | None:
    fallback = talk.finish().fallback
    if fallback is None:
        return None
    assert talk.connection.state == "fallback"
    assert fallback.time_ns == fallback.frame_number * 1_000_000_000
    events = [event for event in talk.connection.events if event.kind is EventKind.FALLBACK]
    assert [event.frame_number for event in events] == [fallback.frame_number]
    assert events[0].text.startswith("The connection goes on as plain TCP: ")
    return fallback.cause, fallback.frame_number, fallback.stream


def test_mp_capable_missing_in_the_syn_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue(first_stream=3)
    talk.syn()
    events = talk.send(SYN | ACK, PLAIN_SYN_OPTION, back=True)
    assert [event.kind for event in events] == [EventKind.SYN, EventKind.FALLBACK]
    assert events[0].text == "Server's SYN/ACK has no MP_CAPABLE."
    talk.send(SYN | ACK, PLAIN_SYN_OPTION, back=True)
    assert cause(talk) == ("mp_capable_missing_in_syn_ack", 302, 3)


def test_mp_capable_missing_in_the_repeated_syn(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    for _ in range(2):
        talk.syn()
    (event,) = talk.send(SYN, PLAIN_SYN_OPTION)
    assert event.text == "Client repeats its SYN without MP_CAPABLE."
    assert talk.send(SYN, PLAIN_SYN_OPTION) == ()
    talk.send(SYN | ACK, PLAIN_SYN_OPTION, back=True)
    assert cause(talk) == ("mp_capable_missing_in_syn_retransmission", 5, 0)
    assert talk.subflow().syn_count == 4


def test_the_first_syn_came_through_after_all(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.send(SYN, PLAIN_SYN_OPTION)
    talk.syn_ack()
    talk.third_ack()
    talk.data()
    assert cause(talk) is None
    assert talk.connection.state == "established"


def test_the_client_goes_on_from_its_plain_syn(dialogue: type[Dialogue]) -> None:
    """The SYN/ACK answers the first SYN, but the client has given MPTCP up by then."""
    talk = dialogue()
    talk.syn()
    talk.send(SYN, PLAIN_SYN_OPTION)
    talk.syn_ack()
    talk.plain(payload=0)
    talk.plain()
    assert cause(talk) == ("mp_capable_missing_in_syn_retransmission", 4, 0)


def test_mp_capable_missing_in_the_third_ack(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.plain(payload=0)
    talk.plain()
    talk.plain(back=True)
    assert cause(talk) == ("mp_capable_missing_in_third_ack", 3, 0)
    assert talk.subflow().third_ack_option is False


def test_mp_capable_missing_in_the_first_data_with_the_third_ack_not_captured(
    dialogue: type[Dialogue],
) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.plain()
    assert cause(talk) == ("mp_capable_missing_in_third_ack", 3, 0)


@pytest.mark.parametrize("back", [False, True])
def test_dss_missing_on_the_first_data_of_either_host(dialogue: type[Dialogue], back: bool) -> None:
    talk = dialogue().establish()
    talk.plain(back=back)
    assert cause(talk) == ("dss_missing_on_first_data", 4, 0)


def test_the_earlier_of_two_hosts_without_dss_counts(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.plain(back=True)
    talk.plain()
    assert cause(talk) == ("dss_missing_on_first_data", 4, 0)


def test_no_data_is_no_fallback(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.plain(payload=0)
    assert cause(talk) is None
    assert talk.connection.state == "handshake"


def test_a_dss_that_comes_later_proves_the_handshake(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.syn_ack()
    talk.plain(payload=0)
    talk.data(back=True)
    assert cause(talk) is None
    assert talk.connection.state == "established"
    assert talk.subflow().handshake == "complete"


def test_first_data_behind_a_gap_in_the_capture_proves_nothing(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.plain(seq=4000)
    assert cause(talk) is None


def test_options_that_were_not_captured_prove_nothing(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    cut = o.CutOption(b"\x1e", offset=4)
    talk.send(SYN | ACK, PLAIN_SYN_OPTION, cut, back=True)
    talk.send(ACK, cut)
    talk.send(ACK, cut, payload=100)
    assert cause(talk) is None
    assert talk.subflow().syn_ack_option is None
    assert talk.subflow().third_ack_option is None


def test_mp_fail_on_the_only_subflow(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish(0x81)
    talk.data()
    events = talk.send(ACK, o.MpFail(0x1122334455667788), back=True)
    assert [event.kind for event in events] == [EventKind.MP_FAIL, EventKind.FALLBACK]
    assert events[0].text == (
        f"Server reports a failed checksum at data sequence number {0x1122334455667788}."
    )
    (event,) = talk.send(ACK, INFINITE)
    assert event.kind is EventKind.INFINITE_MAPPING
    # Linux repeats it on every segment that follows.
    assert talk.send(ACK, INFINITE) == ()
    (event,) = talk.send(ACK, INFINITE, back=True)
    assert event.text == "Server maps the rest of the subflow onto its data."
    assert cause(talk) == ("checksum_failure", 5, 0)
    (fail,) = talk.connection.fails
    assert (fail.from_client, fail.data_seq, fail.with_reset) == (False, 0x1122334455667788, False)
    mappings = talk.connection.infinite_mappings
    assert [(m.from_client, m.frame_number) for m in mappings] == [(True, 6), (True, 7), (False, 8)]
    assert (mappings[0].data_seq, mappings[0].data_seq_octets, mappings[0].subflow_seq) == (
        99,
        8,
        5,
    )


def test_infinite_mapping_after_a_failure_whose_packet_came_late(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish(0x81)
    talk.join(1)
    talk.send(ACK, o.MpFail(1), back=True)
    assert talk.connection.fallback is None
    talk.send(ACK, INFINITE)
    assert cause(talk) == ("checksum_failure", 8, 0)


def test_mp_fail_with_rst_ends_one_of_two_subflows(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish(0x81).join(1)
    talk.send(RST | ACK, o.MpFail(7), o.MpTcpReset(0, 6), stream=1, back=True)
    assert cause(talk) is None
    assert talk.connection.fails[0].with_reset
    assert [talk.subflow(n).end for n in (0, 1)] == ["open", "reset"]


def test_mp_fail_after_the_other_subflow_ended(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish(0x81).join(1).close(1)
    talk.send(ACK, o.MpFail(7), back=True)
    assert cause(talk) == ("checksum_failure", 9, 0)


def test_infinite_mapping_without_mp_fail(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    events = talk.send(ACK, INFINITE, back=True)
    assert [event.kind for event in events] == [EventKind.INFINITE_MAPPING, EventKind.FALLBACK]
    assert cause(talk) == ("infinite_mapping", 4, 0)


def test_a_join_that_fails_is_no_fallback(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.data()
    talk.join_syn(1)
    talk.send(SYN | ACK, PLAIN_SYN_OPTION, stream=1, back=True)
    talk.plain(stream=1, payload=0)
    talk.plain(stream=1)
    assert cause(talk) is None
    assert talk.connection.state == "established"


def test_fin_stands_for_data_fin_after_a_fallback(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.send(SYN | ACK, back=True)
    talk.plain(payload=0)
    assert talk.finish().end == "open"
    talk.close()
    assert talk.finish().end == "data_fin"


def test_reset_after_a_fallback(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.send(SYN | ACK, back=True)
    talk.plain(payload=0)
    talk.send(RST)
    assert talk.finish().end == "reset"
