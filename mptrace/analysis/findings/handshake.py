"""How the connection opened: keys, versions, no answer, a beginning that was not captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.signals import NoteCode
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import moment, other, path, seconds, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.signals import Note
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import Finding, Subflow

KEY_ECHOED_WRONGLY: Final = FindingKind(
    "key_echoed_wrongly",
    "error",
    "The key that the client repeats at the end of the handshake is not the one that the server "
    "sent. Somebody between them changed it, or the client is wrong; the connection can't be "
    "joined by further subflows.",
    "Capture on both hosts and compare the keys of the SYN/ACK and the third ACK: the side where "
    "they differ from what was sent is beyond the middlebox.",
    "3.1",
)
KEY_CHANGED: Final = FindingKind(
    "key_changed",
    "warning",
    "A repeated packet of the handshake carries another key than the first one did. Which of "
    "them counts is uncertain, and joins may be refused for it.",
    "Look whether a load balancer sent the retransmission to another server, or whether a "
    "middlebox rewrites keys.",
    "3.1",
)
VERSION_LOWERED: Final = FindingKind(
    "version_lowered",
    "note",
    "The server answered with an older MPTCP version than the client offered, and the connection "
    "uses the older one.",
    "Nothing, unless you expected the newer version: then the server needs a newer MPTCP.",
    "3.1",
)
VERSION_RAISED: Final = FindingKind(
    "version_raised",
    "error",
    "A later packet of the handshake has a higher MPTCP version than was offered, which is not "
    "allowed.",
    "Suspect the implementation that sent it, or a middlebox that rewrites MP_CAPABLE.",
    "3.1",
)
VERSION_UNKNOWN: Final = FindingKind(
    "version_unknown",
    "warning",
    "An MP_CAPABLE has a version that is neither 0 nor 1: its keys can't be read, and nothing "
    "that depends on them can be checked.",
    "Find out which implementation sent it; the versions in use are 0 (RFC 6824) and 1 (RFC 8684).",
    "3.1",
)
CONNECTION_UNANSWERED: Final = FindingKind(
    "connection_unanswered",
    "warning",
    "The SYN with MP_CAPABLE, and its repetitions, got no answer at all.",
    "Check that the server can be reached. If plain TCP to the same port works, a middlebox drops "
    "SYNs with MPTCP options.",
    "3.1",
)
CONNECTION_REFUSED: Final = FindingKind(
    "connection_refused",
    "warning",
    "The connection was refused with a RST before its handshake was complete.",
    "Check that something listens on that port. If plain TCP works, a firewall refuses MPTCP.",
    "3.1",
)
HANDSHAKE_INCOMPLETE: Final = FindingKind(
    "handshake_incomplete",
    "note",
    "The handshake began, but what is in the capture does not complete it.",
    "Nothing if the capture ends there; otherwise look for the third ACK on the way to the server.",
    "3.1",
)
CONNECTION_PARTIAL: Final = FindingKind(
    "connection_partial",
    "note",
    "The beginning of the connection is not in the capture. Without its keys, tokens and HMACs "
    "can't be checked, subflows are grouped by their data sequence numbers, and data sequence "
    "numbers are counted from the first that was seen.",
    "For a complete analysis start the capture before the connection, on all interfaces "
    "(tcpdump -i any).",
    "3.1",
)
ONE_SIDE_ONLY: Final = FindingKind(
    "one_side_only",
    "warning",
    "Only one host's packets are in the capture, so nothing can be said of answers, "
    "acknowledgements and round-trip times.",
    "Capture where both directions pass: on a host, or on both links of an asymmetric route.",
)

KINDS: Final = (
    KEY_ECHOED_WRONGLY,
    KEY_CHANGED,
    VERSION_LOWERED,
    VERSION_RAISED,
    VERSION_UNKNOWN,
    CONNECTION_UNANSWERED,
    CONNECTION_REFUSED,
    HANDSHAKE_INCOMPLETE,
    CONNECTION_PARTIAL,
    ONE_SIDE_ONLY,
)

_NOTES: Final = {
    NoteCode.KEY_ECHOED_WRONGLY: KEY_ECHOED_WRONGLY,
    NoteCode.KEY_CHANGED: KEY_CHANGED,
    NoteCode.VERSION_LOWERED: VERSION_LOWERED,
    NoteCode.VERSION_RAISED: VERSION_RAISED,
    NoteCode.VERSION_UNKNOWN: VERSION_UNKNOWN,
}


def handshake_notes(case: Case) -> Iterator[Finding]:
    """What the handshake's own rules noted: one finding of each kind, the first one in words."""
    if not case.state.notes:
        return
    by_kind: dict[str, list[Note]] = {}
    for note in case.state.notes:
        if note.code in _NOTES:
            by_kind.setdefault(note.code, []).append(note)
    for code, notes in by_kind.items():
        kind = _NOTES[NoteCode(code)]
        subflow = case.index_of(notes[0].stream)
        yield case.report(
            kind, sentence(notes[0].text), [n.frame_number for n in notes], subflow=subflow
        )


