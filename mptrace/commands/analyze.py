"""``mptrace analyze FILE...``: what Multipath TCP did in a capture."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mptrace.commands.errors import CommandError
from mptrace.commands.filtering import add_filter_argument, compiled, read_filtered
from mptrace.commands.reading import damage_status, read

if TYPE_CHECKING:
    import argparse

    from mptrace.views.reading import Reading

NAME = "analyze"
SUMMARY = "Tell what Multipath TCP did in a capture"

WIDEST: Final = 140
"""Longer lines are hard to read, however wide the terminal is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``analyze``."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pcap or pcapng file, also compressed; several are merged by time; - reads "
        "standard input",
    )
    parser.add_argument("--json", action="store_true", help="print JSON (see mptrace schema)")
    parser.add_argument(
        "--csv", type=Path, metavar="DIR", help="also write the tables as CSV files into DIR"
    )
    parser.add_argument(
        "--parquet", type=Path, metavar="DIR", help="also write the tables as Parquet into DIR"
    )
    parser.add_argument(
        "-c",
        "--connection",
        type=int,
        action="append",
        metavar="N",
        help="only connection N, in full; may be given several times",
    )
    add_filter_argument(parser, "only connections with a packet, and in the tables packets, that")
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour the text; auto: on a terminal, unless NO_COLOR is set (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Analyze and print; return 1 when the capture is damaged."""
    if arguments.parquet is not None:  # said before the work, not after it
        _require_parquet()
    if arguments.filter is None:
        reading = read(arguments.files, arguments.connection)
    else:
        reading = read_filtered(arguments.files, compiled(arguments.filter), arguments.connection)
    if arguments.csv is not None:
        from mptrace.views import tables

        tables.write_csv(reading, arguments.csv)
    if arguments.parquet is not None:
        from mptrace.views import tables

        tables.write_parquet(reading, arguments.parquet)
    if arguments.json:
        from mptrace.views import json

        sys.stdout.writelines(json.chunks(reading))
    else:
        _print_text(reading, arguments)
    return damage_status(reading)


def _require_parquet() -> None:
    from mptrace.views.tables import MissingPyarrowError, require_parquet

    try:
        require_parquet()
    except MissingPyarrowError as error:
        raise CommandError(str(error)) from error


def _print_text(reading: Reading, arguments: argparse.Namespace) -> None:
    from mptrace.views import text

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without arrows shows ? for them
    width = min(shutil.get_terminal_size((text.PLAIN_WIDTH, 24)).columns, WIDEST)
    detail = arguments.connection is not None
    color = _wants_color(arguments.color)
    for line in text.lines(reading, color=color, width=width, detail=detail):
        print(line)


def _wants_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
