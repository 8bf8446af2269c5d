"""Further subflows that did not come to be, each cause with its own code (RFC 8684 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.constants import TcpResetReason
from dissector.signals import NoteCode
from mptrace.analysis.findings.case import report
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import (
    address_and_port,
    listed,
    moment,
    other,
    seconds,
    sentence,
    subflow_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.signals import Note
    from dissector.subflow import SubflowState
    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import Finding, Side, Subflow

JOIN_UNANSWERED: Final = FindingKind(
    "join_unanswered",
    "warning",
    "A host tried to add a subflow and got no answer to its SYNs: this path carries nothing.",
    "Check routing and firewalls of that path: `ip rule` and `ip route` for the source address, "
    "and whether the other host can be reached from it.",
    "3.2",
)
JOIN_REFUSED: Final = FindingKind(
    "join_refused",
    "warning",
    "A new subflow was refused with a RST. Its reason, where there is one, is in the message; "
    "`MPTCP-specific error` is given for a token that the receiver does not know, a wrong HMAC, "
    "or an MP_JOIN that arrived without its option.",
    "Without a reason: nothing listens at that address and port, or a firewall refuses. With one: "
    "compare captures of both hosts, since a middlebox may have changed the handshake.",
    "3.2",
)
JOIN_PROHIBITED: Final = FindingKind(
    "join_prohibited",
    "warning",
    "The other host does not want this subflow: it refused it as prohibited, or for lack of "
    "resources. Linux says so when its limit of subflows is reached.",
    "Raise the limits where more subflows are wanted: `ip mptcp limits set subflows N "
    "add_addr_accepted N` on the host that refused.",
    "3.2",
)
JOIN_OPTION_REMOVED: Final = FindingKind(
    "join_option_removed",
    "warning",
    "The handshake of a new subflow lost its MP_JOIN option: a middlebox on that path removes "
    "MPTCP options (or another program answers on that address). The subflow can't be used.",
    "Capture at both ends of this path to see on which side of it the option disappears; use "
    "another path, or a tunnel, where the middlebox can't be changed.",
    "3.2",
)
JOIN_HMAC_WRONG: Final = FindingKind(
    "join_hmac_wrong",
    "error",
    "The HMAC by which a new subflow proves to belong to the connection is wrong: a middlebox "
    "changed the handshake (addresses are not covered, keys and nonces are), an implementation is "
    "wrong, or somebody without the keys tried to join.",
    "Compare the nonces and the HMAC in captures of both hosts. If they are equal on both, suspect "
    "the implementation or an attack.",
    "3.2",
)
JOIN_TOKEN_UNKNOWN: Final = FindingKind(
    "join_token_unknown",
    "warning",
    "An MP_JOIN names a connection by a token that no key in the capture explains, and it did not "
    "succeed: the connection had ended, the token was changed on the way, or it is an attack.",
    "Compare the token with those of the connections in the capture of the host that sent it.",
    "3.2",
)
JOIN_THIRD_ACK_MISSING: Final = FindingKind(
    "join_third_ack_missing",
    "warning",
    "A new subflow was answered, but its third packet never came, so that it carries nothing.",
    "Look for the MP_JOIN ACK in a capture of the host that started the subflow: it was lost again "
    "and again, or never sent.",
    "3.2",
)
JOIN_UNFINISHED: Final = FindingKind(
    "join_unfinished",
    "note",
    "The capture or the connection ends before the handshake of a new subflow could be complete.",
    "Nothing.",
    "3.2",
)
JOIN_BY_OTHER_HASH: Final = FindingKind(
    "join_by_other_hash",
    "error",
    "The token of an MP_JOIN is made with the hash of the other MPTCP version (SHA-1 in v0, "
    "SHA-256 in v1) than the handshake agreed on.",
    "An implementation mixes the versions up: see which host sent the MP_JOIN.",
    "3.2",
)
JOIN_AFTER_CLOSE: Final = FindingKind(
    "join_after_close",
    "warning",
    "A host tried to add a subflow to a connection that both had already closed.",
    "Harmless now and then (a join that was slower than the end); if it is frequent, look at the "
    "path manager of the host that sent it.",
    "3.2",
)
JOIN_DENIED_ADDRESS: Final = FindingKind(
    "join_denied_address",
    "error",
    "A host opened a subflow to an address and port whose owner had asked in its MP_CAPABLE not "
    "to (flag C).",
    "The path manager that did so ignores flag C, which RFC 8684 forbids. Servers behind load "
    "balancers set it on purpose.",
    "3.1",
)
HANDSHAKE_STRIPPED: Final = FindingKind(
    "handshake_stripped",
    "warning",
    "A TCP handshake without any MPTCP option was followed by a RST with MP_TCPRST. Only a host "
    "that had sent MPTCP sends that: a middlebox removed the options from the handshake.",
    "Capture at the other end: the SYN will have left with MP_CAPABLE or MP_JOIN.",
    "3.2",
)

KINDS: Final = (
    JOIN_UNANSWERED,
    JOIN_REFUSED,
    JOIN_PROHIBITED,
    JOIN_OPTION_REMOVED,
    JOIN_HMAC_WRONG,
    JOIN_TOKEN_UNKNOWN,
    JOIN_THIRD_ACK_MISSING,
    JOIN_UNFINISHED,
    JOIN_BY_OTHER_HASH,
    JOIN_AFTER_CLOSE,
    JOIN_DENIED_ADDRESS,
    HANDSHAKE_STRIPPED,
)

_PROHIBITIONS: Final = frozenset(
    {TcpResetReason.LACK_OF_RESOURCES, TcpResetReason.ADMINISTRATIVELY_PROHIBITED}
)
_NOTES: Final = {
    NoteCode.JOIN_BY_OTHER_HASH: JOIN_BY_OTHER_HASH,
    NoteCode.JOIN_AFTER_CLOSE: JOIN_AFTER_CLOSE,
    NoteCode.JOIN_DENIED_ADDRESS: JOIN_DENIED_ADDRESS,
}


def failed_joins(case: Case) -> Iterator[Finding]:
    """Each subflow that asked to join and did not come to be, once, by its cause."""
    if len(case.members) < 2 and case.state.state != "partial":
        return
    for subflow, member in case.subflows:
        if subflow.kind != "join" or member.syn is None:
            continue
        wrong = _wrong_hmac(case, subflow, member)
        if wrong is not None:
            yield wrong
        elif subflow.handshake not in ("complete", "not_captured") and not case.uncaptured_side:
            yield _failure(case, subflow, member)


def join_notes(case: Case) -> Iterator[Finding]:
    """What the rules of joining noted."""
    by_place: dict[tuple[str, int | None], list[Note]] = {}
    for note in case.state.notes:
        if note.code in _NOTES:
            by_place.setdefault((note.code, case.index_of(note.stream)), []).append(note)
    for (code, subflow), notes in by_place.items():
        frames = [note.frame_number for note in notes]
        yield case.report(_NOTES[NoteCode(code)], sentence(notes[0].text), frames, subflow=subflow)


def stripped_handshakes(control: ControlPlane) -> Iterator[Finding]:
    """Streams whose handshake has no MPTCP and that a host resets as if it had."""
    found = [
        subflow
        for stream, ends in control.endpoints.items()
        if ends.handshake_captured
        and (subflow := control.table.subflow(stream)) is not None
        and subflow.connection is None
        and subflow.reset is not None
        and subflow.reset_option is not None
    ]
    if not found:
        return
    ends = found[0].endpoints
    name = (
        f"TCP stream {found[0].stream} "
        f"({address_and_port(ends.initiator_address, ends.initiator_port)} to "
        f"{address_and_port(ends.responder_address, ends.responder_port)})"
    )
    if len(found) > 1:
        name = f"{len(found)} TCP streams (the first: {name}) have"
    else:
        name += " has"
    seen = [s for subflow in found for s in (subflow.syn, subflow.syn_ack, subflow.reset) if s]
    yield report(
        HANDSHAKE_STRIPPED,
        f"{name} no MPTCP option in the handshake, but a RST with MP_TCPRST: a middlebox removed "
        "MP_JOIN or MP_CAPABLE from the handshake.",
        [appearance.frame_number for appearance in seen],
    )


def _wrong_hmac(case: Case, subflow: Subflow, member: SubflowState) -> Finding | None:
    sides: tuple[Side, Side] = ("client", "server")
    wrong = [side for side in sides if getattr(subflow.hmac_valid, side) is False]
    if not wrong:
        return None
    frames = []
    packets = []
    for side in wrong:
        starts = side == member.started_by
        seen = member.third_ack if starts else member.syn_ack
        packets.append(f"the {side}'s MP_JOIN {'ACK' if starts else 'SYN/ACK'}")
        if seen is not None:
            frames.append(seen.frame_number)
    if member.reset is not None:
        frames.append(member.reset.frame_number)
    came = "came to be all the same" if subflow.handshake == "complete" else "did not come to be"
    text = f"The HMAC in {listed(packets)} is wrong: {subflow_words(subflow)} {came}."
    return case.report(JOIN_HMAC_WRONG, text, frames, subflow=subflow.index)


def _failure(case: Case, subflow: Subflow, member: SubflowState) -> Finding:
    syn = member.syn
    assert syn is not None  # noqa: S101 - the caller looked
    frames = [syn.frame_number]
    name = subflow_words(subflow)
    asking: Side = member.started_by
    if member.reset is not None:
        frames.append(member.reset.frame_number)
    if _token_is_unknown(case, member):
        how = "is refused" if subflow.handshake == "refused" else "does not come to be"
        text = (
            f"The MP_JOIN of {name} has token 0x{member.token or 0:08x}, which no key in the "
            f"capture explains, and {how}{_reason(subflow)}."
        )
        return case.report(JOIN_TOKEN_UNKNOWN, text, frames, subflow=subflow.index)
    if subflow.handshake == "option_removed":
        where = "SYN/ACK" if member.syn_ack_option is False else "third ACK"
        seen = member.syn_ack if where == "SYN/ACK" else member.third_ack
        if seen is not None:
            frames.append(seen.frame_number)
        text = f"The {where} of {name} has no MP_JOIN: a middlebox on this path removed the option"
        return case.report(
            JOIN_OPTION_REMOVED, f"{text}{_ending(subflow)}.", frames, subflow=subflow.index
        )
    if subflow.handshake == "refused":
        return _refusal(case, subflow, member, frames)
    if member.syn_ack is not None:
        frames.append(member.syn_ack.frame_number)
    last = member.syn_ack or syn
    waited = case.end_s - case.since_start(last.time_ns)
    if waited <= case.patience_s and member.syn_count < 2:
        text = f"The handshake of {name} is not complete where the connection ends"
        later = f", {seconds(waited)} later" if waited > 0 else ""
        return case.report(JOIN_UNFINISHED, f"{text}{later}.", frames, subflow=subflow.index)
    if subflow.handshake == "no_third_ack":
        text = f"The {other(asking)} answers the join of {name}, but the third packet never comes"
        return case.report(
            JOIN_THIRD_ACK_MISSING, f"{text} ({seconds(waited)}).", frames, subflow=subflow.index
        )
    times = "" if member.syn_count < 2 else f", repeated {member.syn_count - 1} times,"
    text = f"The MP_JOIN SYN of {name}{times} gets no answer in {seconds(waited)}."
    return case.report(JOIN_UNANSWERED, text, frames, subflow=subflow.index)


def _refusal(case: Case, subflow: Subflow, member: SubflowState, frames: list[int]) -> Finding:
    asking: Side = member.started_by
    prohibited = subflow.reset_reason is not None and subflow.reset_reason.code in _PROHIBITIONS
    who = subflow.reset_by or other(asking)
    when = "" if member.reset is None else f" {moment(case.since_start(member.reset.time_ns))}"
    if who == asking:
        text = f"The {who}, which had started {subflow_words(subflow)}, breaks it off{when}"
    else:
        text = f"The {who} refuses {subflow_words(subflow)}{when}"
    kind = JOIN_PROHIBITED if prohibited else JOIN_REFUSED
    return case.report(kind, f"{text}{_reason(subflow)}.", frames, subflow=subflow.index)


def _token_is_unknown(case: Case, member: SubflowState) -> bool:
    """In a whole connection the token was found; in a partial one nothing explained it."""
    return case.state.state == "partial" and member.token is not None and not member.carries_dss


def _reason(subflow: Subflow) -> str:
    if subflow.reset_reason is None:
        return " with a RST that gives no reason" if subflow.end == "reset" else ""
    transient = ", transient" if subflow.reset_reason.transient else ""
    return f' with a RST that says "{subflow.reset_reason.name}"{transient}'


def _ending(subflow: Subflow) -> str:
    if subflow.reset_by is None:
        return ""
    return f", and the {subflow.reset_by} ends it{_reason(subflow)}"


RULES: Final = (failed_joins, join_notes)
