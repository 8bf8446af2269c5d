"""Columns of field values: any number of values per packet, over all packets of a capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64, Bool


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one field; ``row`` is (m,), the packet (from 0) of each value, ascending.

    ``value`` is (m,) int64 or uint64 for numbers, times (nanoseconds), IPv4 and Ethernet
    addresses; (m, 2) uint64, high half first, for IPv6; (m,) int64 codes into ``names`` for texts;
    (m, 3) int64 for octets: file, offset in the decompressed file, length.
    """

    row: I64
    value: NDArray[Any]
    names: tuple[str, ...] = ()

    def take(self, chosen: Bool | I64) -> Column:
        """Some of the values, in order."""
        return Column(self.row[chosen], self.value[chosen], self.names)

    def __len__(self) -> int:
        return int(self.row.size)


def joined(parts: list[Column]) -> Column:
    """The values of several columns of one field as one column."""
    if len(parts) == 1:
        return in_order(parts[0])
    return in_order(
        Column(
            np.concatenate([part.row for part in parts]),
            np.concatenate([part.value for part in parts]),
            parts[0].names,
        )
    )


def in_order(column: Column) -> Column:
    """The same values sorted by packet."""
    row = column.row
    if row.size < 2 or bool((row[1:] >= row[:-1]).all()):
        return column
    return column.take(np.argsort(row, kind="stable"))


def pairs(left: Column, right: Column) -> tuple[I64, I64]:
    """Every value of ``left`` with every value of ``right`` in the same packet, as indices."""
    first = np.searchsorted(right.row, left.row, side="left")
    count = np.searchsorted(right.row, left.row, side="right") - first
    of_left = np.repeat(np.arange(left.row.size), count)
    within = np.arange(of_left.size) - np.repeat(np.cumsum(count) - count, count)
    return of_left, first[of_left] + within


def packets_of(row: I64, holds: Bool, packets: int, *, every: bool) -> Bool:
    """(packets,): those with a value that holds or, with ``every``, whose values all hold."""
    result = np.zeros(packets, np.bool_)
    if every:
        result[row] = True
        result[row[~holds]] = False
    else:
        result[row[holds]] = True
    return result
