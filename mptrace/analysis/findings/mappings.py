"""Mappings and what covers payload: checksums, conflicts, unmapped octets (RFC 8684 3.3, 3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.columns.tables import SYN
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import counted, moment, octets, other, side_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.signals import FailSignal
    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import Finding, Side

CHECKSUM_WRONG: Final = FindingKind(
    "checksum_wrong",
    "error",
    "The DSS checksum over captured payload does not match: the payload, or its mapping, was "
    "changed between the sender and the capture point.",
    "A middlebox rewrites payload (an FTP or SIP gateway, a transparent proxy). Compare with a "
    "capture at the sender to find where.",
    "3.3.1",
)
MP_FAIL: Final = FindingKind(
    "mp_fail",
    "error",
    "A host reports with MP_FAIL that a DSS checksum failed when data arrived: something between "
    "the hosts changed the payload.",
    "The rewriting happens between the capture point and this host if the capture shows no wrong "
    "checksum, before the capture point if it does.",
    "3.7",
)
UNMAPPED_DATA: Final = FindingKind(
    "unmapped_data",
    "error",
    "Payload arrived that no mapping places in the data of the connection, though the connection "
    "did not fall back. The receiver can't use it.",
    "A middlebox removed DSS options, or split or merged segments beyond their mapping; otherwise "
    "suspect the sender.",
    "3.3.1",
)
MAPPING_NOT_CAPTURED: Final = FindingKind(
    "mapping_not_captured",
    "note",
    "Payload has no mapping in the capture, but packets before it are missing there, one of which "
    "will have carried it. This payload is in no figure of the connection.",
    "Nothing for the connection; for a complete analysis capture without losing packets, from the "
    "beginning.",
    "3.3.1",
)
FAST_OPEN_DATA: Final = FindingKind(
    "fast_open_data",
    "note",
    "The SYN carried data (TCP Fast Open), and the server took it. Such data has no data sequence "
    "numbers: no mapping covers it, no DATA_ACK confirms it, and it is in no figure of the "
    "connection's data.",
    "Nothing; count these octets in where the application's octets are compared with the figures.",
    "B.2",
)
MAPPING_CONFLICT: Final = FindingKind(
    "mapping_conflict",
    "error",
    "Two mappings give the same octets of a subflow different places in the data. The first one "
    "counts here, as it does for a receiver that has it in force.",
    "Suspect the sender, or a middlebox that replays or rewrites options.",
    "3.3.1",
)
DSN_IMPLAUSIBLE: Final = FindingKind(
    "dsn_implausible",
    "error",
    "A data sequence number lies far outside of the connection's data: it was changed on the way, "
    "or the sender is wrong. Such mappings are left out of all figures.",
    "Compare the option with a capture at the sender.",
    "3.3.1",
)

KINDS: Final = (
    CHECKSUM_WRONG,
    MP_FAIL,
    UNMAPPED_DATA,
    MAPPING_NOT_CAPTURED,
    FAST_OPEN_DATA,
    MAPPING_CONFLICT,
    DSN_IMPLAUSIBLE,
)

_MAPPING_MAX_OCTETS: Final = 0xFFFF
"""A mapping's length has 16 bits: it can't have been announced further back than this."""


def wrong_checksums(case: Case) -> Iterator[Finding]:
    """Mappings whose checksum fails in the capture, per direction of a subflow."""
    if not case.rows.wrong_checksums:
        return
    mappings = case.rows.plane.mappings
    for subflow, sender, way in _ways(case):
        wrong = case.rows.wrong_checksums.get(way)
        if wrong is None:
            continue
        amount = int(mappings.length[np.array(wrong)].sum())
        text = (
            f"{counted(len(wrong), 'DSS checksum')} of the {sender}'s data on subflow {subflow} "
            f"({octets(amount)}) {'is' if len(wrong) == 1 else 'are'} wrong: the payload was "
            "changed before it was captured."
        )
        frames = case.rows.frames_of_mappings(wrong)
        yield case.report(CHECKSUM_WRONG, text, frames, subflow=subflow)


def fail_signals(case: Case) -> Iterator[Finding]:
    """MP_FAIL, per subflow: who reports it, and whether the other host answers."""
    by_stream: dict[int, list[FailSignal]] = {}
    for fail in case.state.fails:
        by_stream.setdefault(fail.stream, []).append(fail)
    for stream, fails in by_stream.items():
        subflow = case.index_of(stream)
        reporter = side_of(fails[0].from_client)
        text = (
            f"The {reporter} reports a failed DSS checksum on subflow {subflow} "
            f"{moment(case.since_start(fails[0].time_ns))}"
        )
        if fails[0].with_reset:
            text += ", and resets the subflow"
        if any(fail.from_client != fails[0].from_client for fail in fails):
            text += f"; the {other(reporter)} answers with MP_FAIL"
        text += ". The payload was changed on the way."
        frames = [fail.frame_number for fail in fails]
        yield case.report(MP_FAIL, text, frames, subflow=subflow)


def unmapped(case: Case) -> Iterator[Finding]:
    """Payload without a mapping; told apart is what the capture may only have missed."""
    if not case.rows.unmapped or case.state.fallback is not None:
        return
    plane = case.rows.plane
    for subflow, sender, way in _ways(case):
        found = case.rows.unmapped.get(way)
        if found is None or case.has_cut_options(subflow):
            continue
        positions = np.array(found)
        of_syn = (plane.subflows.segments.flags[plane.payload_rows[positions]] & SYN) != 0
        if of_syn.any():
            yield _fast_open(case, subflow, sender, positions[of_syn])
            positions = positions[~of_syn]
        rows = plane.payload_rows[positions]
        doubtful = _after_a_gap(case, way, rows)
        for kind, chosen, reason in (
            (UNMAPPED_DATA, ~doubtful, "though the connection did not fall back"),
            (MAPPING_NOT_CAPTURED, doubtful, "since packets before it are not in the capture"),
        ):
            which = positions[chosen]
            if not which.size:
                continue
            text = (
                f"{octets(int(plane.unmapped[which].sum()))} of the {sender}'s payload on subflow "
                f"{subflow} ({counted(which.size, 'packet')}) have no mapping, {reason}."
            )
            frames = case.rows.frames_of_payload(which.tolist())
            yield case.report(kind, text, frames, subflow=subflow)


def _fast_open(case: Case, subflow: int, sender: Side, positions: I64) -> Finding:
    amount = int(case.rows.plane.unmapped[positions].max())
    text = (
        f"The {sender}'s SYN on subflow {subflow} carries {octets(amount)} of data (TCP Fast "
        "Open), which are not part of the data sequence space."
    )
    frames = case.rows.frames_of_payload(positions.tolist())
    return case.report(FAST_OPEN_DATA, text, frames, subflow=subflow)


def conflicts(case: Case) -> Iterator[Finding]:
    """Mappings that contradict earlier ones."""
    if not case.rows.conflicting:
        return
    mappings = case.rows.plane.mappings
    for subflow, sender, way in _ways(case):
        found = case.rows.conflicting.get(way)
        if found is None:
            continue
        amount = int(mappings.length[np.array(found)].sum())
        verb = "contradicts" if len(found) == 1 else "contradict"
        text = (
            f"{counted(len(found), 'mapping')} of the {sender} on subflow {subflow} "
            f"({octets(amount)}) {verb} an earlier mapping of the same octets."
        )
        frames = case.rows.frames_of_mappings(found)
        yield case.report(MAPPING_CONFLICT, text, frames, subflow=subflow)


def implausible_numbers(case: Case) -> Iterator[Finding]:
    """DSNs that can't belong to the connection."""
    if not case.rows.implausible:
        return
    plane = case.rows.plane
    for subflow, sender, way in _ways(case):
        found = case.rows.implausible.get(way)
        if found is None:
            continue
        rows = plane.dss_row[np.array(found)]
        frames = plane.subflows.segments.frame_number[rows].tolist()
        text = (
            f"{counted(len(found), 'DSS option')} of the {sender} on subflow {subflow} "
            f"{'has a data sequence number' if len(found) == 1 else 'have data sequence numbers'} "
            f"far outside of the connection's data, such as "
            f"0x{int(plane.expanded.data_seq[found[0]]):016x}."
        )
        yield case.report(DSN_IMPLAUSIBLE, text, frames, subflow=subflow)


