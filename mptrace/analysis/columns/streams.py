"""TCP streams, numbered as Wireshark numbers tcp.stream: port reuse makes a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mptrace.analysis.arrays.ordering import stable_order
from mptrace.analysis.arrays.segmented import group_starts
from mptrace.analysis.columns.tables import ACK, FIN, I32, I64, RST, SYN, Bool, Numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.columns.tables import U16, U32


class StreamSegments(Protocol):
    """What telling streams apart reads of TCP segments in frame order; `SegmentTable` has it."""

    flow: I32
    """Number of the 5-tuple."""
    from_initiator: Bool
    """Sent by the lower endpoint of the flow."""
    seq: U32
    ack: U32
    flags: U16

    def __len__(self) -> int: ...


@dataclass(slots=True)
class Streams:
    """TCP streams in order of their first packet; every column is (streams,)."""

    flow: I64
    low_initiates: Bool
    """The flow's lower endpoint is the initiator."""
    handshake_captured: Bool

    def __len__(self) -> int:
        return int(self.flow.size)


def number_streams(table: StreamSegments, low_port_is_lower: Bool) -> tuple[Streams, I32]:
    """Tell streams apart. ``table`` is in frame order, its ``flow`` the 5-tuple's number.

    ``low_port_is_lower`` is (flows,): whether the lower endpoint has the lower port number,
    which decides who is taken for the server where no SYN was captured. Returns the streams and
    the stream of each row.
    """
    if not len(table):
        nothing = np.empty(0, np.int64)
        return Streams(nothing, nothing.astype(bool), nothing.astype(bool)), table.flow
    key = table.flow.copy()
    flow_of_key = list(range(int(key.max()) + 1))
    for flow, rows, splits in _reused_flows(table):
        generation = np.searchsorted(np.array(splits), rows, side="right")
        names = np.array([flow, *range(len(flow_of_key), len(flow_of_key) + len(splits))])
        key[rows] = names[generation]
        flow_of_key += [flow] * len(splits)
    first = _first_rows(key, len(flow_of_key))
    by_first = np.argsort(first, kind="stable")
    by_first = by_first[first[by_first] < len(table)]
    number = np.empty(len(flow_of_key), np.int32)
    number[by_first] = np.arange(by_first.size, dtype=np.int32)
    stream = number.take(key)
    flow_column = np.array(flow_of_key)[by_first]
    low_initiates, captured = _initiators(table, stream, flow_column, low_port_is_lower)
    return Streams(flow_column, low_initiates, captured), stream


def _first_rows(number: I32, numbers: int) -> I64:
    """The first row of each number; one beyond all rows where there is none."""
    first = np.full(numbers, number.size, np.int64)
    # of the rows of a number the one written last stays
    first[number[::-1]] = np.arange(number.size - 1, -1, -1)
    return first


def _initiators(
    table: StreamSegments, stream: I32, flow: I64, low_port_is_lower: Bool
) -> tuple[Bool, Bool]:
    """Who opened each stream: sender of the SYN, else receiver of the SYN/ACK, else a guess."""
    low_initiates = ~low_port_is_lower[flow]
    captured = np.zeros(flow.size, np.bool_)
    handshake = table.flags & (SYN | ACK)
    for wanted, sender_opens in ((SYN | ACK, False), (SYN, True)):
        rows = np.flatnonzero(handshake == wanted)[::-1]  # so that the first one is written last
        low_initiates[stream[rows]] = table.from_initiator[rows] == sender_opens
        captured[stream[rows]] = True
    return low_initiates, captured


def _reused_flows(table: StreamSegments) -> Iterator[tuple[int, I64, list[int]]]:
    """Flows on which a SYN opens another connection: flow, its rows, the rows that open one.

    Wireshark's rule: the SYN's sequence number is not the one that its direction began with, or
    a FIN or RST was seen on the stream.
    """
    syn = (table.flags & (SYN | ACK)) == SYN
    flows = int(table.flow.max()) + 1
    syns = np.bincount(table.flow[syn], minlength=flows)
    opening = np.minimum(_first_rows(table.flow, flows), syn.size - 1)
    # a flow that begins with its only SYN is one stream: nearly all are
    suspicious = syns > syn[opening]
    if not suspicious.any():
        return
    by_flow = np.flatnonzero(suspicious[table.flow])
    by_flow = by_flow[stable_order(table.flow[by_flow])]
    flow = table.flow[by_flow]
    starts = group_starts(flow)
    for first, end in zip(starts.tolist(), [*starts[1:].tolist(), flow.size], strict=True):
        rows = by_flow[first:end]
        splits = _split_rows(table, rows[_matters(table, rows)].tolist())
        if splits:
            yield int(flow[first]), rows, splits


def _matters(table: StreamSegments, rows: Numbers) -> Bool:
    """SYN, FIN and RST segments of a flow, and the first of each direction after each."""
    keep: Bool = (table.flags[rows] & (SYN | FIN | RST)) != 0
    epoch = 2 * np.cumsum(keep) + table.from_initiator[rows]
    keep[np.unique(epoch, return_index=True)[1]] = True
    return keep


def _split_rows(table: StreamSegments, rows: list[int]) -> list[int]:
    base: dict[bool, int] = {}
    ended = False
    splits: list[int] = []
    for row in rows:
        flags, seq = int(table.flags[row]), int(table.seq[row])
        sender = bool(table.from_initiator[row])
        if flags & (SYN | ACK) == SYN and sender in base and (seq != base[sender] or ended):
            splits.append(row)
            base, ended = {}, False
        base.setdefault(sender, seq if flags & SYN else (seq - 1) & 0xFFFFFFFF)
        if flags & ACK:
            base.setdefault(not sender, (int(table.ack[row]) - 1) & 0xFFFFFFFF)
        ended = ended or bool(flags & (FIN | RST))
    return splits
