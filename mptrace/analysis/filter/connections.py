"""Which connections a filter's packets belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import Bool
    from mptrace.analysis.results import Analysis


def connections_with(analysis: Analysis, mask: Bool) -> frozenset[int]:
    """The numbers of the connections of which at least one packet passes.

    ``mask`` is (packets,), as `DisplayFilter.mask` gives it.
    """
    plane = analysis.evidence.plane
    passing = mask[plane.subflows.segments.frame_number - 1]
    space = plane.space_of_way[plane.subflows.way[passing]]
    return frozenset(np.unique(space >> 1).tolist())
