"""From the text of a display filter to its tree."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from mptrace.analysis.filter.errors import FilterError
from mptrace.analysis.filter.syntax import OPERATORS, Fault

if TYPE_CHECKING:
    from lark import Lark

    from mptrace.analysis.filter.syntax import Test

MAX_LENGTH: Final = 10_000
MAX_DEPTH: Final = 200
"""Parentheses and negations within each other."""
_STRING: Final = re.compile(r'"(\\.|[^"\\])*"', re.DOTALL)


def parse(text: str) -> Test | None:
    """The tree of a filter; None for the empty one, which every packet passes.

    Raises:
        FilterError: the text is not a display filter.
    """
    from lark import exceptions

    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH} characters", text, MAX_LENGTH)
    _check_depth(text)
    try:
        tree = _parser().parse(text)
    except exceptions.VisitError as error:
        if isinstance(error.orig_exc, Fault):
            fault = error.orig_exc
            raise FilterError(fault.reason, text, fault.span.start, fault.span.end) from None
        raise
    except Fault as fault:
        raise FilterError(fault.reason, text, fault.span.start, fault.span.end) from None
    except exceptions.UnexpectedCharacters as error:
        raise _unknown_character(text, cast("int", error.pos_in_stream)) from None
    except exceptions.UnexpectedToken as error:
        raise _unexpected_token(text, error) from None
    return cast("Test | None", tree)


def _check_depth(text: str) -> None:
    """Bound the recursion of everything that follows."""
    outside = _STRING.sub(lambda found: "_" * len(found.group()), text)
    depth, negations = 0, 0
    opened: list[int] = []
    for found in re.finditer(r"[()]|!(?!=)|\bnot\b|[^\s!()]+", outside):
        word = found.group()
        if word == "(":
            opened.append(1 + negations)
            depth += opened[-1]
        elif word == ")" and opened:
            depth -= opened.pop()
        negations = negations + 1 if word in {"!", "not"} else 0
        if depth + negations > MAX_DEPTH:
            raise FilterError("the filter is nested too deeply", text, found.start())
    for found in re.finditer(r"(?:\[[^\]]*\]\s*){9,}", outside):
        raise FilterError("a slice of a slice of a slice...", text, found.start(), found.end())


@cache
def _parser() -> Lark:
    from lark import Lark

    from mptrace.analysis.filter.grammar import GRAMMAR
    from mptrace.analysis.filter.tree_builder import TreeBuilder

    return Lark(
        GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=True, transformer=TreeBuilder()
    )


def _unknown_character(text: str, at: int) -> FilterError:
    if text[at] in "\"'":
        return FilterError("the quotation mark here has no partner", text, at, len(text))
    if text[at] == "[":
        return FilterError("the [ here has no partner", text, at)
    if text[at] == "=":
        return FilterError("= is no operator: == compares", text, at)
    if text[at] == "|":
        return FilterError("| is no operator: || is or", text, at)
    if text[at] == "^":
        return FilterError("^ is no operator: ^^ is exclusive or", text, at)
    return FilterError(f"{text[at]!r} has no meaning here", text, at)


def _unexpected_token(text: str, error: Any) -> FilterError:
    from mptrace.analysis.filter.grammar import MEANINGS

    token = error.token
    accepted = set(error.accepts or error.expected) - {"$END"}
    operand_wanted = "WORD" in accepted and "RIGHT_BRACE" not in accepted
    if token.type == "$END":
        if operand_wanted:
            return FilterError("the filter ends where a field or a value should follow", text,
                               len(text))  # fmt: skip
        closing = [name for name in ("RIGHT_PAREN", "RIGHT_BRACE") if name in accepted]
        wanted = [MEANINGS[name] for name in closing or accepted & {"STRING"}]
        named = " or ".join(wanted) or "more"
        return FilterError(f"the filter ends where {named} should follow", text, len(text))
    start, end = token.start_pos, token.end_pos
    shown = f'"{token}"'
    if operand_wanted:
        reason = f"{shown} stands where a field or a value should"
    elif accepted == {"STRING"}:
        reason = "matches wants a regular expression in double quotes"
    elif token.type in {"WORD", "ADDRESS", "STRING"} and "COMPARE" in accepted:
        hint = " (operators are written in small letters)" if _is_operator(str(token)) else ""
        reason = f"{shown} stands where an operator such as == or && should{hint}"
    else:
        reason = f"{shown} was not expected here"
    return FilterError(reason, text, start, end)


def _is_operator(word: str) -> bool:
    return word != word.lower() and word.lower() in {
        *OPERATORS, "and", "or", "not", "xor", "in", "contains", "matches",
    }  # fmt: skip
