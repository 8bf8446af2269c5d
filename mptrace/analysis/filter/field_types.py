"""The types of fields, and which of them can be compared."""

from __future__ import annotations

from enum import Enum


class FieldType(Enum):
    """What a field's values are, and how a column holds them (see `columns.Column`)."""

    UNSIGNED = "an unsigned number"
    SIGNED = "a number"
    BOOLEAN = "a flag (1 or 0)"
    TIME = "a time in seconds"
    ABSOLUTE_TIME = "a date and time"
    IPV4 = "an IPv4 address"
    IPV6 = "an IPv6 address"
    ETHERNET = "an Ethernet address"
    TEXT = "a text"
    OCTETS = "a sequence of octets"
    PRESENCE = "a field without a value"

    @property
    def is_number(self) -> bool:
        """Numbers can be calculated with, and compared whatever their width."""
        return self in {FieldType.UNSIGNED, FieldType.SIGNED, FieldType.BOOLEAN}

    def compares_with(self, other: FieldType) -> bool:
        """Whether a value of this type can stand beside one of the other in a comparison."""
        if FieldType.PRESENCE in {self, other}:
            return False
        return self is other or (self.is_number and other.is_number)
