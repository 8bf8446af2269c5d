"""Connections, their subflows and their findings as a tree of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mptrace.views import connection_tables, figures, summary
from mptrace.views.browsing.finding_outline import finding_node
from mptrace.views.browsing.outline import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mptrace.analysis.model import Connection, Finding, Subflow
    from mptrace.views.browsing.opened import OpenedCapture

_ADDRESSES = 2
"""Columns of the overview that go last: they are the widest."""
_OPEN_UP_TO = 3


@dataclass(frozen=True, slots=True)
class ConnectionLink:
    """Leads to a connection's page."""

    index: int


def connection_nodes(opened: OpenedCapture) -> tuple[str, list[Node]]:
    """Return the titles of the columns, and a node for each connection."""
    analysis = opened.analysis
    connections = analysis.connection_list
    by_connection: dict[int | None, list[Finding]] = {}
    for finding in analysis.findings:
        by_connection.setdefault(finding.connection, []).append(finding)
    table = summary.overview(connections, analysis.findings)
    heads = [column.label.replace("-\n", "").replace("\n", " ") for column in table.columns]
    texts = [[cell.text for cell in row] for row in table.rows]
    widths = [
        max(len(heads[i]), *(len(row[i]) for row in texts)) if texts else len(heads[i])
        for i in range(len(heads))
    ]
    order = [0, *range(1 + _ADDRESSES, len(heads)), *range(1, 1 + _ADDRESSES)]

    def joined(cells: Sequence[str]) -> str:
        parts = [
            f"{cells[i]:>{widths[i]}}" if table.columns[i].numeric else f"{cells[i]:<{widths[i]}}"
            for i in order
        ]
        return "  ".join(parts).rstrip()

    nodes = []
    for connection, row in zip(connections, texts, strict=True):
        own = by_connection.get(connection.index, [])
        nodes.append(_connection(opened, connection, own, joined(row)))
        nodes[-1].expanded = len(connections) <= _OPEN_UP_TO
    return joined(heads), nodes


def _connection(
    opened: OpenedCapture, connection: Connection, findings: Sequence[Finding], text: str
) -> Node:
    def below() -> Iterator[Node]:
        for subflow in connection.subflows:
            yield _subflow(opened, connection, subflow)
        for finding in summary.by_severity(findings):
            yield finding_node(opened, finding)

    facts = summary.connection_facts(connection)
    return Node(
        text,
        tone=summary.state(connection).tone if connection.state != "established" else "",
        key=f"connection:{connection.index}",
        link=ConnectionLink(connection.index),
        detail="\n".join(f"{fact.label:<9}{fact.text}" for fact in facts),
        children=below,
    )


def _subflow(opened: OpenedCapture, connection: Connection, subflow: Subflow) -> Node:
    shares = [
        f"{words} {figures.share(direction.contribution)}"
        for words, direction in (
            ("c→s", subflow.client_to_server),
            ("s→c", subflow.server_to_client),
        )
        if direction.contribution is not None
    ]
    ends = f"{figures.endpoint(subflow.client)} {summary.ARROW} {figures.endpoint(subflow.server)}"
    cells = connection_tables.subflow_table(connection).rows[subflow.index]
    text = f"subflow {subflow.index}  {ends}  {', '.join(shares)}  {cells[4].text}"
    heard = tuple(_heard(opened, subflow))
    return Node(
        text,
        key=f"subflow:{connection.index}.{subflow.index}",
        subflow=subflow.index,
        link=subflow.first_packet,
        detail="\n".join(
            [
                f"Subflow {subflow.index} (tcp.stream {subflow.tcp_stream}), {cells[4].text}",
                f"Handshake: {cells[5].text}; end: {cells[6].text}",
                *(node.text for node in heard),
            ]
        ),
        children=(*_carried(connection, subflow), *heard),
    )


def _carried(connection: Connection, subflow: Subflow) -> Iterator[Node]:
    """What the subflow carried, in the words of the text's table."""
    table = connection_tables.carried_table(connection)
    heads = [c.label.replace("-\n", "").replace("\n", " ") for c in table.columns]
    wanted = f"subflow {subflow.index}"
    direction = ""
    for row in table.rows:
        if row[0].tone == "strong":
            direction = row[0].text
        elif row[0].text.strip() == wanted:
            parts = [f"{head} {cell.text}" for head, cell in zip(heads[1:], row[1:], strict=True)]
            yield Node(f"{direction}: {', '.join(parts)}", key=f"carried:{direction}")


def _heard(opened: OpenedCapture, subflow: Subflow) -> Iterator[Node]:
    """The first packet of the subflow, and the last one from each side: when it fell silent."""
    facts, packets = opened.facts, opened.packets
    rows = facts.rows_of_subflow(subflow.first_packet - 1)
    codes = facts.values_at("mptrace.direction", rows)
    origin = int(packets.time_ns[0])
    for side, code in (("client", 0), ("server", 1)):
        own = rows[codes == code]
        if not own.size:
            yield Node(f"nothing from the {side}", tone="warning", key=f"heard:{side}")
            continue
        row = int(own[-1])
        moment = figures.moment((int(packets.time_ns[row]) - origin) * 1e-9)
        yield Node(
            f"last from the {side}: packet {row + 1} at {moment}",
            key=f"heard:{side}",
            link=row + 1,
            link_text=str(row + 1),
            subflow=subflow.index,
        )
