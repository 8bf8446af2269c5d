"""The signalling of a connection as a ladder: client left, server right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.views.browsing.outline import Node
from mptrace.views.figures import printable

if TYPE_CHECKING:
    from mptrace.analysis.model import Connection

_RUNG = 16


def ladder_nodes(connection: Connection) -> list[Node]:
    """Return a line for each event, in the order of time; Enter leads to its packet."""
    nodes = []
    widest = max((len(str(event.packet)) for event in connection.events), default=1)
    for event in connection.events:
        subflow = " " if event.subflow is None else str(event.subflow)
        lead = f"{event.time_s:9.6f} {event.packet:>{widest}}  {subflow}  "
        nodes.append(
            Node(
                f"{lead}{_rung(event.kind, event.by)}  {printable(event.text)}",
                key=f"event:{event.packet}:{event.kind}",
                link=event.packet,
                link_text=str(event.packet),
                subflow=event.subflow,
                detail=printable(event.text),
            )
        )
    return nodes


def heading(connection: Connection) -> str:
    """Return the titles above the ladder."""
    widest = max((len(str(event.packet)) for event in connection.events), default=1)
    return f"{'Time':>9} {'No.':>{max(widest, 3)}}  S  client{'':{_RUNG - 10}}server"


def _rung(kind: str, by: str | None) -> str:
    """An arrow from who sent it to the other."""
    if by is None:
        return f"│{kind[:_RUNG].center(_RUNG, ' ')}│"
    body = kind[: _RUNG - 2].center(_RUNG - 2, "─")
    return f"│─{body}▶│" if by == "client" else f"│◀{body}─│"
