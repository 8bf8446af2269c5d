"""How subflows and connections ended, and whether all data got there (RFC 8684 3.3.3 to 3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.signals import NoteCode
from mptrace.analysis.findings.case import DIRECTIONS
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import (
    DIRECTION_WORDS,
    counted,
    listed,
    moment,
    octets,
    other,
    seconds,
    side_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.subflow import SubflowState
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import DirectionName, Finding, Side

DATA_FIN_MISSING: Final = FindingKind(
    "data_fin_missing",
    "warning",
    "All subflows were closed, but not every host had signalled the end of its data with a "
    "DATA_FIN. The receiver can't tell whether it has everything.",
    "If the applications closed normally, look for a middlebox that closes the TCP connections, "
    "or at the data that was never acknowledged.",
    "3.3.3",
)
DATA_FIN_UNACKNOWLEDGED: Final = FindingKind(
    "data_fin_unacknowledged",
    "warning",
    "A host signalled the end of its data, and no DATA_ACK confirms it: the other host may not "
    "have received the last data.",
    "See which subflows were still working then; a dead path, or a host that was gone already, is "
    "the usual reason.",
    "3.3.3",
)
DATA_FIN_CONTRADICTED: Final = FindingKind(
    "data_fin_contradicted",
    "error",
    "A host signalled the end of its data and then another end, or sent data beyond it. Where its "
    "data ends is uncertain; the first place counts here.",
    "Suspect the sender, or a middlebox that rewrites data sequence numbers.",
    "3.3.3",
)
CONNECTION_OPEN: Final = FindingKind(
    "connection_open",
    "note",
    "The connection was not closed within the capture.",
    "Nothing; capture longer for figures of the whole transfer.",
    "3.3.3",
)
SUBFLOW_RESET: Final = FindingKind(
    "subflow_reset",
    "warning",
    "An established subflow was reset. Data in flight on it is sent again on the others; its "
    "capacity is lost.",
    "The reason, where there is one, says why (RFC 8684 section 3.6). Without a reason the RST may "
    "come from a middlebox or a firewall that lost its state.",
    "3.6",
)
CONNECTION_RESET: Final = FindingKind(
    "connection_reset",
    "warning",
    "The last subflow was reset, and with it the connection broke, without MP_FASTCLOSE.",
    "Data that was not acknowledged by then is lost. See who sent the RST and with which reason.",
    "3.6",
)
FASTCLOSE: Final = FindingKind(
    "fastclose",
    "warning",
    "A host aborted the whole connection with MP_FASTCLOSE, as a RST does for plain TCP: the "
    "application closed with data unread, or was killed.",
    "Intended by some applications. Otherwise look at the application on the host that sent it.",
    "3.5",
)
FASTCLOSE_KEY_WRONG: Final = FindingKind(
    "fastclose_key_wrong",
    "error",
    "An MP_FASTCLOSE names a key that is not the receiver's; it must be ignored. It may be an "
    "attempt to break the connection from outside.",
    "Look where the packet comes from (hop limit, capture on the other host).",
    "3.5",
)

KINDS: Final = (
    DATA_FIN_MISSING,
    DATA_FIN_UNACKNOWLEDGED,
    DATA_FIN_CONTRADICTED,
    CONNECTION_OPEN,
    SUBFLOW_RESET,
    CONNECTION_RESET,
    FASTCLOSE,
    FASTCLOSE_KEY_WRONG,
)

SENDER: Final[dict[DirectionName, Side]] = {
    "client_to_server": "client",
    "server_to_client": "server",
}


def unacknowledged_octets(case: Case, name: DirectionName) -> int:
    """Octets up to the highest one seen that no DATA_ACK in the capture covers."""
    if not case.was_heard(other(SENDER[name])):
        return 0
    highest = int(case.rows.spaces.highest_seen[case.space(name)]) - 1
    return max(highest - case.direction(name).acked_octets, 0)


def end_of_connection(case: Case) -> Iterator[Finding]:
    """A connection that did not close in both directions, whatever the reason."""
    used = [s for s in case.connection.subflows if s.handshake == "complete"]
    if not used or case.connection.state == "handshake" or case.has_cut_options():
        return
    end = case.connection.end
    if end == "fastclose":
        yield _fastclose(case)
    elif end == "reset":
        yield _connection_reset(case)
    elif end == "open" and any(subflow.end == "open" for subflow in used):
        text = f"The connection is still open {moment(case.end_s)}, its last packet"
        frames = [case.connection.last_packet]
        yield case.report(CONNECTION_OPEN, f"{text}{_at_risk(case)}.", frames)
    elif end == "open" and case.state.fallback is None:
        sides = [SENDER[n] for n in DIRECTIONS if not case.direction(n).data_fin]
        without = "neither host" if len(sides) == 2 else f"the {other(sides[0])} only"
        text = (
            f"All subflows are closed, and {without} had signalled the end of its data"
            f"{_at_risk(case)}."
        )
        frames = [
            seen.frame_number
            for member in case.members
            for seen in (member.initiator.fin, member.responder.fin)
            if seen is not None
        ]
        yield case.report(DATA_FIN_MISSING, text, frames)


def unacknowledged_data_fins(case: Case) -> Iterator[Finding]:
    """DATA_FINs that the capture shows no DATA_ACK of, though there was time for it."""
    if case.connection.end not in ("data_fin", "open") or case.state.fallback is not None:
        return
    for name in DIRECTIONS:
        sender = SENDER[name]
        direction = case.direction(name)
        if direction.data_fin_acked is not False or not case.was_heard(other(sender)):
            continue
        first = case.state.data_fin(from_client=sender == "client")
        if first is None or case.has_cut_options():
            continue
        waited = case.end_s - case.since_start(first.time_ns)
        if waited <= case.patience_s:
            continue
        own = [fin for fin in case.state.data_fins if fin.from_client == (sender == "client")]
        times = case.rows.data_fins[case.space(name)]
        yield case.report(
            DATA_FIN_UNACKNOWLEDGED,
            f"The {sender} signals the end of its data ({counted(times, 'DATA_FIN')}, the first "
            f"{moment(case.since_start(first.time_ns))}), and no DATA_ACK confirms it in "
            f"{seconds(waited)}.",
            [fin.frame_number for fin in own],
        )


def contradicted_data_fins(case: Case) -> Iterator[Finding]:
    """DATA_FINs at several places, or data beyond the lowest of them."""
    for name in DIRECTIONS:
        if not case.direction(name).data_fin:
            continue
        space, sender = case.space(name), SENDER[name]
        moved = case.rows.moved_data_fins.get(space, [])
        fin = int(case.rows.evidence.figures.data_fin_relative[space])
        beyond = int(case.rows.spaces.highest_seen[space]) - fin
        first = case.state.data_fin(from_client=sender == "client")
        if first is None or (not moved and beyond <= 0):
            continue
        what = [f"{counted(len(moved), 'DATA_FIN')} at another place"] if moved else []
        what += [f"{octets(beyond)} of data beyond it"] if beyond > 0 else []
        yield case.report(
            DATA_FIN_CONTRADICTED,
            f"The {sender} signals the end of its data "
            f"{moment(case.since_start(first.time_ns))}, yet there {_are(len(what), what)}.",
            [first.frame_number, *moved],
        )


def _are(parts: int, what: list[str]) -> str:
    verb = "are" if parts > 1 or not what[0].startswith("1 ") else "is"
    return f"{verb} {listed(what)}"


def resets(case: Case) -> Iterator[Finding]:
    """Subflows that were reset while the connection was alive, and not in the course of its end."""
    if case.connection.end in ("fastclose", "reset"):
        return
    for subflow, member in case.subflows:
        if subflow.end != "reset" or member.reset is None or subflow.handshake != "complete":
            continue
        if _was_to_be_expected(case, member):
            continue
        unfinished = 0
        for name in DIRECTIONS:
            if case.was_heard(other(SENDER[name])):
                way = case.way(subflow.index, SENDER[name])
                unfinished += case.rows.ways.unacknowledged[way]
        left = f"; {octets(unfinished)} on it were not acknowledged" if unfinished else ""
        yield case.report(
            SUBFLOW_RESET,
            f"The {subflow.reset_by or 'peer'} resets subflow {subflow.index} "
            f"{moment(case.since_start(member.reset.time_ns))}, {_reason(member)}{left}.",
            [member.reset.frame_number],
            subflow=subflow.index,
        )


def wrong_fastcloses(case: Case) -> Iterator[Finding]:
    """MP_FASTCLOSE with a key that is not the receiver's."""
    wrong = [signal for signal in case.state.fastcloses if signal.key_valid is False]
    notes = [n for n in case.state.notes if n.code == NoteCode.FASTCLOSE_KEY_WRONG]
    if wrong and notes:
        by_client = wrong[0].by_client
        yield case.report(
            FASTCLOSE_KEY_WRONG,
            f"An MP_FASTCLOSE of the {side_of(by_client)} names the key "
            f"0x{wrong[0].receiver_key:016x}, which is not the {side_of(not by_client)}'s.",
            [signal.frame_number for signal in wrong],
            subflow=case.index_of(wrong[0].stream),
        )


