"""The stretch of a sample that can be repeated: data only, and nothing half done at its borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.template import UnusableSampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.template import Template

    I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DataPhase:
    """Packets ``first`` to ``last`` (exclusive), and how far one repetition advances."""

    first: int
    last: int
    seq: I64
    """(ways,): octets on each way."""
    data_seq: I64
    """(spaces,): octets in each space."""
    packets: I64
    """(ways,)"""
    duration_ns: int


def whole_sample(template: Template) -> DataPhase:
    """No phase at all: every packet once."""
    ways, spaces = template.space_of_way.size, template.initial_data_seqs.size
    nothing = np.zeros(ways, np.int64)
    return DataPhase(0, 0, nothing, np.zeros(spaces, np.int64), nothing, 0)


def find_data_phase(template: Template) -> DataPhase:
    """The longest stretch between two clean borders of the connection's data.

    A border is clean when everything before it, in every subflow and in the data sequence space
    both ways, is below everything behind it, so that repetitions neither overlap nor leave holes.
    Raises UnusableSampleError when there are no two such borders.
    """
    if template.initial_data_seqs.size != 2:
        raise UnusableSampleError("only a sample of one connection can be made longer")
    packets = len(template)
    clean = np.ones(packets + 1, np.bool_)
    subflow_ends = np.zeros((packets + 1, template.space_of_way.size), np.int64)
    data_ends = np.zeros((packets + 1, 2), np.int64)
    for way in range(template.space_of_way.size):
        rows = np.flatnonzero((template.way == way) & (template.payload_length > 0))
        if rows.size:
            seq = template.seq[rows]
            start = (seq - seq[0]).view(np.int32).astype(np.int64)
            border = _clean_borders(packets, rows, start, start + template.payload_length[rows])
            clean &= border.clean
            subflow_ends[:, way] = border.reached
    space = template.space_of_way[template.way]
    for number in (0, 1):
        rows = np.flatnonzero((space == number) & (template.data_length > 0))
        if rows.size:
            initial = template.initial_data_seqs[number]
            start = (template.data_seq[rows] - initial).astype(np.int64) - 1
            border = _clean_borders(packets, rows, start, start + template.data_length[rows])
            clean &= border.clean
            data_ends[:, number] = border.reached
            # all that was mapped must have been sent as well, and once
            sent = np.cumsum(np.where(space == number, template.payload_length, 0))
            clean &= np.append(0, sent) == border.reached
    quiet = _longest_quiet(template.signalling)
    borders = np.flatnonzero(clean)
    borders = borders[(borders >= quiet[0]) & (borders <= quiet[1])]
    if borders.size < 2 or (data_ends[borders[-1]] == data_ends[borders[0]]).all():
        raise UnusableSampleError("no stretch of the sample can be repeated")
    first, last = int(borders[0]), int(borders[-1])
    ways = template.space_of_way.size
    return DataPhase(
        first,
        last,
        subflow_ends[last] - subflow_ends[first],
        data_ends[last] - data_ends[first],
        np.bincount(template.way[first:last], minlength=ways),
        int(template.time_ns[last] - template.time_ns[first]),
    )


@dataclass(frozen=True, slots=True)
class _Borders:
    clean: NDArray[np.bool_]
    """(packets + 1,): between packet n - 1 and packet n."""
    reached: I64
    """(packets + 1,): where the octets before the border end."""


def _clean_borders(packets: int, rows: I64, start: I64, end: I64) -> _Borders:
    highest = np.zeros(packets, np.int64)
    lowest = np.full(packets, np.iinfo(np.int64).max)
    highest[rows], lowest[rows] = end, start
    reached = np.append(0, np.maximum.accumulate(highest))
    behind = np.append(np.minimum.accumulate(lowest[::-1])[::-1], np.iinfo(np.int64).max)
    return _Borders(reached <= behind, reached)


def _longest_quiet(signalling: NDArray[np.bool_]) -> tuple[int, int]:
    """The longest stretch without signalling, as borders."""
    loud = np.concatenate(([-1], np.flatnonzero(signalling), [signalling.size]))
    longest = int(np.argmax(np.diff(loud)))
    return int(loud[longest]) + 1, int(loud[longest + 1])
