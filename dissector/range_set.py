"""Disjoint half-open ranges of whole numbers, such as octets of a sequence number space."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RangeSet:
    """A set of integers as sorted, disjoint ranges ``[start, end)`` that do not touch.

    Finding takes the logarithm of the number of ranges; a change also moves the ranges behind
    it. Empty ranges (``end <= start``) change nothing and hold nothing.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __len__(self) -> int:
        """How many ranges (not how many numbers: see ``size``)."""
        return len(self._starts)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._starts, number) - 1
        return index >= 0 and number < self._ends[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._starts == other._starts and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"RangeSet({list(self)})"

    @property
    def size(self) -> int:
        """How many numbers."""
        return sum(self._ends) - sum(self._starts)

    @property
    def start(self) -> int | None:
        """The smallest number, None if there is none."""
        return self._starts[0] if self._starts else None

    @property
    def end(self) -> int | None:
        """The number after the largest, None if there is none."""
        return self._ends[-1] if self._ends else None

    def add(self, start: int, end: int) -> None:
        """Puts in all numbers of ``[start, end)``."""
        if end <= start:
            return
        # The common case first: data that follows what is there already.
        if self._ends and self._starts[-1] <= start <= self._ends[-1]:
            self._ends[-1] = max(self._ends[-1], end)
            return
        # Ranges that overlap or touch: those that end at or after start and begin at or
        # before end.
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def subtract(self, start: int, end: int) -> None:
        """Takes out all numbers of ``[start, end)``."""
        if end <= start:
            return
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        if first >= last:
            return
        left = [(self._starts[first], start)] if self._starts[first] < start else []
        right = [(end, self._ends[last - 1])] if self._ends[last - 1] > end else []
        kept = left + right
        self._starts[first:last] = [range_start for range_start, _ in kept]
        self._ends[first:last] = [range_end for _, range_end in kept]

    def contains(self, start: int, end: int) -> bool:
        """Whether all numbers of ``[start, end)`` are in; true of an empty range."""
        if end <= start:
            return True
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and end <= self._ends[index]

    def covered(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of ``[start, end)`` that are in, in order."""
        if end <= start:
            return
        for index in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            yield max(start, self._starts[index]), min(end, self._ends[index])

    def missing(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of ``[start, end)`` that are not in, in order."""
        at = start
        for covered_start, covered_end in self.covered(start, end):
            if at < covered_start:
                yield at, covered_start
            at = covered_end
        if at < end:
            yield at, end
