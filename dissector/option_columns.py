"""The options of many packets at once: a walk in lockstep, then columns per subtype.

The walk takes one step per option position, for all packets together; which form an option has
and where its fields stand comes from ``option_layout``, as in the scalar codec, and both agree
on every octet sequence. Numbers of 64 bits are uint64 with a presence mask; absent ones are 0.

In every table ``packet`` (int64) is the row of the packet in the arrays given to
``walk_options``, ``offset`` (int64) the option's kind octet within the buffer and ``length``
(uint8) its octets. Rows are ordered by packet, then by place in the packet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from dissector.constants import DssFlag, MalformedReason, MptcpSubtype, TcpOptionKind
from dissector.option_layout import (
    FORMS,
    FORMS_BY_OPTION,
    MPTCP_FORM_TABLE,
    OPTION_LENGTHS,
    PLAIN_FORM_TABLE,
    SELECTORS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Octets: TypeAlias = "NDArray[np.uint8]"
Indices: TypeAlias = "NDArray[np.int64]"
Mask: TypeAlias = "NDArray[np.bool_]"
Numbers16: TypeAlias = "NDArray[np.uint16]"
Numbers32: TypeAlias = "NDArray[np.uint32]"
Numbers64: TypeAlias = "NDArray[np.uint64]"

_MPTCP_FORMS: Final = np.frombuffer(MPTCP_FORM_TABLE, np.uint8)
_PLAIN_FORMS: Final = np.frombuffer(PLAIN_FORM_TABLE, np.uint8)
_NOP_NOP_TIMESTAMPS: Final = 0x0101080A
_DSS_FLAGS: Final = 0x1F
_NEVER: Final = np.iinfo(np.int64).max
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


@dataclass(frozen=True, slots=True)
class MpCapableColumns:
    """MP_CAPABLE: RFC 8684 section 3.1."""

    packet: Indices
    offset: Indices
    length: Octets
    version: Octets
    flags: Octets
    sender_key: Numbers64
    has_sender_key: Mask
    receiver_key: Numbers64
    has_receiver_key: Mask
    data_length: Numbers16
    has_data_length: Mask
    checksum: Numbers16
    has_checksum: Mask


@dataclass(frozen=True, slots=True)
class MpJoinSynColumns:
    """MP_JOIN of 12 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    token: Numbers32
    nonce: Numbers32


@dataclass(frozen=True, slots=True)
class MpJoinSynAckColumns:
    """MP_JOIN of 16 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    hmac: Numbers64
    nonce: Numbers32


@dataclass(frozen=True, slots=True)
class MpJoinAckColumns:
    """MP_JOIN of 24 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    hmac: Octets
    """Shape (rows, 20)."""


@dataclass(frozen=True, slots=True)
class DssColumns:
    """DSS: RFC 8684 section 3.3; numbers as on the wire, of 4 or 8 octets."""

    packet: Indices
    offset: Indices
    length: Octets
    flags: Octets
    """See ``constants.DssFlag``; reserved bits are left out."""
    data_ack: Numbers64
    data_ack_octets: Octets
    """0 (absent), 4 or 8."""
    data_seq: Numbers64
    data_seq_octets: Octets
    """0 (no mapping), 4 or 8."""
    subflow_seq: Numbers32
    data_length: Numbers16
    checksum: Numbers16
    has_checksum: Mask
    data_fin: Mask


@dataclass(frozen=True, slots=True)
class AddAddressColumns:
    """ADD_ADDR: RFC 6824 and RFC 8684 section 3.4.1. IPv4: high is 0, low the 32 bits."""

    packet: Indices
    offset: Indices
    length: Octets
    version: Octets
    echo: Mask
    address_id: Octets
    family: Octets
    address_high: Numbers64
    address_low: Numbers64
    port: Numbers16
    has_port: Mask
    hmac: Numbers64
    has_hmac: Mask


@dataclass(frozen=True, slots=True)
class RemoveAddressColumns:
    """REMOVE_ADDR: RFC 8684 section 3.4.2; one row per address ID, in the option's order."""

    packet: Indices
    offset: Indices
    length: Octets
    address_id: Octets


