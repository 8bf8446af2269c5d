"""Throughput of each subflow, stacked, and goodput over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.timelines import timelines_of
from mptrace.views import figures
from mptrace.views.charts.chart import Chart, Column, Series, times
from mptrace.views.charts.marks import moments, subflow_name, title, x_range
from mptrace.views.charts.palette import subflow_pattern, subflow_token

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.timelines.rates import Rates

_BIT: Final = 1.0
_PEAK: Final = 1.4
"""Goodput is in view up to this many times the highest throughput."""


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Rates over time, in bins."""
    rates = timelines_of(connection).direction(direction).rates()
    x = times(np.append(rates.start_ns, rates.start_ns[-1:] + rates.width_ns))
    width = figures.seconds(rates.width_ns * 1e-9)
    found: list[Series] = []
    for subflow, bps in zip(connection.subflows, rates.throughput_bps, strict=True):
        if not bps.any():
            continue
        color = subflow_token(subflow.index)
        trace = {
            "type": "scatter", "mode": "lines", "stackgroup": "all", "fillcolor": color,
            "line": {"shape": "hv", "width": 0.5, "color": color},
            "fillpattern": {"shape": subflow_pattern(subflow.index), "fgcolor": "$page",
                            "bgcolor": color, "solidity": 0.25, "size": 6},
        }  # fmt: skip
        name = subflow_name(subflow)
        hover = f"<b>subflow {subflow.index}</b>: %{{y:.3s}}bit/s<br>%{{x:.3f}} s"
        found.append(Series(name, "bins", trace, x, _column(bps), hover=hover))
    if found:
        lines: tuple[tuple[str, NDArray[np.float64], dict[str, Any]], ...] = (
            ("goodput", rates.goodput_bps, {"color": "$ink", "width": 2}),
            (
                "goodput, mean since the start",
                rates.mean_goodput_bps,
                {"color": "$ink", "width": 1.5, "dash": "dot"},
            ),
        )
        for name, bps, line in lines:
            trace = {"type": "scatter", "mode": "lines", "line": {**line, "shape": "hv"}}
            hover = f"{name}: %{{y:.3s}}bit/s<br>%{{x:.3f}} s"
            found.append(Series(name, "bins", trace, x, _column(bps), hover=hover))
    return Chart(
        kind="throughput",
        title=title("Throughput and goodput", connection, direction),
        series=tuple(found),
        x_range=x_range(connection),
        y_title=f"bit/s, in bins of {width}",
        layout={
            "yaxis": {"tickformat": "~s", "range": [0, _top(rates)]},
            **moments(connection, direction),
        },
    )


def _column(bps: NDArray[np.float64]) -> Column:
    """A value for each bin; the last one stands to the end of its bin."""
    return Column(np.rint(np.append(bps, bps[-1:])).astype(np.int64), _BIT)


def _top(rates: Rates) -> float:
    """The axis' end: room for the throughput, and for most of the goodput."""
    highest = float(rates.throughput_bps.sum(axis=0).max(initial=0))
    released = float(rates.goodput_bps.max(initial=0))
    return max(1.0, 1.08 * max(highest, min(released, _PEAK * highest)))
