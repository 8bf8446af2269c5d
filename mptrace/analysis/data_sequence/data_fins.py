"""Where the DATA_FIN of each space stands (RFC 8684 section 3.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.data_sequence.data_plane import DataPlane


def data_fin_positions(plane: DataPlane) -> I64:
    """(spaces,): relative data sequence number of the DATA_FIN; -1 where none was seen.

    Where hosts signal it at several places (they must not), the lowest counts.
    """
    result = np.full(plane.membership.spaces, np.iinfo(np.int64).max)
    index = np.flatnonzero(plane.dss.data_fin & (plane.dss.data_seq_octets > 0))
    space = plane.space_of_way[plane.subflows.way[plane.dss_row[index]]]
    length = np.maximum(plane.dss.data_length[index].astype(np.int64) - 1, 0)
    relative = (plane.expanded.data_seq[index] - plane.data.initial_data_seq[space]).view(np.int64)
    plausible = (relative >= 0) & (relative <= plane.data.reach)
    np.minimum.at(result, space[plausible], (relative + length)[plausible])
    result[result == np.iinfo(np.int64).max] = -1
    return result
