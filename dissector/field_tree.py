"""One option as named fields with their octets and bits: what a detail pane shows.

The tree is built from ``option_layout``; names are Wireshark's filter names where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.option_codec import encode_option, form_of
from dissector.option_layout import FieldLayout, OptionForm, Show, find_form
from dissector.options import (
    CutOption,
    EndOfOptions,
    MalformedOption,
    MpTcpReset,
    NoOperation,
    Sack,
    TcpOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND_NAMES: Final[dict[int, str]] = {
    TcpOptionKind.END_OF_OPTIONS: "tcp.options.eol",
    TcpOptionKind.NO_OPERATION: "tcp.options.nop",
    TcpOptionKind.MAXIMUM_SEGMENT_SIZE: "tcp.options.mss",
    TcpOptionKind.WINDOW_SCALE: "tcp.options.wscale",
    TcpOptionKind.SACK_PERMITTED: "tcp.options.sack_perm",
    TcpOptionKind.SACK: "tcp.options.sack",
    TcpOptionKind.TIMESTAMPS: "tcp.options.timestamp",
    TcpOptionKind.MD5_SIGNATURE: "tcp.options.md5",
    TcpOptionKind.USER_TIMEOUT: "tcp.options.user_to",
    TcpOptionKind.AUTHENTICATION: "tcp.options.ao",
    TcpOptionKind.MPTCP: "tcp.options.mptcp",
    TcpOptionKind.FAST_OPEN: "tcp.options.tfo",
    TcpOptionKind.EXPERIMENT_1: "tcp.options.experimental",
    TcpOptionKind.EXPERIMENT_2: "tcp.options.experimental",
}
_KIND_TITLES: Final[dict[int, str]] = {
    TcpOptionKind.END_OF_OPTIONS: "End of option list",
    TcpOptionKind.NO_OPERATION: "No-Operation",
    TcpOptionKind.MAXIMUM_SEGMENT_SIZE: "Maximum segment size",
    TcpOptionKind.WINDOW_SCALE: "Window scale",
    TcpOptionKind.SACK_PERMITTED: "SACK permitted",
    TcpOptionKind.SACK: "SACK",
    TcpOptionKind.TIMESTAMPS: "Timestamps",
    TcpOptionKind.MD5_SIGNATURE: "MD5 signature",
    TcpOptionKind.USER_TIMEOUT: "User timeout",
    TcpOptionKind.AUTHENTICATION: "TCP authentication",
    TcpOptionKind.MPTCP: "Multipath TCP",
    TcpOptionKind.FAST_OPEN: "TCP Fast Open",
    TcpOptionKind.EXPERIMENT_1: "Experiment",
    TcpOptionKind.EXPERIMENT_2: "Experiment",
}
_UNKNOWN: Final = "tcp.options.unknown"
_SUBTYPE_NAMES: Final = {int(subtype): subtype.name for subtype in MptcpSubtype}


@dataclass(frozen=True, slots=True)
class Field:
    """A field with its place, and the fields within it."""

    name: str
    """Filter name, as in Wireshark where it has one."""
    label: str
    value: Any
    """int, bool, bytes, an ``ipaddress`` address, or None where only the children have one."""
    text: str
    """The value as a person reads it; "" where there is none."""
    offset: int
    """The first octet, counted from where the caller's base offset counts."""
    length: int
    """Octets that the field touches."""
    children: tuple[Field, ...] = ()
    bits: tuple[int, int] | None = None
    """First bit, counted from the highest of the octet at ``offset``, and how many; None for
    fields of whole octets."""
    unit: int = 1
    """What the number on the wire counts: 4 for a length in words of four octets."""

    @property
    def bit_pattern(self) -> str:
        """The field's bits among those of its octets, "...1 ....", or "" for whole octets."""
        if self.bits is None:
            return ""
        first, width = self.bits
        shown = f"{int(self.value) // self.unit:0{width}b}"
        pattern = "." * first + shown + "." * (8 * self.length - first - width)
        return " ".join(pattern[at : at + 4] for at in range(0, len(pattern), 4))


def option_tree(option: TcpOption, base_offset: int = 0) -> Field:
    """The fields of one option.

    ``base_offset`` is where the option area begins; the option's own offset is added. Raises
    EncodeError for a value made by hand that no option on the wire could have.
    """
    octets = encode_option(option)
    start = base_offset + option.offset
    match option:
        case MalformedOption():
            return _faulty(option, octets, start, f"Malformed: {option.text}")
        case CutOption():
            return _cut(option, octets, start)
        case NoOperation():
            kind = (_kind(octets, start),)
            return Field("tcp.options.nop", "No-Operation", None, "", start, 1, kind)
        case EndOfOptions():
            kind = (_kind(octets, start),)
            padding = f"{len(option.padding)} octets of padding" if option.padding else ""
            name = "tcp.options.eol"
            return Field(name, "End of option list", None, padding, start, len(octets), kind)
    form = form_of(option)
    children = tuple(_fields(form, option, octets, start))
    name = _KIND_NAMES.get(octets[0], _UNKNOWN)
    return Field(name, form.title, None, _summary(children), start, len(octets), children)


def _kind(octets: bytes, start: int) -> Field:
    return Field("tcp.option_kind", "Kind", octets[0], _kind_text(octets[0]), start, 1)


def _kind_text(kind: int) -> str:
    """Multipath TCP (30)."""
    named = _KIND_TITLES.get(kind)
    return f"{named} ({kind})" if named else str(kind)


