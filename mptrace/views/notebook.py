"""The analysis as a piece of HTML, for notebooks: the same rows and words as the text.

Every text is escaped, whatever the capture holds; nothing is loaded from anywhere.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from mptrace.views import connection_tables, figures, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mptrace.analysis.model import Connection, Finding
    from mptrace.views.reading import Reading
    from mptrace.views.summary import Cell, Fact, Table

DETAILED: Final = 20
"""Details of this many connections are included, folded."""
LISTED: Final = 200
"""The table lists this many connections."""

_COLORS: Final = {
    "": "",
    "error": "#c62828",
    "warning": "#b26a00",
    "note": "#00697a",
    "good": "#2e7d32",
    "faint": "#777",
    "strong": "",
}


def html(reading: Reading) -> str:
    """Return the analysis as one ``<div>``; connections are folded where there are several."""
    return "".join(_pieces(reading))


def _pieces(reading: Reading) -> Iterator[str]:
    connections = reading.connection_list
    yield '<div class="mptrace">'
    yield _facts(summary.capture_facts(reading.capture))
    yield f"<p><strong>{escape(summary.headline(reading))}</strong></p>"
    if len(connections) > 1:
        yield _table(summary.overview(connections[:LISTED], reading.findings))
        hidden = len(connections) - LISTED
        if hidden > 0:
            yield f"<p>{escape(figures.counted(hidden, 'more connection'))}, not listed here</p>"
    by_connection: dict[int | None, list[Finding]] = {}
    for finding in reading.findings:
        by_connection.setdefault(finding.connection, []).append(finding)
    for connection in connections[:DETAILED]:
        opened = " open" if len(connections) == 1 else ""
        yield from _connection(connection, by_connection.get(connection.index, []), opened)
    if len(connections) > DETAILED:
        yield f"<p>Details of the first {DETAILED} connections only.</p>"
    if None in by_connection:
        yield "<p><strong>Findings about the capture as a whole</strong></p>"
        yield _findings(by_connection[None])
    yield "</div>"


def _connection(connection: Connection, findings: list[Finding], opened: str) -> Iterator[str]:
    title = f"Connection {connection.index}: {summary.path(connection)}"
    yield f"<details{opened}><summary><strong>{escape(title)}</strong></summary>"
    yield _facts(summary.connection_facts(connection))
    for table in connection_tables.all_tables(connection):
        yield _table(table)
    yield f"<p><strong>Findings: {escape(summary.finding_counts(findings))}</strong></p>"
    yield _findings(findings)
    yield "</details>"


def _facts(facts: Iterable[Fact]) -> str:
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(fact.label)}</th>'
        f'<td style="text-align:left{_color(fact.tone)}">{escape(fact.text)}</td></tr>'
        for fact in facts
    )
    return f"<table>{rows}</table>"


def _table(table: Table) -> str:
    aligns = ["right" if column.numeric else "left" for column in table.columns]
    heads = "".join(
        f'<th style="text-align:{align}">{_words(column.label)}</th>'
        for column, align in zip(table.columns, aligns, strict=True)
    )
    rows = "".join(f"<tr>{''.join(map(_cell, row, aligns))}</tr>" for row in table.rows)
    caption = f"<caption>{escape(table.title)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: Cell, align: str) -> str:
    return f'<td style="text-align:{align}{_color(cell.tone)}">{escape(cell.text)}</td>'


def _findings(findings: Iterable[Finding]) -> str:
    items = "".join(
        f'<li><span style="color:{_COLORS[finding.severity]}">{finding.severity}</span> '
        f"<strong>{escape(finding.code)}</strong>: {escape(summary.finding_text(finding))}</li>"
        for finding in summary.by_severity(findings)
    )
    return f"<ul>{items}</ul>" if items else ""


def _words(label: str) -> str:
    """Return a column's label on one line: its breaks are for terminals."""
    return escape(label.replace("-\n", "").replace("\n", " "))


def _color(tone: str) -> str:
    return f";color:{_COLORS[tone]}" if _COLORS[tone] else ""
