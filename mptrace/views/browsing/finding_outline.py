"""Findings as a tree of lines: by severity and kind, each with the packets that prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.views import figures, summary
from mptrace.views.browsing.outline import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.model import Finding
    from mptrace.views.browsing.opened import OpenedCapture

_ALONE = 3
"""Up to this many findings of one kind stand by themselves."""


def finding_nodes(opened: OpenedCapture) -> list[Node]:
    """Return a node for each finding, worst first; many of one kind share a node."""
    nodes: list[Node] = []
    for group in summary.finding_groups(opened.analysis.findings):
        below = [finding_node(opened, finding) for finding in group.findings]
        if len(below) <= _ALONE:
            nodes += below
            continue
        nodes.append(
            Node(
                f"{group.severity:<8} {group.code}: {figures.counted(len(below), 'time')}",
                tone=group.severity,
                key=f"findings:{group.code}",
                detail=summary.group_text(group),
                children=below,
            )
        )
    return nodes


def finding_node(opened: OpenedCapture, finding: Finding) -> Node:
    """Return a finding; Enter leads to its first packet, below it stand all of them."""

    def packets() -> Iterator[Node]:
        for number in finding.packets:
            packet = opened.rows.row(number - 1)
            time_ns = int(opened.packets.time_ns[number - 1] - opened.packets.time_ns[0])
            yield Node(
                f"packet {number}  {figures.moment(time_ns * 1e-9)}  {packet.info}",
                key=f"packet:{number}",
                link=number,
                link_text=str(number),
                subflow=packet.subflow,
            )

    where = "" if finding.connection is None else f"connection {finding.connection}: "
    first = finding.packets[0] if finding.packets else None
    return Node(
        f"{finding.severity:<8} {where}{figures.printable(finding.message)}",
        tone=finding.severity,
        key=f"finding:{finding.code}:{finding.connection}:{first}",
        link=first,
        detail=f"{finding.code}: {summary.finding_text(finding)}",
        children=packets if finding.packets else (),
    )
