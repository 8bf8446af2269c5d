"""Order at the data level: what a receiver's reorder queue had to hold, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.analysis.timelines import timelines_of
from mptrace.views.charts.chart import Chart, Series, amounts, durations_ms, times
from mptrace.views.charts.marks import moments, title, x_range
from mptrace.views.charts.palette import subflow_symbol, subflow_token

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, DirectionName


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Depth of the reorder queue, and the delay of each packet that waited in it."""
    series = timelines_of(connection).direction(direction)
    depth, late = series.reorder_queue(), series.out_of_order()
    found: list[Series] = []
    if len(depth):
        trace = {
            "type": "scatter", "mode": "lines", "fill": "tozeroy",
            "line": {"shape": "hv", "width": 1, "color": "$soft"}, "fillcolor": "$faint",
        }  # fmt: skip
        hover = "%{y:,d} B wait for lower octets<br>%{x:.6f} s"
        found.append(
            Series("reorder queue", "steps", trace, times(depth.time_ns), amounts(depth.value),
                   hover=hover)
        )  # fmt: skip
    for subflow in connection.subflows:
        own = (late.subflow == subflow.index) & (late.delay_ns >= 0)
        if not own.any():
            continue
        trace = {
            "type": "scatter", "mode": "markers", "yaxis": "y2",
            "marker": {"color": subflow_token(subflow.index), "size": 4,
                       "symbol": subflow_symbol(subflow.index)},
        }  # fmt: skip
        found.append(
            Series(
                name=f"delay of subflow {subflow.index}'s packets",
                form="marks",
                trace=trace,
                x=times(late.time_ns[own]),
                y=durations_ms(late.delay_ns[own]),
                hover=f"<b>subflow {subflow.index}</b>, packet %{{customdata[0]}}: waited "
                "%{y:.1f} ms for %{customdata[1]:,d} B below<br>%{x:.6f} s",
                columns=(amounts(late.frame[own]), amounts(late.extent[own])),
            )
        )
    return Chart(
        kind="reordering",
        title=title("Reorder queue", connection, direction),
        series=tuple(found),
        x_range=x_range(connection),
        y_title="octets waiting",
        layout={
            "yaxis": {"tickformat": "~s", "ticksuffix": "B", "rangemode": "tozero"},
            "yaxis2": {
                "title": {"text": "delay"}, "ticksuffix": " ms", "overlaying": "y",
                "side": "right", "rangemode": "tozero", "showgrid": False, "tickmode": "auto",
            },
            **moments(connection, direction),
        },
    )  # fmt: skip
