"""Throughput and goodput in bins of equal width (docs/definitions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.timelines.slices import stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.timelines.direction import DirectionTimelines

BINS = 60
"""About so many bins cover the time in which a direction carried data."""
NARROWEST_NS = 1_000_000

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Bits per second in each bin; ``start_ns`` is (bins,)."""

    start_ns: I64
    width_ns: int
    throughput_bps: NDArray[np.float64]
    """(subflows, bins): TCP payload of every copy."""
    goodput_bps: NDArray[np.float64]
    """(bins,): octets that DATA_ACKs released."""
    mean_goodput_bps: NDArray[np.float64]
    """(bins,): octets acknowledged up to the bin's end, over the time since the first payload."""


def bin_width_ns(duration_ns: int) -> int:
    """A round width (1, 2 or 5 times a power of ten) that gives about `BINS` bins."""
    wanted = max(duration_ns / BINS, NARROWEST_NS)
    power = 10 ** int(np.floor(np.log10(wanted)))
    return next(int(step * power) for step in (1, 2, 5, 10) if step * power >= wanted)


def rates(direction: DirectionTimelines) -> Rates:
    """Rates from the first payload packet to the last packet that sent or acknowledged data."""
    segments = direction.evidence.plane.subflows.segments
    rows = [direction.payload_rows(way) for way in direction.ways]
    times = [direction.since_start(segments.time_ns[own]) for own in rows]
    acked_ns, acked = _acknowledged(direction)
    sent = np.concatenate(times) if times else np.empty(0, np.int64)
    if not sent.size:
        nothing = np.empty(0)
        empty = np.empty((len(direction.ways), 0))
        return Rates(np.empty(0, np.int64), NARROWEST_NS, empty, nothing, nothing)
    first = int(sent.min())
    last = int(max(sent.max(), acked_ns.max(initial=first)))
    width = bin_width_ns(last - first)
    begin = first // width
    bins = last // width - begin + 1
    start_ns = (begin + np.arange(bins)) * width
    per_bin = 8 * _SECOND_NS / width

    def binned(time_ns: I64, octets: I64) -> NDArray[np.float64]:
        late = time_ns >= first
        index = time_ns[late] // width - begin
        total: NDArray[np.float64] = np.zeros(bins)
        np.add.at(total, index, octets[late])
        return total

    throughput = [
        binned(time_ns, segments.payload_length[own].astype(np.int64)) * per_bin
        for time_ns, own in zip(times, rows, strict=True)
    ]
    released = binned(acked_ns, acked)
    elapsed = np.maximum(np.minimum(start_ns + width, max(last, first + 1)) - first, 1)
    return Rates(
        start_ns,
        width,
        np.array(throughput).reshape(len(direction.ways), bins),
        released * per_bin,
        np.cumsum(released) * 8 * _SECOND_NS / elapsed,
    )


def _acknowledged(direction: DirectionTimelines) -> tuple[I64, I64]:
    """Times of the DATA_ACKs that advanced, and the octets (not the DATA_FIN) each released."""
    evidence = direction.evidence
    acked = direction.data_ack()
    limit = int(evidence.figures.acked.octets[direction.space])
    reached = np.clip(acked.value - 1, 0, limit)
    copies = evidence.plane.copies
    own = copies.data_place[stretch(copies.space, direction.space)]
    before = int(reached[0]) if reached.size else 0
    if own.size:  # a capture that begins late has not seen what was acknowledged before
        lowest = int(own[0] - evidence.plane.data.origin[direction.space]) - 1
        before = min(before, max(lowest, 0))
    return acked.time_ns, np.diff(reached, prepend=before)
