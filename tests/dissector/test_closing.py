"""DATA_FIN, MP_FASTCLOSE, FIN, RST and MP_TCPRST (RFC 8684 sections 3.3.3, 3.5 and 3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector import options as o
from dissector.events import EventKind
from dissector.segment import ACK, FIN, RST
from dissector.signals import NoteCode

if TYPE_CHECKING:
    from tests.dissector.conftest import Dialogue


def data_fin(data_seq: int = 5000, length: int = 1, octets: int = 8) -> o.DataSequenceSignal:
    return o.DataSequenceSignal(
        data_seq=data_seq,
        data_seq_octets=octets,
        subflow_seq=0,
        data_length=length,
        data_fin=True,
    )


def test_both_hosts_end_their_data(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1)
    (event,) = [e for e in talk.send(ACK, data_fin()) if e.kind is EventKind.DATA_FIN]
    assert event.text == "Client says that its data ends before data sequence number 5000."
    assert (talk.connection.closed, talk.connection.end) == (False, "open")
    # Linux signals it on every subflow, and again until it is acknowledged.
    events = talk.send(ACK, data_fin(), stream=1)
    assert events[-1].text.startswith("Client repeats that its data ends")
    assert talk.send(ACK, data_fin()) == ()
    talk.send(ACK, data_fin(9000), back=True)
    connection = talk.finish()
    assert (connection.closed, connection.end) == (True, "data_fin")
    signalled = [(fin.from_client, fin.stream, fin.data_seq) for fin in connection.data_fins]
    assert signalled == [(True, 0, 5000), (True, 1, 5000), (False, 0, 9000)]
    first = connection.data_fin(from_client=True)
    assert first is not None
    assert (first.frame_number, first.stream, first.with_data) == (7, 0, False)
    assert connection.data_fin(from_client=False) is connection.data_fins[2]


@pytest.mark.parametrize(
    ("data_seq", "octets", "length", "expected"),
    [
        (5000, 8, 1, 5000),
        (5000, 8, 101, 5100),  # 100 octets of data, and the DATA_FIN behind them
        (0xFFFFFFFFFFFFFFFF, 8, 3, 1),
        (0xFFFFFFF0, 4, 17, 0),
        (7, 4, 1, 7),
    ],
)
def test_the_data_fins_own_number(
    dialogue: type[Dialogue], data_seq: int, octets: int, length: int, expected: int
) -> None:
    talk = dialogue().establish()
    talk.send(ACK, data_fin(data_seq, length, octets), payload=length - 1)
    (fin,) = talk.connection.data_fins
    assert (fin.fin_data_seq, fin.with_data) == (expected, length > 1)
    assert (fin.data_seq_octets, fin.data_length) == (octets, length)


def test_a_data_fin_without_a_mapping(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    events = talk.send(ACK, o.DataSequenceSignal(data_ack=1, data_ack_octets=8, data_fin=True))
    assert events[0].text == "Client says that its data ends."
    (fin,) = talk.connection.data_fins
    assert (fin.data_seq, fin.fin_data_seq, fin.data_seq_octets) == (None, None, 0)


@pytest.mark.parametrize("back", [False, True])
def test_fastclose(dialogue: type[Dialogue], back: bool) -> None:
    talk = dialogue().establish()
    key = talk.keys.client if back else talk.keys.server
    (event,) = talk.send(ACK, o.MpFastclose(key), back=back)
    name = "Server" if back else "Client"
    assert (event.kind, event.text) == (
        EventKind.MP_FASTCLOSE,
        f"{name} breaks the connection off.",
    )
    events = talk.send(RST, o.MpFastclose(key), back=back)
    assert [event.kind for event in events] == [EventKind.RST]
    connection = talk.finish()
    assert (connection.end, connection.closed) == ("fastclose", True)
    signals = connection.fastcloses
    assert [(s.by_client, s.key_valid, s.with_reset) for s in signals] == [
        (not back, True, False),
        (not back, True, True),
    ]
    assert connection.fastclose is signals[0]


def test_fastclose_with_a_key_that_is_not_the_receivers(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    (event,) = talk.send(ACK, o.MpFastclose(talk.keys.client))
    assert event.text == "Client breaks the connection off with a key that is not the receiver's."
    connection = talk.finish()
    assert (connection.end, connection.fastclose, connection.closed) == ("open", None, False)
    assert [(note.code, note.frame_number) for note in connection.notes] == [
        (NoteCode.FASTCLOSE_KEY_WRONG, 4)
    ]


def test_fastclose_before_any_key_is_known(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.send(ACK, o.MpFastclose(1), back=True)
    assert talk.connection.fastcloses[0].key_valid is None
    assert talk.finish().end == "fastclose"


def test_fin_of_both_hosts(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    (event,) = talk.send(FIN | ACK)
    assert event.text == "Client closes its direction of the subflow."
    assert talk.send(FIN | ACK) == ()
    assert talk.subflow().end == "open"
    talk.send(FIN | ACK, back=True)
    assert talk.subflow().end == "fin"
    # FINs without DATA_FINs: the connection could go on on another subflow.
    assert talk.finish().end == "open"


def test_one_direction_captured(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.third_ack()
    talk.send(FIN | ACK)
    assert talk.subflow().end == "fin"
    other = dialogue()
    other.syn_ack()
    other.send(FIN | ACK, back=True)
    assert other.subflow().end == "fin"


def test_a_rst_after_both_fins_adds_nothing(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().close()
    talk.send(RST)
    subflow = talk.subflow()
    assert (subflow.end, subflow.closed_before_reset, subflow.reset_count) == ("fin", True, 1)


@pytest.mark.parametrize("reason", range(7))
def test_reset_with_its_reason(dialogue: type[Dialogue], reason: int) -> None:
    """The words of RFC 8684 section 3.6, written down apart from the code."""
    words = (
        "Unspecified error",
        "MPTCP-specific error",
        "Lack of resources",
        "Administratively prohibited",
        "Too much outstanding data",
        "Unacceptable performance",
        "Middlebox interference",
    )[reason]
    talk = dialogue().establish().join(1)
    talk.send(ACK, stream=1, back=True)
    (event,) = talk.send(RST | ACK, o.MpTcpReset(1, reason), stream=1, back=True)
    assert event.text == f"Server resets the subflow ({words}, transient)."
    subflow = talk.subflow(1)
    assert (subflow.end, subflow.reset_by, subflow.handshake) == ("reset", "server", "complete")
    assert subflow.reset_option == o.MpTcpReset(1, reason)
    (signal,) = talk.connection.resets
    assert (signal.from_client, signal.with_ack, signal.stream) == (False, True, 1)
    assert talk.finish().end == "open"


def test_a_reason_nobody_assigned(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    (event,) = talk.send(RST, o.MpTcpReset(0, 0x77))
    assert event.text == "Client resets the subflow (Unassigned reason 0x77)."


def test_further_resets_are_counted_and_their_reasons_kept(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.send(RST)
    assert talk.send(RST, o.MpTcpReset(0, 2)) == ()
    assert talk.send(RST, o.MpTcpReset(0, 3), back=True) == ()
    subflow = talk.subflow()
    # The reason of the same host's next RST is that of its first; the other host's is not.
    assert (subflow.reset_count, subflow.reset_by) == (3, "client")
    assert subflow.reset_option == o.MpTcpReset(0, 2)
    assert [signal.option.reason for signal in talk.connection.resets] == [2, 3]


def test_the_last_subflow_was_reset(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish().join(1)
    talk.send(RST, stream=1)
    assert talk.finish().end == "open"
    talk.send(RST)
    assert talk.finish().end == "reset"


def test_the_first_attempt_was_refused(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.syn()
    talk.send(RST | ACK, back=True)
    assert talk.subflow().handshake == "refused"
    assert talk.finish().end == "reset"