@dataclass(frozen=True, slots=True)
class MpPriorityColumns:
    """MP_PRIO: RFC 8684 section 3.3.8."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    has_address_id: Mask


@dataclass(frozen=True, slots=True)
class MpFailColumns:
    """MP_FAIL: RFC 8684 section 3.7."""

    packet: Indices
    offset: Indices
    length: Octets
    data_seq: Numbers64


@dataclass(frozen=True, slots=True)
class MpFastcloseColumns:
    """MP_FASTCLOSE: RFC 8684 section 3.5."""

    packet: Indices
    offset: Indices
    length: Octets
    receiver_key: Numbers64


@dataclass(frozen=True, slots=True)
class MpTcpResetColumns:
    """MP_TCPRST: RFC 8684 section 3.6."""

    packet: Indices
    offset: Indices
    length: Octets
    flags: Octets
    reason: Octets


@dataclass(frozen=True, slots=True)
class OpaqueMptcpColumns:
    """MP_EXPERIMENTAL, unknown subtypes and MP_CAPABLE of an unknown version.

    What follows the subtype octet is at ``offset + 3``, ``length - 3`` octets.
    """

    packet: Indices
    offset: Indices
    length: Octets
    subtype: Octets
    low_bits: Octets


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """A TCP option with one number: maximum segment size or window scale's shift."""

    packet: Indices
    offset: Indices
    length: Octets
    value: Numbers32


@dataclass(frozen=True, slots=True)
class TimestampsColumns:
    """TCP timestamps: RFC 7323 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    value: Numbers32
    echo_reply: Numbers32


@dataclass(frozen=True, slots=True)
class SackColumns:
    """TCP SACK: RFC 2018 section 3; one row per block, in the option's order."""

    packet: Indices
    offset: Indices
    length: Octets
    left_edge: Numbers32
    right_edge: Numbers32


# --- the walk ---------------------------------------------------------------------------------


class _WalkResult:
    """Collects rows step by step; put in order once, at the end."""

    def __init__(self, packets: int) -> None:
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
    order = np.argsort(columns[0], kind="stable")
    return tuple(column[order] for column in columns)


def walk_options(
    buffer: Octets,
    options_offset: Indices,
    options_length: Indices,
    options_captured: Indices,
) -> OptionRows:
    """Finds the options of all packets.

    ``buffer`` is a contiguous uint8 array. The others are int64, one element per packet: where
    the option area begins in the buffer, how long the TCP header says that it is, and how much
    of it was captured (at most its length, and within the buffer: less is read where not).
    Options after a malformed one are read as long as its length octet is credible.
    """
    result = _WalkResult(options_offset.size)
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
            packet, at, end, captured_end = _keep(seen, packet, at, end, captured_end)
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
        after[kind == TcpOptionKind.END_OF_OPTIONS] = _NEVER
        if ((after > captured_end) | (step < 2))[whole].any():
            whole, stopped = _set_faults_apart(
                result, whole, packet, at, end, captured_end, kind, length
            )
            after[stopped] = end[stopped]
        _add_options(buffer, result, *_keep(whole, packet, at), *_keep(whole, kind, length))
        packet, at, end, captured_end = _keep(after < end, packet, after, end, captured_end)
    return result.finish()


def _keep(mask: Mask, *columns: NDArray[Any]) -> tuple[Any, ...]:
    if mask.all():
        return columns
    return tuple(column[mask] for column in columns)


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
    words = _gather(buffer, np.minimum(at, buffer.size - 4), 4)
    matches = (words == _NOP_NOP_TIMESTAMPS) & (at + 12 <= captured_end)
    first, place = packet[matches], at[matches] + 2
    result.add(
        first,
        place,
        np.full(first.size, TcpOptionKind.TIMESTAMPS, np.uint8),
        np.full(first.size, 10, np.uint8),
        np.full(first.size, _TIMESTAMPS_FORM, np.uint8),
    )
    at = np.where(matches, at + 12, at)
    left: tuple[Indices, Indices, Indices, Indices] = _keep(at < end, packet, at, end, captured_end)
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
    form = _PLAIN_FORMS[kind * np.int64(OPTION_LENGTHS) + length]
    mptcp = np.flatnonzero((kind == TcpOptionKind.MPTCP) & (length > 2))
    if mptcp.size == kind.size:
        form = _mptcp_forms(buffer, at, length)
    elif mptcp.size:
        form[mptcp] = _mptcp_forms(buffer, at[mptcp], length[mptcp])
    fits = form != 0
    if not fits.all():
        wrong = ~fits
        result.add_malformed(packet[wrong], at[wrong], kind[wrong], MalformedReason.WRONG_LENGTH)
        packet, at, kind, length, form = _keep(fits, packet, at, kind, length, form)
    result.add(packet, at, kind, length, form)


