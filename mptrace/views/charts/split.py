"""Which subflow carried how much of the data, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views.charts.chart import Chart, Series
from mptrace.views.charts.marks import side, subflow_name, title, x_range
from mptrace.views.charts.palette import subflow_pattern, subflow_token
from mptrace.views.connection_tables import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.analysis.model import (
        Connection,
        ConnectionDirection,
        DirectionName,
        SubflowDirection,
    )

_ROOM_FOR_TEXT: Final = 8
"""Narrower bars have their percentage on hover only."""
_ROWS: Final[
    tuple[tuple[str, Callable[[SubflowDirection, ConnectionDirection], float | None]], ...]
] = (
    ("data, first copies", lambda own, _: own.contribution),
    ("data, delivered copies", lambda own, _: own.delivered_contribution),
    (
        "all TCP payload",
        lambda own, whole: (
            own.payload_octets / whole.payload_octets if whole.payload_octets else None
        ),
    ),
)


def chart(connection: Connection, direction: DirectionName) -> Chart:
    """Share of each subflow; both directions, the one named first on top."""
    names = sorted(DIRECTIONS, key=lambda name: name != direction)
    rows = [
        (f"{DIRECTIONS[name]}<br>{label} ", name, share)
        for name in names
        if side(connection, name).payload_octets
        for label, share in _ROWS
    ]
    found = []
    for subflow in connection.subflows:
        shares = [share(getattr(subflow, name), side(connection, name)) for _, name, share in rows]
        if not any(shares):
            continue
        percent = [None if share is None else round(100 * share, 3) for share in shares]
        trace = {
            "type": "bar", "orientation": "h", "y": [label for label, _, _ in rows],
            "x": percent,
            "marker": {"color": subflow_token(subflow.index),
                       "pattern": {"shape": subflow_pattern(subflow.index), "fgcolor": "$page",
                                   "solidity": 0.25, "size": 6, "fillmode": "overlay"}},
            "text": [_label(value) for value in percent],
            "textposition": "inside", "insidetextanchor": "middle",
            "textangle": 0, "textfont": {"color": "$page"}, "constraintext": "none",
        }  # fmt: skip
        hover = f"<b>subflow {subflow.index}</b>: %{{x:.2f}} %"
        found.append(Series(subflow_name(subflow), "fixed", trace, hover=hover))
    return Chart(
        kind="shares",
        title=title("Share of each subflow", connection),
        series=tuple(found),
        x_range=x_range(connection),
        layout={
            "barmode": "stack",
            "xaxis": {"range": [0, 100], "ticksuffix": " %"},
            "yaxis": {"autorange": "reversed", "automargin": True},
        },
        shared_time=False,
    )


def _label(percent: float | None) -> str:
    return f"{percent:.1f} %" if percent is not None and percent >= _ROOM_FOR_TEXT else ""
