"""What describes an option's shape: fields at fixed places, gathered into forms.

The forms themselves are in ``mptcp_forms`` and ``plain_forms``; ``option_layout`` finds the one
that an option has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_NIBBLE: Final = tuple(range(16))
MPTCP_NAME: Final = "tcp.options.mptcp."
"""What Wireshark's names of the MPTCP option's fields begin with."""


class Show(Enum):
    """How a field's bits are to be read and shown."""

    DECIMAL = "decimal"
    HEXADECIMAL = "hexadecimal"
    FLAG = "flag"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    OCTETS = "octets"
    ADDRESS_IDS = "address_ids"
    SACK_BLOCKS = "sack_blocks"


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """One field of one form.

    ``attribute`` is the name in ``options`` and in the columns ("" where the form alone
    determines the value); ``name`` is Wireshark's filter name where it has one. Bits count from
    the option's first bit. ``bit_width`` 0 means: to the option's end. ``fixed`` is the value
    that this field has in this form. ``parts`` are the flags within: shown below a field that is
    one number to its users, or, where it has no attribute, the fields that it groups.
    """

    attribute: str
    name: str
    label: str
    bit_offset: int
    bit_width: int
    show: Show = Show.DECIMAL
    fixed: int | None = None
    parts: tuple[FieldLayout, ...] = ()

    @property
    def octet_offset(self) -> int:
        """The octet, counted from the option's first, in which the field begins."""
        return self.bit_offset // 8

    @property
    def octet_end(self) -> int:
        """The octet after the field's last one (only for fields of a fixed width)."""
        return (self.bit_offset + self.bit_width + 7) // 8

    def read(self, octets: bytes) -> Any:
        """The field's value in one whole option: int, bool, bytes, an address or a tuple."""
        if self.bit_width == 0:
            return self._read_tail(octets[self.octet_offset :])
        value = int.from_bytes(octets[self.octet_offset : self.octet_end])
        value >>= 8 * self.octet_end - self.bit_offset - self.bit_width
        value &= (1 << self.bit_width) - 1
        match self.show:
            case Show.FLAG:
                return bool(value)
            case Show.IPV4:
                return IPv4Address(value)
            case Show.IPV6:
                return IPv6Address(value)
            case Show.OCTETS:
                return value.to_bytes(self.bit_width // 8)
            case _:
                return value

    def _read_tail(self, rest: bytes) -> Any:
        if self.show is Show.ADDRESS_IDS:
            return tuple(rest)
        if self.show is Show.SACK_BLOCKS:
            numbers = [int.from_bytes(rest[at : at + 4]) for at in range(0, len(rest), 4)]
            return tuple(zip(numbers[::2], numbers[1::2], strict=True))
        return rest


@dataclass(frozen=True, slots=True)
class OptionForm:
    """One shape that an option can have on the wire.

    ``length`` is the smallest length; ``step`` is 0 where it is the only one, otherwise the
    length may grow by multiples of it up to ``max_length``. ``implied`` are attributes that
    follow from the form itself.
    """

    number: int
    option: str
    title: str
    reference: str
    kind: int
    subtype: int | None
    length: int
    fields: tuple[FieldLayout, ...]
    implied: tuple[tuple[str, int | bool], ...] = ()
    selectors: tuple[int, ...] = ANY_NIBBLE
    step: int = 0
    max_length: int = 255

    def lengths(self) -> range:
        """Every length that the length octet may have in this form."""
        if self.step == 0:
            return range(self.length, self.length + 1)
        return range(self.length, self.max_length + 1, self.step)

    def coded_fields(self) -> Iterator[FieldLayout]:
        """The fields that together are the option's octets: of a group of flags, the flags."""
        for layout in self.fields:
            if layout.parts and not layout.attribute:
                yield from layout.parts
            else:
                yield layout

    def field(self, attribute: str) -> FieldLayout | None:
        """The field with this attribute, or None where the form lacks it."""
        for layout in self.coded_fields():
            if layout.attribute == attribute:
                return layout
        return None

    def place_of(self, attribute: str) -> FieldLayout:
        """The field with this attribute; KeyError where the form lacks it."""
        layout = self.field(attribute)
        if layout is None:
            raise KeyError(f"{self.title} has no field {attribute}")
        return layout


class FormBuilder:
    """Appends fields one after the other, so that offsets follow from widths.

    Begins with kind and length; ``other`` means that the kind is a field of the option value.
    """

    def __init__(self, kind: int, *, other: bool = False) -> None:
        self._fields: list[FieldLayout] = []
        self._bit = 0
        fixed = None if other else int(kind)
        self.add("kind" if other else "", "tcp.option_kind", "Kind", 8, fixed=fixed)
        self.add("", "tcp.option_len", "Length", 8)

    def add(
        self,
        attribute: str,
        name: str,
        label: str,
        bit_width: int,
        show: Show = Show.DECIMAL,
        *,
        fixed: int | None = None,
        parts: tuple[FieldLayout, ...] = (),
    ) -> FormBuilder:
        """A field; ``parts`` count their bits from its first one."""
        shifted = tuple(replace(part, bit_offset=self._bit + part.bit_offset) for part in parts)
        self._fields.append(
            FieldLayout(attribute, name, label, self._bit, bit_width, show, fixed, shifted)
        )
        self._bit += bit_width
        return self

    def flag(
        self, attribute: str, name: str, label: str, *, fixed: int | None = None
    ) -> FormBuilder:
        """A field of one bit."""
        return self.add(attribute, name, label, 1, Show.FLAG, fixed=fixed)

    def subtype(self, subtype: int) -> FormBuilder:
        """The four bits that tell MPTCP options apart."""
        return self.add("", MPTCP_NAME + "subtype", "Multipath TCP subtype", 4, fixed=int(subtype))

    def reserved(self, bit_width: int) -> FormBuilder:
        """Bits without a meaning, kept as they are."""
        return self.add(
            "reserved", MPTCP_NAME + "reserved", "Reserved", bit_width, Show.HEXADECIMAL
        )

    @property
    def octets(self) -> int:
        """Whole octets so far."""
        return self._bit // 8

    @property
    def fields(self) -> tuple[FieldLayout, ...]:
        """The fields so far."""
        return tuple(self._fields)
