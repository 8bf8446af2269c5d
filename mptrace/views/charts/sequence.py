"""The data sequence graph: each mapping where it stands, and when and on which subflow it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.data_sequence.copies import CopyClass
from mptrace.analysis.timelines import timelines_of
from mptrace.views.charts.chart import Chart, Column, Series, amounts, durations_ms, times
from mptrace.views.charts.marks import moments, subflow_name, title, x_range
from mptrace.views.charts.palette import (
    CLASS_SYMBOLS,
    subflow_dash,
    subflow_symbol,
    subflow_token,
)

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.timelines.sequence import Stretches
    from mptrace.analysis.timelines.steps import Steps

CLASS_NAMES: Final = {
    CopyClass.RETRANSMISSION: "retransmission",
    CopyClass.REMAPPED: "remapped",
    CopyClass.REINJECTION: "reinjection",
}
_SHOWN_ABOVE: Final = 1.5
"""The receive window's edge is in view at first unless it is this many times higher."""


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Data sequence number over time."""
    series = timelines_of(connection).direction(direction)
    stretches = series.stretches()
    found: list[Series] = []
    for subflow in connection.subflows:
        own = stretches.take(stretches.subflow == subflow.index)
        name = subflow_name(subflow)
        first = own.take(own.kind == CopyClass.FIRST)
        if len(first):
            found.append(_first_copies(first, subflow.index, name))
        for kind, word in CLASS_NAMES.items():
            again = own.take(own.kind == kind)
            if len(again):
                found.append(_repeated(again, subflow.index, word))
    acked, edge = series.data_ack(), series.right_edge()
    found += _line(acked, "DATA_ACK", {"color": "$ink", "width": 1.5}, "acknowledged up to")
    dotted = {"color": "$soft", "width": 1, "dash": "dot"}
    found += _line(edge, "receive window, right edge", dotted, "window open up to")
    look: dict[str, Any] = moments(connection, direction)
    look["yaxis"] = {"tickformat": "~s", "ticksuffix": "B"}
    if len(stretches):
        look["yaxis"]["range"] = _y_range(stretches, acked, edge)
    return Chart(
        kind="data-sequence",
        title=title("Data sequence number", connection, direction),
        series=tuple(found),
        x_range=x_range(connection),
        y_title="data sequence number, relative",
        layout=look,
    )


def _first_copies(own: Stretches, index: int, name: str) -> Series:
    color = subflow_token(index)
    return Series(
        name=name,
        form="segments",
        trace={
            "type": "scatter",
            "mode": "lines+markers",
            "line": {"color": color, "width": 2.5},
            "marker": {"color": color, "size": 4, "symbol": subflow_symbol(index)},
            "legendgroup": f"s{index}",
        },
        x=times(own.start_ns),
        y=amounts(own.start),
        x_end=times(own.end_ns),
        y_end=amounts(own.end),
        hover=f"<b>subflow {index}</b>, packet %{{customdata[0]}} (%{{customdata[1]}} in all)"
        "<br>octets %{customdata[2]:,d} to %{customdata[3]:,d}<br>%{x:.6f} s",
        columns=(amounts(own.frame), amounts(own.packets), amounts(own.start), _last(own)),
    )


def _repeated(own: Stretches, index: int, word: str) -> Series:
    color = subflow_token(index)
    return Series(
        name=f"{word} on subflow {index}",
        form="segments",
        trace={
            "type": "scatter",
            "mode": "lines+markers",
            "line": {"color": color, "width": 2, "dash": subflow_dash(1)},
            "marker": {
                "color": color,
                "size": 9,
                "symbol": CLASS_SYMBOLS[word],
                "line": {"width": 1.5, "color": color},
            },
        },
        x=times(own.start_ns),
        y=amounts(own.start),
        x_end=times(own.end_ns),
        y_end=amounts(own.end),
        hover=f"<b>{word} on subflow {index}</b>, packet %{{customdata[0]}}"
        "<br>octets %{customdata[1]:,d} to %{customdata[2]:,d}"
        "<br>repeats packet %{customdata[3]} (subflow %{customdata[4]}), "
        "sent %{customdata[5]:.1f} ms before<br>%{x:.6f} s",
        columns=(
            amounts(own.frame),
            amounts(own.start),
            _last(own),
            amounts(own.repeats_frame),
            amounts(own.repeats_subflow),
            durations_ms(own.repeats_ns),
        ),
    )


def _last(own: Stretches) -> Column:
    return amounts(own.end - 1)


def _line(steps: Steps, name: str, line: dict[str, Any], words: str) -> list[Series]:
    if not len(steps):
        return []
    return [
        Series(
            name=name,
            form="steps",
            trace={"type": "scatter", "mode": "lines", "line": {**line, "shape": "hv"}},
            x=times(steps.time_ns),
            y=amounts(steps.value),
            hover=f"{words} octet %{{y:,d}}<br>%{{x:.6f}} s",
        )
    ]


def _y_range(stretches: Stretches, acked: Steps, edge: Steps) -> list[float]:
    low, high = int(stretches.start.min()), int(stretches.end.max())
    high = max(high, int(acked.value.max(initial=0)))
    top = int(edge.value.max(initial=0))
    if high < top <= low + _SHOWN_ABOVE * (high - low):
        high = top
    room = max(high - low, 1) * 0.04
    return [float(np.floor(low - room)), float(np.ceil(high + room))]
