"""How data moved: stalls, handovers, reinjections for nothing, octets that nobody captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.findings.case import DIRECTIONS
from mptrace.analysis.findings.endings import SENDER
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import (
    DIRECTION_WORDS,
    counted,
    moment,
    octets,
    other,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import DirectionName, Finding, Handover

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
    MISSING_OCTETS,
)

_HANDOVERS_TOLD: Final = 3


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
        # where DATA_ACKs can't be in the capture, their absence is no stall
        if not found or case.has_cut_options() or not case.was_heard(other(SENDER[name])):
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
        if case.has_cut_options():
            continue
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


def missing_octets(case: Case) -> Iterator[Finding]:
    """Octets that were acknowledged and never captured."""
    if case.has_cut_options():
        return
    for name in DIRECTIONS:
        amount, gaps, first = _never_captured(case, name)
        if not amount:
            continue
        data_acks = case.rows.plane.data_acks
        covering = data_acks.first_covering(np.array([case.space(name)]), np.array([first + 1]))
        row = int(covering[0])
        frame = int(data_acks.frame[row]) if row >= 0 else case.connection.last_packet
        yield case.report(
            MISSING_OCTETS,
            f"{octets(amount)} of {case.direction(name).acked_octets:,} {DIRECTION_WORDS[name]} "
            f"were acknowledged, but are not in the capture ({counted(gaps, 'gap')}; the first "
            f"was acknowledged in packet {frame}).",
            [frame],
        )


def _never_captured(case: Case, name: DirectionName) -> tuple[int, int, int]:
    """Octets that were acknowledged and not captured, gaps between them, place of the first."""
    direction = case.direction(name)
    if not direction.missing_octets or not direction.acked_octets:
        return 0, 0, 0
    space, plane = case.space(name), case.rows.plane
    floor = int(plane.floor[space])
    acked_end = floor + direction.acked_octets
    seen_end = floor + int(case.rows.spaces.highest_seen[space]) - 1
    holes = case.rows.evidence.figures.holes
    low, high = np.searchsorted(holes.space, (space, space + 1))
    start = np.append(holes.start[low:high], seen_end)
    length = np.minimum(np.append(holes.end[low:high], acked_end), acked_end) - start
    inside = length > 0
    if not inside.any():
        return 0, 0, 0
    return int(length[inside].sum()), int(inside.sum()), int(start[inside][0])


RULES: Final = (
    spurious_reinjections,
    stalls,
    handovers,
    missing_octets,
)
