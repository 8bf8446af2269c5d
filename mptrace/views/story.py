"""What happened in a connection, in a few sentences for someone who has never seen the tool.

Read off the model and, where the connection comes from an analysis, its timelines; each sentence
stands for itself, so that a view can show them as a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mptrace.views import figures
from mptrace.views.summary import ARROW, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.model import Connection, DirectionName, Event, Subflow
    from mptrace.analysis.timelines.lives import Life

_FEW: Final = 3
"""Of each kind of incident so many are told one by one."""
_SECOND: Final = 1e-9
_FAILED_JOIN: Final = {
    "no_syn_ack": "was never answered",
    "refused": "was refused with a RST",
    "option_removed": "lost its MP_JOIN option on the way",
    "no_third_ack": "was never confirmed by a third ACK",
}


class Sentence(NamedTuple):
    """One sentence, how it is meant, and the moment it speaks of."""

    text: str
    tone: Tone = ""
    time_s: float | None = None
    packet: int | None = None


def sentences(connection: Connection, lives: tuple[Life, ...] = ()) -> tuple[Sentence, ...]:
    """The story of a connection, in the order in which a reader wants it.

    ``lives`` are those of the connection's subflows, where there is an analysis behind it.
    """
    return tuple(_all(connection, lives))


def _all(connection: Connection, lives: tuple[Life, ...]) -> Iterator[Sentence]:
    yield from _data(connection)
    if connection.fallback is not None:
        cause = figures.printable(connection.fallback.cause)
        packet = connection.fallback.packet
        yield Sentence(f"It fell back to plain TCP: {cause} (packet {packet}).", "warning",
                       packet=packet)  # fmt: skip
    yield from _addresses(connection)
    yield from _joins(connection)
    yield from _events(connection)
    yield from _subflow_ends(connection, lives)
    yield from _delivery(connection)


def _data(connection: Connection) -> Iterator[Sentence]:
    both = (
        ("client_to_server", "client", "server", connection.client_to_server),
        ("server_to_client", "server", "client", connection.server_to_client),
    )
    ordered = sorted(both, key=lambda entry: -entry[3].unique_octets)
    parts = [
        f"{figures.octets(side.unique_octets, exact=False)} from {sender} to {receiver}"
        + (f" at {figures.bit_rate(side.goodput_bps)}" if side.goodput_bps else "")
        for _, sender, receiver, side in ordered
        if side.unique_octets
    ]
    lasting = figures.seconds(connection.duration_s)
    if not parts:
        yield Sentence(f"No data was seen in the {lasting} of this connection.")
        return
    yield Sentence(f"In {lasting} the connection carried {' and '.join(parts)}.", "strong")
    name: DirectionName = (
        "client_to_server" if ordered[0][0] == "client_to_server" else "server_to_client"
    )
    yield from _shares(connection, name)


def _shares(connection: Connection, name: DirectionName) -> Iterator[Sentence]:
    if len(connection.subflows) < 2:
        return
    carried = [
        (subflow, getattr(subflow, name).contribution or 0.0) for subflow in connection.subflows
    ]
    working = sorted((entry for entry in carried if entry[1] > 0), key=lambda e: -e[1])
    if len(working) == 1:
        yield Sentence(f"All of it was carried by {_who(working[0][0])}.")
    elif working:
        parts = [f"{figures.share(share)} on {_who(subflow)}" for subflow, share in working[:_FEW]]
        more = len(working) - _FEW
        rest = f" and the rest on {more} more" if more > 0 else ""
        yield Sentence(f"Its subflows shared the data: {', '.join(parts)}{rest}.")


def _who(subflow: Subflow) -> str:
    client, server = (figures.printable(end.address) for end in (subflow.client, subflow.server))
    return f"subflow {subflow.index} ({client} {ARROW} {server})"


def _addresses(connection: Connection) -> Iterator[Sentence]:
    for address in connection.addresses[:_FEW]:
        text = figures.address_and_port(address.address, address.port)
        other = "client" if address.by == "server" else "server"
        fate = (
            "and it was joined"
            if address.joined
            else f"the {other} echoed it and never joined it"
            if address.echoed
            else "it was neither echoed nor joined"
        )
        removed = "; later it was withdrawn (REMOVE_ADDR)" if address.removed else ""
        tone: Tone = "" if address.joined or address.echoed else "warning"
        yield Sentence(
            f"The {address.by} advertised its address {text} (ADD_ADDR), {fate}{removed}.",
            tone,
            packet=address.packet,
        )


def _joins(connection: Connection) -> Iterator[Sentence]:
    for subflow in connection.subflows:
        if subflow.handshake in _FAILED_JOIN:
            kind = "join" if subflow.kind == "join" else "handshake"
            what = _FAILED_JOIN[subflow.handshake]
            if subflow.kind != "join":
                what = what.replace("MP_JOIN", "MP_CAPABLE")
            yield Sentence(f"The {kind} of {_who(subflow)} {what}.", "warning", subflow.start_s,
                           subflow.first_packet)  # fmt: skip
        wrong = [s for s in ("client", "server") if getattr(subflow.hmac_valid, s) is False]
        if wrong:
            yield Sentence(
                f"On {_who(subflow)} the HMAC of the {' and the '.join(wrong)} is wrong.",
                "error",
                subflow.start_s,
                subflow.first_packet,
            )


_TOLD_EVENTS: Final[dict[str, Tone]] = {
    "MP_FAIL": "error",
    "MP_FASTCLOSE": "warning",
    "MP_PRIO": "note",
    "REMOVE_ADDR": "note",
}


def _events(connection: Connection) -> Iterator[Sentence]:
    told: dict[str, int] = {}
    for event in connection.events:
        if event.kind in _TOLD_EVENTS:
            told[event.kind] = told.get(event.kind, 0) + 1
            if told[event.kind] <= _FEW:
                yield _event_sentence(event)


def _event_sentence(event: Event) -> Sentence:
    where = f" (subflow {event.subflow}, packet {event.packet})"
    text = figures.printable(event.text).removesuffix(".")
    at = f"At {figures.seconds(event.time_s)}: {text[:1].lower()}{text[1:]}"
    return Sentence(f"{at}{where}, {event.kind}.", _TOLD_EVENTS[event.kind], event.time_s,
                    event.packet)  # fmt: skip


def _subflow_ends(connection: Connection, lives: tuple[Life, ...]) -> Iterator[Sentence]:
    end = connection.start_s + connection.duration_s
    told = 0
    for subflow in connection.subflows:
        life = lives[subflow.index] if subflow.index < len(lives) else None
        if subflow.end == "reset" and connection.end != "fastclose":
            why = (
                f" ({figures.printable(subflow.reset_reason.name)})" if subflow.reset_reason else ""
            )
            by = f" by the {subflow.reset_by}" if subflow.reset_by else ""
            time_s = subflow.start_s + subflow.duration_s
            if subflow.handshake == "complete" and told < _FEW:
                told += 1
                yield Sentence(f"Subflow {subflow.index} was reset{by}{why}.", "warning", time_s,
                               subflow.last_packet)  # fmt: skip
        elif life is not None and told < _FEW:
            quiet = _fell_silent(subflow, life, end)
            if quiet is not None:
                told += 1
                yield quiet


def _fell_silent(subflow: Subflow, life: Life, end_s: float) -> Sentence | None:
    if life.unanswered_ns is not None and subflow.handshake == "complete":
        at = life.unanswered_ns * _SECOND
        return Sentence(
            f"From {figures.seconds(at)} on nothing more was answered on {_who(subflow)}.",
            "warning",
            at,
        )
    last = life.end_ns * _SECOND
    if life.ended or end_s - last < max(0.5, 0.1 * end_s) or subflow.handshake != "complete":
        return None
    if last - subflow.start_s < (end_s - subflow.start_s) * 0.02:
        return None  # an idle backup never began to speak
    return Sentence(
        f"{_who(subflow).capitalize()} fell silent at {figures.seconds(last)}, without FIN or RST.",
        "warning",
        last,
        subflow.last_packet,
    )


def _delivery(connection: Connection) -> Iterator[Sentence]:
    for name in ("client_to_server", "server_to_client"):
        side = connection.client_to_server if name == "client_to_server" else (
            connection.server_to_client
        )  # fmt: skip
        sender = name.partition("_")[0]
        again = side.remapped_octets + side.reinjected_octets.total
        if again:
            parts = []
            if side.reinjected_octets.total:
                amount = figures.octets(side.reinjected_octets.total, exact=False)
                parts.append(f"{amount} on another subflow (reinjection)")
            if side.remapped_octets:
                amount = figures.octets(side.remapped_octets, exact=False)
                parts.append(f"{amount} again on the same subflow (remapped)")
            total = figures.octets(again, exact=False)
            yield Sentence(f"MPTCP of the {sender} sent {total} again: {', '.join(parts)}.", "note")
        if side.stalls:
            longest = max(side.stalls, key=lambda stall: stall.duration_s)
            number = figures.counted(len(side.stalls), "stall")
            yield Sentence(
                f"{number[:1].upper()}{number[1:]} of the {sender}'s data, the longest of "
                f"{figures.seconds(longest.duration_s)} at {figures.seconds(longest.start_s)}.",
                "warning",
                longest.start_s,
                longest.first_packet,
            )
        for handover in side.handovers[:_FEW]:
            yield Sentence(
                f"At {figures.seconds(handover.start_s)} the {sender}'s data moved from subflow "
                f"{handover.from_subflow} to subflow {handover.to_subflow}, with a gap of "
                f"{figures.seconds(handover.gap_s)}.",
                "note",
                handover.start_s,
                handover.from_packet,
            )
        if side.checksum_failures:
            number = figures.counted(side.checksum_failures, "mapping")
            yield Sentence(f"{number} of the {sender} failed the DSS checksum.", "error")
