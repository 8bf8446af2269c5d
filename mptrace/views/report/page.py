"""The whole report: one file that loads nothing and runs nothing but its own scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from mptrace.analysis.timelines import timelines_of
from mptrace.version import __version__
from mptrace.views import figures, summary
from mptrace.views.charts.figure import MARKED, base_layout
from mptrace.views.charts.palette import COLORS
from mptrace.views.charts.thinning import BINS
from mptrace.views.report import explanations, overview
from mptrace.views.report.markup import script_json, text
from mptrace.views.report.packing import POINTS, block
from mptrace.views.report.panel import Charts, cards, charts_of, panel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mptrace.analysis.model import Connection, Finding
    from mptrace.views.reading import Reading

ThemeChoice = Literal["auto", "light", "dark"]

LARGEST: Final = 11_800_000
"""Octets that a report stays below, as long as the table of connections alone does not fill it."""
_EMPTY_STYLE: Final = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""Hash of an empty style element: Plotly makes one and fills it rule by rule."""
_LEAST: Final = 1200
"""Octets below which no block is tried."""
_ROOM: Final = 512
"""Octets for what stands around the connections."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may choose."""

    title: str | None = None
    theme: ThemeChoice = "auto"
    largest: int = LARGEST


@dataclass(frozen=True, slots=True)
class Assets:
    """Scripts and style of the page."""

    plotly: str
    script: str
    style: str

    @classmethod
    def load(cls) -> Assets:
        """Plotly's script from its package, ours from beside this module."""
        from plotly.offline import get_plotlyjs

        here = files("mptrace.views.report")
        return cls(
            plotly=get_plotlyjs(),
            script=(here / "report.js").read_text(encoding="utf-8"),
            style=(here / "report.css").read_text(encoding="utf-8"),
        )

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: these scripts by their hashes, this style, nothing else.

        Style *attributes* are allowed, since Plotly sets them on its own SVG; with no source but
        data: and blob: for images they can load nothing.
        """
        scripts = f"{_hash(self.plotly)} {_hash(self.script)}"
        return (
            f"default-src 'none'; script-src {scripts}; "
            f"style-src {_hash(self.style)} {_EMPTY_STYLE}; style-src-attr 'unsafe-inline'; "
            "img-src data: blob:; base-uri 'none'; form-action 'none'"
        )

    @property
    def stand_ins(self) -> str:
        """Elements with the ids of style sheets that Plotly would insert for its maps.

        Finding them it inserts nothing, which the policy would refuse with a line in the console.
        """
        found = re.findall(r'getElementById\("([0-9a-f]{64})"\)', self.plotly)
        return "".join(f'<meta id="{name}">' for name in dict.fromkeys(found))


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def html(reading: Reading, options: Options = Options()) -> str:  # it is frozen
    """The report as one string."""
    return "".join(chunks(reading, options))


def chunks(
    reading: Reading,
    options: Options = Options(),  # it is frozen
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[str]:
    """The report piece by piece. ``progress`` is called with connections done and in all."""
    assets = Assets.load()
    head = _head(reading, options, assets)
    table = overview.section(reading)
    tail = _tail(options, assets)
    blocks = _Blocks(reading, options.largest - len(head) - len(table) - len(tail), progress)
    yield head
    yield table
    yield from blocks.shown()
    yield from blocks.packed
    yield tail


def _tail(options: Options, assets: Assets) -> str:
    """What follows the connections: definitions, templates, settings and scripts."""
    settings = {
        "theme": options.theme,
        "colors": COLORS,
        "bins": BINS,
        "marked": MARKED,
        "layout": base_layout(),
    }
    return (
        f"{explanations.section()}{cards()}</main>"
        '<dialog id="definition"><div></div><form method="dialog"><button>close</button></form>'
        f"</dialog><footer>mptrace {text(__version__)}</footer>"
        f'<script type="application/json" id="settings">{script_json(settings)}</script>'
        f"<script>{assets.plotly}</script>\n<script>{assets.script}</script></body></html>\n"
    )


def _head(reading: Reading, options: Options, assets: Assets) -> str:
    names = reading.capture.path.replace("\\", "/").split(", ")
    name = ", ".join(part.rsplit("/", 1)[-1] for part in names)
    title = options.title or f"MPTCP in {figures.printable(name)}"
    facts = "".join(
        f'<dt>{text(fact.label)}</dt><dd class="{fact.tone}">{text(fact.text)}</dd>'
        for fact in summary.capture_facts(reading.capture)
    )
    damage = reading.capture.damage
    broken = '<p class="error">The capture is damaged: see its facts.</p>' if damage else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-theme="{options.theme}"><head>'
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{assets.policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{assets.style}</style>{assets.stand_ins}</head><body>"
        '<a class="skip" href="#main">to the content</a>'
        f"<header class=top><h1>{text(title)}</h1>"
        f'<p class="headline">{text(summary.headline(reading))}</p>{broken}'
        f'<details class="capture"><summary>About the capture</summary><dl class="facts">{facts}'
        '</dl></details></header><main id="main">'
        '<noscript><p class="warning">Timelines, tabs and sorting need JavaScript; nothing is '
        "loaded from anywhere.</p></noscript>"
    )


class _Blocks:
    """The connections: markup and packed series, within so many octets."""

    def __init__(
        self, reading: Reading, octets: int, progress: Callable[[int, int], None] | None
    ) -> None:
        self._left = octets - _ROOM
        self.packed: list[str] = []
        self._inline = ""
        connections = reading.connection_list
        findings = _by_connection(reading.findings)
        ordered = sorted(
            connections, key=lambda c: overview.importance(c, findings.get(c.index, []))
        )
        first = connections[0].index if len(connections) == 1 else None
        self.left_out = 0
        for done, connection in enumerate(ordered):
            own = findings.get(connection.index, [])
            if not self._add(connection, own, len(ordered) - done, connection.index == first):
                self.left_out += 1
            if progress is not None:
                progress(done + 1, len(ordered))

    def _add(
        self, connection: Connection, findings: list[Finding], remaining: int, inline: bool
    ) -> bool:
        allowed = max(self._left // remaining, _LEAST)
        if self._left < _LEAST and not inline:
            return False
        times, charts = _series(connection, findings)
        markup = panel(connection, findings, charts, times)
        if inline:
            allowed -= len(markup)
        content = _fitting(charts, None if inline else markup, allowed)
        if content is None:
            markup = panel(connection, findings, {}, times)
            content = block({}, None if inline else markup, 0)
        if len(content) > self._left and not inline:
            return False
        element = f'<script type="text/plain" id="packed-{connection.index}">{content}</script>'
        self.packed.append(element)
        self._left -= len(element)
        if inline:
            self._inline = markup
            self._left -= len(markup)
        return True

    def shown(self) -> Iterator[str]:
        """Where the page puts the connection that is looked at."""
        if self.left_out:
            number = figures.counted(self.left_out, "connection")
            yield (
                f'<p class="warning">To keep this file small, {number} with less data and fewer '
                "findings are only in the table: mptrace report --connection N shows them.</p>"
            )
        yield f'<section id="connection">{self._inline}</section>'


def _fitting(charts: Charts, markup: str | None, allowed: int) -> str | None:
    """A block of at most so many characters: with fewer points, then with one direction only."""
    longest = max(
        (
            len(series.x or ())
            for own in charts.values()
            for chart in own
            for series in chart.series
        ),
        default=0,
    )
    busier = dict(list(charts.items())[:1])
    for points in POINTS:
        if points <= longest or points == POINTS[0]:
            content = block(charts, markup, points)
            if len(content) <= allowed:
                return content
    content = block(busier, markup, POINTS[-1])
    return content if len(content) <= allowed else None


def _by_connection(findings: tuple[Finding, ...]) -> dict[int | None, list[Finding]]:
    found: dict[int | None, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.connection, []).append(finding)
    return found


def _series(connection: Connection, findings: list[Finding]) -> tuple[Mapping[int, float], Charts]:
    """Times of the packets that findings name, and charts; none where no capture was read."""
    try:
        timelines = timelines_of(connection)
    except LookupError:
        return {}, {}
    packets = {packet for finding in findings for packet in finding.packets[:5]}
    times = {frame: ns * 1e-9 for frame, ns in timelines.times_of(packets).items()}
    return times, charts_of(connection)
