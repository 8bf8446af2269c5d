"""Searching the octets of many packets: they are read in stretches of the file, not one by one."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.filter.columns import Column
    from mptrace.capture import Capture

_STRETCH: Final = 8 << 20
"""Octets of the file that are read at once."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of the file with the values that lie in it, in the order of the file."""

    index: I64
    """Of each value in its column."""
    octets: bytes
    start: I64
    end: I64
    """Of each value within ``octets``."""


def contains(capture: Capture, column: Column, needle: bytes) -> Bool:
    """(m,): the values of octets in which ``needle`` (not empty) is found."""
    found = np.zeros(len(column), np.bool_)
    for part in _stretches(capture, column):
        starts, ends = part.start.tolist(), part.end.tolist()
        hits: list[int] = []
        # A hit beyond the last place in its value says that the value has none: go to the next.
        at = part.octets.find(needle, starts[0])
        while at >= 0:
            value = bisect_right(starts, at) - 1
            if at + len(needle) <= ends[value]:
                hits.append(value)
            if value + 1 == len(starts):
                break
            at = part.octets.find(needle, starts[value + 1])
        found[part.index[hits]] = True
    return found


def matches(capture: Capture, column: Column, pattern: re.Pattern[bytes]) -> Bool:
    """(m,): the values in which the pattern is found."""
    return _judged(capture, column, lambda octets: pattern.search(octets) is not None)


def compared(capture: Capture, column: Column, compare: Callable[[bytes], bool]) -> Bool:
    """(m,): what ``compare`` says of each value."""
    return _judged(capture, column, compare)


def equal(capture: Capture, column: Column, octets: bytes) -> Bool:
    """(m,): the values that are exactly these octets."""
    result = np.zeros(len(column), np.bool_)
    fitting = np.flatnonzero(column.value[:, 2] == len(octets))
    wanted = np.frombuffer(octets, np.uint8)
    for part in _stretches(capture, column.take(fitting)):
        buffer = np.frombuffer(part.octets, np.uint8)
        same = np.ones(part.index.size, np.bool_)
        for at, octet in enumerate(wanted):
            same &= buffer[part.start + at] == octet
        result[fitting[part.index]] = same
    return result


def values(capture: Capture, column: Column) -> list[bytes]:
    """Every value of the column."""
    result = [b""] * len(column)
    for part in _stretches(capture, column):
        for index, start, end in zip(
            part.index.tolist(), part.start.tolist(), part.end.tolist(), strict=True
        ):
            result[index] = part.octets[start:end]
    return result


def _judged(capture: Capture, column: Column, judge: Callable[[bytes], bool]) -> Bool:
    result = np.zeros(len(column), np.bool_)
    for part in _stretches(capture, column):
        result[part.index] = [
            judge(part.octets[start:end])
            for start, end in zip(part.start.tolist(), part.end.tolist(), strict=True)
        ]
    return result


def _stretches(capture: Capture, column: Column) -> Iterator[_Stretch]:
    """Every value once."""
    source, offset, length = column.value[:, 0], column.value[:, 1], column.value[:, 2]
    order = np.lexsort((offset, source))
    first = 0
    while first < order.size:
        head = order[first]
        same_file = int(np.searchsorted(source[order], source[head], side="right"))
        limit = int(np.searchsorted(offset[order[first:same_file]], offset[head] + _STRETCH))
        index = order[first : first + max(limit, 1)]
        begin = int(offset[head])
        ends = offset[index] + length[index]
        octets = capture.read(int(source[head]), begin, int(ends.max()) - begin)
        yield _Stretch(index, octets, offset[index] - begin, ends - begin)
        first += index.size
