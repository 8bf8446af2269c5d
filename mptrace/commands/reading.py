"""What the commands share that analyze a capture: reading it, and saying where it is damaged."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from mptrace.commands.errors import CommandError, capture_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis import Analysis
    from mptrace.capture.read_ahead import ReadAhead
    from mptrace.views.reading import Reading


def read(files: Sequence[str], connections: Sequence[int] | None) -> Reading:
    """Analyze a capture with a progress bar, and select connections.

    Raises:
        CommandError: nothing can be read, or there is no such connection.
    """
    from mptrace.capture.read_ahead import read_ahead

    # before anything is imported that loads numpy, and while the rest is loaded
    with read_ahead(files) or nullcontext() as ahead:
        analysis = _analyzed(files, ahead)
    if connections is None:
        return analysis
    from mptrace.views.reading import Selection

    try:
        return Selection(analysis, connections)
    except LookupError as error:
        raise CommandError(f"{analysis.capture.path}: {error.args[0]}") from error


def _analyzed(files: Sequence[str], ahead: ReadAhead | None) -> Analysis:
    from mptrace.analysis import analyze
    from mptrace.commands.memory import keep_freed_memory, settle
    from mptrace.commands.progress import ProgressBar

    keep_freed_memory()
    with capture_errors(), ProgressBar() as progress:
        analysis = analyze(files, progress=progress, ahead=ahead)
    settle()
    return analysis


def damage_status(reading: Reading) -> int:
    """0, or 1 for a damaged capture, with a line on standard error that says where."""
    from mptrace.views.figures import printable

    damage = reading.capture.damage
    if damage is None:
        return 0
    sys.stdout.flush()
    where = printable(damage.path or reading.capture.path)
    reason = printable(damage.reason)
    print(
        f"mptrace: {where}: damaged at offset {damage.offset}: {reason}; analyzed up to there",
        file=sys.stderr,
    )
    return 1