def _mptcp_forms(buffer: Octets, at: Indices, length: Octets) -> Octets:
    """The forms of MPTCP options of three octets or more."""
    third = buffer[at + 2]
    subtype = third >> 4
    # An option of three octets may end with the buffer; only DSS looks further, and none of
    # its forms is that short.
    fourth = buffer[np.minimum(at + 3, buffer.size - 1)]
    selector = np.where(subtype == MptcpSubtype.DSS, fourth & 0x1F, third & 0x0F)
    index = subtype * np.int64(OPTION_LENGTHS * SELECTORS)
    index += length * np.int64(SELECTORS)
    index += selector
    forms: Octets = _MPTCP_FORMS[index]
    return forms


# --- columns ----------------------------------------------------------------------------------


def _gather(buffer: Octets, places: Indices, octets: int) -> NDArray[Any]:
    """Big-endian numbers of 1, 2, 4 or 8 octets at unaligned places, all within the buffer."""
    if octets == 1 or not places.size:
        return buffer[places]
    view = np.ndarray((buffer.size - octets + 1,), np.dtype(f">u{octets}"), buffer, strides=(1,))
    return view[places]


class _FieldTable:
    """Where an attribute stands in each form of an option: what one gather needs."""

    def __init__(self, option: str, attribute: str) -> None:
        self.present = np.zeros(len(FORMS), np.bool_)
        self.shift = np.zeros(len(FORMS), np.uint64)
        self.mask = np.zeros(len(FORMS), np.uint64)
        layouts = {
            form.number: layout
            for form in FORMS_BY_OPTION[option]
            if (layout := form.field(attribute)) is not None
        }
        span = max(layout.octet_end - layout.octet_offset for layout in layouts.values())
        self.octets = next(octets for octets in (1, 2, 4, 8) if octets >= span)
        """Width of the window that is read; it ends where the field ends, so that it never
        leaves the option."""
        self.start = np.zeros(len(FORMS), np.int64)
        for number, layout in layouts.items():
            self.present[number] = True
            self.shift[number] = -(layout.bit_offset + layout.bit_width) % 8
            self.mask[number] = (1 << layout.bit_width) - 1
            self.start[number] = layout.octet_end - self.octets
        self.needs_mask = bool(
            (self.shift[self.present] != 0).any()
            or (self.mask[self.present] != (1 << 8 * self.octets) - 1).any()
        )


_field_table = cache(_FieldTable)


@cache
def _implied_table(option: str, attribute: str) -> Octets:
    """What each form of an option implies for an attribute."""
    table = np.zeros(len(FORMS), np.uint8)
    for form in FORMS_BY_OPTION[option]:
        table[form.number] = dict(form.implied)[attribute]
    return table


@cache
def _forms_of(option: str) -> Mask:
    table = np.zeros(len(FORMS), np.bool_)
    table[[form.number for form in FORMS_BY_OPTION[option]]] = True
    return table


