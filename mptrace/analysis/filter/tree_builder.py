"""From lark's tokens to the tree of a display filter. Imports lark: import it to parse only."""

# ruff: noqa: D102 - the methods are the grammar's rules, whose names say what they are
from __future__ import annotations

import re
from typing import Any, Final, cast

from lark import Token, Transformer, v_args

from mptrace.analysis.filter.syntax import (
    OPERATORS,
    Arithmetic,
    Call,
    Character,
    Comparison,
    Contains,
    Existence,
    Fault,
    Junction,
    Matches,
    Member,
    Membership,
    Negation,
    Quantifier,
    Quoted,
    Slice,
    Span,
    Test,
    Value,
    Word,
)

MAX_TERMS: Final = 50
_SLICE: Final = re.compile(r"\s*(-?\d+)?\s*(?:(:|(?<=\d)\s*-)\s*(-?\d+)?)?\s*")
_ESCAPE: Final = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROLS: Final = {
    b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11,
}  # fmt: skip


@v_args(inline=True)
class TreeBuilder(Transformer[Token, Any]):
    """Makes the tree's nodes, bottom up."""

    def start(self, test: Test | None = None) -> Test | None:
        return test

    def either(self, *tests: Test) -> Test:
        return _junction("or", tests)

    def one_of(self, *tests: Test) -> Test:
        return _junction("xor", tests)

    def both(self, *tests: Test) -> Test:
        return _junction("and", tests)

    def negation(self, sign: Token, test: Test) -> Test:
        return Negation(test, _span(sign).to(test.span))

    def grouped(self, test: Test, _end: Token) -> Test:
        return test

    def comparison(self, quantifier: Token | None, first: Value, *rest: Any) -> Test:
        return _comparison(quantifier, first, *rest)

    def contains(self, quantifier: Token | None, left: Value, right: Value) -> Test:
        return Contains(_quantifier(quantifier), left, right, left.span.to(right.span))

    def matches(self, quantifier: Token | None, left: Value, pattern: Token) -> Test:
        quoted = _quoted(pattern)
        return Matches(_quantifier(quantifier), left, quoted, left.span.to(quoted.span))

    def membership(
        self, quantifier: Token | None, left: Value, no: Token | None, *rest: Any
    ) -> Test:
        *members, end = rest
        span = left.span.to(_span(end))
        test = Membership(_quantifier(quantifier), left, tuple(members), span)
        return Negation(test, span) if no is not None else test

    def member(self, low: Value, high: Value | None) -> Member:
        return Member(low, high)

    def existence(self, value: Value) -> Test:
        return Existence(value, value.span)

    def arithmetic(self, first: Value, *rest: Any) -> Value:
        result = first
        if len(rest) > 2 * MAX_TERMS:
            raise Fault(f"more than {MAX_TERMS} numbers are combined", rest[-1].span)
        for operator, right in zip(rest[::2], rest[1::2], strict=True):
            symbol = "&" if operator.type == "BIT_AND" else str(operator)
            result = Arithmetic(cast("Any", symbol), result, right, result.span.to(right.span))
        return result

    def word(self, token: Token) -> Value:
        return Word(str(token), _span(token))

    def signed(self, sign: Token, token: Token) -> Value:
        text = str(token) if sign == "+" else f"-{token}"
        return Word(text, _span(sign).to(_span(token)))

    def quoted(self, token: Token) -> Value:
        return _quoted(token)

    def character(self, token: Token) -> Value:
        octets = _unescaped(str(token)[1:-1], _span(token))
        if len(octets) != 1:
            raise Fault("a character in single quotes is one octet", _span(token))
        return Character(octets[0], _span(token))

    def call(self, name: Token, argument: Value, end: Token) -> Value:
        return Call(str(name), argument, _span(name).to(_span(end)))

    def slice(self, operand: Value, token: Token) -> Value:
        return _slice(operand, token)


def _span(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _quantifier(token: Token | None) -> Quantifier:
    return "any" if token is None else cast("Quantifier", str(token))


def _junction(operator: Any, tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return Junction(operator, tests, tests[0].span.to(tests[-1].span))


def _comparison(quantifier: Token | None, first: Value, *rest: Any) -> Test:
    """``a < b < c`` means ``a < b and b < c``."""
    values = (first, *rest[1::2])
    tests: list[Test] = []
    for left, symbol, right in zip(values, rest[::2], values[1:], strict=False):
        operator, of_pairs = OPERATORS[str(symbol)]
        if quantifier is not None:
            of_pairs = _quantifier(quantifier)
        tests.append(Comparison(operator, of_pairs, left, right, left.span.to(right.span)))
    return _junction("and", tuple(tests))


def _quoted(token: Token) -> Quoted:
    text, span = str(token), _span(token)
    raw = text[0] in "rR"
    inner = text[2:-1] if raw else text[1:-1]
    pattern = inner.replace('\\"', '"')
    octets = pattern.encode(errors="replace") if raw else _unescaped(inner, span)
    return Quoted(octets, pattern, span)


def _unescaped(text: str, span: Span) -> bytes:
    def replaced(found: re.Match[bytes]) -> bytes:
        escape = found.group(1)
        if escape[:1] == b"x" and len(escape) > 1:
            return bytes([int(escape[1:], 16)])
        if escape.isdigit() and escape[:1] in b"01234567":
            code = int(escape, 8)
            if code > 255:
                raise Fault(f"\\{escape.decode()} is more than an octet holds", span)
            return bytes([code])
        if escape in _CONTROLS:
            return bytes([_CONTROLS[escape]])
        if escape in {b"\\", b'"', b"'"}:
            return escape
        raise Fault(f"\\{escape.decode(errors='replace')} means nothing in a string", span)

    return _ESCAPE.sub(replaced, text.encode(errors="replace"))


def _slice(operand: Value, token: Token) -> Slice:
    span = operand.span.to(_span(token))
    found = _SLICE.fullmatch(str(token)[1:-1])
    if found is None or not (found[1] or found[2]) or (found[2] == "-" and found[3] is None):
        raise Fault(
            "a slice is [offset], [offset:length], [first-last], [:length] or [offset:]",
            _span(token),
        )
    first = int((found[1] or "0")[:12])
    second = None if found[3] is None else int(found[3][:12])
    if found[2] is None:
        return Slice(operand, first, 1, None, span)
    if found[2] == ":":
        if second is not None and second < 1:
            raise Fault("a slice has a length of 1 or more", _span(token))
        return Slice(operand, first, second, None, span)
    return Slice(operand, first, None, second, span)
