"""Values laid over half-open ranges of sequence numbers.

A :class:`~dissector.range_set.RangeSet` knows which octets are in it; an :class:`IntervalMap` also
knows a value for each: the mapping that an octet of a subflow belongs to, the packet that carried
an octet of the data stream last. The ranges are disjoint and sorted, found by bisection.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")


class Piece(NamedTuple, Generic[V]):
    """One stretch of the answer to a question about a range: ``value`` is None in a hole."""

    start: int
    end: int
    value: V | None


class IntervalMap(Generic[V]):
    """A map from octets to values, held as disjoint half-open ranges ``[start, end)``.

    Neighbours with different values stay apart, also where they touch; None is no value. A range
    that was assigned is split only where another one is laid over a part of it.
    """

    __slots__ = ("_ends", "_starts", "_values")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._values: list[V] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[tuple[int, int, V]]:
        return zip(self._starts, self._ends, self._values, strict=True)

    def pieces(self, start: int, end: int) -> list[Piece[V]]:
        """What lies in ``[start, end)``, in order and without gaps: holes are pieces as well."""
        if end <= start:
            return []
        found: list[Piece[V]] = []
        at = start
        for index in range(self._first_ending_after(start), len(self._starts)):
            range_start = self._starts[index]
            if range_start >= end:
                break
            if range_start > at:
                found.append(Piece(at, range_start, None))
                at = range_start
            stop = min(self._ends[index], end)
            found.append(Piece(at, stop, self._values[index]))
            at = stop
        if at < end:
            found.append(Piece(at, end, None))
        return found

    def assign(self, start: int, end: int, value: V) -> None:
        """Give every octet of ``[start, end)`` this value, whatever it had before."""
        if end <= start:
            return
        starts, ends, values = self._starts, self._ends, self._values
        if not ends or ends[-1] <= start:
            starts.append(start)
            ends.append(end)
            values.append(value)
            return
        first = self._first_ending_after(start)
        stop = first
        while stop < len(starts) and starts[stop] < end:
            stop += 1
        new_starts, new_ends, new_values = [start], [end], [value]
        if stop > first:
            if starts[first] < start:
                new_starts.insert(0, starts[first])
                new_ends.insert(0, start)
                new_values.insert(0, values[first])
            if ends[stop - 1] > end:
                new_starts.append(end)
                new_ends.append(ends[stop - 1])
                new_values.append(values[stop - 1])
        starts[first:stop] = new_starts
        ends[first:stop] = new_ends
        values[first:stop] = new_values

    def _first_ending_after(self, position: int) -> int:
        """The index of the first range that holds or follows ``position``."""
        index = bisect_right(self._starts, position) - 1
        if index >= 0 and self._ends[index] > position:
            return index
        return index + 1
