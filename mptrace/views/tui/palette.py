"""Colours of the browser: the terminal's own sixteen, so that every theme and terminal has them."""

from __future__ import annotations

from typing import Final

from rich.style import Style

SUBFLOWS: Final = (
    "cyan",
    "yellow",
    "green",
    "magenta",
    "bright_blue",
    "bright_cyan",
    "bright_yellow",
    "bright_green",
    "bright_magenta",
)
"""In order of the subflow's number; no red, which means an error."""
_PLAIN: Final = Style()
_SUBFLOW_STYLES: Final = tuple(Style(color=color) for color in SUBFLOWS)
_TONES: Final = {
    "error": Style(color="bright_red", bold=True),
    "warning": Style(color="yellow", bold=True),
    "note": Style(color="cyan"),
    "good": Style(color="green"),
    "faint": Style(dim=True),
    "strong": Style(bold=True),
}
CURSOR: Final = Style(reverse=True, bold=True)
CURSOR_ELSEWHERE: Final = Style(color="bright_white", bgcolor="bright_black", bold=True)
"""The cursor's line in a pane that has not the focus."""
LINK: Final = Style(underline=True)
MARKED: Final = Style(bold=True, underline=True)
HEAD: Final = Style(bold=True)


def subflow(index: int | None) -> Style:
    """The style of a subflow; plain for what belongs to none."""
    return _PLAIN if index is None else _SUBFLOW_STYLES[index % len(_SUBFLOW_STYLES)]


def tone(name: str) -> Style:
    """The style of a tone of `mptrace.views.summary`."""
    return _TONES.get(name, _PLAIN)


FAULT: Final = "ansi_bright_red"
