"""Values as they are written in a filter, by the type of the field beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError
from typing import TYPE_CHECKING, Final

from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.filter.syntax import Character, Quoted, Word

if TYPE_CHECKING:
    from mptrace.analysis.filter.field import Field

_SECONDS: Final = re.compile(r"(-?)(\d+)(?:\.(\d{1,9})0*)?")
_HEX_OCTETS: Final = re.compile(
    r"[0-9A-Fa-f]{1,2}|(?:[0-9A-Fa-f]{2})+|[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2})+"
)
_ETHERNET: Final = re.compile(r"[0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5}")
_DATE: Final = re.compile(r"(.*?)(?:[.,](\d{1,9})\d*)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", re.IGNORECASE)
_FLAG_NAMES: Final = {"true": 1, "false": 0, "set": 1, "not set": 0}
_MOST_SECONDS: Final = 9_000_000_000
"""Beyond, nanoseconds don't fit 64 bits."""


class LiteralError(ValueError):
    """A value that the type cannot have; ``str`` is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant.

    ``value`` is an int for numbers, times (nanoseconds) and addresses, str for texts, bytes for
    octets; ``prefix`` the leading bits that count, of addresses.
    """

    type: FieldType
    value: int | str | bytes
    prefix: int = 0


def literal(written: Word | Quoted | Character, kind: FieldType, field: Field | None) -> Literal:
    """The value as one of type ``kind``; ``field`` is the one beside it, if it is one.

    Raises:
        LiteralError: the type has no such value.
    """
    if kind is FieldType.TEXT:
        return Literal(kind, _text(written))
    if kind is FieldType.OCTETS:
        return Literal(kind, _octets(written))
    if kind is FieldType.ABSOLUTE_TIME:
        return Literal(kind, _date(_text(written)))
    if kind.is_number:
        return Literal(kind, _number(written, kind, field))
    if not isinstance(written, Word):
        raise LiteralError(f"is no value for {kind.value}")
    if kind is FieldType.TIME:
        return Literal(kind, _seconds(written.text))
    if kind is FieldType.ETHERNET:
        if not _ETHERNET.fullmatch(written.text):
            raise LiteralError("is no Ethernet address, such as 00:53:00:12:34:56")
        parts = re.split("[:-]", written.text)
        return Literal(kind, int.from_bytes(int(part, 16) for part in parts), 48)
    if kind in {FieldType.IPV4, FieldType.IPV6}:
        return _address(written.text, kind)
    raise LiteralError(f"cannot be compared with {kind.value}")


def _text(written: Word | Quoted | Character) -> str:
    if isinstance(written, Character):
        return chr(written.code)
    if isinstance(written, Quoted):
        return written.octets.decode(errors="replace")
    return written.text


def _octets(written: Word | Quoted | Character) -> bytes:
    if isinstance(written, Quoted):
        return written.octets
    if isinstance(written, Character):
        return bytes([written.code])
    if not _HEX_OCTETS.fullmatch(written.text):
        raise LiteralError('is no sequence of octets, such as 47:45:54 or 474554 or "GET"')
    if ":" in written.text:
        return bytes(int(part, 16) for part in written.text.split(":"))
    return bytes.fromhex(written.text.zfill(2))


def _number(written: Word | Quoted | Character, kind: FieldType, field: Field | None) -> int:
    if isinstance(written, Character):
        return written.code
    text = _text(written)
    names = {} if field is None else {name.lower(): number for name, number in field.number_names}
    if kind is FieldType.BOOLEAN or (
        field is not None and field.name.endswith((".flag", ".flags"))
    ):
        names |= _FLAG_NAMES
    if text.lower() in names:
        return names[text.lower()]
    if isinstance(written, Quoted):
        raise LiteralError("is a string, the field a number")
    value = _integer(text)
    if kind is FieldType.BOOLEAN:
        return int(value != 0)
    bits = 64 if field is None else field.bits
    if kind is FieldType.UNSIGNED:
        if value < 0:
            raise LiteralError("is negative, which the field never is")
        if value >> bits:
            raise LiteralError(f"is too large for the field, which has {bits} bits")
    elif not -(1 << 63) <= value < 1 << 63:
        raise LiteralError("is too large for a number of 64 bits")
    return value


def _integer(text: str) -> int:
    """As in C: 0x, 0b, and a leading 0 for octal."""
    digits = text.removeprefix("-")
    sign = -1 if digits != text else 1
    if "_" in digits or len(digits) > 80:
        raise LiteralError("is no number")
    try:
        if re.fullmatch("0[0-7]+", digits):
            return sign * int(digits, 8)
        return sign * int(digits, 10 if digits.isdigit() else 0)
    except ValueError:
        raise LiteralError("is no number") from None


def _seconds(text: str) -> int:
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise LiteralError("is no time in seconds, such as 1.5")
    if len(found[2]) > 10 or int(found[2]) > _MOST_SECONDS:
        raise LiteralError("is too long a time")
    nanoseconds = int(found[2]) * 1_000_000_000 + int((found[3] or "").ljust(9, "0"))
    return -nanoseconds if found[1] else nanoseconds


def _date(text: str) -> int:
    """Nanoseconds since 1970; local time unless the text names a zone."""
    found = _DATE.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        moment = datetime.fromisoformat(found[1])
        zone = (found[3] or "").upper()
        if zone in {"Z", "UTC"}:
            moment = moment.replace(tzinfo=UTC)
        elif zone:
            moment = datetime.fromisoformat(f"{moment.isoformat()}{zone}")
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError, OSError):
        raise LiteralError('is no date and time, such as "2026-01-31 12:00:00"') from None
    if abs(seconds) > _MOST_SECONDS:
        raise LiteralError("is too far from now")
    return seconds * 1_000_000_000 + int((found[2] or "").ljust(9, "0"))


def _address(text: str, kind: FieldType) -> Literal:
    is_ipv4 = kind is FieldType.IPV4
    bits = 32 if is_ipv4 else 128
    address, slash, prefix = text.partition("/")
    try:
        value = int(IPv4Address(address) if is_ipv4 else IPv6Address(address))
        if slash and (not prefix.isdigit() or int(prefix) > bits):
            raise AddressValueError
    except (AddressValueError, NetmaskValueError, ValueError):
        other = (":" in text) == is_ipv4 and (":" in text or text.count(".") == 3)
        hint = f" (ip{'v6' if is_ipv4 else ''}. fields have those)" if other else ""
        raise LiteralError(f"is no IPv{4 if is_ipv4 else 6} address{hint}") from None
    return Literal(kind, value, int(prefix) if slash else bits)