def _ways(case: Case) -> Iterator[tuple[int, Side, int]]:
    """Subflow, sender and way number of each direction of each subflow."""
    for index, member in enumerate(case.members):
        number = case.first_subflow + index
        for backwards in (False, True):
            yield index, side_of(member.client_is_initiator != backwards), 2 * number + backwards


def _after_a_gap(case: Case, way: int, rows: I64) -> Bool:
    """Rows close behind subflow octets that were not captured, or at an uncaptured beginning."""
    plane = case.rows.plane
    subflows = plane.subflows
    first, last = int(subflows.way_first[way]), int(subflows.way_first[way + 1])
    segments = subflows.segments
    own = np.arange(first, last)[segments.payload_length[first:last] > 0]
    own = own[np.argsort(subflows.place[own], kind="stable")]
    start, end = subflows.place[own], subflows.place_end[own]
    reach = np.maximum.accumulate(end)
    behind_gap = np.flatnonzero(start[1:] > reach[:-1]) + 1
    gaps = start[behind_gap]
    if not subflows.initial_seq_known[way] or start[0] > subflows.origin[way] + 1:
        gaps = np.append(gaps, start[0])
    gaps = np.sort(gaps)
    nearest = np.searchsorted(gaps, subflows.place[rows], side="right") - 1
    found = nearest >= 0
    found[found] = subflows.place[rows[found]] - gaps[nearest[found]] < _MAPPING_MAX_OCTETS
    return found


RULES: Final = (wrong_checksums, fail_signals, unmapped, conflicts, implausible_numbers)
