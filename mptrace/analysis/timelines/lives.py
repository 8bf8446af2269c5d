"""When a subflow carried packets, and when nobody answered on it any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.tables import FIN, RST

if TYPE_CHECKING:
    from mptrace.analysis.results import Evidence

BUSY_GAP_NS = 100_000_000
"""Packets closer together than this, or than a fiftieth of the time shown, are one activity."""
UNANSWERED_NS = 200_000_000
"""A host that goes on sending for longer than this after the last answer gets none."""


@dataclass(frozen=True, slots=True)
class Life:
    """One subflow's time, in nanoseconds since the capture's first packet."""

    start_ns: int
    end_ns: int
    busy: tuple[tuple[int, int], ...]
    """Stretches in which packets were captured, either way."""
    unanswered_ns: int | None
    """From here on one host sent and the other was never heard again."""
    ended: bool
    """By FIN or RST."""


def life(evidence: Evidence, subflow: int, shown_ns: int) -> Life:
    """The life of a subflow (its number over all connections); ``shown_ns`` is the time shown."""
    plane = evidence.plane.subflows
    segments = plane.segments
    first, middle, last = (int(plane.way_first[2 * subflow + n]) for n in (0, 1, 2))
    sides = [np.sort(segments.time_ns[a:b]) for a, b in ((first, middle), (middle, last))]
    times = np.sort(np.concatenate(sides)) - evidence.origin_ns
    gap = max(BUSY_GAP_NS, shown_ns // 50)
    breaks = np.flatnonzero(np.diff(times) > gap)
    begins = times[np.append(0, breaks + 1)].tolist()
    ends = times[np.append(breaks, times.size - 1)].tolist()
    unanswered: int | None = None
    if all(side.size for side in sides):
        heard = int(min(side[-1] for side in sides)) - evidence.origin_ns
        if int(times[-1]) - heard > UNANSWERED_NS:
            unanswered = heard
    return Life(
        start_ns=int(times[0]),
        end_ns=int(times[-1]),
        busy=tuple(zip(begins, ends, strict=True)),
        unanswered_ns=unanswered,
        ended=bool((segments.flags[first:last] & (FIN | RST)).any()),
    )
