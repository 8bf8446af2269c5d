"""Connections whose beginning is missing: streams put together by their data sequence numbers.

Two streams that carry overlapping stretches of one 64-bit data sequence space belong to one
connection: initial data sequence numbers are random, so that a chance overlap of two connections
is out of the question. Which of a stream's ends is the client follows from which of its two
spaces is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import group_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.connection import ConnectionTable
    from dissector.connection_state import ConnectionState
    from mptrace.analysis.columns.tables import I64, U64, Bool, DssTable

_NEAR = 1 << 22
"""Stretches at most this far apart count as overlapping: what a window may hold."""
_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True)
class Stretch:
    """Data sequence numbers that a stream shows of what one of its ends sent."""

    low: int
    high: int
    stream: int
    from_initiator: bool


def stretches(dss: DssTable, stream: I64, from_initiator: Bool) -> list[Stretch]:
    """What the 8-octet DSNs and DATA_ACKs of each stream say, per sending end.

    ``stream`` and ``from_initiator`` are (n,), of the segment that carries each DSS.
    """
    seq = np.flatnonzero(dss.data_seq_octets == 8)
    ack = np.flatnonzero(dss.data_ack_octets == 8)
    sender = np.concatenate((from_initiator[seq], ~from_initiator[ack])).astype(np.int64)
    key = 2 * np.concatenate((stream[seq], stream[ack])) + sender
    low: U64 = np.concatenate((dss.data_seq[seq], dss.data_ack[ack]))
    length = np.concatenate((dss.data_length[seq].astype(np.int64), np.zeros(ack.size, np.int64)))
    order = stable_order(key)
    key, low, length = key[order], low[order], length[order]
    starts = group_starts(key)
    if not starts.size:
        return []
    counts = np.diff(np.append(starts, key.size))
    distance = (low - np.repeat(low[starts], counts)).view(np.int64)
    distance[np.abs(distance) > 1 << 40] = 0  # a corrupt number must not stretch a stream
    lowest = np.minimum.reduceat(distance, starts)
    highest = np.maximum.reduceat(distance + length, starts)
    return [
        Stretch(first + lo, first + hi, way >> 1, bool(way & 1))
        for way, first, lo, hi in zip(
            key[starts].tolist(),
            low[starts].tolist(),
            lowest.tolist(),
            highest.tolist(),
            strict=True,
        )
    ]


def any_partial(table: ConnectionTable) -> bool:
    """Whether there is anything to group: most captures hold whole connections alone."""
    return bool(table.unassigned_streams) or any(c.partial for c in table.connections)


def group_partial_connections(table: ConnectionTable, found: list[Stretch]) -> None:
    """Adopt unassigned streams, and merge partial connections that turn out to be one."""
    waiting = set(table.unassigned_streams)
    for one, other in _neighbours(found):
        _unite(table, waiting, one, other)
    for stream in sorted(waiting):
        table.adopt(stream)


def _neighbours(found: list[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    """Pairs of stretches that overlap, each with one that it overlaps."""
    ordered = sorted(found, key=lambda s: (s.low % _WHOLE, s.stream))
    # a stretch across the wrap of the space also stands before the space's start
    ordered = [
        Stretch(s.low - _WHOLE, s.high - _WHOLE, s.stream, s.from_initiator)
        for s in ordered
        if s.high >= _WHOLE
    ] + ordered
    reaching: Stretch | None = None
    for stretch in ordered:
        if reaching is not None and stretch.low <= reaching.high + _NEAR:
            yield reaching, stretch
        if reaching is None or stretch.high > reaching.high:
            reaching = stretch


def _unite(table: ConnectionTable, waiting: set[int], one: Stretch, other: Stretch) -> None:
    if one.stream == other.stream:
        return
    first, second = (one, other) if one.stream <= other.stream else (other, one)
    owner, other_owner = _owner(table, first.stream), _owner(table, second.stream)
    if owner is None and other_owner is None:
        table.adopt(first.stream)
        waiting.discard(first.stream)
        owner = _owner(table, first.stream)
    if owner is None:
        first, second = second, first
        owner, other_owner = other_owner, owner
    if owner is None:
        return
    # the sender of `first`'s stretch and of `second`'s is one host
    sender_is_client = first.from_initiator == _client_initiates(table, first.stream)
    swapped = second.from_initiator != sender_is_client
    if other_owner is None:
        table.adopt(second.stream, owner, swapped=swapped)
        waiting.discard(second.stream)
    elif other_owner is not owner:
        _merge(table, owner, other_owner, swapped == _client_initiates(table, second.stream))


def _merge(
    table: ConnectionTable, one: ConnectionState, other: ConnectionState, swapped: bool
) -> None:
    """The partial one of two connections becomes part of the other."""
    if other.partial:
        table.merge(other, one, swapped=swapped)
    elif one.partial:
        table.merge(one, other, swapped=swapped)


def _owner(table: ConnectionTable, stream: int) -> ConnectionState | None:
    subflow = table.subflow(stream)
    return None if subflow is None else subflow.connection


def _client_initiates(table: ConnectionTable, stream: int) -> bool:
    subflow = table.subflow(stream)
    return subflow is None or subflow.client_is_initiator
