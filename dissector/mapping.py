"""DSS mappings of one direction of one subflow (RFC 8684 section 3.3.1).

A mapping says which octets of the data stream a range of the subflow's octets carries. It may cover
many segments, also some that come before the one that carries it, and stays in force until its
length is used: hence a table that is asked, not a current mapping that is replaced.

This is the sequential form: one value a mapping. Whole captures are mapped in columns elsewhere; a
property test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from dissector.interval_map import IntervalMap

Verdict = Literal["new", "repeated", "extends", "conflicting"]

# Infinite mappings end nowhere: one past every position that 64 bits can name, wraps included.
_OPEN_END = 1 << 128


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping as positions: plain integers, expanded and unwrapped, that only ever grow.

    Raises:
        ValueError: the length is negative.
    """

    data_seq: int
    """First octet, in the data sequence space."""
    subflow_seq: int
    """First octet, in the subflow's own sequence space."""
    length: int
    """Octets covered, without a DATA_FIN's own number; 0 is an infinite mapping (section 3.7)."""
    frame_number: int = 0
    """The packet that carried it."""

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError(f"a mapping's length is not negative, as {self.length} is")

    @property
    def infinite(self) -> bool:
        """Whether it covers everything that follows: the subflow has fallen back to TCP."""
        return self.length == 0

    @property
    def delta(self) -> int:
        """What takes a subflow position to its data position."""
        return self.data_seq - self.subflow_seq

    @property
    def subflow_end(self) -> int:
        """One past the last subflow position that is covered."""
        return _OPEN_END if self.infinite else self.subflow_seq + self.length


class MappedRange(NamedTuple):
    """A stretch of a subflow's octets and where they belong; ``data_start`` is None: unmapped."""

    subflow_start: int
    data_start: int | None
    length: int


class MappingTable:
    """The mappings of one direction of one subflow; the first to name an octet keeps it."""

    __slots__ = ("_ranges",)

    def __init__(self) -> None:
        self._ranges: IntervalMap[Mapping] = IntervalMap()

    def add(self, mapping: Mapping) -> Verdict:
        """Take a mapping in and say what it is beside those that came before.

        Returns:
            ``new`` when it names no octet that another one named; ``repeated`` when every octet was
            mapped to the same place before; ``extends`` when a part of them was; ``conflicting``
            when an octet was mapped elsewhere: what an earlier mapping named stays where it was.
        """
        overlapping = conflicting = holes = False
        start, end = mapping.subflow_seq, mapping.subflow_end
        for piece in self._ranges.pieces(start, end):
            if piece.value is None:
                holes = True
                self._ranges.assign(piece.start, piece.end, mapping)
            else:
                overlapping = True
                conflicting = conflicting or piece.value.delta != mapping.delta
        if conflicting:
            return "conflicting"
        if not overlapping:
            return "new"
        return "extends" if holes else "repeated"

    def translate(self, subflow_start: int, length: int) -> list[MappedRange]:
        """Where the octets of a segment belong, split at the borders of mappings.

        Returns:
            Stretches that together are exactly ``[subflow_start, subflow_start + length)``.
        """
        return [
            MappedRange(
                piece.start,
                None if piece.value is None else piece.start + piece.value.delta,
                piece.end - piece.start,
            )
            for piece in self._ranges.pieces(subflow_start, subflow_start + length)
        ]

    def mapping_at(self, subflow_seq: int) -> Mapping | None:
        """The mapping that an octet belongs to."""
        (piece,) = self._ranges.pieces(subflow_seq, subflow_seq + 1)
        return piece.value
