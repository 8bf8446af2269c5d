"""What each copy of the data stream is, and the stream put back in order.

Two independent readers of one direction of one connection. :class:`CopyClassifier` tells for every
octet of every packet whether it is new to the capture or a repetition, and of what sort.
:class:`DataReassembler` holds the order at the data level: what arrives above a gap waits until the
gap is closed. Both take plain, expanded positions and any order of packets.

This is the sequential form, one packet at a time. Whole captures are classified in columns
elsewhere; property tests hold the two equal.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from dissector.interval_map import IntervalMap
from dissector.range_set import RangeSet

if TYPE_CHECKING:
    from collections.abc import Iterator

CopyKind = Literal["first", "retransmission", "remapped", "reinjection"]


class CopyPiece(NamedTuple):
    """Octets of one packet that are the same sort of copy of the same earlier packet."""

    data_seq: int
    length: int
    kind: CopyKind
    previous_frame: int | None
    """The packet with the latest earlier copy, on whichever subflow; None for a first copy."""
    previous_subflow: int | None
    """The subflow that carried that copy."""


class _Carrier(NamedTuple):
    frame: int
    subflow: int


class CopyClassifier:
    """Tells, octet by octet, first copies from repetitions, for one direction of one connection.

    A *retransmission* was carried before by this subflow under the same subflow sequence number
    (TCP's own doing); a *remapped* octet only under others; a *reinjection* only by other subflows.
    Memory grows with the number of packets, not of octets.
    """

    __slots__ = ("_by_delta", "_by_subflow", "_latest")

    def __init__(self) -> None:
        self._latest: IntervalMap[_Carrier] = IntervalMap()
        self._by_subflow: dict[int, RangeSet] = {}
        # Where a subflow's octets stand is the same for all octets with the same difference of
        # data and subflow positions: one set of ranges each tells the sequence numbers apart.
        self._by_delta: dict[tuple[int, int], RangeSet] = {}

    def receive(
        self, subflow: int, subflow_seq: int, data_seq: int, length: int, frame: int
    ) -> list[CopyPiece]:
        """Take in mapped payload of one packet, in capture order.

        Args:
            subflow: any number that names the subflow.
            subflow_seq: the first octet's position in the subflow, unwrapped.
            data_seq: the first octet's position in the data stream, expanded.
            length: octets.
            frame: the packet's number.

        Returns:
            Pieces in order that together are exactly these octets.
        """
        if length <= 0:
            return []
        end = data_seq + length
        on_subflow = self._by_subflow.setdefault(subflow, RangeSet())
        same_numbers = self._by_delta.setdefault((subflow, data_seq - subflow_seq), RangeSet())
        pieces: list[CopyPiece] = []
        for start, stop, carrier in self._latest.pieces(data_seq, end):
            if carrier is None:
                pieces.append(CopyPiece(start, stop - start, "first", None, None))
                continue
            for part_start, part_end, kind in _sorts(start, stop, same_numbers, on_subflow):
                pieces.append(
                    CopyPiece(
                        part_start, part_end - part_start, kind, carrier.frame, carrier.subflow
                    )
                )
        self._latest.assign(data_seq, end, _Carrier(frame, subflow))
        on_subflow.add(data_seq, end)
        same_numbers.add(data_seq, end)
        return pieces


def _sorts(
    start: int, end: int, same_numbers: RangeSet, on_subflow: RangeSet
) -> Iterator[tuple[int, int, CopyKind]]:
    """Split octets that were all seen before by who carried them and under which numbers."""
    for part_start, part_end, retransmitted in _split(start, end, same_numbers):
        if retransmitted:
            yield part_start, part_end, "retransmission"
            continue
        for piece_start, piece_end, remapped in _split(part_start, part_end, on_subflow):
            yield piece_start, piece_end, "remapped" if remapped else "reinjection"


def _split(start: int, end: int, ranges: RangeSet) -> Iterator[tuple[int, int, bool]]:
    """``[start, end)`` in order, each stretch with whether it is in ``ranges``."""
    at = start
    for covered_start, covered_end in ranges.covered(start, end):
        if covered_start > at:
            yield at, covered_start, False
        yield covered_start, covered_end, True
        at = covered_end
    if at < end:
        yield at, end, False


@dataclass(frozen=True, slots=True)
class OutOfOrderPiece:
    """First copies that arrived above a gap."""

    data_seq: int
    length: int
    frame: int
    time_ns: int
    extent: int
    """Octets missing below it when it arrived: what the reorder queue waited for."""
    delay_ns: int | None = None
    """From its arrival until every octet below it had been seen; None while one is missing."""


class DeliveredPiece(NamedTuple):
    """Octets that are next in the stream."""

    data_seq: int
    length: int
    payload: bytes
    """The octets themselves: fewer than ``length`` where the capture did not keep them all."""
    frame: int


class Progress(NamedTuple):
    """What one packet did to the order of the stream."""

    delivered: tuple[DeliveredPiece, ...]
    """What came into order with it: itself, and what had waited for it."""
    out_of_order: tuple[OutOfOrderPiece, ...]
    """Its own pieces that arrived above a gap, their delay not yet known."""
    released: tuple[OutOfOrderPiece, ...]
    """Pieces that waited until now, with their delay."""


_BY_DATA_SEQ = attrgetter("data_seq")
_NO_PROGRESS = Progress((), (), ())


class DataReassembler:
    """Puts one direction's octets in order, the earliest copy of each.

    Feed it only copies that a receiver keeps: where DSS checksums are in use, those that pass.

    Args:
        first_data_seq: where the stream begins (the initial data sequence number plus 1). Without
            it the first octet that is received begins the stream, and what lies below is ignored.
    """

    __slots__ = ("_frontier", "_out_of_order", "_pending", "_waiting", "_waiting_octets")

    def __init__(self, first_data_seq: int | None = None) -> None:
        self._frontier = first_data_seq
        self._waiting = RangeSet()
        self._waiting_octets = 0
        self._pending: list[DeliveredPiece] = []  # sorted, disjoint, all above the frontier
        self._out_of_order: list[OutOfOrderPiece] = []  # sorted by data_seq, disjoint

    @property
    def frontier(self) -> int | None:
        """The lowest octet that was not seen so far; None before the stream has begun."""
        return self._frontier

    @property
    def waiting_octets(self) -> int:
        """Octets above a gap: what a receiver's reorder queue holds now."""
        return self._waiting_octets

    @property
    def still_out_of_order(self) -> tuple[OutOfOrderPiece, ...]:
        """Pieces whose gap is still open."""
        return tuple(self._out_of_order)

    def receive(
        self, data_seq: int, length: int, frame: int, time_ns: int, payload: bytes = b""
    ) -> Progress:
        """Take in octets, in capture order; those that were seen before are left out.

        Args:
            data_seq: the first octet's position in the data stream, expanded.
            length: octets on the wire.
            frame: the packet's number.
            time_ns: when it was captured, nanoseconds since 1970.
            payload: the octets, at most ``length``; fewer where the capture cut the packet.
        """
        if length <= 0:
            return _NO_PROGRESS
        frontier = data_seq if self._frontier is None else self._frontier
        self._frontier = frontier
        start, end = max(data_seq, frontier), data_seq + length
        new: list[DeliveredPiece] = []
        for piece_start, piece_end in list(self._waiting.missing(start, end)):
            octets = payload[piece_start - data_seq : piece_end - data_seq]
            new.append(DeliveredPiece(piece_start, piece_end - piece_start, octets, frame))
        for piece in new:
            self._waiting.add(piece.data_seq, piece.data_seq + piece.length)
            insort(self._pending, piece, key=_BY_DATA_SEQ)
            self._waiting_octets += piece.length
        # A packet's octets come all at once: none of its own is missing below another.
        out_of_order = tuple(
            OutOfOrderPiece(piece.data_seq, piece.length, frame, time_ns, extent)
            for piece in new
            if (extent := self._missing_below(piece.data_seq, frontier))
        )
        for late in out_of_order:
            insort(self._out_of_order, late, key=_BY_DATA_SEQ)
        delivered, released = self._advance(time_ns)
        return Progress(delivered, out_of_order, released)

    def skip_gap(self, time_ns: int) -> Progress:
        """Give up what is missing at the frontier and go on with what waits above it.

        For captures that lack octets which the receiver had. Pieces that waited are released with
        no delay: their gap was never closed. Nothing happens where nothing waits.
        """
        if not self._pending:
            return _NO_PROGRESS
        self._frontier = self._pending[0].data_seq
        delivered, released = self._advance(time_ns)
        return Progress(delivered, (), tuple(replace(piece, delay_ns=None) for piece in released))

    def _missing_below(self, position: int, frontier: int) -> int:
        """Octets of ``[frontier, position)`` that were not seen: the shorter way round."""
        index = bisect_left(self._pending, position, key=_BY_DATA_SEQ)
        if index <= len(self._pending) // 2:
            seen = sum(piece.length for piece in self._pending[:index])
        else:
            seen = self._waiting_octets - sum(piece.length for piece in self._pending[index:])
        return position - frontier - seen

    def _advance(
        self, time_ns: int
    ) -> tuple[tuple[DeliveredPiece, ...], tuple[OutOfOrderPiece, ...]]:
        """Move the frontier over everything that touches it."""
        frontier = self._frontier
        if frontier is None:
            return (), ()
        count = 0
        for piece in self._pending:
            if piece.data_seq != frontier:
                break
            frontier += piece.length
            count += 1
        if not count:
            return (), ()
        delivered = tuple(self._pending[:count])
        del self._pending[:count]
        self._waiting_octets -= frontier - delivered[0].data_seq
        self._waiting.subtract(delivered[0].data_seq, frontier)
        self._frontier = frontier
        freed = bisect_left(self._out_of_order, frontier, key=_BY_DATA_SEQ)
        released = tuple(
            replace(piece, delay_ns=time_ns - piece.time_ns) for piece in self._out_of_order[:freed]
        )
        del self._out_of_order[:freed]
        return delivered, released
