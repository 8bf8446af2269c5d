"""How a filter may go on where the cursor stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mptrace.analysis.filter.binding import FUNCTIONS
from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.filter.registry import find, visible
from mptrace.analysis.filter.syntax import OPERATORS

if TYPE_CHECKING:
    from mptrace.analysis.filter.field import Field

_TOKEN: Final = re.compile(
    r'"(?:\\.|[^"\\])*"?|\'[^\']*\'?|\[[^\]]*\]?|[\w.:/-]*\w|&&|\|\||\^\^|[=!<>~]=+|\S', re.DOTALL
)
_WORD: Final = re.compile(r"[\w.]*")
_SIGNS: Final = re.compile(r"[=!<>&|^~]+$")
_JOINING: Final = {
    "&&": "both",
    "||": "one of both, or both",
    "^^": "one of both",
}
_JOINING_WORDS: Final = frozenset({*_JOINING, "and", "or", "xor"})
_BEFORE_TEST: Final = frozenset({"!", "not", "any", "all", "("})
_COMPARING: Final = {
    "==": "equal, one value of the packet",
    "!=": "not equal, all values of the packet",
    ">": "greater",
    "<": "less",
    ">=": "greater or equal",
    "<=": "less or equal",
    "in {": "one of several values",
}
_SEARCHING: Final = {
    "contains": "contains octets or a text",
    "matches": "matches a regular expression",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand in place of ``start`` to ``end`` of the filter."""

    text: str
    start: int
    end: int
    meaning: str

    def completed(self, text: str) -> tuple[str, int]:
        """The whole filter with it, and where the cursor then stands."""
        return text[: self.start] + self.text + text[self.end :], self.start + len(self.text)


@dataclass(slots=True)
class _Place:
    """What the text before the cursor leads to: a test, an operator, a value or a joint."""

    wants: str = "test"
    field: Field | None = None
    in_set: bool = False
    in_string: bool = False


def complete(text: str, cursor: int) -> tuple[Candidate, ...]:
    """What can follow at the cursor, the likeliest first: fields, operators, values."""
    cursor = max(0, min(cursor, len(text)))
    word_start = cursor - _word_length(text[:cursor][::-1])
    word_end = cursor + _word_length(text[cursor:])
    place = _place(text[:word_start])
    signs = _SIGNS.search(text[:word_start])
    if signs is not None and word_start == cursor:
        before = _place(text[: signs.start()])
        if before.wants in {"operator", "joint"}:  # an operator that is half written
            place, word_start = before, signs.start()
    typed = text[word_start:cursor]
    if place.in_string:
        return ()
    options = _options(place, typed)
    return tuple(Candidate(name, word_start, word_end, meaning) for name, meaning in options)


def _word_length(text: str) -> int:
    found = _WORD.match(text)
    return 0 if found is None else found.end()


def _place(before: str) -> _Place:
    place = _Place()
    for found in _TOKEN.finditer(before):
        piece = found.group()
        if piece[0] in "\"'":
            place.in_string = len(piece) == 1 or piece[-1] != piece[0] or piece[-2] == "\\"
            _after_value(place)
        elif piece == "}":
            place.in_set = False
            place.wants = "joint"
        elif piece == "{":
            place.in_set = True
            place.wants = "value"
        elif piece == ")":
            place.wants = "operator" if place.wants == "operator" else "joint"
        elif piece in _JOINING_WORDS:
            place.wants, place.field = "test", None
        elif piece in _BEFORE_TEST:
            place.wants = "test"
        elif piece in OPERATORS or piece in {"contains", "in", "+", "-", "*", "/", "%", "&"}:
            place.wants = "value"
        elif piece in {"matches", "~"}:
            place.wants = "pattern"
        elif piece[0] == "[" or piece in {",", "."}:
            continue
        elif place.wants == "test":
            place.field = find(piece)
            place.wants = "operator"
        else:
            _after_value(place)
    return place


def _after_value(place: _Place) -> None:
    place.wants = "value" if place.in_set else "joint"


def _options(place: _Place, typed: str) -> list[tuple[str, str]]:
    if place.wants == "test":
        return _fields(typed)
    if place.wants == "value":
        return [(name, "") for name in _values(place.field) if _begins(name, typed)]
    if place.wants == "pattern":
        return []
    options = dict(_JOINING)
    if place.wants == "operator":
        kind = None if place.field is None else place.field.type
        searching = _SEARCHING if kind in {None, FieldType.OCTETS, FieldType.TEXT} else {}
        comparing = {} if kind is FieldType.PRESENCE else _COMPARING
        options = {**comparing, **searching, **options}
    return [(name, meaning) for name, meaning in options.items() if _goes_on(name, typed)]


def _fields(typed: str) -> list[tuple[str, str]]:
    """Fields that begin so, then those with a part that does, then functions and ``not``."""
    lower = typed.lower()
    begins = [field for field in visible() if field.name.lower().startswith(lower)]
    within = [
        field for field in visible() if f".{lower}" in field.name.lower() and field not in begins
    ]
    options = [(field.name, field.meaning) for field in (*begins, *(within if lower else ()))]
    if lower:
        options += [
            (f"{name}(", meaning) for name, meaning in FUNCTIONS.items() if name.startswith(lower)
        ]
        options += [("not", "the opposite")] if "not".startswith(lower) else []
    return options


def _values(field: Field | None) -> tuple[str, ...]:
    if field is None:
        return ()
    if field.type is FieldType.BOOLEAN:
        return ("1", "0")
    names = field.texts or tuple(name for name, _ in field.number_names)
    return tuple(f'"{name}"' if " " in name else name for name in names)


def _goes_on(operator: str, typed: str) -> bool:
    return operator.startswith(typed) and operator != typed


def _begins(name: str, typed: str) -> bool:
    return name.strip('"').lower().startswith(typed.lower())
