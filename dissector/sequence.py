"""Serial arithmetic of TCP (32-bit) and data (64-bit) sequence numbers, one by one and in arrays.

A difference is the shortest way around the circle (RFC 1982; RFC 9293 section 3.4), so that
numbers compare rightly across a wrap as long as they are less than half the circle apart.
RFC 8684 section 3.3.1 lets a sender put only the low 32 bits of a data sequence number into an
option: ``expand`` finds the 64-bit number nearest to an expected one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TCP_SEQ_BITS: Final = 32
DATA_SEQ_BITS: Final = 64
_MASK_32: Final = (1 << 32) - 1
_MASK_64: Final = (1 << 64) - 1


def difference(number: int, reference: int, *, bits: int = TCP_SEQ_BITS) -> int:
    """How far ``number`` is after ``reference`` (negative: before), the short way around.

    From -2**(bits-1) to 2**(bits-1) - 1; numbers exactly half the circle apart count as before.
    """
    half = 1 << (bits - 1)
    return ((number - reference + half) & ((1 << bits) - 1)) - half


def is_before(number: int, reference: int, *, bits: int = TCP_SEQ_BITS) -> bool:
    """Whether ``number`` comes before ``reference``."""
    return difference(number, reference, bits=bits) < 0


def expand(number: int, expected: int) -> int:
    """The 64-bit number nearest to ``expected`` whose low 32 bits are ``number``."""
    return (expected + difference(number & _MASK_32, expected & _MASK_32)) & _MASK_64


def differences(
    numbers: NDArray[np.uint32], references: NDArray[np.uint32] | np.uint32
) -> NDArray[np.int64]:
    """``difference`` of 32-bit numbers, element by element: uint32[n] -> int64[n]."""
    return (numbers - references).view(np.int32).astype(np.int64)


def data_differences(
    numbers: NDArray[np.uint64], references: NDArray[np.uint64] | np.uint64
) -> NDArray[np.int64]:
    """``difference`` of 64-bit numbers, element by element: uint64[n] -> int64[n]."""
    return (numbers - references).view(np.int64)


def expand_array(
    numbers: NDArray[np.uint32], expected: NDArray[np.uint64] | np.uint64
) -> NDArray[np.uint64]:
    """``expand``, element by element: uint32[n] near uint64[n] (or one number) -> uint64[n]."""
    near = np.broadcast_to(np.asarray(expected, np.uint64), numbers.shape)
    steps = differences(numbers, near.astype(np.uint32))
    return near + steps.view(np.uint64)


def unwrap(numbers: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Positions of sequence numbers in order, as int64[n] relative to the first.

    Right as long as neighbours are less than half the circle apart, however often they wrap.
    """
    positions = np.zeros(numbers.size, np.int64)
    np.cumsum(differences(numbers[1:], numbers[:-1]), out=positions[1:])
    return positions


def unwrap_groups(numbers: NDArray[np.uint32], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """``unwrap`` of each group on its own, relative to the group's first number.

    ``groups`` has one value per number; the rows of a group stand together.
    """
    if not numbers.size:
        return np.zeros(0, np.int64)
    positions = unwrap(numbers)
    first = np.ones(numbers.size, np.bool_)
    first[1:] = groups[1:] != groups[:-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(starts, append=numbers.size)
    return positions - np.repeat(positions[starts], sizes)