def _fastclose(case: Case) -> Finding:
    signals = [signal for signal in case.state.fastcloses if signal.key_valid is not False]
    first = signals[0]
    return case.report(
        FASTCLOSE,
        f"The {side_of(first.by_client)} aborts the connection with MP_FASTCLOSE "
        f"{moment(case.since_start(first.time_ns))}{_at_risk(case)}.",
        [signal.frame_number for signal in signals],
    )


def _connection_reset(case: Case) -> Finding:
    ended = [m for m in case.members if m.reset is not None and m.end == "reset"]
    last = max(ended, key=lambda m: m.reset.frame_number if m.reset else 0)
    when = case.since_start(last.reset.time_ns) if last.reset else case.end_s
    return case.report(
        CONNECTION_RESET,
        f"The {last.reset_by or 'peer'} resets the last subflow {moment(when)}, {_reason(last)}, "
        f"and the connection breaks{_at_risk(case)}.",
        [member.reset.frame_number for member in ended if member.reset],
    )


def _was_to_be_expected(case: Case, member: SubflowState) -> bool:
    """A RST after the address was removed, or after both hosts had ended their data."""
    reset = member.reset
    if reset is None:
        return True
    if case.removal_frames.get(member.stream, reset.frame_number + 1) <= reset.frame_number:
        return True
    ends = (case.state.client_data_fin, case.state.server_data_fin)
    return all(fin is not None and fin.frame_number < reset.frame_number for fin in ends)


def _reason(member: SubflowState) -> str:
    option = member.reset_option
    if option is None:
        return "giving no reason"
    transient = " (transient)" if option.transient else ""
    return f'giving the reason "{option.reason_name}"{transient}'


def _at_risk(case: Case) -> str:
    """What was sent and not confirmed when the connection ended."""
    parts = [
        f"{octets(amount)} {DIRECTION_WORDS[name]}"
        for name in DIRECTIONS
        if (amount := unacknowledged_octets(case, name))
    ]
    return f"; not acknowledged by then: {listed(parts)}" if parts else ""


RULES: Final = (
    end_of_connection,
    unacknowledged_data_fins,
    contradicted_data_fins,
    resets,
    wrong_fastcloses,
)
