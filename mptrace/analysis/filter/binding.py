"""From the tree as written to the tree with fields and types; says what does not fit."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final, cast

from mptrace.analysis.filter import syntax
from mptrace.analysis.filter.bound import (
    Applied,
    BoundComparison,
    BoundContains,
    BoundExistence,
    BoundJunction,
    BoundMatches,
    BoundMembership,
    BoundNegation,
    BoundTest,
    Calculated,
    Constant,
    Expression,
    FieldValue,
    FunctionName,
    Sliced,
)
from mptrace.analysis.filter.errors import FilterError
from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.filter.literals import Literal, LiteralError, literal
from mptrace.analysis.filter.registry import find, similar

if TYPE_CHECKING:
    from mptrace.analysis.filter.field import Field

FUNCTIONS: Final = {
    "len": "octets or characters of each value",
    "count": "how many values a packet has",
    "upper": "a text in capital letters",
    "lower": "a text in small letters",
}
_SEARCHABLE: Final = (FieldType.OCTETS, FieldType.TEXT)
_Written = syntax.Word | syntax.Quoted | syntax.Character


def bind(test: syntax.Test, text: str) -> tuple[BoundTest, dict[str, Field]]:
    """The typed tree, and the fields that it names.

    Raises:
        FilterError: a field that is none, or values that do not fit.
    """
    binder = _Binder(text)
    return binder.test(test), binder.fields


class _Binder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: dict[str, Field] = {}

    def fault(self, reason: str, span: syntax.Span) -> FilterError:
        return FilterError(reason, self.text, span.start, span.end)

    # --- tests ---------------------------------------------------------------------------

    def test(self, test: syntax.Test) -> BoundTest:
        match test:
            case syntax.Junction():
                return BoundJunction(test.operator, tuple(self.test(part) for part in test.tests))
            case syntax.Negation():
                return BoundNegation(self.test(test.test))
            case syntax.Comparison():
                return self._comparison(test)
            case syntax.Contains():
                left = self._searchable(test.left, "contains")
                needle = self._literal(test.right, left.type, None).value
                if not needle:
                    raise self.fault("nothing is contained everywhere", test.right.span)
                return BoundContains(test.quantifier, left, cast("bytes | str", needle))
            case syntax.Matches():
                left = self._searchable(test.left, "matches")
                return BoundMatches(test.quantifier, left, self._pattern(test.pattern, left))
            case syntax.Membership():
                return self._membership(test)
            case syntax.Existence():
                value = self.value(test.value)
                if isinstance(value, Constant):
                    raise self.fault("a value alone is no test", test.span)
                return BoundExistence(value)

    def _comparison(self, test: syntax.Comparison) -> BoundTest:
        left_is, right_is = self._is_constant(test.left), self._is_constant(test.right)
        if left_is and right_is:
            raise self._no_field(test.left)
        left: Expression
        right: Expression
        if left_is:
            right = self._comparable(test.right)
            left = Constant(self._constant(test.left, right))
        elif right_is:
            left = self._comparable(test.left)
            right = Constant(self._constant(test.right, left))
        else:
            left, right = self._comparable(test.left), self._comparable(test.right)
            if not left.type.compares_with(right.type):
                reason = f"{left.type.value} cannot be compared with {right.type.value}"
                raise self.fault(reason, test.span)
        return BoundComparison(test.operator, test.quantifier, left, right)

    def _membership(self, test: syntax.Membership) -> BoundTest:
        if self._is_constant(test.left):
            raise self._no_field(test.left)
        left = self._comparable(test.left)
        members = []
        for member in test.members:
            low = self._constant(member.low, left)
            high = None if member.high is None else self._constant(member.high, left)
            if (
                member.high is not None
                and (low.prefix or 0) + (high.prefix if high else 0)
                and (low.prefix not in {32, 48, 128} or (high and high.prefix != low.prefix))
            ):
                raise self.fault("a range goes from address to address", member.low.span)
            members.append((low, high))
        return BoundMembership(test.quantifier, left, tuple(members))

    def _searchable(self, value: syntax.Value, operator: str) -> Expression:
        if self._is_constant(value):
            raise self._no_field(value)
        left = self.value(value)
        if left.type not in _SEARCHABLE:
            reason = f"{operator} searches texts and octets; this is {left.type.value}"
            raise self.fault(reason, value.span)
        return left

    def _comparable(self, value: syntax.Value) -> Expression:
        bound = self.value(value)
        if bound.type is FieldType.PRESENCE:
            raise self.fault("this field has no value: it is there or not", value.span)
        return bound

    def _pattern(
        self, quoted: syntax.Quoted, left: Expression
    ) -> re.Pattern[bytes] | re.Pattern[str]:
        pattern, flags = quoted.pattern, re.IGNORECASE
        if pattern.startswith("(?-i)"):
            pattern, flags = pattern.removeprefix("(?-i)"), re.RegexFlag(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                if left.type is FieldType.TEXT:
                    return re.compile(pattern, flags)
                return re.compile(pattern.encode(errors="replace"), flags)
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            reason = f"the regular expression is wrong: {error}"
            raise self.fault(reason, quoted.span) from None

    # --- values --------------------------------------------------------------------------

    def value(self, value: syntax.Value) -> Expression:
        match value:
            case syntax.Word():
                field = find(value.text)
                if field is None:
                    raise self._no_field(value)
                self.fields[field.name] = field
                return FieldValue(field)
            case syntax.Slice():
                operand = self.value(value.operand)
                if operand.type is not FieldType.OCTETS:
                    reason = f"only octets can be sliced; this is {operand.type.value}"
                    raise self.fault(reason, value.operand.span)
                return Sliced(operand, value.first, value.length, value.last)
            case syntax.Call():
                return self._call(value)
            case syntax.Arithmetic():
                return self._arithmetic(value)
        raise self._no_field(value)

    def _call(self, call: syntax.Call) -> Expression:
        if call.name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise self.fault(f"there is no function {call.name}: there are {known}", call.span)
        argument = self.value(call.argument)
        wanted = {
            "len": _SEARCHABLE,
            "count": tuple(FieldType),
            "upper": (FieldType.TEXT,),
            "lower": (FieldType.TEXT,),
        }[call.name]
        if argument.type not in wanted:
            reason = f"{call.name} is not for {argument.type.value}"
            raise self.fault(reason, call.argument.span)
        result = FieldType.SIGNED if call.name in {"len", "count"} else FieldType.TEXT
        return Applied(cast("FunctionName", call.name), argument, result)

    def _arithmetic(self, value: syntax.Arithmetic) -> Expression:
        sides = (value.left, value.right)
        known = [None if self._is_constant(side) else self.value(side) for side in sides]
        anchor = known[0] or known[1]
        if anchor is None:
            raise self.fault("one of the numbers must be a field", value.span)
        result = _calculated_type(known[0], known[1])
        allowed = value.operator in "+-" if result is FieldType.TIME else result is not None
        if result is None or not allowed:
            reason = f"{value.operator} is not for {anchor.type.value}"
            raise self.fault(reason, value.span)
        left, right = (
            Constant(self._literal(side, result, None)) if expression is None else expression
            for side, expression in zip(sides, known, strict=True)
        )
        return Calculated(value.operator, left, right, result)

    def _is_constant(self, value: syntax.Value) -> bool:
        if isinstance(value, syntax.Word):
            return find(value.text) is None
        if isinstance(value, syntax.Arithmetic):
            return self._is_constant(value.left) and self._is_constant(value.right)
        return isinstance(value, (syntax.Quoted, syntax.Character))

    def _constant(self, value: syntax.Value, beside: Expression) -> Literal:
        """The value as a constant of the type of the expression beside it."""
        field = beside.field if isinstance(beside, FieldValue) else None
        found = self._literal(value, beside.type, field)
        if field is not None and field.texts and found.value not in field.texts:
            names = ", ".join(field.texts)
            raise self.fault(f"{field.name} is one of {names}", value.span)
        return found

    def _literal(self, value: syntax.Value, kind: FieldType, field: Field | None) -> Literal:
        if isinstance(value, syntax.Arithmetic):
            raise self.fault("numbers are only calculated with fields", value.span)
        if not isinstance(value, _Written):
            raise self.fault("a value is wanted here, not a field", value.span)
        if isinstance(value, syntax.Word) and find(value.text) is not None:
            raise self.fault("a value is wanted here, not a field", value.span)
        try:
            return literal(value, kind, field)
        except LiteralError as error:
            shown = self.text[value.span.start : value.span.end]
            reason = f"{shown} {error}"
            if isinstance(value, syntax.Word) and _looks_like_field(value.text):
                reason = f"{shown} is no field, and as a value it {error}"
                reason += self._suggestion(value.text)
            raise self.fault(reason, value.span) from None

    def _no_field(self, value: syntax.Value) -> FilterError:
        if isinstance(value, syntax.Word):
            reason = f"there is no field {value.text}{self._suggestion(value.text)}"
            return self.fault(reason, value.span)
        return self.fault("a field is wanted here, not a value", value.span)

    @staticmethod
    def _suggestion(name: str) -> str:
        names = similar(name)
        return f"; do you mean {' or '.join(names)}?" if names else ""


def _looks_like_field(text: str) -> bool:
    return text[:1].isalpha() and "." in text


def _calculated_type(left: Expression | None, right: Expression | None) -> FieldType | None:
    """The type of two numbers combined; None where they cannot be."""
    types = {side.type for side in (left, right) if side is not None}
    if types == {FieldType.TIME}:
        return FieldType.TIME
    if not all(kind.is_number for kind in types):
        return None
    wide = any(is_wide(side) for side in (left, right) if side is not None)
    return FieldType.UNSIGNED if wide else FieldType.SIGNED


def is_wide(expression: Expression) -> bool:
    """Whether the numbers are unsigned ones of 64 bits."""
    if isinstance(expression, FieldValue):
        return expression.type is FieldType.UNSIGNED and expression.field.bits > 32
    return isinstance(expression, Calculated) and expression.type is FieldType.UNSIGNED
