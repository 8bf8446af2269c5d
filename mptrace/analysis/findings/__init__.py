"""Findings: what went wrong in a capture, or is worth knowing, with the packets that prove it.

A rule is a small function that takes a `Case` (one connection with its evidence) and yields
findings; each module keeps its rules beside the kinds that they yield. To add a finding, write
its `FindingKind` and rule into the module of its room; `catalog` and docs/findings.md follow.
"""

from __future__ import annotations

from dataclasses import replace
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
    quiet_subflows,
)
from mptrace.analysis.findings.case import NAMED_PACKETS, Case
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
    *quiet_subflows.RULES,
    *odd_options.RULES,
    *capture_quality.RULES,
)


_MOST_OF_A_KIND: Final = 25
"""Of one connection, so many findings of one kind are told one by one."""


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
        found += _folded(own)
        first_subflow += len(members)
    return tuple(found)


def _folded(own: list[Finding]) -> list[Finding]:
    """Of one connection's findings with one code the first ones, and one for all the rest."""
    if len(own) <= _MOST_OF_A_KIND:
        return own
    by_code: dict[str, list[Finding]] = {}
    for finding in own:
        by_code.setdefault(finding.code, []).append(finding)
    rest = [found[_MOST_OF_A_KIND:] for found in by_code.values() if len(found) > _MOST_OF_A_KIND]
    folded = {id(finding) for found in rest for finding in found}
    kept = [finding for finding in own if id(finding) not in folded]
    for found in rest:
        packets = sorted({packet for finding in found for packet in finding.packets})
        subflows = {finding.subflow for finding in found}
        kept.append(
            replace(
                found[0],
                subflow=None,
                packets=tuple(packets[:NAMED_PACKETS]),
                packet_count=max(len(packets), sum(finding.packet_count for finding in found)),
                message=f"The same {len(found):,} times more, on {len(subflows):,} subflows.",
            )
        )
    return sorted(kept, key=_first_packet)


def _first_packet(finding: Finding) -> tuple[int, str, int]:
    return (
        finding.packets[0] if finding.packets else 0,
        finding.code,
        -1 if finding.subflow is None else finding.subflow,
    )
