"""The octets of a packet as lines of hexadecimal and text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OctetLine:
    """Some octets of a packet: their offset, digits and characters."""

    offset: int
    octets: bytes

    @property
    def digits(self) -> list[str]:
        """Two hexadecimal digits each."""
        return [f"{octet:02x}" for octet in self.octets]

    @property
    def characters(self) -> str:
        """One character each; a point for what is not printable ASCII."""
        return characters(self.octets)


def characters(octets: bytes) -> str:
    """One character an octet; a point for what is not printable ASCII."""
    return "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)


def octets_per_line(width: int) -> int:
    """How many octets fit: a multiple of 8, at most 32.

    A line takes 6 characters for the offset, 3 an octet, 1 between, and 1 an octet.
    """
    fitting = (width - 8) // 4
    return max(min(fitting // 8 * 8, 32), 8)


def line(octets: bytes, index: int, per_line: int) -> OctetLine:
    """Line ``index`` (from 0) of the octets."""
    start = index * per_line
    return OctetLine(start, octets[start : start + per_line])


def line_count(octets: bytes, per_line: int) -> int:
    """How many lines the octets take."""
    return -(-len(octets) // per_line)
