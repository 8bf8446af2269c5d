"""What several charts share: names of subflows, directions, stalls and handovers in the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mptrace.views import figures
from mptrace.views.charts.chart import safe
from mptrace.views.connection_tables import DIRECTIONS
from mptrace.views.summary import ARROW

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection, ConnectionDirection, DirectionName, Subflow


_NAMED: Final = 0.12
"""Part of the connection's time that a stall takes to have its name written over it."""


def busier(connection: Connection) -> DirectionName:
    """The direction that carried more data."""
    forth, back = connection.client_to_server, connection.server_to_client
    if (back.unique_octets, back.payload_octets) > (forth.unique_octets, forth.payload_octets):
        return "server_to_client"
    return "client_to_server"


def side(connection: Connection, direction: DirectionName) -> ConnectionDirection:
    """The figures of a direction."""
    if direction == "client_to_server":
        return connection.client_to_server
    return connection.server_to_client


def subflow_name(subflow: Subflow) -> str:
    """A subflow with the addresses that tell its path."""
    client, server = (figures.printable(end.address) for end in (subflow.client, subflow.server))
    return safe(f"subflow {subflow.index}: {client} {ARROW} {server}")


def title(text: str, connection: Connection, direction: DirectionName | None = None) -> str:
    """A figure's title when it stands alone."""
    where = f", {DIRECTIONS[direction]}" if direction else ""
    return f"{text}: connection {connection.index}{where}"


def x_range(connection: Connection) -> tuple[float, float]:
    """The time of the connection, with a little room on both sides."""
    room = max(connection.duration_s * 0.015, 1e-4)
    return connection.start_s - room, connection.start_s + connection.duration_s + room


def moments(connection: Connection, direction: DirectionName) -> dict[str, Any]:
    """Stalls and handovers of a direction as bands, for a layout; wide ones with their names."""
    figure_side = side(connection, direction)
    longest = max((stall.duration_s for stall in figure_side.stalls), default=0.0)
    named = min(longest, _NAMED * connection.duration_s)
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for stall in figure_side.stalls:
        end = stall.start_s + stall.duration_s
        shapes.append(_band(stall.start_s, end, "$warn"))
        if stall.duration_s >= named:
            words = f"stall {figures.seconds(stall.duration_s)}"
            notes.append(_note((stall.start_s + end) / 2, words))
    for handover in figure_side.handovers:
        end = handover.start_s + handover.gap_s
        shapes.append(_band(handover.start_s, end, "$soft"))
        if not figure_side.stalls:
            text = f"handover {handover.from_subflow}{ARROW}{handover.to_subflow}"
            notes.append(_note((handover.start_s + end) / 2, text))
    return {"shapes": shapes[:50], "annotations": notes[:8]}


def _band(start: float, end: float, color: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1,
        "fillcolor": color, "opacity": 0.16, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _note(x: float, text: str) -> dict[str, Any]:
    return {
        "x": x, "xref": "x", "y": 1, "yref": "paper", "yanchor": "top", "text": text,
        "showarrow": False, "font": {"size": 11, "color": "$soft"},
    }  # fmt: skip
