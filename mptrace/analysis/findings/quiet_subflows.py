"""Subflows that fall silent, or that carry nothing although they could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.findings.case import DIRECTIONS, sent_by
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import moment, octets, other, path, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.subflow import SubflowState
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import DirectionName, Finding, Side, Subflow

SUBFLOW_SILENT: Final = FindingKind(
    "subflow_silent",
    "warning",
    "An established subflow fell silent without FIN or RST while the connection went on: its path "
    "broke (Wi-Fi left, cable pulled, NAT state lost).",
    "Look at the interface or the path at that moment. REMOVE_ADDR would have told the other host "
    "at once.",
    "3.4.2",
)
SUBFLOW_IDLE: Final = FindingKind(
    "subflow_idle",
    "note",
    "A subflow was established, is no backup, and carried no data, though much was sent after it "
    "came to be.",
    "The scheduler preferred other paths (a far lower round-trip time), or the transfer never "
    "filled them. Check the path's round-trip time if you expected its share.",
    "3.3.5",
)

KINDS: Final = (SUBFLOW_SILENT, SUBFLOW_IDLE)

_IDLE_OCTETS: Final = 50_000
"""So much must have been sent after a subflow came to be before its idleness is worth a word."""


def silent_subflows(case: Case) -> Iterator[Finding]:
    """Subflows that nobody closed and that had nothing to say any more while others lived."""
    for subflow in case.connection.subflows:
        if subflow.end != "open" or subflow.handshake != "complete":
            continue
        silence = _silence(case, subflow)
        if silence is not None:
            frames, text = silence
            yield case.report(SUBFLOW_SILENT, text, frames, subflow=subflow.index)


def _silence(case: Case, subflow: Subflow) -> tuple[list[int], str] | None:
    ways = case.rows.ways
    member = case.members[subflow.index]
    sides: tuple[Side, Side] = ("client", "server")
    for sender in sides:
        forth = case.way(subflow.index, sender)
        lost, first_lost = ways.unacknowledged[forth], ways.first_unacknowledged_frame[forth]
        if not lost or not case.was_heard(other(sender)):
            continue
        heard = ways.last_time_ns[forth ^ 1]
        since = case.since_start(heard) if heard else subflow.start_s
        silent_s = case.end_s - since
        if silent_s <= case.patience_s:
            continue
        text = (
            f"Subflow {subflow.index} ({path(subflow)}) falls silent {moment(since)}: nothing "
            f"comes from the {other(sender)} on it for the remaining {seconds(silent_s)}, and "
            f"{octets(lost)} of the {sender} stay unacknowledged there."
        )
        return [ways.last_frame[forth ^ 1] or subflow.first_packet, first_lost], text
    if case.connection.end != "data_fin":
        return None
    for sender in sides:
        host = member.client if sender == "client" else member.server
        way = case.way(subflow.index, sender)
        since = case.since_start(ways.last_time_ns[way])
        elsewhere = case.since_start(case.last_heard_ns[sender])
        if host.fin or not ways.last_frame[way] or elsewhere - since <= case.patience_s:
            continue
        text = (
            f"Subflow {subflow.index} ({path(subflow)}) falls silent {moment(since)}: without FIN "
            f"or RST nothing more comes from the {sender} on it, which goes on for "
            f"{seconds(elsewhere - since)} on other subflows."
        )
        return [ways.last_frame[way]], text
    return None


def idle_subflows(case: Case) -> Iterator[Finding]:
    """Subflows without data that were there while much data was sent."""
    if len(case.members) < 2:
        return
    for subflow, member in case.subflows:
        if subflow.handshake != "complete" or member.completed is None or _is_backup(member):
            continue
        if any(sent_by(side, subflow).payload_octets for side in ("client", "server")):
            continue
        later = sum(
            _sent_after(case, name, member.completed.frame_number, subflow.last_packet)
            for name in DIRECTIONS
        )
        if later >= _IDLE_OCTETS:
            yield case.report(
                SUBFLOW_IDLE,
                f"Subflow {subflow.index} ({path(subflow)}) carries no data, "
                f"though {octets(later)} were sent on others while it was established.",
                [member.completed.frame_number],
                subflow=subflow.index,
            )


def _is_backup(member: SubflowState) -> bool:
    hosts = (member.client, member.server)
    return any(host.backup or host.initial_backup for host in hosts)


def _sent_after(case: Case, name: DirectionName, frame: int, until: int) -> int:
    """New payload octets of a direction in packets after one and up to another."""
    copies = case.rows.evidence.figures.first_copies
    rows = np.unique(copies.row[copies.between(case.space(name), frame, until)])
    return int(case.rows.plane.subflows.segments.payload_length[rows].sum())


RULES: Final = (silent_subflows, idle_subflows)