class _Selection:
    """The rows of one option class, with what is needed to read its fields."""

    def __init__(self, buffer: Octets, rows: OptionRows, option: str) -> None:
        self._buffer = buffer
        self._option = option
        chosen = _forms_of(option)[rows.form]
        self.packet, self.offset, self.length, self._form = _keep(
            chosen, rows.packet, rows.offset, rows.length, rows.form
        )
        self._only_form: int | None = None
        if self._form.size and self._form.min() == self._form.max():
            self._only_form = int(self._form[0])

    def implied(self, attribute: str) -> Octets:
        """What the form itself says."""
        values: Octets = _implied_table(self._option, attribute)[self._form]
        return values

    def present(self, attribute: str) -> Mask:
        """In which rows the field is present."""
        mask: Mask = _field_table(self._option, attribute).present[self._form]
        return mask

    def numbers(self, attribute: str, dtype: type) -> NDArray[Any]:
        """A field of at most 64 bits as unsigned numbers, 0 where it is absent."""
        table = _field_table(self._option, attribute)
        if self._only_form is not None:
            if not table.present[self._only_form]:
                return np.zeros(self.packet.size, dtype)
            return self._read(table, self.offset, self._only_form, dtype)
        present = table.present[self._form]
        if present.all():
            return self._read(table, self.offset, self._form, dtype)
        values = np.zeros(self.packet.size, dtype)
        values[present] = self._read(table, self.offset[present], self._form[present], dtype)
        return values

    def _read(
        self, table: _FieldTable, offset: Indices, form: int | Octets, dtype: type
    ) -> NDArray[Any]:
        window = _gather(self._buffer, offset + table.start[form], table.octets)
        if table.needs_mask:
            window = (window.astype(np.uint64) >> table.shift[form]) & table.mask[form]
        return window.astype(dtype, copy=False)

    def flags(self, attribute: str) -> Mask:
        """A field of one bit."""
        return self.numbers(attribute, np.bool_)


def mp_capable_columns(buffer: Octets, rows: OptionRows) -> MpCapableColumns:
    """All MP_CAPABLE of a known version."""
    found = _Selection(buffer, rows, "MpCapable")
    return MpCapableColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        version=found.numbers("version", np.uint8),
        flags=found.numbers("flags", np.uint8),
        sender_key=found.numbers("sender_key", np.uint64),
        has_sender_key=found.present("sender_key"),
        receiver_key=found.numbers("receiver_key", np.uint64),
        has_receiver_key=found.present("receiver_key"),
        data_length=found.numbers("data_length", np.uint16),
        has_data_length=found.present("data_length"),
        checksum=found.numbers("checksum", np.uint16),
        has_checksum=found.present("checksum"),
    )


def mp_join_syn_columns(buffer: Octets, rows: OptionRows) -> MpJoinSynColumns:
    """All MP_JOIN of 12 octets."""
    found = _Selection(buffer, rows, "MpJoinSyn")
    return MpJoinSynColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        token=found.numbers("token", np.uint32),
        nonce=found.numbers("nonce", np.uint32),
    )


def mp_join_syn_ack_columns(buffer: Octets, rows: OptionRows) -> MpJoinSynAckColumns:
    """All MP_JOIN of 16 octets."""
    found = _Selection(buffer, rows, "MpJoinSynAck")
    return MpJoinSynAckColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        hmac=found.numbers("hmac", np.uint64),
        nonce=found.numbers("nonce", np.uint32),
    )


def mp_join_ack_columns(buffer: Octets, rows: OptionRows) -> MpJoinAckColumns:
    """All MP_JOIN of 24 octets."""
    found = _Selection(buffer, rows, "MpJoinAck")
    layout = FORMS_BY_OPTION["MpJoinAck"][0].field("hmac")
    assert layout is not None  # noqa: S101 - for the type checker: the layout table has it
    span = np.arange(layout.octet_offset, layout.octet_end)
    return MpJoinAckColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        hmac=buffer[found.offset[:, np.newaxis] + span],
    )


def dss_columns(buffer: Octets, rows: OptionRows) -> DssColumns:
    """All DSS."""
    found = _Selection(buffer, rows, "DataSequenceSignal")
    flags = buffer[found.offset + 3] & np.uint8(_DSS_FLAGS)
    return DssColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        flags=flags,
        data_ack=found.numbers("data_ack", np.uint64),
        data_ack_octets=found.implied("data_ack_octets"),
        data_seq=found.numbers("data_seq", np.uint64),
        data_seq_octets=found.implied("data_seq_octets"),
        subflow_seq=found.numbers("subflow_seq", np.uint32),
        data_length=found.numbers("data_length", np.uint16),
        checksum=found.numbers("checksum", np.uint16),
        has_checksum=found.present("checksum"),
        data_fin=(flags & np.uint8(DssFlag.F_DATA_FIN)) != 0,
    )