def _faulty(option: MalformedOption | CutOption, octets: bytes, start: int, text: str) -> Field:
    """The two octets that every option begins with, as far as they are there, and the rest."""
    names = (("tcp.option_kind", "Kind"), ("tcp.option_len", "Length"))
    children = [
        Field(name, label, octet, str(octet), start + place, 1)
        for place, ((name, label), octet) in enumerate(zip(names, octets, strict=False))
    ]
    if children:
        children[0] = _kind(octets, start)
    if len(octets) > 2:
        rest = octets[2:]
        children.append(
            Field("tcp.options.unknown.payload", "Contents", rest, rest.hex(), start + 2, len(rest))
        )
    subtype = "" if option.subtype is None else _SUBTYPE_NAMES.get(option.subtype, "")
    label = subtype or (f"Option kind {option.kind}" if option.kind is not None else "Option")
    name = "tcp.options" if option.kind is None else _KIND_NAMES.get(option.kind, _UNKNOWN)
    return Field(name, label, None, text, start, len(octets), tuple(children))


def _cut(option: CutOption, octets: bytes, start: int) -> Field:
    """The fields that were captured whole, where enough is there to tell which form it is."""
    text = "Cut: the capture ends here"
    form = _form_of_cut(option)
    if form is None:
        return _faulty(option, octets, start, text)
    there = len(octets)
    whole = [layout for layout in form.fields if layout.bit_width and layout.octet_end <= there]
    children = [_field(layout, option, octets, start) for layout in whole]
    told = max(layout.octet_end for layout in whole)
    if told < there:
        rest = octets[told:]
        name = "tcp.options.unknown.payload"
        children.append(Field(name, "Contents", rest, rest.hex(), start + told, len(rest)))
    name = _KIND_NAMES.get(octets[0], _UNKNOWN)
    return Field(name, form.title, None, text, start, len(octets), tuple(children))


def _form_of_cut(option: CutOption) -> OptionForm | None:
    """The form of an option of which the octets that select it were captured; None: unknown."""
    length = option.declared_length
    if option.kind != TcpOptionKind.MPTCP or length is None or option.subtype is None:
        return None
    selected_by = 4 if option.subtype == MptcpSubtype.DSS else 3
    if len(option.octets) < min(selected_by, length):
        return None
    form = find_form(option.octets.ljust(length, b"\0"))
    return form if form.fields else None


def _fields(form: OptionForm, option: TcpOption, octets: bytes, start: int) -> Iterator[Field]:
    for layout in form.fields:
        if layout.show is Show.ADDRESS_IDS:
            for place in range(layout.octet_offset, len(octets)):
                value = octets[place]
                yield Field(layout.name, layout.label, value, str(value), start + place, 1)
        elif isinstance(option, Sack) and layout.show is Show.SACK_BLOCKS:
            yield from _sack_edges(option, start + layout.octet_offset)
        elif layout.bit_width == 0:
            rest = octets[layout.octet_offset :]
            place = start + layout.octet_offset
            yield Field(layout.name, layout.label, rest, rest.hex(), place, len(rest))
        else:
            yield _field(layout, option, octets, start)


def _sack_edges(option: Sack, start: int) -> Iterator[Field]:
    for number, (left, right) in enumerate(option.blocks):
        place = start + 8 * number
        yield Field("tcp.options.sack_le", "SACK left edge", left, str(left), place, 4)
        yield Field("tcp.options.sack_re", "SACK right edge", right, str(right), place + 4, 4)


def _field(layout: FieldLayout, option: TcpOption, octets: bytes, start: int) -> Field:
    value = layout.read(octets)
    whole_octets = layout.bit_offset % 8 == 0 and layout.bit_width % 8 == 0
    return Field(
        name=layout.name,
        label=layout.label,
        value=value,
        text=_text(layout, value, option),
        offset=start + layout.octet_offset,
        length=layout.octet_end - layout.octet_offset,
        children=tuple(_field(part, option, octets, start) for part in layout.parts),
        bits=None if whole_octets else (layout.bit_offset % 8, layout.bit_width),
    )


def _text(layout: FieldLayout, value: Any, option: TcpOption) -> str:
    match layout.show:
        case Show.FLAG:
            return "Set" if value else "Not set"
        case Show.HEXADECIMAL:
            return f"0x{value:0{(layout.bit_width + 3) // 4}x}"
        case Show.OCTETS:
            return str(value.hex())
    if layout.name == "tcp.options.mptcp.subtype":
        return f"{_SUBTYPE_NAMES.get(value, 'Unknown')} ({value})"
    if layout.name == "tcp.options.mptcp.rst_reason" and isinstance(option, MpTcpReset):
        return f"{option.reason_name} ({value})"
    if layout.name == "tcp.option_kind":
        return _kind_text(value)
    return str(value)


def _summary(children: tuple[Field, ...]) -> str:
    """What tells this option from others of its form: its numbers, and the flags that are set."""
    left_out = {"tcp.option_kind", "tcp.option_len", "tcp.options.mptcp.subtype"}
    left_out |= {"tcp.options.mptcp.reserved", "tcp.options.unknown.payload"}
    told = []
    for child in children:
        if child.name in left_out or child.value is False:
            continue
        if child.value is True:
            told.append(child.label)
        elif child.children:
            flags = [part.label.partition(":")[0] for part in child.children if part.value is True]
            told.append(f"flags {' '.join(flags) or 'none'}")
        else:
            told.append(f"{child.label} {child.text}")
    return ", ".join(told)
