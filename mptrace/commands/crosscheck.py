"""``mptrace crosscheck FILE``: what tshark says otherwise about a capture, and why."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from mptrace.commands.errors import CommandError, capture_errors
from mptrace.views.figures import printable

if TYPE_CHECKING:
    import argparse

NAME = "crosscheck"
SUMMARY = "Compare with tshark, field by field"

_MOST_SHOWN = 50
"""Unexplained differences printed one by one."""
_FILE_NOT_COMPARED = "standard input is read once, the comparison needs it twice: name a file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``crosscheck``."""
    parser.add_argument("file", metavar="FILE", help="pcap or pcapng file that tshark can read")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences by name; return 1 when there are some that no name explains."""
    from mptrace.crosscheck import (
        KNOWN_DIFFERENCES,
        STREAM_DIFFERENCES,
        CrosscheckError,
        differences,
        stream_differences,
        tshark_version,
    )

    if arguments.file == "-":
        raise CommandError(_FILE_NOT_COMPARED)
    reasons = {known.name: known.reason for known in KNOWN_DIFFERENCES} | STREAM_DIFFERENCES
    explained: Counter[str] = Counter()
    unexplained: list[str] = []
    try:
        with capture_errors():
            version = tshark_version()
            for difference in differences(arguments.file):
                if difference.explained is None:
                    unexplained.append(str(difference))
                else:
                    explained[difference.explained] += 1
            for other in stream_differences(arguments.file):
                if other.explained is None:
                    unexplained.append(str(other))
                else:
                    explained[other.explained] += 1
    except (CrosscheckError, FileNotFoundError) as error:
        raise CommandError(str(error)) from error
    print(f"tshark {version} beside mptrace")
    for name, count in explained.most_common():
        print(f"\n{count:>8} {name}\n         {reasons[name]}")
    print(f"\n{len(unexplained):>8} unexplained")
    for line in unexplained[:_MOST_SHOWN]:
        print(f"         {printable(line)}")
    if len(unexplained) > _MOST_SHOWN:
        print(f"         and {len(unexplained) - _MOST_SHOWN} more")
    sys.stdout.flush()
    return 1 if unexplained else 0
