"""``mptrace browse FILE...``: look at a capture in the terminal, with Wireshark's habits."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mptrace.commands.errors import CommandError

if TYPE_CHECKING:
    import argparse

NAME = "browse"
SUMMARY = "Look at a capture in the terminal"
ALIASES = ("tui",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``browse``."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pcap or pcapng file, also compressed; several are merged by time; - reads "
        "standard input to its end first",
    )


def run(arguments: argparse.Namespace) -> int:
    """Browse until the user quits."""
    if not sys.stdout.isatty():
        raise CommandError("browse needs a terminal; analyze and dissect write into pipes")
    if "-" in arguments.files and sys.stdin.isatty():
        raise CommandError("-: standard input is the terminal, not a capture")
    from mptrace.views.tui.app import browse

    problem = browse([_beside_the_keyboard(path) for path in arguments.files])
    if problem is not None:
        raise CommandError(problem)
    return 0


def _beside_the_keyboard(path: str) -> str:
    """Where standard input is read from, now that the terminal's keys need its place."""
    if path != "-":
        return path
    capture = os.dup(0)
    terminal = os.open("/dev/tty", os.O_RDWR)
    os.dup2(terminal, 0)
    os.close(terminal)
    return f"/dev/fd/{capture}"
