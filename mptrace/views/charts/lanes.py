"""The signalling plane: a lane for each subflow, with its life and what happened on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.timelines import timelines_of
from mptrace.views import figures
from mptrace.views.charts.chart import Chart, Series, amounts, safe, times
from mptrace.views.charts.marks import side, subflow_name, title, x_range
from mptrace.views.charts.palette import subflow_token
from mptrace.views.summary import ARROW

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, DirectionName, Event
    from mptrace.analysis.timelines.lives import Life

MOST_EVENTS: Final = 2000
SECOND: Final = 1e-9

GROUPS: Final[tuple[tuple[str, frozenset[str], str, str], ...]] = (
    ("handshake", frozenset(("MP_CAPABLE", "MP_JOIN", "SYN")), "circle", "$page"),
    (
        "address or priority",
        frozenset(("ADD_ADDR", "ADD_ADDR_ECHO", "REMOVE_ADDR", "MP_PRIO")),
        "diamond",
        "$page",
    ),
    ("end of data or subflow", frozenset(("DATA_FIN", "FIN")), "square", "$ink"),
    (
        "failure or abort",
        frozenset(("MP_FAIL", "MP_FASTCLOSE", "MP_TCPRST", "RST", "FALLBACK", "INFINITE_MAPPING")),
        "x",
        "$bad",
    ),
)
"""Legend name, kinds of events, symbol and fill; other kinds are drawn as "other"."""
_ABOVE_LANES: Final = -0.6
_SILENT_KINDS: Final = frozenset(("ESTABLISHED",))
_LABELS: Final = {"MP_JOIN": "JOIN", "ADD_ADDR_ECHO": "echo", "MP_FASTCLOSE": "FASTCLOSE"}


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Lives and events of all subflows; stalls and handovers are those of the direction."""
    lives = timelines_of(connection).lives()
    found: list[Series] = []
    for subflow, life in zip(connection.subflows, lives, strict=True):
        found += _life(life, subflow.index)
    found += _events(connection)
    found += _delivery(connection, direction)
    lanes = len(connection.subflows)
    return Chart(
        kind="signalling",
        title=title("Signalling", connection),
        series=tuple(found),
        x_range=x_range(connection),
        layout={
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(lanes)),
                "ticktext": [_lane_name(subflow_name(s)) for s in connection.subflows],
                "range": [lanes - 0.4, -0.75],
                "automargin": True,
                "showgrid": False,
                "fixedrange": True,
            },
        },
    )


def _lane_name(name: str) -> str:
    return name.replace(": ", "<br>", 1)


def _life(life: Life, index: int) -> list[Series]:
    color = subflow_token(index)
    whole = _fixed([(life.start_ns, life.end_ns)], index, {"color": color, "width": 1.5})
    answered = life.unanswered_ns if life.unanswered_ns is not None else life.end_ns
    busy = [(a, min(b, answered)) for a, b in life.busy if a <= answered]
    result = [
        Series(f"subflow {index}", "fixed", whole, hover=""),
        Series(f"subflow {index}", "fixed", _fixed(busy, index, {"color": color, "width": 11})),
    ]
    if life.unanswered_ns is not None:
        line = {"color": "$bad", "width": 3, "dash": "dash"}
        lost = _fixed([(life.unanswered_ns, life.end_ns)], index, line)
        lost |= {"mode": "lines+markers", "marker": {"symbol": "circle-x-open", "size": 11,
                                                      "color": "$bad"}}  # fmt: skip
        lost["showlegend"] = False
        hover = f"subflow {index}: nothing was answered here any more"
        result.append(Series("unanswered", "fixed", lost, hover=hover))
    return result


def _fixed(stretches: list[tuple[int, int]], lane: int, line: dict[str, Any]) -> dict[str, Any]:
    x: list[float | None] = []
    for start, end in stretches:
        x += [round(start * SECOND, 6), round(max(end, start + 1_000_000) * SECOND, 6), None]
    y = [None if value is None else lane for value in x]
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip",
        "showlegend": False,
    }  # fmt: skip


def _events(connection: Connection) -> list[Series]:
    shown = [
        event
        for event in connection.events
        if event.kind not in _SILENT_KINDS and event.subflow is not None
    ][:MOST_EVENTS]
    found = []
    rest = shown
    for name, kinds, symbol, fill in (*GROUPS, ("other", frozenset[str](), "hexagon", "$soft")):
        own = [event for event in rest if event.kind in kinds or name == "other"]
        rest = [event for event in rest if event not in own]
        if own:
            found.append(_event_series(own, name, symbol, fill))
    return found


def _event_series(own: list[Event], name: str, symbol: str, fill: str) -> Series:
    return Series(
        name=name,
        form="events",
        trace={
            "type": "scatter",
            "mode": "markers+text",
            "textposition": "bottom center" if symbol in ("diamond", "square") else "top center",
            "textfont": {"size": 10, "color": "$ink"},
            "cliponaxis": False,
            "marker": {"symbol": symbol, "size": 10, "color": fill,
                       "line": {"width": 1.5, "color": "$ink"}},
            "hoverinfo": "text",
        },
        x=times(np.array([round(event.time_s * 1e9) for event in own], np.int64)),
        y=amounts(np.array([event.subflow or 0 for event in own], np.int64)),
        texts=tuple((_label(event), _sentence(event)) for event in own),
    )  # fmt: skip


def _label(event: Event) -> str:
    return safe(figures.printable(_LABELS.get(event.kind, event.kind)))


def _sentence(event: Event) -> str:
    text = safe(figures.printable(event.text))
    return f"{event.time_s:.6f} s, packet {event.packet}: {text}"


def _delivery(connection: Connection, direction: DirectionName) -> list[Series]:
    """Stalls as bars above the lanes, handovers as lines from lane to lane."""
    own = side(connection, direction)
    found = []
    if own.stalls:
        x: list[float | None] = []
        texts: list[str | None] = []
        for stall in own.stalls:
            text = (
                f"stall of {figures.seconds(stall.duration_s)}: no DATA_ACK advanced while "
                f"{figures.octets(stall.outstanding_octets)} were outstanding"
            )
            x += [stall.start_s, stall.start_s + stall.duration_s, None]
            texts += [text, text, None]
        trace = {
            "type": "scatter", "mode": "lines", "x": x,
            "y": [None if v is None else _ABOVE_LANES for v in x],
            "line": {"color": "$warn", "width": 8}, "hovertext": texts, "hoverinfo": "text",
        }  # fmt: skip
        found.append(Series("stall", "fixed", trace))
    if own.handovers:
        x, y, texts = [], [], []
        for handover in own.handovers:
            text = (
                f"handover from subflow {handover.from_subflow} to {handover.to_subflow}, "
                f"gap {figures.seconds(handover.gap_s)}"
            )
            x += [handover.start_s, handover.start_s + handover.gap_s, None]
            y += [handover.from_subflow, handover.to_subflow, None]
            texts += [text, text, None]
        trace = {
            "type": "scatter", "mode": "lines+markers", "x": x, "y": y,
            "line": {"color": "$warn", "width": 2, "dash": "dot"},
            "marker": {"symbol": "arrow", "angleref": "previous", "size": 12, "color": "$warn"},
            "hovertext": texts, "hoverinfo": "text",
        }  # fmt: skip
        found.append(Series(f"handover {ARROW}", "fixed", trace))
    return found
