"""Plotly figures of one connection, for notebooks: ``data_sequence(analysis.connection(0))``.

Each function takes a connection of an analysis, the direction of the data (by default the one that
carried more) and a theme, and returns a ``plotly.graph_objects.Figure``. Long series are thinned so
that every extreme stays, and the figure says so.

Raises, each of them, LookupError for a connection that does not come from an analysis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.views.charts.palette import Theme

__all__ = [
    "data_sequence",
    "draw",
    "flight",
    "reordering",
    "rtt",
    "shares",
    "signalling",
    "throughput",
]


def draw(
    kind: str,
    connection: Connection,
    direction: DirectionName | None = None,
    *,
    theme: Theme = "light",
) -> go.Figure:
    """The chart of a kind (``data-sequence``, ``throughput`` ...); KeyError for any other."""
    from mptrace.views.charts.figure import figure
    from mptrace.views.charts.kinds import build

    return figure(build(kind, connection, direction), theme)


def data_sequence(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Data sequence number over time: mappings, repeated data, DATA_ACK and window."""
    return draw("data-sequence", connection, direction, theme=theme)


def throughput(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Throughput of each subflow, stacked, and goodput over it."""
    return draw("throughput", connection, direction, theme=theme)


def shares(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Share of each subflow in the data, in both directions."""
    return draw("shares", connection, direction, theme=theme)


def rtt(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """RTT of each subflow, and of the data."""
    return draw("rtt", connection, direction, theme=theme)


def flight(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Data in flight, for the connection and each subflow, against the receive window."""
    return draw("flight", connection, direction, theme=theme)


def reordering(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Depth of the reorder queue, and how long packets waited in it."""
    return draw("reordering", connection, direction, theme=theme)


def signalling(
    connection: Connection, direction: DirectionName | None = None, *, theme: Theme = "light"
) -> go.Figure:
    """Lives of the subflows, and what was signalled on them."""
    return draw("signalling", connection, direction, theme=theme)
