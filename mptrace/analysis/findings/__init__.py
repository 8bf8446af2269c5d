"""Findings: what went wrong in a capture, or is worth knowing, with the packets that prove it.

A rule is a small function that takes a `Case` (one connection with its evidence) and yields
findings; each module keeps its rules beside the kinds that they yield. To add a finding, write
its `FindingKind` and rule into the module of its room; `catalog` and docs/findings.md follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.analysis.findings import (
    addresses,
    capture_quality,
    delivery,
    endings,
    fallbacks,
    handshake,
    joins,
    mappings,
    odd_options,
)
from mptrace.analysis.findings.case import Case
from mptrace.analysis.findings.rare_rows import RareRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis.model import CaptureSummary, Connection, Finding
    from mptrace.analysis.results import Evidence

__all__ = ["find_all"]

_RULES: Final = (
    *handshake.RULES,
    *fallbacks.RULES,
    *joins.RULES,
    *addresses.RULES,
    *mappings.RULES,
    *endings.RULES,
    *delivery.RULES,
    *odd_options.RULES,
    *capture_quality.RULES,
)


def find_all(
    connections: Sequence[Connection], evidence: Evidence, capture: CaptureSummary
) -> tuple[Finding, ...]:
    """All findings: those about the capture first, then by connection and first packet."""
    found = list(capture_quality.of_capture(capture))
    found += odd_options.stray_options(evidence.control.table.stray_options)
    found += joins.stripped_handshakes(evidence.control)
    rows = RareRows.of(evidence)
    membership = evidence.plane.membership
    first_subflow = 0
    for connection in connections:
        members = membership.subflows[connection.index]
        case = Case(
            connection=connection,
            state=membership.connections[connection.index],
            members=members,
            first_subflow=first_subflow,
            rows=rows,
            capture=capture,
            origin_ns=evidence.origin_ns,
        )
        own = [finding for rule in _RULES for finding in rule(case)]
        own.sort(key=_first_packet)
        found += own
        first_subflow += len(members)
    return tuple(found)


def _first_packet(finding: Finding) -> tuple[int, str, int]:
    return (
        finding.packets[0] if finding.packets else 0,
        finding.code,
        -1 if finding.subflow is None else finding.subflow,
    )
