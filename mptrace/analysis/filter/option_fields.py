"""Fields of TCP options, each read as `dissector.option_layout` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.octet_windows import windows, words
from dissector.option_layout import FORMS, FieldLayout, Show
from mptrace.analysis.filter.columns import Column, joined
from mptrace.analysis.filter.field import Field
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.filter.batch_headers import BatchHeaders

    Read = Callable[[BatchHeaders], Column]

_KIND: Final = "tcp.option_kind"
_LENGTH: Final = "tcp.option_len"
_SACK_LEFT: Final = "tcp.options.sack_le"
_SUBTYPE: Final = "tcp.options.mptcp.subtype"
_SUBTYPE_NAMES: Final = (
    *((subtype.name, int(subtype)) for subtype in MptcpSubtype),
    ("Multipath Capable", 0),
    ("Join Connection", 1),
    ("Data Sequence Signal", 2),
    ("Add Address", 3),
    ("Remove Address", 4),
    ("Change Subflow Priority", 5),
    ("TCP Fallback", 6),
    ("Fast Close", 7),
    ("TCP Reset", 8),
)
"""As RFC 8684 has them, and as Wireshark."""


class _Place(NamedTuple):
    """Where a field stands in some forms."""

    layout: FieldLayout
    forms: tuple[int, ...]


def option_fields() -> Iterator[Field]:
    """All fields of this module."""
    number = FieldType.UNSIGNED
    yield Field("mptcp", FieldType.PRESENCE, "a segment with an MPTCP option", read=_with_mptcp)
    yield Field(_KIND, number, "kind of each option, without padding", 8, read=_kinds)
    yield Field(_LENGTH, number, "octets of each option, without padding", 8, read=_lengths)
    for name, places in _places().items():
        kind = _type(places)
        yield Field(
            name,
            kind,
            places[0].layout.label,
            max(place.layout.bit_width or 8 for place in places),
            read=_reader(kind, places),
            number_names=_SUBTYPE_NAMES if name == _SUBTYPE else (),
        )
    yield Field("tcp.options.sack_re", number, "SACK block, right edge", read=_right_edges)
    yield Field(
        "mptrace.malformed_option", number, "kind of a malformed TCP option", 8, read=_malformed
    )


def _places() -> dict[str, tuple[_Place, ...]]:
    """Fields by name: their places, each with the forms that have it there."""
    found: dict[str, dict[tuple[int, int, Show], tuple[FieldLayout, list[int]]]] = {}
    for form in FORMS:
        for layout in form.fields:
            for part in (layout, *layout.parts):
                if part.name in {_KIND, _LENGTH}:
                    continue
                key = (part.bit_offset, part.bit_width, part.show)
                of_name = found.setdefault(part.name, {})
                of_name.setdefault(key, (part, []))[1].append(form.number)
    return {
        name: tuple(_Place(layout, tuple(forms)) for layout, forms in of_name.values())
        for name, of_name in found.items()
    }


def _type(places: tuple[_Place, ...]) -> FieldType:
    shows = {place.layout.show for place in places}
    if Show.IPV4 in shows:
        return FieldType.IPV4
    if Show.IPV6 in shows:
        return FieldType.IPV6
    layouts = [place.layout for place in places]
    if any(x.show is Show.OCTETS and not 0 < x.bit_width <= 64 for x in layouts):
        return FieldType.OCTETS
    return FieldType.UNSIGNED


def _reader(kind: FieldType, places: tuple[_Place, ...]) -> Read:
    wide = max(place.layout.bit_width for place in places) > 32
    lookup = np.full(256, -1, np.int64)
    for number, place in enumerate(places):
        lookup[list(place.forms)] = number

    def read(headers: BatchHeaders) -> Column:
        options = headers.options
        of_option = lookup[options.form]
        parts = []
        for number, place in enumerate(places):
            rows = np.flatnonzero(of_option == number)
            row = headers.tcp.record[options.packet[rows]]
            start = options.offset[rows]
            length = options.length[rows].astype(np.int64)
            parts.append(_values(headers, kind, place.layout, row, start, length, wide=wide))
        return joined(parts)

    return read


def _values(
    headers: BatchHeaders,
    kind: FieldType,
    layout: FieldLayout,
    row: I64,
    start: I64,
    length: I64,
    *,
    wide: bool,
) -> Column:
    """The field in options that begin at ``start`` and all have it in this place."""
    first = start + layout.octet_offset
    if layout.show is Show.ADDRESS_IDS:
        return _items(headers, row, first, length - layout.octet_offset, 1)
    if layout.show is Show.SACK_BLOCKS:
        return _items(headers, row, first, length - layout.octet_offset, 8)
    if kind is FieldType.OCTETS:
        octets = (
            np.full(row.size, layout.bit_width // 8)
            if layout.bit_width
            else length - layout.octet_offset
        )
        return Column(row, headers.octets(first, octets)).take(octets > 0)
    if kind is FieldType.IPV6:
        halves = windows(headers.buffer, first, 16).view(">u8").reshape(-1, 2)
        return Column(row, halves.astype(np.uint64))
    number = _bits(headers, layout, start)
    return Column(row, number if wide else number.astype(np.int64))


def _bits(headers: BatchHeaders, layout: FieldLayout, start: I64) -> np.ndarray:
    """The number that the field's bits are, as uint64."""
    octets = layout.octet_end - layout.octet_offset
    value = np.zeros(start.size, np.uint64)
    if octets == 8:
        value = windows(headers.buffer, start + layout.octet_offset, 8).view(">u8")
        value = value.astype(np.uint64)
    else:
        for at in range(layout.octet_offset, layout.octet_end):
            octet = words(headers.buffer, start, "u1", at=at).astype(np.uint64)
            value = value << np.uint64(8) | octet
    value >>= np.uint64(8 * layout.octet_end - layout.bit_offset - layout.bit_width)
    if layout.bit_width < 64:
        value &= np.uint64((1 << layout.bit_width) - 1)
    return value


