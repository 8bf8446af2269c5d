"""Wires the subcommands, and turns what goes wrong into a line and an exit status.

Exit status: 0 done; 1 done, but the capture is damaged or cut (a line on standard error says
where); 2 nothing could be done (one line says which file, where and why; also wrong usage).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from mptrace import __version__
from mptrace.commands import (
    analyze,
    browse,
    completion,
    crosscheck,
    dissect,
    plot,
    report,
    schema,
)
from mptrace.commands.errors import CommandError
from mptrace.views.figures import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE: Final = 0
DAMAGED: Final = 1
FAILED: Final = 2
INTERRUPTED: Final = 130
"""What a shell reports of a process that Ctrl-C ended."""
BROKEN_PIPE: Final = 141
"""What a shell reports of a process whose reader went away."""


class Command(Protocol):
    """What the module of a subcommand has."""

    NAME: str
    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the subcommand."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit status."""


COMMANDS: Final[tuple[Command, ...]] = (
    analyze,
    browse,
    report,
    plot,
    dissect,
    crosscheck,
    schema,
    completion,
)
"""The subcommands, in the order of ``--help``: a new one is a line here."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="mptrace",
        description="Reads packet captures and tells what Multipath TCP did in them.",
        epilog="Exit status: 0 done; 1 done, but the capture is damaged or cut; 2 failed.",
    )
    top.add_argument("--version", action="version", version=f"mptrace {__version__}")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = subparsers.add_parser(
            command.NAME,
            help=command.SUMMARY,
            description=f"{command.SUMMARY}.",
            aliases=getattr(command, "ALIASES", ()),
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit status."""
    try:
        parsed = parser().parse_args(arguments)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except CommandError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # What is still buffered has no reader: Python must not try to write it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _fail(": ".join(str(part) for part in (error.filename, error.strerror) if part))
    return status


def _fail(message: str) -> int:
    print(f"mptrace: {printable(message)}", file=sys.stderr)
    return FAILED
