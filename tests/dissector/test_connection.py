"""The table of all connections: who owns a stream, and that nothing crosses over or raises."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dissector import options as o
from dissector.connection import ConnectionTable, Segment, StreamEndpoints
from dissector.constants import MalformedReason
from dissector.events import Event, EventKind
from dissector.option_codec import decode_options
from dissector.segment import ACK, FIN, RST, SYN

if TYPE_CHECKING:
    from types import FrameType

    from hypothesis.strategies import SearchStrategy

    from tests.dissector.conftest import Dialogue

MALFORMED = o.MalformedOption(MalformedReason.WRONG_LENGTH, bytes.fromhex("1e062005d52a"))
UNKNOWN = o.UnknownMptcpOption(9, 2, b"\x07")
ENDS = StreamEndpoints(4, "10.0.0.2", 40000, "192.0.2.1", 443, handshake_captured=False)


def plain(value: object, seen: tuple[object, ...] = ()) -> Any:
    """A state as nested tuples, for comparing; what points back is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if any(value is each for each in seen):
            return type(value).__name__
        seen = (*seen, value)
        return tuple(
            (field.name, plain(getattr(value, field.name), seen))
            for field in dataclasses.fields(value)
            if field.name != "index"
        )
    if isinstance(value, dict):
        return {key: plain(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, seen) for each in value]
    return value


