"""Connections that go on as plain TCP, each cause with its own code (RFC 8684 section 3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.signals import FallbackCause
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import CapturePoint, Finding

FALLBACK_SYN_ACK: Final = FindingKind(
    "fallback_syn_ack",
    "warning",
    "The SYN offered MPTCP, but the SYN/ACK did not: the server has no MPTCP, or a middlebox "
    "removed the option on the way. The connection is plain TCP.",
    "Check net.mptcp.enabled and that the server's application opens an MPTCP socket "
    "(mptcpize run). If it does, capture on the server: if the SYN arrives there without "
    "MP_CAPABLE, a middlebox removed it.",
    "3.7",
)
FALLBACK_SYN_RETRANSMISSION: Final = FindingKind(
    "fallback_syn_retransmission",
    "warning",
    "SYNs with MP_CAPABLE got no answer, and the client tried again without it, since some "
    "middleboxes drop SYNs with options that they don't know. The connection is plain TCP.",
    "If it happens again and again on this path, a middlebox drops MPTCP. Once is likely to be an "
    "ordinary loss.",
    "3.7",
)
FALLBACK_THIRD_ACK: Final = FindingKind(
    "fallback_third_ack",
    "warning",
    "The server accepted MPTCP, but neither the client's third ACK nor its first data has "
    "MP_CAPABLE. The connection is plain TCP.",
    "A middlebox removes MPTCP options: from the SYN/ACK if the client's capture lacks it there, "
    "from the third ACK if the client sent it.",
    "3.7",
)
FALLBACK_FIRST_DATA: Final = FindingKind(
    "fallback_first_data",
    "warning",
    "Both hosts agreed on MPTCP, but the first data carries no DSS option: its sender does not "
    "believe that the other one uses MPTCP. The connection is plain TCP.",
    "A middlebox removes MPTCP options from packets behind the SYN. Capture on both hosts to see "
    "in which direction.",
    "3.7",
)
FALLBACK_DSS_STOPPED: Final = FindingKind(
    "fallback_dss_stopped",
    "warning",
    "A host that had sent DSS options stops doing so and closes its only subflow without a "
    "DATA_FIN: it has fallen back to TCP in the middle, without an MP_FAIL or an infinite mapping.",
    "Look for a wrong DSS checksum before it (checksum_wrong): a host whose very first data fails "
    "its checksum falls back in this way. Otherwise a middlebox began to remove options.",
    "3.7",
)
FALLBACK_CHECKSUM: Final = FindingKind(
    "fallback_checksum",
    "warning",
    "A DSS checksum failed on the only subflow, and the hosts agreed with MP_FAIL to go on as "
    "plain TCP. What was changed on the way is in the data that the application read, or the "
    "transfer hangs.",
    "Find the middlebox that rewrites payload (an application-level gateway, a proxy) and take "
    "this port out of its rules.",
    "3.7",
)
FALLBACK_INFINITE_MAPPING: Final = FindingKind(
    "fallback_infinite_mapping",
    "warning",
    "A host mapped all the rest of the subflow onto the data at once (a mapping of length 0), "
    "without an MP_FAIL in the capture. The connection goes on as plain TCP.",
    "Look whether the MP_FAIL that asked for it was not captured; otherwise the implementation "
    "falls back for a reason of its own.",
    "3.7",
)

KINDS: Final = (
    FALLBACK_SYN_ACK,
    FALLBACK_SYN_RETRANSMISSION,
    FALLBACK_THIRD_ACK,
    FALLBACK_FIRST_DATA,
    FALLBACK_DSS_STOPPED,
    FALLBACK_CHECKSUM,
    FALLBACK_INFINITE_MAPPING,
)

_KIND_OF_CAUSE: Final[dict[FallbackCause, FindingKind]] = {
    "mp_capable_missing_in_syn_ack": FALLBACK_SYN_ACK,
    "mp_capable_missing_in_syn_retransmission": FALLBACK_SYN_RETRANSMISSION,
    "mp_capable_missing_in_third_ack": FALLBACK_THIRD_ACK,
    "dss_missing_on_first_data": FALLBACK_FIRST_DATA,
    "dss_stopped": FALLBACK_DSS_STOPPED,
    "checksum_failure": FALLBACK_CHECKSUM,
    "infinite_mapping": FALLBACK_INFINITE_MAPPING,
}


def fallback(case: Case) -> Iterator[Finding]:
    """Why this connection is plain TCP."""
    fallen = case.state.fallback
    if fallen is None:
        return
    index = case.index_of(fallen.stream)
    initial = case.state.initial_subflow
    seen_from = case.connection.capture_point
    frames = [fallen.frame_number]
    if fallen.cause == "mp_capable_missing_in_syn_ack":
        text = _syn_ack_words(seen_from)
    elif fallen.cause == "mp_capable_missing_in_syn_retransmission":
        text = "SYNs with MP_CAPABLE got no answer, and a repeated one leaves it out"
        if initial is not None:
            seen = (initial.syn, initial.syn_without_option)
            frames += [appearance.frame_number for appearance in seen if appearance is not None]
    elif fallen.cause == "mp_capable_missing_in_third_ack":
        text = _third_ack_words(seen_from)
        if initial is not None and initial.syn_ack is not None:
            frames.append(initial.syn_ack.frame_number)
    elif fallen.cause == "dss_missing_on_first_data":
        text = _first_data_words(case, fallen.frame_number)
    elif fallen.cause == "dss_stopped":
        text = f"the {_closer(case, fallen.frame_number)} sends no DSS any more, and no DATA_FIN"
    elif fallen.cause == "checksum_failure":
        text = "a DSS checksum failed on its only subflow"
        frames += [fail.frame_number for fail in case.state.fails]
        frames += [mapping.frame_number for mapping in case.state.infinite_mappings[:1]]
    else:
        text = "a host maps all the rest of the subflow at once, and no MP_FAIL was seen before"
    when = moment(case.since_start(fallen.time_ns))
    yield case.report(
        _KIND_OF_CAUSE[fallen.cause],
        f"The connection goes on as plain TCP {when}: {text}.",
        frames,
        subflow=index,
    )


def _syn_ack_words(seen_from: CapturePoint | None) -> str:
    text = "the SYN offers MPTCP, the SYN/ACK does not"
    if seen_from == "server":
        return (
            f"{text}. Captured near the server, where the SYN still has MP_CAPABLE: the server "
            "does not use MPTCP, or the option is removed on its own host"
        )
    return f"{text}. The server has no MPTCP, or a middlebox removed the option"


def _third_ack_words(seen_from: CapturePoint | None) -> str:
    text = "the server accepts MPTCP, the client's next packets have no MP_CAPABLE"
    if seen_from == "server":
        return f"{text}. A middlebox removed it from the SYN/ACK or from the third ACK"
    if seen_from == "client":
        return (
            f"{text}. Captured near the client, where the SYN/ACK still has it: the client gave "
            "MPTCP up, or the option is removed on its own host"
        )
    return text


def _closer(case: Case, frame: int) -> str:
    for member in case.members:
        if member.client.fin is not None and member.client.fin.frame_number == frame:
            return "client"
    return "server"


def _first_data_words(case: Case, frame: int) -> str:
    who = ""
    for member in case.members:
        for side, host in (("client", member.client), ("server", member.server)):
            if host.first_payload is not None and host.first_payload.frame_number == frame:
                who = f" of the {side}"
    return (
        f"the handshake agrees on MPTCP, but the first data{who} has no DSS. MPTCP options were "
        "lost on the way to it"
    )


RULES: Final = (fallback,)
