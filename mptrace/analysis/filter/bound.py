"""The tree of a filter whose names and values have found their fields and types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    import re

    from mptrace.analysis.filter import literals
    from mptrace.analysis.filter.field import Field
    from mptrace.analysis.filter.syntax import Operator, Quantifier

FunctionName = Literal["len", "count", "upper", "lower"]


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The values of a field."""

    field: Field

    @property
    def type(self) -> FieldType:
        """The field's."""
        return self.field.type


@dataclass(frozen=True, slots=True)
class Constant:
    """One value that does not depend on the packet."""

    literal: literals.Literal

    @property
    def type(self) -> FieldType:
        """The literal's."""
        return self.literal.type


@dataclass(frozen=True, slots=True)
class Sliced:
    """Some octets of each value (see `syntax.Slice`)."""

    operand: Expression
    first: int
    length: int | None
    last: int | None

    @property
    def type(self) -> FieldType:
        """Always octets."""
        return FieldType.OCTETS


@dataclass(frozen=True, slots=True)
class Calculated:
    """Two numbers combined: in 64 bits, unsigned if one of the fields has unsigned 64 bits."""

    operator: Literal["+", "-", "*", "/", "%", "&"]
    left: Expression
    right: Expression
    type: FieldType


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of a value."""

    function: FunctionName
    argument: Expression
    type: FieldType


Expression = FieldValue | Constant | Sliced | Calculated | Applied


@dataclass(frozen=True, slots=True)
class BoundComparison:
    """See `syntax.Comparison`; at least one side is no constant."""

    operator: Operator
    quantifier: Quantifier
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class BoundContains:
    """A constant within octets or texts."""

    quantifier: Quantifier
    left: Expression
    needle: bytes | str


@dataclass(frozen=True, slots=True)
class BoundMatches:
    """A pattern, of octets for octets and of text for texts."""

    quantifier: Quantifier
    left: Expression
    pattern: re.Pattern[bytes] | re.Pattern[str]


@dataclass(frozen=True, slots=True)
class BoundMembership:
    """Constants and ranges of constants, both ends included."""

    quantifier: Quantifier
    left: Expression
    members: tuple[tuple[literals.Literal, literals.Literal | None], ...]


@dataclass(frozen=True, slots=True)
class BoundExistence:
    """A field that is there, or a number that is not 0."""

    value: Expression


@dataclass(frozen=True, slots=True)
class BoundNegation:
    """Not."""

    test: BoundTest


@dataclass(frozen=True, slots=True)
class BoundJunction:
    """Several tests joined."""

    operator: Literal["and", "or", "xor"]
    tests: tuple[BoundTest, ...]


BoundTest = (
    BoundComparison
    | BoundContains
    | BoundMatches
    | BoundMembership
    | BoundExistence
    | BoundNegation
    | BoundJunction
)
