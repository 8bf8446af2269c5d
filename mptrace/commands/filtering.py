"""``--filter``: a display filter on the command line (docs/filter.md)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mptrace.commands.errors import CommandError, capture_errors

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mptrace.analysis.filter import DisplayFilter
    from mptrace.capture import Capture
    from mptrace.views.reading import Reading


def add_filter_argument(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add ``--filter``; ``meaning`` says what it chooses."""
    parser.add_argument(
        "--filter",
        metavar="FILTER",
        help=f"{meaning} a display filter lets through, in Wireshark's syntax, such as "
        "'mptcp.stream == 0 && tcp.len > 0'",
    )


def compiled(text: str) -> DisplayFilter:
    """The filter.

    Raises:
        CommandError: it cannot be understood.
    """
    from mptrace.analysis.filter import DisplayFilter, FilterError

    try:
        return DisplayFilter(text)
    except FilterError as error:
        raise CommandError(f"--filter: {error}") from error


def passing(capture: Capture, display_filter: DisplayFilter) -> NDArray[np.bool_]:
    """(packets,): the packets that pass; analyzes the capture first where the filter needs it."""
    from mptrace.analysis import analyze_capture
    from mptrace.analysis.filter import PacketColumns

    analysis = analyze_capture(capture) if display_filter.needs_analysis else None
    return display_filter.mask(PacketColumns(capture, analysis))


def read_filtered(
    files: Sequence[str], display_filter: DisplayFilter, connections: Sequence[int] | None
) -> Reading:
    """Analyze a capture; select the connections that have a packet which passes.

    Raises:
        CommandError: nothing can be read, or there is no such connection.
    """
    from mptrace.analysis import analyze_capture
    from mptrace.analysis.filter import PacketColumns, connections_with
    from mptrace.capture import open_capture
    from mptrace.commands.progress import ProgressBar
    from mptrace.views.reading import FilteredSelection, Selection

    with capture_errors(), open_capture(files) as capture:
        with ProgressBar() as progress:
            analysis = analyze_capture(capture, lambda done: progress(done, capture.size))
        mask = display_filter.mask(PacketColumns(capture, analysis))
    chosen = connections_with(analysis, mask)
    if connections is not None:
        try:
            Selection(analysis, connections)
        except LookupError as error:
            raise CommandError(f"{analysis.capture.path}: {error.args[0]}") from error
        chosen &= frozenset(connections)
    if not chosen:
        print("mptrace: the filter lets no packet of an MPTCP connection through", file=sys.stderr)
    return FilteredSelection(analysis, chosen, mask)
