"""The part of the report that is about one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import connection_tables, figures, summary
from mptrace.views.charts.explained import EXPLAINED
from mptrace.views.charts.kinds import KINDS
from mptrace.views.charts.marks import busier, side
from mptrace.views.connection_tables import DIRECTIONS
from mptrace.views.report import explanations
from mptrace.views.report.ladder import ladder
from mptrace.views.report.markup import moment, table, text
from mptrace.views.report.topology import topology
from mptrace.views.story import sentences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mptrace.analysis.model import Connection, DirectionName, Finding
    from mptrace.views.charts.chart import Chart

Charts = dict[str, list["Chart"]]

MOST_FINDINGS: Final = 60
MOST_OPEN: Final = 6
"""So many findings are seen at once."""
_TABS: Final = (("timelines", "Timelines"), ("ladder", "Sequence diagram"), ("tables", "Figures"))


def charts_of(connection: Connection) -> Charts:
    """The charts that have something to show, by direction of the data, the busier one first."""
    first = busier(connection)
    found: Charts = {}
    for name in sorted(DIRECTIONS, key=lambda name: name != first):
        carries = bool(side(connection, name).payload_octets)
        if carries or name == first:
            kinds = tuple(EXPLAINED) if carries else ("signalling",)
            charts = [KINDS[kind](connection, name) for kind in kinds]
            found[name] = [chart for chart in charts if chart.series]
    return found


def finding_item(finding: Finding, times: Mapping[int, float], connection: bool = False) -> str:
    """A finding as a list item: packets are links to their moments."""
    where = ""
    if connection and finding.connection is not None:
        index = finding.connection
        where = f'<a href="#connection-{index}">connection {index}</a>: '
    message = text(finding.message.removesuffix("."))
    proof = [part for part in (_packets(finding, times), text(finding.reference)) if part]
    behind = f' <span class="faint">({"; ".join(proof)})</span>' if proof else "."
    return (
        f'<li class="{finding.severity}"><span class="badge {finding.severity}">'
        f"{finding.severity}</span> {where}{message}{behind}</li>"
    )


def _packets(finding: Finding, times: Mapping[int, float]) -> str:
    total = max(finding.packet_count, len(finding.packets))
    if not total:
        return ""
    shown = finding.packets[:5] if total > 5 else finding.packets
    links = []
    for packet in shown:
        if finding.connection is not None and packet in times:
            target = moment(finding.connection, times[packet], packet)
            links.append(f'<a href="{target}">{packet}</a>')
        else:
            links.append(str(packet))
    more = f" and {total - len(shown):,} more" if total > len(shown) else ""
    return f"packet{'s' if total > 1 else ''} {', '.join(links)}{more}"


def panel(
    connection: Connection,
    findings: Sequence[Finding],
    charts: Charts,
    times: Mapping[int, float],
) -> str:
    """The markup of one connection."""
    index = connection.index
    state = summary.state(connection)
    end = text(summary.end_words(connection))
    who = (
        f'<header class="who"><h2>Connection {index}: {text(summary.path(connection))}</h2>'
        f'<p><span class="badge {state.tone}">{text(state.text)}</span> '
        f"{text(summary.version(connection))}, {end}</p></header>"
    )
    told = "".join(f"<li>{text(sentence)}</li>" for sentence in sentences(connection))
    story = f'<ul class="told">{told}{_findings(findings, times)}</ul>'
    silent = {f.subflow for f in findings if f.code == "subflow_silent" and f.subflow is not None}
    parts = [
        who,
        f'<div class="glance"><div class="story">{story}</div>{topology(connection, silent)}</div>',
    ]
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{index}-{name}" '
        f'aria-controls="{name}-{index}" aria-selected="{"false" if number else "true"}" '
        f'tabindex="{-1 if number else 0}">{label}</button>'
        for number, (name, label) in enumerate(_TABS)
    )
    parts.append(
        f'<div class="tools"><div role="tablist" aria-label="Views of connection {index}">{tabs}'
        f"</div>{_controls(connection, charts)}</div>"
    )
    contents = (_cards(charts), ladder(connection), _tables(connection))
    for number, ((name, _), content) in enumerate(zip(_TABS, contents, strict=True)):
        parts.append(
            f'<div role="tabpanel" class="tab" id="{name}-{index}" '
            f'aria-labelledby="tab-{index}-{name}"{" hidden" if number else ""}>{content}</div>'
        )
    return "".join(parts)


def _findings(findings: Sequence[Finding], times: Mapping[int, float]) -> str:
    """The worst findings in the open, the others folded."""
    ordered = summary.by_severity(findings)
    items = [finding_item(finding, times) for finding in ordered[:MOST_FINDINGS]]
    more = len(ordered) - MOST_FINDINGS
    if more > 0:
        items.append(f'<li class="faint">{figures.counted(more, "more finding")}</li>')
    if len(items) <= MOST_OPEN + 1:
        return "".join(items)
    counts = text(summary.finding_counts(ordered[MOST_OPEN:]))
    folded = "".join(items[MOST_OPEN:])
    return (
        f'{"".join(items[:MOST_OPEN])}<li class="faint"><details><summary>And {counts}</summary>'
        f'<ul class="told">{folded}</ul></details></li>'
    )


def _controls(connection: Connection, charts: Charts) -> str:
    choices = "".join(
        f'<label><input type="radio" name="direction-{connection.index}" value="{name}"'
        f"{'' if number else ' checked'}> {text(DIRECTIONS[_name(name)])}</label>"
        for number, name in enumerate(charts)
    )
    directions = (
        f'<fieldset class="directions"><legend>Data</legend>{choices}</fieldset>'
        if len(charts) > 1
        else ""
    )
    buttons = "".join(
        f'<button type="button" data-zoom="{what}" title="{title}">{label}</button>'
        for what, title, label in (
            ("in", "Zoom in (+)", "+"),
            ("out", "Zoom out (-)", "−"),  # noqa: RUF001  # a minus sign as wide as the plus
            ("left", "Earlier (left arrow)", "◀"),
            ("right", "Later (right arrow)", "▶"),
            ("whole", "The whole connection (0)", "whole"),
        )
    )
    zoom = f'<div class="zoom" role="group" aria-label="Time shown">{buttons}</div>'
    return f'<div class="controls">{directions}{zoom}</div>' if charts else ""


def _name(name: str) -> DirectionName:
    return "client_to_server" if name == "client_to_server" else "server_to_client"


def _cards(charts: Charts) -> str:
    if not charts:
        return '<p class="faint">The series of this connection are not in this report.</p>'
    return '<div class="cards"></div>'


def cards() -> str:
    """A template of all charts' frames: the script fills those of the connection in view."""
    found = []
    for kind, explained in EXPLAINED.items():
        links = "".join(explanations.link(term) for term in explained.definitions)
        found.append(
            f'<figure class="card {kind}" data-kind="{kind}"><h3>{explained.heading} {links}</h3>'
            f'<div class="plot" role="img" aria-label="{explained.heading}"></div>'
            f'<figcaption>{text(explained.caption)} <span class="thinned"></span></figcaption>'
            "</figure>"
        )
    return f'<template id="cards">{"".join(found)}</template>'


def _tables(connection: Connection) -> str:
    facts = "".join(
        f'<dt>{text(fact.label)}</dt><dd class="{fact.tone}">{text(fact.text)}</dd>'
        for fact in summary.connection_facts(connection)
    )
    labels = explanations.label_links()
    tables = "".join(table(entry, labels) for entry in connection_tables.all_tables(connection))
    return f'<dl class="facts">{facts}</dl>{tables}'
