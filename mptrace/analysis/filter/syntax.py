"""The tree of a display filter as it was written, before any field is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Quantifier = Literal["any", "all"]
Operator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets within the text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From the beginning of this to the end of the other."""
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True)
class Word:
    """A field's name or a value without quotes."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Quoted:
    """A string; ``pattern`` is what stands between the quotes, for a regular expression."""

    octets: bytes
    pattern: str
    span: Span


@dataclass(frozen=True, slots=True)
class Character:
    """One character in single quotes, which is a number."""

    code: int
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """Some octets of a value: from ``first`` (negative: from the end), ``length`` of them.

    ``last`` is the offset of the last one where the slice names it; neither: to the end.
    """

    operand: Value
    first: int
    length: int | None
    last: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one value."""

    name: str
    argument: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers combined."""

    operator: Literal["+", "-", "*", "/", "%", "&"]
    left: Value
    right: Value
    span: Span


Value = Word | Quoted | Character | Slice | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared; ``quantifier`` says of how many pairs of values it must hold."""

    operator: Operator
    quantifier: Quantifier
    left: Value
    right: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Contains:
    """Octets or a text within a value."""

    quantifier: Quantifier
    left: Value
    right: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression found in a value."""

    quantifier: Quantifier
    left: Value
    pattern: Quoted
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """One value of a set, or a range with both ends."""

    low: Value
    high: Value | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A value in a set."""

    quantifier: Quantifier
    left: Value
    members: tuple[Member, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Existence:
    """A field that the packet has."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    """Not."""

    test: Test
    span: Span


@dataclass(frozen=True, slots=True)
class Junction:
    """Several tests joined by one operator."""

    operator: Literal["and", "or", "xor"]
    tests: tuple[Test, ...]
    span: Span


Test = Comparison | Contains | Matches | Membership | Existence | Negation | Junction

OPERATORS: Final[dict[str, tuple[Operator, Quantifier]]] = {
    "==": ("==", "any"), "eq": ("==", "any"), "any_eq": ("==", "any"),
    "===": ("==", "all"), "all_eq": ("==", "all"),
    "!=": ("!=", "all"), "ne": ("!=", "all"), "all_ne": ("!=", "all"),
    "!==": ("!=", "any"), "~=": ("!=", "any"), "any_ne": ("!=", "any"),
    "<": ("<", "any"), "lt": ("<", "any"), "<=": ("<=", "any"), "le": ("<=", "any"),
    ">": (">", "any"), "gt": (">", "any"), ">=": (">=", "any"), "ge": (">=", "any"),
}  # fmt: skip
"""Comparisons as written: what is compared, and of how many pairs of values it must hold."""


class Fault(Exception):  # noqa: N818 - becomes a FilterError in `parsing`
    """Something that the grammar lets through and that means nothing."""

    def __init__(self, reason: str, span: Span) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span
