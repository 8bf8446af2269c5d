"""The walk through the options of many packets: one step per position, all packets together.

Which form an option has comes from ``option_layout``, as in the scalar codec; both find the same
options, the same faults and the same ends in every octet sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dissector.constants import MalformedReason, MptcpSubtype, TcpOptionKind
from dissector.option_layout import (
    FORMS_BY_OPTION,
    MPTCP_FORM_TABLE,
    OPTION_LENGTHS,
    PLAIN_FORM_TABLE,
    SELECTORS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dissector.option_tables import Indices, Mask, Octets

_MPTCP_FORMS: Final = np.frombuffer(MPTCP_FORM_TABLE, np.uint8)
_PLAIN_FORMS: Final = np.frombuffer(PLAIN_FORM_TABLE, np.uint8)
_DSS_FLAGS: Final = 0x1F
_NEVER: Final = np.iinfo(np.int64).max
_NOP_NOP: Final = 0x0101
_NOP_NOP_TIMESTAMPS: Final = 0x0101080A
_TIMESTAMPS_FORM: Final = FORMS_BY_OPTION["Timestamps"][0].number


class WalkStatus(IntFlag):
    """How the walk through one packet's options went; the two faults may come together."""

    OK = 0
    MALFORMED = 1
    """At least one option is malformed; ``malformed_offset`` is the first one's."""
    CUT = 2
    """The capture ends within the options; ``cut_offset`` is where the next one would begin."""


@dataclass(frozen=True, slots=True)
class MalformedRows:
    """One row per malformed option (see ``constants.MalformedReason``)."""

    packet: Indices
    offset: Indices
    kind: Octets
    reason: Octets


@dataclass(frozen=True, slots=True)
class OptionRows:
    """One row per well-formed option, padding (kinds 0 and 1) left out; status per packet."""

    packet: Indices
    kind: Octets
    offset: Indices
    length: Octets
    form: Octets
    """Index in ``option_layout.FORMS``."""
    malformed: MalformedRows
    status: Octets
    """Per packet: ``WalkStatus``."""
    malformed_offset: Indices
    """Per packet: place in the buffer of the first malformed option, or -1."""
    cut_offset: Indices
    """Per packet: place in the buffer of the option that the capture cuts, or -1."""


class _WalkResult:
    """Collects rows step by step; put in order once, at the end."""

    def __init__(self, packets: int, *, only_mptcp: bool) -> None:
        self.only_mptcp = only_mptcp
        self.status = np.zeros(packets, np.uint8)
        self.malformed_offset = np.full(packets, -1, np.int64)
        self.cut_offset = np.full(packets, -1, np.int64)
        self._rows: list[tuple[Indices, Indices, Octets, Octets, Octets]] = []
        self._malformed: list[tuple[Indices, Indices, Octets, Octets]] = []

    def add(
        self, packet: Indices, offset: Indices, kind: Octets, length: Octets, form: Octets
    ) -> None:
        if packet.size:
            self._rows.append((packet, offset, kind, length, form))

    def add_malformed(
        self, packet: Indices, offset: Indices, kind: Octets, reason: MalformedReason
    ) -> None:
        if not packet.size:
            return
        reasons = np.full(packet.size, reason, np.uint8)
        self._malformed.append((packet, offset, kind, reasons))
        first = self.malformed_offset[packet] < 0
        self.malformed_offset[packet[first]] = offset[first]
        self.status[packet] |= np.uint8(WalkStatus.MALFORMED)

    def add_cut(self, packet: Indices, offset: Indices) -> None:
        self.status[packet] |= np.uint8(WalkStatus.CUT)
        self.cut_offset[packet] = offset

    def finish(self) -> OptionRows:
        packet, offset, kind, length, form = _in_order(
            self._rows, (np.int64, np.int64, np.uint8, np.uint8, np.uint8)
        )
        malformed = _in_order(self._malformed, (np.int64, np.int64, np.uint8, np.uint8))
        return OptionRows(
            packet=packet,
            kind=kind,
            offset=offset,
            length=length,
            form=form,
            malformed=MalformedRows(*malformed),
            status=self.status,
            malformed_offset=self.malformed_offset,
            cut_offset=self.cut_offset,
        )


