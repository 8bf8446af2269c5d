"""The overview: all connections in a table, and the findings that are about more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import figures, summary
from mptrace.views.report import explanations
from mptrace.views.report.markup import text, words
from mptrace.views.report.panel import finding_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis.model import Connection, Finding
    from mptrace.views.reading import Reading
    from mptrace.views.summary import Cell, Table

MOST_ROWS: Final = 5000
MOST_FINDINGS: Final = 30
"""Of one code so many are listed."""


def importance(connection: Connection, findings: Sequence[Finding]) -> tuple[int, int, int]:
    """A sort key: worse findings first, then more data."""
    severity = summary.worst(findings)
    rank = summary.SEVERITIES.index(severity) if severity else len(summary.SEVERITIES)
    octets = connection.client_to_server.payload_octets + connection.server_to_client.payload_octets
    return rank, -octets, connection.index


def section(reading: Reading) -> str:
    """Table and findings; of a single connection only the findings about the capture."""
    connections = reading.connection_list
    parts = []
    if len(connections) != 1:
        table = summary.overview(connections[:MOST_ROWS], reading.findings)
        parts.append(_table(table, connections) if connections else _nothing())
        if len(connections) > MOST_ROWS:
            more = figures.counted(len(connections) - MOST_ROWS, "more connection")
            parts.append(f'<p class="warning">{more}, not listed</p>')
    chosen = [
        finding
        for finding in reading.findings
        if len(connections) != 1 or finding.connection is None
    ]
    if chosen:
        parts.append(
            _findings(chosen, opened=len(connections) == 1 and summary.worst(chosen) != "note")
        )
    return f'<section id="overview">{"".join(parts)}</section>' if parts else ""


def _nothing() -> str:
    return '<p class="story">There is no Multipath TCP in this capture.</p>'


def _table(table: Table, connections: Sequence[Connection]) -> str:
    labels = explanations.label_links()
    heads = []
    for number, column in enumerate(table.columns):
        label = words(column.label)
        heads.append(
            f'<th scope="col"{" class=num" if column.numeric else ""} aria-sort="none">'
            f'<button type="button" data-column="{number}">{text(label)}</button>'
            f"{labels.get(label, '')}</th>"
        )
    rows = [
        _row(connection, row, [column.numeric for column in table.columns])
        for connection, row in zip(connections, table.rows, strict=False)
    ]
    return (
        '<div class="filter"><h2>Connections</h2><label>Filter <input type="search" id="filter" '
        'placeholder="address, state, finding" autocomplete="off"></label> '
        '<span id="matches" role="status"></span></div>'
        '<div class="scroll rows" tabindex="0" role="region" aria-label="Connections">'
        f'<table id="connections"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(connection: Connection, row: tuple[Cell, ...], numeric: list[bool]) -> str:
    values = {
        0: connection.index,
        4: round(connection.duration_s, 9),
        5: len(connection.subflows),
        6: connection.client_to_server.unique_octets,
        7: connection.server_to_client.unique_octets,
    }
    cells = []
    for number, entry in enumerate(row):
        inner = text(entry.text)
        if number == 0:
            inner = f'<a href="#connection-{connection.index}">{inner}</a>'
        classes = " ".join(part for part in ("num" if numeric[number] else "", entry.tone) if part)
        sort = f' data-sort="{values[number]}"' if number in values else ""
        cells.append(f'<td{f" class={chr(34)}{classes}{chr(34)}" if classes else ""}{sort}>'
                     f"{inner}</td>")  # fmt: skip
    return f'<tr data-connection="{connection.index}">{"".join(cells)}</tr>'


def _findings(findings: list[Finding], *, opened: bool) -> str:
    groups = []
    for group in summary.finding_groups(findings):
        items = "".join(
            finding_item(finding, {}, connection=True) for finding in group.findings[:MOST_FINDINGS]
        )
        more = len(group.findings) - MOST_FINDINGS
        if more > 0:
            items += f'<li class="faint">{figures.counted(more, "more")}</li>'
        number = figures.count(len(group.findings))
        groups.append(
            f'<details{" open" if opened else ""}><summary><span class="badge {group.severity}">'
            f"{group.severity}</span> {text(group.code)}: {number}</summary><ul>{items}</ul>"
            "</details>"
        )
    counts = text(summary.finding_counts(findings))
    return f'<div class="findings"><h2>Findings: {counts}</h2>{"".join(groups)}</div>'
