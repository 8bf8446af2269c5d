"""How data moved: stalls, handovers, subflows that fall silent or stay idle, reinjections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.findings.case import DIRECTIONS, sent_by
from mptrace.analysis.findings.endings import SENDER
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import (
    DIRECTION_WORDS,
    counted,
    moment,
    octets,
    other,
    path,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.subflow import SubflowState
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import DirectionName, Finding, Handover, Side, Subflow

SPURIOUS_REINJECTION: Final = FindingKind(
    "spurious_reinjection",
    "note",
    "Data was sent again on another subflow although a DATA_ACK had already confirmed it: "
    "capacity spent for nothing.",
    "A little is normal when a subflow ends. If it is much, the sender's MPTCP retransmission "
    "timer is too short for the slower path.",
    "3.3.6",
)
STALL: Final = FindingKind(
    "stall",
    "warning",
    "Data was outstanding, and for a while no DATA_ACK advanced: the receiver waited for octets "
    "that were lost, or that came over a slow or dead path.",
    "See which subflow carried the data before the stall, and whether it lost packets, fell silent "
    "or is much slower than the others.",
    "3.3.2",
)
HANDOVER: Final = FindingKind(
    "handover",
    "note",
    "New data moved from one subflow to another because the first one stalled or ended. The gap "
    "is the time between the last new data on the one and the first on the other.",
    "Nothing if the gap is short. A long gap means that the failure of a path is noticed late.",
    "3.3.8",
)
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
MISSING_OCTETS: Final = FindingKind(
    "missing_octets",
    "warning",
    "The receiver acknowledged data that is not in the capture: the capture dropped packets, or "
    "they took an interface that was not captured. Figures of this direction are too low.",
    "Capture on all interfaces, with a larger buffer (tcpdump -B) or a smaller snaplen.",
)

KINDS: Final = (
    SPURIOUS_REINJECTION,
    STALL,
    HANDOVER,
    SUBFLOW_SILENT,
    SUBFLOW_IDLE,
    MISSING_OCTETS,
)

_HANDOVERS_TOLD: Final = 3
_IDLE_OCTETS: Final = 50_000
"""So much must have been sent after a subflow came to be before its idleness is worth a word."""


def spurious_reinjections(case: Case) -> Iterator[Finding]:
    """Reinjections of what was acknowledged already."""
    for name in DIRECTIONS:
        amount = case.direction(name).reinjected_octets
        if not amount.spurious:
            continue
        text = (
            f"{octets(amount.spurious)} {DIRECTION_WORDS[name]} were sent again on another subflow "
            "after a DATA_ACK had confirmed them"
        )
        if amount.spurious < amount.total:
            text += f" ({amount.spurious / amount.total:.0%} of all reinjected octets)"
        if case.connection.capture_point == other(SENDER[name]):
            text += "; captured near the receiver, where the sender could not know it yet"
        yield case.report(
            SPURIOUS_REINJECTION, f"{text}.", case.rows.spurious.get(case.space(name), ())
        )


def stalls(case: Case) -> Iterator[Finding]:
    """The stalls of a direction in one finding, the longest one in words."""
    for name in DIRECTIONS:
        found = case.direction(name).stalls
        if not found:
            continue
        worst = max(found, key=lambda stall: stall.duration_s)
        after = (
            "" if worst.subflow is None else f" and the last new data on subflow {worst.subflow}"
        )
        which = f" (packets {worst.first_packet} to {worst.last_packet})" if len(found) > 1 else ""
        one = (
            f"{worst.start_s:.3f} s on{which}, with {octets(worst.outstanding_octets)} "
            f"outstanding{after}"
        )
        until_end = worst.last_packet == case.connection.last_packet
        if len(found) == 1:
            text = f"Data {DIRECTION_WORDS[name]} stalls for {seconds(worst.duration_s)} from {one}"
        else:
            total = sum(stall.duration_s for stall in found)
            text = (
                f"Data {DIRECTION_WORDS[name]} stalls {len(found)} times, {seconds(total)} in all; "
                f"the longest takes {seconds(worst.duration_s)} from {one}"
            )
        text += "; it lasts until the connection's last packet." if until_end else "."
        frames = [stall.first_packet for stall in found] + [stall.last_packet for stall in found]
        yield case.report(STALL, text, frames, subflow=worst.subflow)


def handovers(case: Case) -> Iterator[Finding]:
    """Each handover of a direction while they are few, else the one with the longest gap."""
    for name in DIRECTIONS:
        # without a gap the new subflow had data before the old one was done: no handover to feel
        found = [h for h in case.direction(name).handovers if h.gap_s > 0]
        if case.state.fastclose is not None:  # what is still sent then comes to nothing
            found = [h for h in found if h.to_packet < case.state.fastclose.frame_number]
        if len(found) <= _HANDOVERS_TOLD:
            for handover in found:
                yield _handover(case, name, [handover])
        else:
            yield _handover(case, name, found)


def _handover(case: Case, name: DirectionName, found: list[Handover]) -> Finding:
    worst = max(found, key=lambda handover: handover.gap_s)
    why = "stalled" if worst.cause == "stall" else "ended"
    move = (
        f"moves from subflow {worst.from_subflow}, which {why}, to subflow {worst.to_subflow} "
        f"{moment(worst.start_s + worst.gap_s)} after a gap of {seconds(worst.gap_s)}"
    )
    if len(found) == 1:
        text = f"New data {DIRECTION_WORDS[name]} {move}."
    else:
        text = (
            f"New data {DIRECTION_WORDS[name]} changes subflows {len(found)} times; with the "
            f"longest gap it {move}."
        )
    frames = [h.from_packet for h in found] + [h.to_packet for h in found]
    return case.report(HANDOVER, text, frames, subflow=worst.from_subflow)


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
    number = case.first_subflow + subflow.index
    sides: tuple[Side, Side] = ("client", "server")
    for sender in sides:
        forth = 2 * number + ((sender == "client") != member.client_is_initiator)
        lost, first_lost = ways.unacknowledged[forth], ways.first_unacknowledged_frame[forth]
        if not lost or not case.was_heard(other(sender)):
            continue
        heard = ways.last_time_ns[forth ^ 1]
        since = case.since_start(heard) if heard else subflow.start_s
        silent_s = case.end_s - since
        if silent_s <= case.patience_s(subflow):
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
        way = 2 * number + ((sender == "client") != member.client_is_initiator)
        since = case.since_start(ways.last_time_ns[way])
        elsewhere = case.since_start(_last_heard(case, sender))
        if host.fin or not ways.last_frame[way] or elsewhere - since <= case.patience_s(subflow):
            continue
        text = (
            f"Subflow {subflow.index} ({path(subflow)}) falls silent {moment(since)}: without FIN "
            f"or RST nothing more comes from the {sender} on it, which goes on for "
            f"{seconds(elsewhere - since)} on other subflows."
        )
        return [ways.last_frame[way]], text
    return None


def _last_heard(case: Case, side: Side) -> int:
    """When the host's last packet on any subflow was captured."""
    ways = case.rows.ways
    numbers = (
        2 * (case.first_subflow + index) + ((side == "client") != member.client_is_initiator)
        for index, member in enumerate(case.members)
    )
    return max(ways.last_time_ns[way] for way in numbers)


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
    space = case.space(name)
    low, high = np.searchsorted(copies.space, (space, space + 1))
    first = low + np.searchsorted(copies.frame[low:high], frame, side="right")
    last = low + np.searchsorted(copies.frame[low:high], until, side="right")
    rows = np.unique(copies.row[first:last])
    return int(case.rows.plane.subflows.segments.payload_length[rows].sum())