def test_plain_tcp_is_no_connection(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.send(SYN, o.MaximumSegmentSize(1460))
    talk.send(SYN | ACK, back=True)
    talk.plain()
    talk.close()
    talk.send(RST)
    assert talk.table.connections == []
    assert talk.table.unassigned_streams == ()
    assert talk.subflow().connection is None
    assert talk.subflow().end == "fin"
    assert talk.table.finish() == ()


def test_mptcp_options_on_plain_tcp_are_strays(dialogue: type[Dialogue]) -> None:
    talk = dialogue(first_stream=4)
    talk.send(SYN)
    talk.send(ACK, MALFORMED, UNKNOWN)
    # Malformed options that are not MPTCP's are nobody's business.
    talk.send(ACK, o.MalformedOption(MalformedReason.WRONG_LENGTH, b"\x02\x03\x00"))
    strays = [(odd.frame_number, odd.stream, odd.option) for odd in talk.table.stray_options]
    assert strays == [(402, 4, MALFORMED), (402, 4, UNKNOWN)]


def test_odd_options_of_a_connection_are_kept(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    events = talk.send(ACK, MALFORMED, UNKNOWN, o.MpExperimental(1, b""), back=True)
    assert [event.kind for event in events] == [
        EventKind.MALFORMED_OPTION,
        EventKind.UNKNOWN_OPTION,
        EventKind.MP_EXPERIMENTAL,
    ]
    assert events[0].text == (
        "Server sends a malformed MPTCP option: the length does not fit this option (length 6)."
    )
    assert events[1].text == "Server sends an MPTCP option of unknown subtype 9."
    odd = talk.connection.odd_options
    assert [(each.frame_number, each.from_client) for each in odd] == [(4, False)] * 3
    assert talk.table.stray_options == []


def test_streams_without_a_handshake_wait_for_their_owner(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.open(1, ENDS)
    waiting = []
    talk.plain(stream=1)
    waiting.append(talk.table.unassigned_streams)
    talk.data(stream=1, back=True)
    waiting.append(talk.table.unassigned_streams)
    assert waiting == [(), (1,)]
    talk.send(ACK, o.MpPriority(True), stream=1)
    events = talk.table.adopt(1, talk.connection, swapped=True)
    assert [event.kind for event in events] == [EventKind.MP_PRIO]
    assert events[0].text == "Server wants this subflow for backup."
    subflow = talk.subflow(1)
    assert subflow.connection is talk.connection
    assert (subflow.kind, subflow.handshake, subflow.started_by) == (
        "join",
        "not_captured",
        "server",
    )
    assert subflow.initiator.first_payload is not None
    assert subflow.initiator.first_payload.frame_number == 4
    assert talk.table.unassigned_streams == ()
    # Adopted once, owned for good.
    assert talk.table.adopt(1, None) == ()
    assert talk.table.adopt(77, None) == ()
    assert talk.table.connections == [talk.connection]


def test_a_partial_connection_of_adopted_streams(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.open(0, ENDS)
    talk.open(1, ENDS)
    talk.data(stream=0)
    talk.data(stream=1)
    talk.table.adopt(1)
    (partial,) = talk.table.connections
    assert (partial.partial, partial.state, partial.first_frame) == (True, "partial", 2)
    assert partial.subflows[0].kind == "initial"
    talk.table.adopt(0, partial)
    assert [subflow.kind for subflow in partial.subflows] == ["initial", "join"]
    talk.send(FIN | ACK, stream=0)
    talk.table.finish()
    assert partial.fallback is None
    assert [subflow.stream for subflow in partial.subflows] == [0, 1]


def test_a_waiting_join_is_adopted_as_a_join(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.open(0, ENDS)
    talk.join_syn_ack(0)
    assert talk.table.unassigned_streams == (0,)
    talk.table.adopt(0)
    (partial,) = talk.table.connections
    assert partial.subflows[0].kind == "join"
    assert partial.subflows[0].server.nonce == 0x22222222


def test_mp_capable_makes_a_waiting_stream_a_connection(dialogue: type[Dialogue]) -> None:
    """The first packets were taken in the wrong order: a data packet before the third ACK."""
    talk = dialogue()
    talk.open(0, ENDS)
    talk.data(seq=2000)
    events = talk.third_ack()
    assert talk.table.unassigned_streams == ()
    connection = talk.finish()
    assert (connection.first_frame, connection.state) == (1, "established")
    # A DSS proves the handshake: the segment that waited is the one that completed it.
    assert connection.established is not None
    assert connection.established.frame_number == 1
    assert events[-1].kind is EventKind.MP_CAPABLE


def test_only_so_much_is_kept_of_a_stream_that_shows_no_mptcp(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    talk.open(0, ENDS)
    for _ in range(100):
        talk.plain()
    assert len(talk.table._waiting[0]) == 16
    # What has a handshake and is plain TCP needs none.
    talk.send(SYN, stream=1)
    talk.plain(stream=1)
    assert 1 not in talk.table._waiting


def test_partial_connections_are_merged_by_the_caller_too(dialogue: type[Dialogue]) -> None:
    table = ConnectionTable()
    talk = dialogue(table, first_stream=1).establish()
    lost = dialogue(table, first_stream=0)
    lost.open(0, ENDS)
    lost.data()
    lost.send(ACK, o.MpPriority(True))
    table.adopt(0)
    partial = lost.connection
    table.merge(partial, talk.connection, swapped=True)
    assert table.connections == [talk.connection]
    assert lost.subflow().connection is talk.connection
    assert talk.connection.priority_changes[0].by_client is False
    assert talk.connection.first_frame == 1
    # Merged once; whole connections are never merged, nor a connection with itself.
    table.merge(partial, talk.connection)
    other = dialogue(table, first_stream=2, client=5, server=6).establish()
    table.merge(other.connection, talk.connection)
    table.merge(talk.connection, talk.connection)
    assert len(table.connections) == 2
    assert [subflow.stream for subflow in talk.connection.subflows] == [1, 0]


def test_connections_are_numbered_by_their_first_packets(dialogue: type[Dialogue]) -> None:
    table = ConnectionTable()
    late = dialogue(table, first_stream=3)
    early = dialogue(table, first_stream=1, client=3, server=4)
    late.establish()
    early.establish()
    assert [connection.index for connection in table.connections] == [0, 1]
    table.finish()
    assert table.connections == [early.connection, late.connection]
    assert (early.connection.index, late.connection.index) == (0, 1)


def test_late_events_are_returned_by_finish(dialogue: type[Dialogue]) -> None:
    talk = dialogue().establish()
    talk.plain()
    (event,) = talk.table.finish()
    assert (event.kind, event.frame_number) == (EventKind.FALLBACK, 4)


def test_a_stream_that_was_not_opened(dialogue: type[Dialogue]) -> None:
    talk = dialogue()
    table = talk.table
    table.receive(talk.segment(SYN, o.MpCapable(1, 1)))
    (connection,) = table.connections
    assert connection.subflows[0].client.address == ""


# --- properties

FLAGS = st.sampled_from([SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, RST | ACK, SYN | RST, 0])
TOKENS_AND_KEYS = st.sampled_from([0, 1, 2])


@st.composite
def any_segments(
    draw: Any, option_areas: SearchStrategy[bytes], sensible: SearchStrategy[o.TcpOption]
) -> list[Segment]:
    """Anything on a few streams: options that fit together now and then, mutated ones, none."""
    keys = draw(st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=3))
    segments = []
    for frame in range(1, draw(st.integers(1, 25)) + 1):
        if draw(st.booleans()):
            options = decode_options(draw(option_areas), declared_length=draw(st.integers(0, 40)))
        else:
            options = tuple(draw(st.lists(sensible | known_keys(keys), max_size=2)))
        segments.append(
            Segment(
                frame,
                frame,
                draw(st.integers(0, 4)),
                draw(st.booleans()),
                draw(FLAGS),
                draw(st.sampled_from([0, 1, 2, 0xFFFFFFFF])),
                0,
                1000,
                draw(st.sampled_from([0, 0, 1, 1400])),
                options,
                any(isinstance(option, o.DataSequenceSignal) for option in options),
            )
        )
    return segments


def known_keys(keys: list[int]) -> SearchStrategy[o.TcpOption]:
    """Options that name the same few keys, so that tokens are found and HMACs are checked."""
    from dissector.keys import token

    versions = st.sampled_from([0, 1])
    key = st.sampled_from(keys)
    named = st.builds(token, key, versions)
    octets = st.binary(min_size=20, max_size=20)
    return st.one_of(
        st.builds(o.MpCapable, versions, st.integers(0, 255), key),
        st.builds(o.MpCapable, versions, st.integers(0, 255), key, key),
        st.builds(o.MpCapable, st.just(1), st.integers(0, 255)),
        st.builds(o.MpJoinSyn, st.booleans(), st.integers(0, 2), named, TOKENS_AND_KEYS),
        st.builds(
            o.MpJoinSynAck,
            st.booleans(),
            st.integers(0, 2),
            octets.map(lambda hmac: hmac[:8]),
            TOKENS_AND_KEYS,
        ),
        st.builds(o.MpJoinAck, octets),
        st.builds(o.MpFastclose, key),
        st.builds(o.RemoveAddress, st.lists(st.integers(0, 2), min_size=1).map(tuple)),
        st.builds(o.MpPriority, st.booleans(), st.none() | st.integers(0, 2)),
    )


@settings(max_examples=40)
@given(data=st.data())
def test_no_sequence_of_segments_raises(
    any_option: SearchStrategy[o.TcpOption],
    any_option_area: SearchStrategy[bytes],
    data: st.DataObject,
) -> None:
    table = ConnectionTable()
    for stream in range(data.draw(st.integers(0, 5))):
        table.open_stream(stream, ENDS)
    returned: list[Event] = []
    for segment in data.draw(any_segments(any_option_area, any_option)):
        returned += table.receive(segment)
        if data.draw(st.integers(0, 5)) == 0 and table.unassigned_streams:
            owner = data.draw(st.sampled_from([None, *table.connections]))
            stream = data.draw(st.sampled_from(table.unassigned_streams))
            returned += table.adopt(stream, owner, swapped=data.draw(st.booleans()))
    returned += table.finish()
    owned = [subflow for connection in table.connections for subflow in connection.subflows]
    # Each stream has one owner, and each owner is in the table.
    assert len({subflow.stream for subflow in owned}) == len(owned)
    for index, connection in enumerate(table.connections):
        assert connection.index == index
        for subflow in connection.subflows:
            assert subflow.connection is connection
            assert table.subflow(subflow.stream) is subflow
            assert subflow.handshake in {
                "complete",
                "no_syn_ack",
                "refused",
                "option_removed",
                "no_third_ack",
                "not_captured",
            }
        frames = [event.frame_number for event in connection.events]
        assert frames == sorted(frames)
        assert connection.end in {"data_fin", "fastclose", "reset", "open"}
        assert (connection.state == "fallback") == (connection.fallback is not None)
        # What is in the connection was told, or replayed when its owner was found.
        assert {event.stream for event in connection.events} <= {
            subflow.stream for subflow in connection.subflows
        }
    assert set(table.unassigned_streams).isdisjoint(subflow.stream for subflow in owned)


SCENES = st.lists(
    st.sampled_from(
        ["join", "server joins", "wrong hmac", "fail", "fastclose", "address", "close", "odd"]
    ),
    max_size=4,
)


def play(talk: Dialogue, scenes: list[str]) -> None:
    talk.establish()
    for stream, scene in enumerate(scenes, 1):
        match scene:
            case "join":
                talk.join(stream, address_id=stream)
            case "server joins":
                talk.join(stream, by_client=False)
            case "wrong hmac":
                talk.join_syn(stream)
                talk.join_syn_ack(stream, hmac_octets=bytes(8))
                talk.send(RST, stream=stream)
            case "fail":
                talk.send(ACK, o.MpFail(1))
            case "fastclose":
                talk.send(ACK, o.MpFastclose(talk.keys.server))
            case "address":
                address = decode_options(bytes.fromhex("1e1030010a020002cb29dc6ebdbdc041"))
                talk.send(ACK, *address, back=True)
                talk.send(ACK, o.RemoveAddress((0, 1)))
            case "close":
                talk.close()
            case "odd":
                talk.send(ACK, MALFORMED, UNKNOWN)


@given(first=SCENES, second=SCENES, seed=st.randoms(use_true_random=False))
def test_nothing_of_one_connection_changes_another(
    dialogue: type[Dialogue], first: list[str], second: list[str], seed: Any
) -> None:
    """Two conversations taken in alone and woven into each other come to the same."""
    alone = [
        dialogue(version=version, client=client, server=server, first_stream=stream)
        for version, client, server, stream in ((1, 11, 12, 0), (0, 13, 14, 20))
    ]
    for talk, scenes in zip(alone, (first, second), strict=True):
        play(talk, scenes)
        talk.finish()
    woven = ConnectionTable()
    queues = [list(talk.sent) for talk in alone]
    for talk in alone:
        for segment in talk.sent:
            subflow = talk.table.subflow(segment.stream)
            assert subflow is not None
            woven.open_stream(segment.stream, subflow.endpoints)
    while any(queues):
        queue = seed.choice([queue for queue in queues if queue])
        woven.receive(queue.pop(0))
    woven.finish()
    assert [plain(connection) for connection in woven.connections] == [
        plain(talk.connection) for talk in alone
    ]


def test_the_cost_does_not_grow_with_the_number_of_connections(dialogue: type[Dialogue]) -> None:
    """Counted, not timed: the calls that a handshake and a join take."""

    def calls_of(talk: Dialogue) -> int:
        calls = 0

        def count(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call" and "dissector" in frame.f_code.co_filename

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            talk.establish().join(1)
        finally:
            sys.setprofile(before)
        return calls

    table = ConnectionTable()
    talks = [
        dialogue(table, client=2 * n + 1, server=2 * n + 2, first_stream=2 * n) for n in range(300)
    ]
    for talk in talks[1:-1]:
        talk.establish().join(1)
    first_alone = calls_of(dialogue(client=1, server=2))
    assert calls_of(talks[-1]) == first_alone
    assert talks[-1].subflow(1).client.hmac_valid is True
