"""Round-trip times: of subflows at the TCP level, and of the data across all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.timelines import timelines_of
from mptrace.views.charts.chart import Chart, Series, amounts, durations_ms, times
from mptrace.views.charts.marks import moments, subflow_name, title, x_range
from mptrace.views.charts.palette import subflow_dash, subflow_symbol, subflow_token

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.timelines.direction import Samples

_LOGARITHMIC_FROM: Final = 30
"""Largest RTT over the smallest: from here on the axis is logarithmic."""


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """RTT over time, by the time of the acknowledgement."""
    series = timelines_of(connection).direction(direction)
    samples = [*series.subflow_round_trips(), series.data_round_trips()]
    found = [
        _series(own, subflow_name(subflow), f"subflow {subflow.index}", _style(subflow.index))
        for subflow, own in zip(connection.subflows, samples[:-1], strict=True)
        if own.time_ns.size
    ]
    if samples[-1].time_ns.size:
        style = {
            "line": {"color": "$ink", "width": 1, "dash": "dot"},
            "marker": {"color": "$ink", "size": 5, "symbol": "x-thin-open"},
        }
        found.append(_series(samples[-1], "data RTT", "data RTT", style))
    everything = np.concatenate([own.duration_ns for own in samples])
    axis: dict[str, Any] = {"ticksuffix": " ms", "rangemode": "tozero"}
    if everything.size and everything.max() > _LOGARITHMIC_FROM * max(everything.min(), 1):
        axis = {"ticksuffix": " ms", "type": "log", "dtick": "D2"}
    return Chart(
        kind="rtt",
        title=title("Round-trip times", connection, direction),
        series=tuple(found),
        x_range=x_range(connection),
        y_title="RTT",
        layout={"yaxis": axis, **moments(connection, direction)},
    )


def _style(index: int) -> dict[str, Any]:
    color = subflow_token(index)
    return {
        "line": {"color": color, "width": 1.5, "dash": subflow_dash(index)},
        "marker": {"color": color, "size": 4, "symbol": subflow_symbol(index)},
    }


def _series(own: Samples, name: str, who: str, style: dict[str, Any]) -> Series:
    return Series(
        name=name,
        form="marks",
        trace={"type": "scatter", "mode": "lines+markers", **style},
        x=times(own.time_ns),
        y=durations_ms(own.duration_ns),
        hover=f"<b>{who}</b>: %{{y:.3f}} ms<br>packet %{{customdata[0]}}, acknowledged at "
        "%{x:.6f} s",
        columns=(amounts(own.frame),),
    )
