"""After a fallback: the subflow that is left carries the data stream on (RFC 8684 section 3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.tables import ACK, I64, RST, Numbers
from mptrace.analysis.data_sequence.acknowledgements import NEVER
from mptrace.analysis.data_sequence.mapping_runs import Mappings, Runs

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionState
    from mptrace.analysis.connections.membership import Membership
    from mptrace.analysis.data_sequence.data_space import DataSpace
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace


def fallback_frames(membership: Membership) -> I64:
    """(ways,): the frame from which on a way is plain TCP; NEVER where it never is."""
    result = np.full(membership.ways, NEVER)
    for connection in membership.connections:
        if connection.fallback is not None:
            subflow = int(membership.subflow_of_stream[connection.fallback.stream])
            if subflow >= 0:
                result[2 * subflow : 2 * subflow + 2] = connection.fallback.frame_number
    return result


def continued_runs(
    runs: Runs,
    mappings: Mappings,
    membership: Membership,
    subflows: SubflowSpace,
    data: DataSpace,
    space_of_way: Numbers,
) -> Runs:
    """Add one run per way that carries a data stream on after its mappings end.

    It begins where an infinite mapping says, else behind the last mapping of the way, and goes
    on from the highest octet that the connection mapped.
    """
    extra: list[tuple[int, int, int]] = []
    highest_mapped = np.full(data.origin.size, np.iinfo(np.int64).min)
    np.maximum.at(highest_mapped, mappings.space, mappings.data_place + mappings.length)
    for connection in membership.connections:
        if connection.fallback is None:
            continue
        subflow = int(membership.subflow_of_stream[connection.fallback.stream])
        if subflow < 0:
            continue
        for way in (2 * subflow, 2 * subflow + 1):
            first, last = int(subflows.way_first[way]), int(subflows.way_first[way + 1])
            if first == last:
                continue
            end = _payload_end(subflows, first, last)
            space = int(space_of_way[way])
            start, distance = _continuation(
                connection, way, space, mappings, membership, subflows, data, highest_mapped
            )
            if start < end:
                extra.append((start, end, distance))
    if not extra:
        return runs
    column = np.array(extra, np.int64)
    starts = np.append(runs.start, column[:, 0])
    order = np.argsort(starts, kind="stable")
    return Runs(
        starts[order],
        np.append(runs.end, column[:, 1])[order],
        np.append(runs.distance, column[:, 2])[order],
    )


def _payload_end(subflows: SubflowSpace, first: int, last: int) -> int:
    """Behind the last octet of payload in these rows: an empty segment may stand behind a FIN."""
    has_payload = subflows.segments.payload_length[first:last] > 0
    return int(subflows.place_end[first:last].max(where=has_payload, initial=0))


def _continuation(
    connection: ConnectionState,
    way: int,
    space: int,
    mappings: Mappings,
    membership: Membership,
    subflows: SubflowSpace,
    data: DataSpace,
    highest_mapped: I64,
) -> tuple[int, int]:
    """Where the unmapped stream of a way begins, and its distance to the data axis."""
    origin = int(subflows.origin[way])
    first, last = np.searchsorted(mappings.way, (way, way + 1))
    start = int(mappings.place_end[first:last].max()) if first < last else origin + 1
    for infinite in connection.infinite_mappings:
        # a way is 0 from the stream's initiator; who that is in the connection is `swapped`
        from_client = ((way & 1) == 0) ^ bool(membership.swapped[way >> 1])
        stream = connection.fallback.stream if connection.fallback else -1
        if infinite.stream != stream or infinite.from_client != from_client:
            continue
        if infinite.data_seq_octets == 8 and infinite.subflow_seq:
            relative = (infinite.data_seq - int(data.initial_data_seq[space])) & (1 << 64) - 1
            if relative < data.reach:
                distance = relative + int(data.origin[space]) - infinite.subflow_seq - origin
                return max(start, origin + infinite.subflow_seq), distance
    highest = max(int(highest_mapped[space]), int(data.origin[space]) + 1)
    return start, highest - start


def stream_acknowledgements(
    subflows: SubflowSpace, runs: Runs, fallback: I64, space_of_way: Numbers
) -> tuple[I64, I64, I64]:
    """TCP ACKs that acknowledge the data stream itself: row, space and data place of each."""
    nothing = np.empty(0, np.int64)
    if not (fallback < NEVER).any() or not runs.start.size:
        return nothing, nothing, nothing
    segments = subflows.segments
    rows = np.flatnonzero(
        ((segments.flags & (ACK | RST)) == ACK) & (segments.frame_number >= fallback[subflows.way])
    )
    last_octet = subflows.ack_place[rows] - 1
    run = np.searchsorted(runs.end, last_octet, side="right")
    # an ACK of the FIN, or of nothing yet, lies beside the runs
    at = np.minimum(run, runs.start.size - 1)
    inside = (run < runs.start.size) & (runs.start[at] <= last_octet)
    just_behind = np.maximum(run - 1, 0)
    of_fin = ~inside & (run > 0) & (runs.end[just_behind] == last_octet)
    at = np.where(of_fin, just_behind, at)
    place = np.where(of_fin, last_octet, last_octet + 1) + runs.distance[at]
    keep = inside | of_fin
    return rows[keep], space_of_way[subflows.way[rows[keep]] ^ 1], place[keep]