def _items(
    headers: BatchHeaders, row: I64, first: I64, octets: I64, step: int, at: int = 0
) -> Column:
    """The first number of each item of options that are lists."""
    counts = octets // step
    option = np.repeat(np.arange(counts.size), counts)
    within = np.arange(option.size) - (np.cumsum(counts) - counts)[option]
    kind = "u1" if step == 1 else ">u4"
    value = headers.numbers(first[option] + within * step, kind, at=at)
    return Column(row[option], value)


def _right_edges(headers: BatchHeaders) -> Column:
    options = headers.options
    forms = next(place.forms for place in _places()[_SACK_LEFT])
    rows = np.flatnonzero(np.isin(options.form, forms))
    row = headers.tcp.record[options.packet[rows]]
    octets = options.length[rows].astype(np.int64) - 2
    return _items(headers, row, options.offset[rows] + 2, octets, 8, at=4)


def _with_mptcp(headers: BatchHeaders) -> Column:
    options = headers.options
    segments = np.concatenate(
        (
            options.packet[options.kind == TcpOptionKind.MPTCP],
            options.malformed.packet[options.malformed.kind == TcpOptionKind.MPTCP],
        )
    )
    row = headers.tcp.record[np.unique(segments)]
    return Column(row, row)


def _kinds(headers: BatchHeaders) -> Column:
    options = headers.options
    return Column(headers.tcp.record[options.packet], options.kind.astype(np.int64))


def _lengths(headers: BatchHeaders) -> Column:
    options = headers.options
    return Column(headers.tcp.record[options.packet], options.length.astype(np.int64))


def _malformed(headers: BatchHeaders) -> Column:
    malformed = headers.options.malformed
    return Column(headers.tcp.record[malformed.packet], malformed.kind.astype(np.int64))
