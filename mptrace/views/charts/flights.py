"""Data in flight, for the connection and for each subflow, against the receive window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mptrace.analysis.timelines import timelines_of
from mptrace.views.charts.chart import Chart, Series, amounts, times
from mptrace.views.charts.marks import moments, subflow_name, title, x_range
from mptrace.views.charts.palette import subflow_dash, subflow_token

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.timelines.steps import Steps

_SHOWN_ABOVE: Final = 3
"""The window is in view at first unless it is this many times the largest flight."""


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Octets sent and not yet acknowledged, over time."""
    series = timelines_of(connection).direction(direction)
    found: list[Series] = []
    for subflow, steps in zip(connection.subflows, series.subflow_flights(), strict=True):
        line = {"color": subflow_token(subflow.index), "width": 1.5,
                "dash": subflow_dash(subflow.index)}  # fmt: skip
        found += _series(steps, subflow_name(subflow), f"subflow {subflow.index}", line)
    flight, window = series.data_flight(), series.window()
    found += _series(flight, "data flight", "data flight", {"color": "$ink", "width": 2})
    dotted = {"color": "$soft", "width": 1.5, "dash": "dot"}
    found += _series(window, "receive window", "receive window", dotted)
    highest = int(flight.value.max(initial=0))
    axis: dict[str, Any] = {"tickformat": "~s", "ticksuffix": "B", "rangemode": "tozero"}
    if highest and int(window.value.max(initial=0)) > _SHOWN_ABOVE * highest:
        axis["range"] = [0, highest * 1.1]
    return Chart(
        kind="flight",
        title=title("Data in flight", connection, direction),
        series=tuple(found),
        x_range=x_range(connection),
        y_title="octets in flight",
        layout={"yaxis": axis, **moments(connection, direction)},
    )


def _series(steps: Steps, name: str, who: str, line: dict[str, Any]) -> list[Series]:
    if not steps.value.any():
        return []
    return [
        Series(
            name=name,
            form="steps",
            trace={"type": "scatter", "mode": "lines", "line": {**line, "shape": "hv"}},
            x=times(steps.time_ns),
            y=amounts(steps.value),
            hover=f"<b>{who}</b>: %{{y:,d}} B<br>%{{x:.6f}} s",
        )
    ]
