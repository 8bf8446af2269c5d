"""All figures of a capture, as columns: what the values of the model are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, U8
    from mptrace.analysis.data_sequence.data_order import Holes, OutOfOrder
    from mptrace.analysis.figures.acked_end import AckedEnd
    from mptrace.analysis.figures.handovers import FirstCopies, HandoverRow
    from mptrace.analysis.figures.round_trips import RoundTrips
    from mptrace.analysis.figures.stalls import StallColumns
    from mptrace.analysis.figures.sums import SpaceFigures, WayFigures


@dataclass(slots=True)
class Figures:
    """All figures as columns, per way and per space."""

    ways: WayFigures
    spaces: SpaceFigures
    round_trips: RoundTrips
    data_round_trips: RoundTrips
    checksum_verdict: U8
    """`checksums.Verdict` per mapping."""
    data_fin_relative: I64
    out_of_order: OutOfOrder
    holes: Holes
    window_limited: I64
    stalls: StallColumns
    first_copies: FirstCopies
    handovers: list[HandoverRow]
    acked: AckedEnd
