"""``mptrace report FILE...``: the analysis as one HTML file that stands for itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mptrace.commands.errors import CommandError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

NAME = "report"
SUMMARY = "Write an HTML report of a capture"

WORTH_A_BAR: Final = 40
"""Connections from which on drawing them takes a while."""
_ENDINGS: Final = (".gz", ".zst", ".lz4", ".xz", ".pcap", ".pcapng", ".cap")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``report``."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pcap or pcapng file, also compressed; several are merged by time; - reads "
        "standard input",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file to write; - writes to standard output (default: the capture's name with "
        ".html, in the current directory)",
    )
    parser.add_argument(
        "--force", action="store_true", help="write over a file that exists already"
    )
    parser.add_argument(
        "-c",
        "--connection",
        type=int,
        action="append",
        metavar="N",
        help="only connection N; may be given several times",
    )
    parser.add_argument(
        "--theme",
        choices=("auto", "light", "dark"),
        default="auto",
        help="auto: as the reader's system prefers (default: %(default)s)",
    )
    parser.add_argument("--title", metavar="TEXT", help="the title (default: the capture's name)")


def run(arguments: argparse.Namespace) -> int:
    """Analyze and write the report; return 1 when the capture is damaged."""
    from mptrace.commands.progress import ProgressBar
    from mptrace.commands.reading import damage_status, read
    from mptrace.views.report import Options, chunks

    target = output_path(arguments.output, arguments.files)
    if target is not None:  # said before the work, not after it
        refuse_to_overwrite(target, force=arguments.force)
    reading = read(arguments.files, arguments.connection)
    options = Options(title=arguments.title, theme=arguments.theme)
    with ProgressBar("drawing connections", WORTH_A_BAR) as progress:
        _write(chunks(reading, options, progress), target)
    if target is not None:
        print(f"mptrace: wrote {target}", file=sys.stderr)
    return damage_status(reading)


def output_path(output: str | None, files: list[str]) -> Path | None:
    """Where to write; None: standard output."""
    if output == "-":
        return None
    if output is not None:
        return Path(output)
    if files[0] == "-":
        raise CommandError("a capture from standard input has no name: say -o FILE, or -o -")
    name = Path(files[0]).name
    while Path(name).suffix in _ENDINGS:
        name = Path(name).stem
    return Path(f"{name or 'report'}.html")


def refuse_to_overwrite(target: Path, *, force: bool) -> None:
    """Raise CommandError if the file is there already, unless it may be written over."""
    if not force and target.exists():
        raise CommandError(f"{target}: exists already (--force writes over it)")


def _write(pieces: Iterable[str], target: Path | None) -> None:
    if target is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode("utf-8"))
        sys.stdout.buffer.flush()
        return
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