def add_address_columns(buffer: Octets, rows: OptionRows) -> AddAddressColumns:
    """All ADD_ADDR, of both versions."""
    found = _Selection(buffer, rows, "AddAddress")
    family = found.implied("family")
    # The address begins at the same octet in every form; IPv4 is read as its first 4 octets.
    layout = FORMS_BY_OPTION["AddAddress"][0].field("address")
    assert layout is not None  # noqa: S101 - for the type checker: the layout table has it
    start = found.offset + layout.octet_offset
    wide = family == 6
    high = np.zeros(family.size, np.uint64)
    low = np.zeros(family.size, np.uint64)
    high[wide] = _gather(buffer, start[wide], 8)
    low[wide] = _gather(buffer, start[wide] + 8, 8)
    low[~wide] = _gather(buffer, start[~wide], 4)
    return AddAddressColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        version=found.implied("version"),
        echo=found.flags("echo"),
        address_id=found.numbers("address_id", np.uint8),
        family=family,
        address_high=high,
        address_low=low,
        port=found.numbers("port", np.uint16),
        has_port=found.present("port"),
        hmac=found.numbers("hmac", np.uint64),
        has_hmac=found.present("hmac"),
    )


def remove_address_columns(buffer: Octets, rows: OptionRows) -> RemoveAddressColumns:
    """All REMOVE_ADDR, one row per address ID."""
    found = _Selection(buffer, rows, "RemoveAddress")
    option, place = _items(found, 3, 1)
    return RemoveAddressColumns(
        packet=found.packet[option],
        offset=found.offset[option],
        length=found.length[option],
        address_id=buffer[place],
    )


def mp_priority_columns(buffer: Octets, rows: OptionRows) -> MpPriorityColumns:
    """All MP_PRIO."""
    found = _Selection(buffer, rows, "MpPriority")
    return MpPriorityColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        has_address_id=found.present("address_id"),
    )


def mp_fail_columns(buffer: Octets, rows: OptionRows) -> MpFailColumns:
    """All MP_FAIL."""
    found = _Selection(buffer, rows, "MpFail")
    return MpFailColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        data_seq=found.numbers("data_seq", np.uint64),
    )


def mp_fastclose_columns(buffer: Octets, rows: OptionRows) -> MpFastcloseColumns:
    """All MP_FASTCLOSE."""
    found = _Selection(buffer, rows, "MpFastclose")
    return MpFastcloseColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        receiver_key=found.numbers("receiver_key", np.uint64),
    )


def mp_tcp_reset_columns(buffer: Octets, rows: OptionRows) -> MpTcpResetColumns:
    """All MP_TCPRST."""
    found = _Selection(buffer, rows, "MpTcpReset")
    return MpTcpResetColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        flags=found.numbers("flags", np.uint8),
        reason=found.numbers("reason", np.uint8),
    )


def mp_experimental_columns(buffer: Octets, rows: OptionRows) -> OpaqueMptcpColumns:
    """All options of subtype 15."""
    found = _Selection(buffer, rows, "MpExperimental")
    return OpaqueMptcpColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        subtype=np.full(found.packet.size, MptcpSubtype.MP_EXPERIMENTAL, np.uint8),
        low_bits=found.numbers("low_bits", np.uint8),
    )


def unknown_mptcp_columns(buffer: Octets, rows: OptionRows) -> OpaqueMptcpColumns:
    """All options of unknown subtypes, and MP_CAPABLE of unknown versions (subtype 0)."""
    found = _Selection(buffer, rows, "UnknownMptcpOption")
    return OpaqueMptcpColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        subtype=found.numbers("subtype", np.uint8),
        low_bits=found.numbers("low_bits", np.uint8),
    )


