"""How data ends: DATA_FIN, MP_FASTCLOSE, FIN and RST (RFC 8684 sections 3.3.3, 3.5, 3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.events import EventKind
from dissector.keys import token
from dissector.segment import ACK, RST
from dissector.signals import DataFin, FastcloseSignal, NoteCode, ResetSignal
from dissector.tokens import HASH_VERSIONS
from dissector.wording import side_name

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from dissector.options import DataSequenceSignal, MpFastclose, MpTcpReset
    from dissector.segment import Segment
    from dissector.subflow import SubflowState
    from dissector.tokens import TokenIndex


def receive_data_fin(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: DataSequenceSignal,
) -> None:
    """Takes in a DSS with the flag F; repetitions on the same stream say nothing new."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    length = option.data_length or 0
    key = (from_client, segment.stream, option.data_seq, length)
    if key in connection.said_data_fins:
        return
    data_fin = DataFin(
        from_client,
        segment.frame_number,
        segment.time_ns,
        segment.stream,
        option.data_seq,
        option.data_seq_octets,
        length,
        with_data=length > 1,
    )
    connection.said_data_fins.add(key)
    connection.data_fins.append(data_fin)
    first = connection.data_fin(from_client=from_client) is None
    if first and from_client:
        connection.client_data_fin = data_fin
    elif first:
        connection.server_data_fin = data_fin
    said = "says that its data ends" if first else "repeats that its data ends"
    number = data_fin.fin_data_seq
    where = "" if number is None else f" before data sequence number {number}"
    connection.add_event(
        EventKind.DATA_FIN,
        segment,
        from_client,
        f"{side_name(from_client)} {said}{where}.",
        option,
    )


def receive_fastclose(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    option: MpFastclose,
    tokens: TokenIndex,
) -> None:
    """Takes in an MP_FASTCLOSE, which names the receiver's key."""
    by_client = segment.from_initiator == subflow.client_is_initiator
    valid = _check_key(connection, tokens, of_client=not by_client, key=option.receiver_key)
    said_before = any(
        signal.stream == segment.stream and signal.by_client == by_client
        for signal in connection.fastcloses[-2:]
    )
    connection.fastcloses.append(
        FastcloseSignal(
            by_client,
            option.receiver_key,
            valid,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            bool(segment.flags & RST),
        )
    )
    name = side_name(by_client)
    if valid is False:
        connection.add_note(
            NoteCode.FASTCLOSE_KEY_WRONG,
            segment,
            f"{name} sends MP_FASTCLOSE with a key that is not the receiver's.",
        )
    if not said_before:
        how = " with a key that is not the receiver's" if valid is False else ""
        connection.add_event(
            EventKind.MP_FASTCLOSE,
            segment,
            by_client,
            f"{name} breaks the connection off{how}.",
            option,
        )


def receive_reset_reason(
    connection: ConnectionState, subflow: SubflowState, segment: Segment, option: MpTcpReset
) -> None:
    """Takes in an MP_TCPRST; the subflow keeps that of its first RST."""
    connection.resets.append(
        ResetSignal(
            segment.from_initiator == subflow.client_is_initiator,
            option,
            segment.frame_number,
            segment.time_ns,
            segment.stream,
            bool(segment.flags & ACK),
        )
    )


def add_end_events(
    connection: ConnectionState,
    subflow: SubflowState,
    segment: Segment,
    news: tuple[EventKind, ...],
) -> None:
    """Records the first FIN of each end and the first RST of a subflow."""
    from_client = segment.from_initiator == subflow.client_is_initiator
    name = side_name(from_client)
    for kind in news:
        if kind is EventKind.FIN:
            text = f"{name} closes its direction of the subflow."
        elif subflow.refused:
            text = f"{name} refuses the subflow{_reason_words(subflow)}."
        else:
            text = f"{name} resets the subflow{_reason_words(subflow)}."
        option = subflow.reset_option if kind is EventKind.RST else None
        connection.add_event(kind, segment, from_client, text, option)


def _reason_words(subflow: SubflowState) -> str:
    option = subflow.reset_option
    if option is None:
        return ""
    transient = ", transient" if option.transient else ""
    return f" ({option.reason_name}{transient})"


def _check_key(
    connection: ConnectionState, tokens: TokenIndex, *, of_client: bool, key: int
) -> bool | None:
    """Whether this is the host's key; one that only its token was known of becomes known."""
    host = connection.client if of_client else connection.server
    if host.key is not None:
        return host.key == key
    if host.token is None:
        return None
    for version in HASH_VERSIONS:
        if token(key, version) == host.token:
            if connection.version is None:
                connection.version = version
            tokens.learn_key(connection, of_client=of_client, key=key)
            return True
    return False