def opening(case: Case) -> Iterator[Finding]:
    """A handshake that got no answer, was refused, or stops half-way."""
    if case.state.state != "handshake" or not case.connection.subflows:
        return
    subflow, member = case.connection.subflows[0], case.members[0]
    if subflow.kind != "initial" or member.syn is None:
        return
    frames = [member.syn.frame_number]
    waited = case.capture.duration_s - case.since_start(member.syn.time_ns)
    if subflow.handshake == "refused" and member.reset is not None:
        frames.append(member.reset.frame_number)
        yield case.report(
            CONNECTION_REFUSED,
            f"The connection from {path(subflow)} is refused with a RST "
            f"{seconds((member.reset.time_ns - member.syn.time_ns) * 1e-9)} after its SYN.",
            frames,
            subflow=0,
        )
    elif _is_unanswered(case, subflow, waited):
        again = "" if member.syn_count < 2 else f", sent {member.syn_count} times,"
        yield case.report(
            CONNECTION_UNANSWERED,
            f"The SYN from {path(subflow)}{again} gets no answer in {seconds(waited)}.",
            frames,
            subflow=0,
        )
    elif not case.has_cut_options():
        if member.syn_ack is not None:
            frames.append(member.syn_ack.frame_number)
        yield case.report(
            HANDSHAKE_INCOMPLETE,
            f"The handshake from {path(subflow)} is not complete where the capture, or the "
            f"connection, ends {moment(case.end_s)}.",
            frames,
            subflow=0,
        )


def _is_unanswered(case: Case, subflow: Subflow, waited: float) -> bool:
    repeated = case.members[0].syn_count > 1
    silent = subflow.handshake == "no_syn_ack" and not case.was_heard("server")
    return silent and (repeated or waited > case.patience_s)


def beginning_missing(case: Case) -> Iterator[Finding]:
    """A connection that was found in the middle of its life."""
    if case.connection.state != "partial":
        return
    if any(s.handshake in ("complete", "not_captured") for s in case.connection.subflows):
        yield case.report(
            CONNECTION_PARTIAL,
            "The MP_CAPABLE handshake of this connection is not in the capture: keys are unknown, "
            "so that HMACs can't be checked and figures begin with the first packet seen.",
            [case.connection.first_packet],
        )


def one_side_only(case: Case) -> Iterator[Finding]:
    """Packets of one direction only, and more of them than an unanswered handshake has."""
    silent = case.uncaptured_side
    if silent is not None:
        yield case.report(
            ONE_SIDE_ONLY,
            f"The capture has packets of the {other(silent)} only; those of the {silent} took "
            "another way or were filtered out.",
            [case.connection.first_packet, case.connection.last_packet],
        )


RULES: Final = (handshake_notes, opening, beginning_missing, one_side_only)