def missing_octets(case: Case) -> Iterator[Finding]:
    """Octets that were acknowledged and never captured."""
    if case.has_cut_options():
        return
    for name in DIRECTIONS:
        direction = case.direction(name)
        if not direction.missing_octets or not direction.acked_octets:
            continue
        space = case.space(name)
        plane = case.rows.plane
        floor = int(plane.floor[space])
        acked_end = floor + direction.acked_octets
        holes = plane.holes
        low, high = np.searchsorted(holes.space, (space, space + 1))
        start = np.append(holes.start[low:high], _seen_end(case, space, floor))
        end = np.append(holes.end[low:high], acked_end)
        amount = int(np.maximum(np.minimum(end, acked_end) - start, 0).sum())
        if not amount:
            continue
        place = np.array([int(start[0]) + 1])
        row = int(plane.data_acks.first_covering(np.array([space]), place)[0])
        frames = [int(plane.data_acks.frame[row])] if row >= 0 else [case.connection.last_packet]
        yield case.report(
            MISSING_OCTETS,
            f"{octets(amount)} of {direction.acked_octets:,} {DIRECTION_WORDS[name]} were "
            f"acknowledged, but are not in the capture ({counted(len(start), 'gap')}; the first "
            f"was acknowledged in packet {frames[0]}).",
            frames,
        )


def _seen_end(case: Case, space: int, floor: int) -> int:
    """Place behind the highest octet of a space that was captured."""
    return floor + int(case.rows.spaces.highest_seen[space]) - 1


RULES: Final = (
    spurious_reinjections,
    stalls,
    handovers,
    silent_subflows,
    idle_subflows,
    missing_octets,
)
