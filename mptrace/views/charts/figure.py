"""From charts to Plotly figures, for notebooks and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.views.charts.palette import Theme, painted
from mptrace.views.charts.thinning import BINS, clusters, keep_extremes, label_spots

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from mptrace.views.charts.chart import Chart, Series

FONT: Final = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
MARKED: Final = 400
"""Lines of more points have no mark on each: they would hide it, and take long to draw."""
_MARK_WIDTH: Final = 0.015
"""Events closer together than this part of the time shown share a mark."""
_CHARACTER_WIDTH: Final = 0.009
"""Width of a label's character, as a part of the time shown."""


def figure(chart: Chart, theme: Theme = "light", *, bins: int = BINS) -> go.Figure:
    """The chart as a Plotly figure; series of more than ``4 * bins`` points are thinned."""
    import plotly.graph_objects as go

    traces = [trace(series, chart, bins) for series in chart.series]
    look = layout(chart)
    look["title"] = {"text": chart.title, "x": 0.01, "xanchor": "left", "font": {"size": 15}}
    look["margin"] = {"l": 70, "r": 20, "t": 50, "b": 90 if chart.shared_time else 60}
    if any(drawn(series, bins) < len(series.x or ()) for series in chart.series):
        look["annotations"] = [
            *look.get("annotations", []),
            {
                "text": f"thinned to {4 * bins:,} points a series, extremes kept",
                "xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right",
                "yanchor": "bottom", "showarrow": False, "font": {"size": 10, "color": "$soft"},
            },
        ]  # fmt: skip
    return go.Figure(data=painted(traces, theme), layout=painted(look, theme))


def drawn(series: Series, bins: int) -> int:
    """How many points of a series are drawn."""
    return len(rows_to_draw(series, bins))


def rows_to_draw(series: Series, bins: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of a series that stay when it is thinned."""
    if series.x is None or series.y is None:
        return np.arange(0)
    if series.form in ("bins", "events"):
        return np.arange(len(series.x))
    top = series.y_end if series.y_end is not None else series.y
    return keep_extremes(series.x.number, series.y.number, top.number, bins)


def trace(series: Series, chart: Chart, bins: int) -> dict[str, Any]:
    """One Plotly trace."""
    result: dict[str, Any] = {"name": series.name, **series.trace}
    if series.hover:
        result["hovertemplate"] = f"{series.hover}<extra></extra>"
    if series.x is None or series.y is None:
        return result
    if series.form == "events":
        return result | _events(series, chart)
    rows = rows_to_draw(series, bins)
    x, y = series.x.values[rows], series.y.values[rows]
    custom = [column.values[rows] for column in series.columns]
    if series.x_end is not None and series.y_end is not None:
        x = _gapped(x, series.x_end.values[rows])
        y = _gapped(y, series.y_end.values[rows])
        custom = [np.repeat(column, 3) for column in custom]
    result |= {"x": x, "y": y}
    if rows.size > MARKED and _has_small_marks(result):
        result["mode"] = "lines"
    if custom:
        result["customdata"] = np.stack(custom, axis=-1)
    return result


def _has_small_marks(trace: dict[str, Any]) -> bool:
    return trace.get("mode") == "lines+markers" and bool(trace["marker"]["size"] < 6)


def _gapped(start: np.ndarray[Any, Any], end: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Start, end and a gap, for each segment."""
    return np.stack((start, end, np.full(start.size, np.nan)), axis=-1).ravel()


def _events(series: Series, chart: Chart) -> dict[str, Any]:
    assert series.x is not None  # noqa: S101  # the caller looked
    assert series.y is not None  # noqa: S101
    x, y = series.x.values.tolist(), series.y.values.tolist()
    low, high = chart.x_range
    groups = clusters(x, y, (high - low) * _MARK_WIDTH)
    labels = [joined_labels([series.texts[row][0] for row in group]) for group in groups]
    spots = label_spots(
        [x[group[0]] for group in groups],
        [y[group[0]] for group in groups],
        [len(label) * (high - low) * _CHARACTER_WIDTH for label in labels],
        high,
    )
    above = str(series.trace.get("textposition", "top")).partition(" ")[0]
    return {
        "textposition": [f"{above} {spot or 'right'}" for spot in spots],
        "x": [x[group[0]] for group in groups],
        "y": [y[group[0]] for group in groups],
        "text": [label if spot else "" for label, spot in zip(labels, spots, strict=True)],
        "hovertext": ["<br>".join(series.texts[row][1] for row in group) for group in groups],
    }


def joined_labels(labels: list[str]) -> str:
    """The labels of events that share a place: each kind once, the first two by name."""
    parts = list(dict.fromkeys(labels))
    shown = parts[:2] + ([f"+{len(parts) - 2}"] if len(parts) > 2 else [])
    return " ".join(shown)


def layout(chart: Chart) -> dict[str, Any]:
    """Plotly's layout of a chart, with tokens for colours; without title and margins."""
    result = base_layout()
    result["yaxis"]["title"]["text"] = chart.y_title
    if chart.shared_time:
        result["xaxis"] |= {
            "title": {"text": "time since the capture's first packet"},
            "ticksuffix": " s",
            "range": list(chart.x_range),
        }
    for key, value in chart.layout.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = result[key] | value
        else:
            result[key] = value
    return result


def base_layout() -> dict[str, Any]:
    """What the layouts of all charts have in common."""
    axis = {
        "gridcolor": "$grid", "zeroline": False, "linecolor": "$faint", "ticks": "outside",
        "tickcolor": "$faint",
    }  # fmt: skip
    return {
        "font": {"family": FONT, "size": 12, "color": "$ink"},
        "paper_bgcolor": "$page",
        "plot_bgcolor": "$page",
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "$page", "bordercolor": "$faint", "font": {"color": "$ink"}},
        "legend": {
            "orientation": "h", "yanchor": "top", "y": -0.2, "x": 0, "traceorder": "normal",
        },
        "xaxis": {**axis},
        "yaxis": {**axis, "title": {"text": "", "standoff": 6}, "automargin": True},
        "yaxis2": {**axis, "automargin": True},
    }  # fmt: skip
