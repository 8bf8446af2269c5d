"""``mptrace plot FILE --kind KIND``: one timeline as an image or a page, for papers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mptrace.commands.errors import CommandError
from mptrace.commands.report import refuse_to_overwrite

if TYPE_CHECKING:
    import argparse

    import plotly.graph_objects as go

    from mptrace.analysis.model import DirectionName
    from mptrace.views.reading import Reading

NAME = "plot"
SUMMARY = "Draw one timeline as SVG, PNG, PDF or HTML"

KINDS: Final = (
    "data-sequence", "throughput", "shares", "rtt", "flight", "reordering", "signalling",
)  # fmt: skip
FORMATS: Final = ("svg", "png", "pdf", "html")
DIRECTIONS: Final[dict[str, DirectionName]] = {
    "client-to-server": "client_to_server",
    "server-to-client": "server_to_client",
}
SMALLEST: Final = 100
LARGEST: Final = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plot``."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pcap or pcapng file, also compressed; several are merged by time; - reads "
        "standard input",
    )
    parser.add_argument(
        "--kind", choices=KINDS, default=KINDS[0], help="what to draw (default: %(default)s)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="the file to write; its ending says the format: .svg, .png, .pdf or .html; - writes "
        "SVG to standard output",
    )
    parser.add_argument(
        "--force", action="store_true", help="write over a file that exists already"
    )
    parser.add_argument(
        "-c", "--connection", type=int, metavar="N", help="connection N (default: the first)"
    )
    parser.add_argument(
        "--direction",
        choices=tuple(DIRECTIONS),
        help="the direction of the data (default: the one that carried more)",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="light", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--width", type=int, default=900, metavar="N", help="pixels (default: %(default)s)"
    )
    parser.add_argument(
        "--height", type=int, default=520, metavar="N", help="pixels (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Analyze and draw; return 1 when the capture is damaged."""
    target = None if arguments.output == "-" else Path(arguments.output)
    form = "svg" if target is None else target.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise CommandError(f"{target}: the ending must be one of .{', .'.join(FORMATS)}")
    for name in ("width", "height"):
        if not SMALLEST <= getattr(arguments, name) <= LARGEST:
            raise CommandError(f"--{name} must be between {SMALLEST} and {LARGEST} pixels")
    if target is not None:
        refuse_to_overwrite(target, force=arguments.force)
    from mptrace.commands.reading import damage_status, read

    chosen = None if arguments.connection is None else [arguments.connection]
    reading = read(arguments.files, chosen)
    figure = _figure(reading, arguments)
    figure.update_layout(width=arguments.width, height=arguments.height)
    content = _page(figure) if form == "html" else _image(figure, form)
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        target.write_bytes(content)
    return damage_status(reading)


def _figure(reading: Reading, arguments: argparse.Namespace) -> go.Figure:
    from mptrace.views import charts

    if not reading.connection_list:
        raise CommandError(f"{reading.capture.path}: there is no MPTCP connection in it")
    direction = None if arguments.direction is None else DIRECTIONS[arguments.direction]
    return charts.draw(arguments.kind, reading.connection_list[0], direction, theme=arguments.theme)


def _page(figure: go.Figure) -> bytes:
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page.encode("utf-8")


def _image(figure: go.Figure, form: str) -> bytes:
    """The figure as an image, drawn by a Chromium or Chrome that is installed."""
    from mptrace.views.charts.image import NoBrowserError, image

    try:
        return image(figure, form)
    except NoBrowserError as error:
        raise CommandError(str(error)) from error