def _in_order(parts: list[Any], dtypes: Iterable[type]) -> tuple[NDArray[Any], ...]:
    """The parts of each column joined, ordered by packet; within a packet as they came."""
    if not parts:
        return tuple(np.empty(0, dtype) for dtype in dtypes)
    if len(parts) == 1:
        return tuple(parts[0])
    columns = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    packet = columns[0]
    # numpy sorts numbers of 16 bits by radix; batches are seldom larger
    narrow = packet.astype(np.uint16) if int(packet.max()) < 1 << 16 else packet
    order = np.argsort(narrow, kind="stable")
    return tuple(column.take(order) for column in columns)


def walk_options(
    buffer: Octets,
    options_offset: Indices,
    options_length: Indices,
    options_captured: Indices,
    *,
    only_mptcp: bool = False,
) -> OptionRows:
    """Finds the options of all packets.

    ``buffer`` is a contiguous uint8 array. The others are int64, one element per packet: where
    the option area begins in the buffer, how long the TCP header says that it is, and how much
    of it was captured (at most its length, and within the buffer: less is read where not).
    ``only_mptcp`` leaves the rows of other well-formed options out; faults are all found.
    Options after a malformed one are read as long as its length octet is credible.
    """
    result = _WalkResult(options_offset.size, only_mptcp=only_mptcp)
    last = buffer.size - 1
    packet = np.flatnonzero(options_length > 0)
    at = options_offset[packet].astype(np.int64, copy=False)
    end = at + options_length[packet]
    captured_end = np.minimum(at + options_captured[packet], np.minimum(end, buffer.size))
    packet, at, end, captured_end = _skip_leading_timestamps(
        buffer, result, packet, at, end, captured_end
    )
    while packet.size:
        if (at >= captured_end).any():
            seen = at < captured_end
            result.add_cut(packet[~seen], at[~seen])
            packet, at, end, captured_end = keep(seen, packet, at, end, captured_end)
            if not packet.size:
                break
        kind = buffer[at]
        length = buffer[np.minimum(at + 1, last)]
        step = length.astype(np.int64)
        if kind.min() <= TcpOptionKind.NO_OPERATION:
            step[kind == TcpOptionKind.NO_OPERATION] = 1
            whole = kind > TcpOptionKind.NO_OPERATION
        else:
            whole = np.ones(kind.size, np.bool_)
        after = at + step
        if not kind.all():
            after[kind == TcpOptionKind.END_OF_OPTIONS] = _NEVER
        if ((after > captured_end) | (step < 2))[whole].any():
            whole, stopped = _set_faults_apart(
                result, whole, packet, at, end, captured_end, kind, length
            )
            after[stopped] = end[stopped]
        _add_options(buffer, result, *keep(whole, packet, at), *keep(whole, kind, length))
        goes_on = _goes_on(buffer, after, end, captured_end)
        packet, at, end, captured_end = keep(goes_on, packet, after, end, captured_end)
    return result.finish()


def _goes_on(buffer: Octets, at: Indices, end: Indices, captured_end: Indices) -> Mask:
    """Where options are left; the two NOPs that often fill the area up are taken here."""
    goes_on: Mask = at < end
    two = np.flatnonzero((end - at == 2) & (captured_end == end))
    if two.size:
        goes_on[two[gather(buffer, at[two], 2) == _NOP_NOP]] = False
    return goes_on


def keep(mask: Mask, *columns: NDArray[Any]) -> tuple[Any, ...]:
    """The columns where the mask is true; not copied where it is so everywhere."""
    if mask.all():
        return columns
    rows = np.flatnonzero(mask)  # to take rows is faster than to look at a mask for each column
    return tuple(column.take(rows) for column in columns)


