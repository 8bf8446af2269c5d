"""One palette for every figure, for light and for dark pages; safe for colour-blind readers.

Charts name colours by tokens (``$s0`` is the first subflow's colour), and whoever draws puts in
the theme's colour. The series colours are those of Okabe and Ito, darkened or lightened until they
stand out from the page; a dash and a symbol tell subflows apart without any colour.
"""

from __future__ import annotations

from typing import Any, Final, Literal

Theme = Literal["light", "dark"]

COLORS: Final[dict[Theme, dict[str, str]]] = {
    "light": {
        "$s0": "#0067a8",
        "$s1": "#d55e00",
        "$s2": "#00805e",
        "$s3": "#b0468c",
        "$s4": "#8a6d00",
        "$s5": "#3f93c9",
        "$s6": "#7a5230",
        "$ink": "#1c2128",
        "$soft": "#5d6673",
        "$faint": "#c9ced6",
        "$grid": "#e6e9ee",
        "$page": "#ffffff",
        "$warn": "#c77700",
        "$bad": "#c0182b",
    },
    "dark": {
        "$s0": "#58b4f0",
        "$s1": "#ff9147",
        "$s2": "#35c9a0",
        "$s3": "#eb9ccf",
        "$s4": "#e3c43f",
        "$s5": "#a5d8ff",
        "$s6": "#d3a57b",
        "$ink": "#e8ebf0",
        "$soft": "#a3acb9",
        "$faint": "#4a525e",
        "$grid": "#2c333d",
        "$page": "#14181e",
        "$warn": "#f0a83c",
        "$bad": "#ff7080",
    },
}

SUBFLOW_COLORS: Final = 7
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "star", "hexagon", "pentagon")
PATTERNS: Final = ("", "/", "x", "-", "|", "+", "\\")
CLASS_SYMBOLS: Final = {
    "retransmission": "triangle-up-open",
    "remapped": "square-open",
    "reinjection": "diamond-open",
}


def subflow_token(index: int) -> str:
    """The colour of a subflow."""
    return f"$s{index % SUBFLOW_COLORS}"


def subflow_dash(index: int) -> str:
    """The dash of a subflow's lines."""
    return DASHES[index % len(DASHES)]


def subflow_symbol(index: int) -> str:
    """The symbol of a subflow's points."""
    return SYMBOLS[index % len(SYMBOLS)]


def subflow_pattern(index: int) -> str:
    """The hatching of a subflow's areas and bars."""
    return PATTERNS[index % len(PATTERNS)]


def painted(value: Any, theme: Theme) -> Any:
    """A copy of nested dicts and lists with every token replaced by the theme's colour."""
    if isinstance(value, str):
        return COLORS[theme].get(value, value)
    if isinstance(value, dict):
        return {key: painted(inner, theme) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [painted(inner, theme) for inner in value]
    return value