@dataclass(frozen=True, slots=True)
class MptcpColumns:
    """The columns of every MPTCP subtype."""

    mp_capable: MpCapableColumns
    mp_join_syn: MpJoinSynColumns
    mp_join_syn_ack: MpJoinSynAckColumns
    mp_join_ack: MpJoinAckColumns
    dss: DssColumns
    add_address: AddAddressColumns
    remove_address: RemoveAddressColumns
    mp_priority: MpPriorityColumns
    mp_fail: MpFailColumns
    mp_fastclose: MpFastcloseColumns
    mp_tcp_reset: MpTcpResetColumns
    mp_experimental: OpaqueMptcpColumns
    unknown: OpaqueMptcpColumns


def mptcp_columns(buffer: Octets, rows: OptionRows) -> MptcpColumns:
    """The columns of every MPTCP subtype; absent ones cost next to nothing."""
    dss_rows, other_rows = _split(rows)
    return MptcpColumns(
        mp_capable=mp_capable_columns(buffer, other_rows),
        mp_join_syn=mp_join_syn_columns(buffer, other_rows),
        mp_join_syn_ack=mp_join_syn_ack_columns(buffer, other_rows),
        mp_join_ack=mp_join_ack_columns(buffer, other_rows),
        dss=dss_columns(buffer, dss_rows),
        add_address=add_address_columns(buffer, other_rows),
        remove_address=remove_address_columns(buffer, other_rows),
        mp_priority=mp_priority_columns(buffer, other_rows),
        mp_fail=mp_fail_columns(buffer, other_rows),
        mp_fastclose=mp_fastclose_columns(buffer, other_rows),
        mp_tcp_reset=mp_tcp_reset_columns(buffer, other_rows),
        mp_experimental=mp_experimental_columns(buffer, other_rows),
        unknown=unknown_mptcp_columns(buffer, other_rows),
    )


def _split(rows: OptionRows) -> tuple[OptionRows, OptionRows]:
    """The rows of DSS, and those of the other MPTCP options, which are few."""
    is_dss = _forms_of("DataSequenceSignal")[rows.form]
    others = np.flatnonzero((rows.kind == TcpOptionKind.MPTCP) & ~is_dss)

    def part(chosen: Mask | Indices) -> OptionRows:
        return replace(
            rows,
            packet=rows.packet[chosen],
            kind=rows.kind[chosen],
            offset=rows.offset[chosen],
            length=rows.length[chosen],
            form=rows.form[chosen],
        )

    return part(np.flatnonzero(is_dss)), part(others)


def maximum_segment_size_columns(buffer: Octets, rows: OptionRows) -> NumberColumns:
    """All maximum segment sizes, in octets."""
    return _number_columns(buffer, rows, "MaximumSegmentSize", "maximum_segment_size")


def window_scale_columns(buffer: Octets, rows: OptionRows) -> NumberColumns:
    """All window scale options: the shift count."""
    return _number_columns(buffer, rows, "WindowScale", "shift")


def _number_columns(buffer: Octets, rows: OptionRows, option: str, attribute: str) -> NumberColumns:
    found = _Selection(buffer, rows, option)
    return NumberColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        value=found.numbers(attribute, np.uint32),
    )


def timestamps_columns(buffer: Octets, rows: OptionRows) -> TimestampsColumns:
    """All TCP timestamps."""
    found = _Selection(buffer, rows, "Timestamps")
    return TimestampsColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        value=found.numbers("value", np.uint32),
        echo_reply=found.numbers("echo_reply", np.uint32),
    )


def sack_columns(buffer: Octets, rows: OptionRows) -> SackColumns:
    """All SACK blocks, one row per block."""
    found = _Selection(buffer, rows, "Sack")
    option, place = _items(found, 2, 8)
    return SackColumns(
        packet=found.packet[option],
        offset=found.offset[option],
        length=found.length[option],
        left_edge=_gather(buffer, place, 4).astype(np.uint32),
        right_edge=_gather(buffer, place + 4, 4).astype(np.uint32),
    )


def _items(found: _Selection, header: int, octets: int) -> tuple[Indices, Indices]:
    """For options that are a list: the option's row of each item, and the item's place."""
    counts = (found.length.astype(np.int64) - header) // octets
    option = np.repeat(np.arange(counts.size), counts)
    first = np.cumsum(counts) - counts
    within = np.arange(option.size) - first[option]
    return option, found.offset[option] + header + within * octets