def _skip_leading_timestamps(
    buffer: Octets,
    result: _WalkResult,
    packet: Indices,
    at: Indices,
    end: Indices,
    captured_end: Indices,
) -> tuple[Indices, Indices, Indices, Indices]:
    """Takes NOP NOP TIMESTAMPS in one step, with which nearly every segment begins."""
    if buffer.size < 4:
        return packet, at, end, captured_end
    words = gather(buffer, np.minimum(at, buffer.size - 4), 4)
    matches = (words == _NOP_NOP_TIMESTAMPS) & (at + 12 <= captured_end)
    if not result.only_mptcp:
        first, place = packet[matches], at[matches] + 2
        result.add(
            first,
            place,
            np.full(first.size, TcpOptionKind.TIMESTAMPS, np.uint8),
            np.full(first.size, 10, np.uint8),
            np.full(first.size, _TIMESTAMPS_FORM, np.uint8),
        )
    at = np.where(matches, at + 12, at)
    left: tuple[Indices, Indices, Indices, Indices] = keep(at < end, packet, at, end, captured_end)
    return left


def _set_faults_apart(
    result: _WalkResult,
    named: Mask,
    packet: Indices,
    at: Indices,
    end: Indices,
    captured_end: Indices,
    kind: Octets,
    length: Octets,
) -> tuple[Mask, Mask]:
    """Which options are whole, and at which the walk stops; ``named`` are those with a length."""
    no_length = named & (at + 1 >= end)
    unseen_length = named & ~no_length & (at + 1 >= captured_end)
    sized = named & ~no_length & ~unseen_length
    after = at + length
    below_two = sized & (length < 2)
    beyond = sized & ~below_two & (after > end)
    cut = unseen_length | (sized & ~below_two & ~beyond & (after > captured_end))
    for fault, reason in (
        (no_length, MalformedReason.NO_LENGTH),
        (below_two, MalformedReason.LENGTH_BELOW_TWO),
        (beyond, MalformedReason.BEYOND_AREA),
    ):
        result.add_malformed(packet[fault], at[fault], kind[fault], reason)
    result.add_cut(packet[cut], at[cut])
    stopped = no_length | below_two | beyond | cut
    return named & ~stopped, stopped


def _add_options(
    buffer: Octets,
    result: _WalkResult,
    packet: Indices,
    at: Indices,
    kind: Octets,
    length: Octets,
) -> None:
    """Adds whole options, those of a wrong length as malformed."""
    mptcp = np.flatnonzero((kind == TcpOptionKind.MPTCP) & (length > 2))
    if mptcp.size == kind.size:
        form = _mptcp_forms(buffer, at, length)
    else:
        form = _PLAIN_FORMS[kind * np.int64(OPTION_LENGTHS) + length]
        form[mptcp] = _mptcp_forms(buffer, at[mptcp], length[mptcp])
    fits = form != 0
    if not fits.all():
        wrong = ~fits
        result.add_malformed(packet[wrong], at[wrong], kind[wrong], MalformedReason.WRONG_LENGTH)
        packet, at, kind, length, form = keep(fits, packet, at, kind, length, form)
    if result.only_mptcp:
        is_mptcp = kind == TcpOptionKind.MPTCP
        packet, at, kind, length, form = keep(is_mptcp, packet, at, kind, length, form)
    result.add(packet, at, kind, length, form)


def _mptcp_forms(buffer: Octets, at: Indices, length: Octets) -> Octets:
    """The forms of MPTCP options of three octets or more."""
    third = buffer[at + 2]
    subtype = third >> 4
    # An option of three octets may end with the buffer; only DSS looks further, and none of
    # its forms is that short.
    fourth = buffer[np.minimum(at + 3, buffer.size - 1)]
    selector = np.where(subtype == MptcpSubtype.DSS, fourth & _DSS_FLAGS, third & 0x0F)
    index = subtype * np.int64(OPTION_LENGTHS * SELECTORS)
    index += length * np.int64(SELECTORS)
    index += selector
    forms: Octets = _MPTCP_FORMS[index]
    return forms


def gather(buffer: Octets, places: Indices, octets: int) -> NDArray[Any]:
    """Big-endian numbers of 1, 2, 4 or 8 octets at unaligned places, all within the buffer."""
    if octets == 1 or not places.size:
        return buffer[places]
    view = np.ndarray((buffer.size - octets + 1,), np.dtype(f">u{octets}"), buffer, strides=(1,))
    return view[places]
