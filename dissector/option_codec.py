"""Octets -> option values and back, driven by ``option_layout``.

Decoding never raises: an option that its sender made wrong is a ``MalformedOption``, the place
where the capture ends a ``CutOption``. Encoding what was decoded gives back the same octets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from dissector import options as option_types
from dissector.constants import TCP_OPTION_AREA_MAX, MalformedReason, TcpOptionKind
from dissector.errors import EncodeError
from dissector.option_layout import (
    FORMS,
    FORMS_BY_OPTION,
    OPTION_LENGTHS,
    PLAIN_FORM_TABLE,
    FieldLayout,
    OptionForm,
    Show,
    find_form,
)
from dissector.options import (
    CutOption,
    EndOfOptions,
    MalformedOption,
    NoOperation,
    Sack,
    SackPermitted,
    TcpOption,
    Timestamps,
    WindowScale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OPTION_CLASSES: Final = {
    name: getattr(option_types, name) for name in FORMS_BY_OPTION if name != "MalformedOption"
}
_NO_OPERATION_OCTET: Final = b"\x01"
_PLACE: Final = frozenset({"offset", "length"})
_ZERO_WHERE_ABSENT: Final = frozenset({"reserved", "echo"})
_PLAIN_NUMBERS: Final = (Show.DECIMAL, Show.HEXADECIMAL)
_PADDED_BEFORE: Final = (Timestamps, WindowScale, SackPermitted, Sack)


def decode_options(
    option_area: bytes,
    *,
    declared_length: int | None = None,
    without: frozenset[int] = frozenset(),
) -> tuple[TcpOption, ...]:
    """All options of a TCP header, in order; never raises.

    ``option_area`` is what was captured after the 20 octets of fixed header;
    ``declared_length`` is how long the data offset says that the area is (default: all of it was
    captured). Where less was captured, the last value is a ``CutOption``, unless the list ended
    before. Octets beyond the declared length are not looked at. Well-formed options of the kinds
    ``without`` (not MPTCP's) are passed over.
    """
    end = len(option_area) if declared_length is None else declared_length
    captured = bytes(option_area[:end])
    found: list[TcpOption] = []
    offset = 0
    while offset < end:
        if without and (offset := _pass_over(captured, offset, without)) >= end:
            break
        option = _decode_at(captured, offset, end)
        found.append(option)
        if isinstance(option, EndOfOptions | CutOption) or _hides_the_rest(option):
            break
        offset += option.length
    return tuple(found)


def _pass_over(captured: bytes, offset: int, kinds: frozenset[int]) -> int:
    """Where the next option stands that is not of these kinds, or not well-formed."""
    size = len(captured)
    while offset < size and (kind := captured[offset]) in kinds:
        if kind == 1:  # no operation, which alone has no length
            offset += 1
            continue
        length = captured[offset + 1] if offset + 1 < size else 0
        if not 2 <= length <= size - offset or not PLAIN_FORM_TABLE[kind * OPTION_LENGTHS + length]:
            break
        offset += length
    return offset


def _decode_at(captured: bytes, offset: int, end: int) -> TcpOption:
    if offset + 1 < len(captured) and captured[offset] > TcpOptionKind.NO_OPERATION:
        octets = captured[offset : offset + captured[offset + 1]]
        if 2 <= captured[offset + 1] == len(octets):
            form = find_form(octets)
            if form is FORMS[0]:
                return _malformed(MalformedReason.WRONG_LENGTH, octets, offset)
            return _decode_form(form, octets, offset)
    return _decode_unusual(captured, offset, end)


def _decode_unusual(captured: bytes, offset: int, end: int) -> TcpOption:
    """What is no whole option of two octets or more."""
    if offset >= len(captured):
        return CutOption(b"", offset=offset)
    kind = captured[offset]
    if kind == TcpOptionKind.NO_OPERATION:
        return NoOperation(offset=offset, length=1)
    rest = captured[offset:]
    if kind == TcpOptionKind.END_OF_OPTIONS:
        return EndOfOptions(rest[1:], offset=offset, length=len(rest))
    if offset + 1 >= end:
        return _malformed(MalformedReason.NO_LENGTH, rest, offset)
    if len(rest) < 2:
        return CutOption(rest, offset=offset, length=len(rest))
    if rest[1] < 2:
        return _malformed(MalformedReason.LENGTH_BELOW_TWO, rest, offset)
    if offset + rest[1] > end:
        return _malformed(MalformedReason.BEYOND_AREA, rest, offset)
    return CutOption(rest, offset=offset, length=len(rest))


def _hides_the_rest(option: TcpOption) -> bool:
    return isinstance(option, MalformedOption) and option.reason is not MalformedReason.WRONG_LENGTH


def _malformed(reason: MalformedReason, octets: bytes, offset: int) -> MalformedOption:
    return MalformedOption(reason, octets, offset=offset, length=len(octets))


@dataclass(frozen=True, slots=True)
class _FormDecoder:
    """A form with all that does not depend on the option's octets worked out."""

    option: Callable[..., TcpOption]
    implied: dict[str, Any]
    octets: int
    """Those of the fields of fixed width, which are read as one number."""
    numbers: tuple[tuple[str, int, int], ...]
    """Attribute, shift and mask of each field within that number."""
    flags: tuple[tuple[str, int], ...]
    """Attribute and mask of each flag within that number."""
    others: tuple[FieldLayout, ...]
    """Fields whose value is no plain number."""


@cache
def _form_decoder(number: int) -> _FormDecoder:
    form = FORMS[number]
    octets = form_octets(form)
    numbers: list[tuple[str, int, int]] = []
    flags: list[tuple[str, int]] = []
    others: list[FieldLayout] = []
    for layout in form.coded_fields():
        if not layout.attribute:
            continue
        shift = 8 * octets - layout.bit_offset - layout.bit_width
        if layout.bit_width and layout.show in _PLAIN_NUMBERS:
            numbers.append((layout.attribute, shift, (1 << layout.bit_width) - 1))
        elif layout.show is Show.FLAG:
            flags.append((layout.attribute, 1 << shift))
        else:
            others.append(layout)
    # The family follows from the address.
    implied = {name: value for name, value in form.implied if name != "family"}
    option = _OPTION_CLASSES[form.option]
    return _FormDecoder(option, implied, octets, tuple(numbers), tuple(flags), tuple(others))


def _decode_form(form: OptionForm, octets: bytes, offset: int) -> TcpOption:
    decoder = _form_decoder(form.number)
    values = decoder.implied.copy()
    fixed = int.from_bytes(octets[: decoder.octets])
    for attribute, shift, mask in decoder.numbers:
        values[attribute] = fixed >> shift & mask
    for attribute, mask in decoder.flags:
        values[attribute] = fixed & mask != 0
    for layout in decoder.others:
        values[layout.attribute] = layout.read(octets)
    return decoder.option(**values, offset=offset, length=len(octets))


def encode_option(option: TcpOption) -> bytes:
    """The octets of one option, without padding; raises EncodeError where it has no form.

    Malformed and cut options give back what was captured of them.
    """
    if isinstance(option, MalformedOption | CutOption):
        return option.octets
    if isinstance(option, EndOfOptions):
        return b"\x00" + option.padding
    if isinstance(option, NoOperation):
        return _NO_OPERATION_OCTET
    form = form_of(option)
    number = 0
    octets = b""
    for layout in form.coded_fields():
        if layout.bit_width == 0:
            octets = _tail(layout, option)
            continue
        shift = 8 * form_octets(form) - layout.bit_offset - layout.bit_width
        number |= _bits(layout, option) << shift
    octets = number.to_bytes(form_octets(form)) + octets
    if len(octets) not in form.lengths():
        raise EncodeError(f"{form.title} cannot have {len(octets)} octets")
    octets = octets[:1] + bytes([len(octets)]) + octets[2:]
    if find_form(octets) is not form:
        raise EncodeError(f"these octets would not be read as {form.title}: {octets.hex()}")
    return octets


def form_octets(form: OptionForm) -> int:
    """Octets of the fields of fixed width: all but a field that reaches to the option's end."""
    return max(layout.octet_end for layout in form.fields if layout.bit_width)


def form_of(option: TcpOption) -> OptionForm:
    """The form of a well-formed option value; EncodeError where no form has these fields."""
    name = type(option).__name__
    for form in FORMS_BY_OPTION.get(name, ()):
        if form.option in _OPTION_CLASSES and _fits(form, option):
            return form
    raise EncodeError(f"no form of {name} has this combination of fields: {option}")


def _fits(form: OptionForm, option: TcpOption) -> bool:
    implied = dict(form.implied)
    if any(getattr(option, name) != value for name, value in implied.items()):
        return False
    for name in option.__dataclass_fields__:
        if name in _PLACE or name in implied:
            continue
        layout = form.field(name)
        value = getattr(option, name)
        if layout is None:
            if value is not None and (value or name not in _ZERO_WHERE_ABSENT):
                return False
        elif value is None or (layout.fixed is not None and layout.fixed != value):
            return False
    return True


def _bits(layout: FieldLayout, option: TcpOption) -> int:
    if layout.fixed is not None:
        return layout.fixed
    if not layout.attribute:
        return 0  # the length octet, written last
    value = getattr(option, layout.attribute)
    if isinstance(value, bytes):
        if 8 * len(value) != layout.bit_width:
            raise EncodeError(f"{layout.label} has {layout.bit_width // 8} octets")
        return int.from_bytes(value)
    number = int(value)
    if number < 0 or number >> layout.bit_width:
        raise EncodeError(f"{layout.label} {number} does not fit {layout.bit_width} bits")
    return number


def _tail(layout: FieldLayout, option: TcpOption) -> bytes:
    value = getattr(option, layout.attribute)
    try:
        if layout.show is Show.SACK_BLOCKS:
            return b"".join(left.to_bytes(4) + right.to_bytes(4) for left, right in value)
        return bytes(value)
    except (OverflowError, ValueError) as error:
        raise EncodeError(f"{layout.label} {value!r} does not fit its octets") from error


def encode_options(options: Iterable[TcpOption], *, align: bool = True) -> bytes:
    """The option area with these options, at most 40 octets (otherwise EncodeError).

    With ``align`` every option begins or ends on a multiple of four octets, as senders do it:
    NO_OPERATIONs stand before timestamps, window scale and SACK, after the others; NO_OPERATIONs
    of the caller are kept as they are. Without it, the octets follow each other as they are:
    ``encode_options(decode_options(area), align=False) == area``.
    """
    area = b""
    for option in options:
        octets = encode_option(option)
        if align and not isinstance(option, NoOperation | EndOfOptions):
            used = len(area) + (len(octets) if isinstance(option, _PADDED_BEFORE) else 0)
            area += _NO_OPERATION_OCTET * (-used % 4)
        area += octets
    if align:
        area += _NO_OPERATION_OCTET * (-len(area) % 4)
        if len(area) > TCP_OPTION_AREA_MAX:
            raise EncodeError(f"{len(area)} octets of options do not fit a TCP header")
    return area
