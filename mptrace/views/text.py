"""The analysis as a text that a person reads from top to bottom in a minute.

Few connections are shown in full; many as one table with the findings by kind. What is left out
is said, with the option that shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import connection_tables, figures, summary
from mptrace.views.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mptrace.analysis.model import Connection, Finding, Severity
    from mptrace.views.reading import Reading
    from mptrace.views.summary import Fact

DETAILED: Final = 3
"""Up to this many connections are all shown in full."""
LISTED: Final = 50
"""Up to this many connections are listed in the table."""
FINDINGS_PER_CODE: Final = 3
"""Of one connection, this many findings of each code are shown."""
EXACT_WIDTH: Final = 100
"""From this width on there is room for every octet of an amount."""
PLAIN_WIDTH: Final = 100
"""The width where there is no terminal to ask."""

_LABEL_WIDTH: Final = 11


def lines(reading: Reading, *, color: bool, width: int, detail: bool = False) -> Iterator[str]:
    """Yield the analysis line by line (a paragraph may hold several lines).

    Args:
        reading: the finished analysis, or a selection of it.
        color: whether to use the escape sequences of a terminal.
        width: columns to fill.
        detail: show every connection in full, however many there are.
    """
    layout = Layout(width, color=color)
    yield from _facts(layout, summary.capture_facts(reading.capture), indent=0)
    yield ""
    yield layout.paragraph(summary.headline(reading), "strong")
    connections = reading.connection_list
    if not detail and len(connections) > DETAILED:
        yield from _overview(layout, connections, reading.findings)
        return
    by_connection: dict[int | None, list[Finding]] = {}
    for finding in reading.findings:
        by_connection.setdefault(finding.connection, []).append(finding)
    for connection in connections:
        yield from _connection(layout, connection, by_connection.get(connection.index, []))
    if None in by_connection:
        yield ""
        yield layout.paint("Findings about the capture as a whole", "strong")
        yield from _findings(layout, by_connection[None], indent=0)


def _overview(
    layout: Layout, connections: Sequence[Connection], findings: Sequence[Finding]
) -> Iterator[str]:
    yield ""
    yield from layout.table(summary.overview(connections[:LISTED], findings))
    hidden = len(connections) - LISTED
    if hidden > 0:
        more = figures.counted(hidden, "more connection")
        yield layout.paragraph(f"{more}, not listed here: --json and --csv have all", "faint")
    groups = summary.finding_groups(findings)
    if groups:
        yield ""
        yield layout.paint("Findings by kind", "strong")
        for group in groups:
            text = summary.group_text(group)
            yield _finding(layout, group.severity, f"{group.code}: {text}", indent=0)
    yield ""
    first, last = connections[0].index, connections[-1].index
    yield layout.paragraph(f"One connection in full: -c N, with N from {first} to {last}", "faint")


def _connection(
    layout: Layout, connection: Connection, findings: Sequence[Finding]
) -> Iterator[str]:
    yield ""
    title = f"Connection {connection.index}: {summary.path(connection)}"
    yield layout.paragraph(title, "strong")
    yield from _facts(layout, summary.connection_facts(connection), indent=2)
    exact = layout.width >= EXACT_WIDTH
    for table in connection_tables.all_tables(connection, exact=exact):
        yield ""
        yield from layout.table(table, indent=2)
    yield ""
    yield "  " + layout.paint(f"Findings: {summary.finding_counts(findings)}", "strong")
    yield from _findings(layout, findings, indent=2)


def _findings(layout: Layout, findings: Iterable[Finding], *, indent: int) -> Iterator[str]:
    for group in summary.finding_groups(findings):
        for finding in group.findings[:FINDINGS_PER_CODE]:
            text = f"{group.code}: {summary.finding_text(finding)}"
            yield _finding(layout, group.severity, text, indent=indent)
        hidden = len(group.findings) - FINDINGS_PER_CODE
        if hidden > 0:
            text = f"{group.code}: {hidden:,} more of this kind (--json and --csv have all)"
            yield _finding(layout, group.severity, text, indent=indent)


def _finding(layout: Layout, severity: Severity, text: str, *, indent: int) -> str:
    label = f"{severity:<9}"
    plain = layout.paragraph(text, lead=label, indent=indent)
    return plain.replace(label, layout.paint(severity, severity) + label[len(severity) :], 1)


def _facts(layout: Layout, facts: Iterable[Fact], *, indent: int) -> Iterator[str]:
    for fact in facts:
        lead = f"{fact.label:<{_LABEL_WIDTH}}"
        yield layout.paragraph(fact.text, fact.tone, lead=lead, indent=indent)
