"""The DataFrame of DSS mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.data_sequence.checksums import Verdict
from mptrace.analysis.frames.building import SECOND, Column, categories, frame, masked
from mptrace.analysis.frames.packets import DIRECTIONS
from mptrace.analysis.frames.schema import MAPPINGS

if TYPE_CHECKING:
    import pandas as pd

    from mptrace.analysis.results import Evidence


def mappings(evidence: Evidence) -> pd.DataFrame:
    """One row per distinct mapping, in order of its first announcement; `schema.MAPPINGS`."""
    plane = evidence.plane
    table, segments = plane.mappings, plane.subflows.segments
    first = segments.frame_number[table.first_row]
    order = np.lexsort((table.place, first))
    row = table.first_row[order]
    way, space = table.way[order], table.space[order]
    members = plane.membership
    streams = np.array([s.stream for group in members.subflows for s in group], np.int64)
    counts = np.array([len(group) for group in members.subflows], np.int64)
    position = np.arange(streams.size) - np.repeat(np.cumsum(counts) - counts, counts)
    place = table.data_place[order]
    values: dict[str, Column] = {
        "mptcp.stream": space >> 1,
        "tcp.stream": streams[way >> 1],
        "mptrace.subflow": position[way >> 1],
        "mptrace.direction": categories(space & 1, DIRECTIONS),
        "frame.number": segments.frame_number[row].astype(np.int64),
        "frame.time_relative": (segments.time_ns[row] - evidence.origin_ns) * SECOND,
        "mptcp.rawdsn64": plane.data.data_seq(place, space),
        "mptcp.dsn": plane.data.relative(place, space),
        "mptrace.subflow_seq": plane.subflows.position(table.place[order], way),
        "mptrace.length": table.length[order],
        "mptrace.data_fin": table.data_fin[order],
        "tcp.options.mptcp.checksum": masked(table.checksum[order], table.has_checksum[order]),
        "mptrace.checksum": categories(
            evidence.figures.checksum_verdict[order], tuple(v.name.lower() for v in Verdict)
        ),
        "mptrace.announced": table.announced[order],
        "mptrace.conflicting": table.conflicting[order],
    }
    return frame(MAPPINGS, values)
