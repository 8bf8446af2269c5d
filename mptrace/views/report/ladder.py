"""A sequence diagram of the signalling: client left, server right, options in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import figures
from mptrace.views.charts.palette import SUBFLOW_COLORS
from mptrace.views.report.markup import moment, text

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, Event

MOST_EVENTS: Final = 300
GAP_S: Final = 0.1
"""From here on a pause between two events is drawn as one."""

_WIDTH: Final = 940
_CLIENT, _SERVER = 130, 740
_ROW: Final = 34
_PAUSE: Final = 24
_LONGEST: Final = 92


def ladder(connection: Connection) -> str:
    """The diagram as an SVG element, in the order of the capture."""
    events = connection.events[:MOST_EVENTS]
    if not events:
        return '<p class="faint">No signalling was captured.</p>'
    y = 40.0
    rows: list[str] = []
    before: Event | None = None
    for event in events:
        if before is not None and event.time_s - before.time_s >= GAP_S:
            rows.append(_pause(y, event.time_s - before.time_s))
            y += _PAUSE
        y += _ROW
        rows.append(_row(connection.index, event, y))
        before = event
    height = y + 24
    ends = "".join(
        f'<line class="end" x1="{x}" x2="{x}" y1="28" y2="{height:.0f}"/>'
        f'<text class="host" x="{x}" y="18">{name}</text>'
        for x, name in ((_CLIENT, "client"), (_SERVER, "server"))
    )
    more = len(connection.events) - len(events)
    rest = f'<p class="faint">{figures.counted(more, "more event")} not drawn</p>' if more else ""
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Sequence diagram">'
        f'<svg class="ladder" viewBox="0 0 {_WIDTH} {height:.0f}" role="list" '
        f'aria-label="Signalling in order of the capture">{ends}{"".join(rows)}</svg></div>{rest}'
    )


def _row(connection: int, event: Event, y: float) -> str:
    full = figures.printable(event.text)
    shown = full if len(full) <= _LONGEST else f"{full[: _LONGEST - 1]}…"
    color = "" if event.subflow is None else f" s{event.subflow % SUBFLOW_COLORS}"
    where = "" if event.subflow is None else f"subflow {event.subflow}, "
    spoken = f"{event.time_s:.6f} s, {where}packet {event.packet}, {event.kind}: {full}"
    middle = (_CLIENT + _SERVER) / 2
    arrow = ""
    if event.by is not None:
        start, end = (_CLIENT, _SERVER) if event.by == "client" else (_SERVER, _CLIENT)
        point = -9 if event.by == "client" else 9
        arrow = (
            f'<line class="arrow" x1="{start}" x2="{end + point / 2:.0f}" y1="{y:.0f}" '
            f'y2="{y:.0f}"/><path class="head" d="M{end} {y:.0f} l{point} -5 v10 z"/>'
        )
    target = moment(connection, event.time_s, event.packet)
    kind = "step" if event.by is not None else "step state"
    return (
        f'<g class="{kind}{color}" role="listitem" aria-label="{text(spoken)}">'
        f"<title>{text(spoken)}</title>{arrow}"
        f'<text class="time" x="{_CLIENT - 14}" y="{y + 4:.0f}">{event.time_s:.6f} s</text>'
        f'<text class="words" x="{middle:.0f}" y="{y - 6:.0f}">{text(shown)}</text>'
        f'<a href="{target}"><text class="packet" x="{_SERVER + 14}" y="{y + 4:.0f}">'
        f"packet {event.packet}{_subflow(event)}</text></a></g>"
    )


def _subflow(event: Event) -> str:
    return "" if event.subflow is None else f" (subflow {event.subflow})"


def _pause(y: float, gap_s: float) -> str:
    middle = (_CLIENT + _SERVER) / 2
    return (
        f'<text class="pause" x="{middle:.0f}" y="{y + _PAUSE - 6:.0f}">'
        f"{figures.seconds(gap_s)} later</text>"
    )
