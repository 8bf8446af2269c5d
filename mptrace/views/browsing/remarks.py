"""What the analysis knows of one packet, as fields in brackets with links to other packets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mptrace.views import figures
from mptrace.views.connection_tables import DIRECTIONS

if TYPE_CHECKING:
    from mptrace.analysis.model import DirectionName
    from mptrace.views.browsing.packet_facts import PacketFacts
    from mptrace.views.browsing.packet_table import PacketTable


@dataclass(frozen=True, slots=True)
class Remark:
    """One field that no octet of the packet holds."""

    name: str
    """Filter name; "" for words that have none."""
    text: str
    link: int | None = None
    """The packet (its number) that it speaks of."""
    tone: str = ""
    filter: str = ""
    """The display filter that finds packets of which the same is known."""


_COPY_TEXTS: Final = {
    "first": "New data: no copy of these octets was seen before",
    "retransmission": "TCP retransmission on the same subflow",
    "remapped": "Remapped: sent again on the same subflow under a new subflow sequence number",
    "reinjection": "Reinjection: another subflow carried these octets before",
}
_WORTH_TEXTS: Final = {
    "spurious": "Spurious: a DATA_ACK had covered the octets already",
    "useful": "Useful: this copy was acknowledged before any earlier one",
    "redundant": "Redundant: an earlier copy was acknowledged first",
}


def remarks(facts: PacketFacts, packets: PacketTable, row: int) -> tuple[Remark, ...]:
    """Return what is known of a packet, most telling first; nothing where it is not MPTCP."""
    if not facts.has(row):
        return ()
    found = [*_membership(facts, row), *_findings(facts, row), *_copy(facts, row)]
    found += _mapping(facts, row)
    found += _order(facts, packets, row)
    found += _acknowledgements(facts, packets, row)
    found += _neighbours(facts, packets, row)
    return tuple(replace(remark, filter=_filter(facts, row, remark.name)) for remark in found)


def _filter(facts: PacketFacts, row: int, name: str) -> str:
    if name == "mptrace.finding":
        return name
    value = facts.get(row, name) if name else None
    if value is None:
        return name
    return f'{name} == "{value}"' if isinstance(value, str) else f"{name} == {value}"


def _membership(facts: PacketFacts, row: int) -> list[Remark]:
    name: DirectionName = facts.get(row, "mptrace.direction")
    connection, subflow = facts.get(row, "mptcp.stream"), facts.get(row, "mptrace.subflow")
    return [
        Remark("mptcp.stream", f"Connection {connection}, {DIRECTIONS[name]}"),
        Remark("mptrace.subflow", f"Subflow {subflow} (tcp.stream {facts.get(row, 'tcp.stream')})"),
    ]


def _findings(facts: PacketFacts, row: int) -> list[Remark]:
    return [
        Remark(
            "mptrace.finding",
            f"{found.severity.capitalize()}: {figures.printable(found.message)} ({found.code})",
            tone=found.severity,
        )
        for found in facts.findings(row)
    ]


def _copy(facts: PacketFacts, row: int) -> list[Remark]:
    found = []
    kind = facts.get(row, "mptrace.copy")
    if kind is not None:
        tone = "" if kind == "first" else "warning"
        found.append(Remark("mptrace.copy", _COPY_TEXTS[kind], tone=tone))
    repeats = facts.get(row, "mptrace.repeats")
    if repeats is not None:
        what = {"reinjection": "Reinjection of", "remapped": "Repeats", "retransmission": "Repeats"}
        text = f"{what.get(kind or '', 'Repeats')} packet {repeats}"
        repeated = (
            ("retransmitted", "TCP"),
            ("remapped", "remapped"),
            ("reinjected", "reinjected"),
        )
        amounts = [
            f"{figures.octets(octets)} {word}"
            for name, word in repeated
            if (octets := facts.get(row, f"mptrace.{name}_octets"))
        ]
        name = "mptcp.reinjection_of" if kind == "reinjection" else "mptrace.repeats"
        found.append(Remark(name, f"{text} ({', '.join(amounts)})", repeats, "warning"))
    worth = facts.get(row, "mptrace.reinjection")
    if worth is not None:
        found.append(Remark("mptrace.reinjection", _WORTH_TEXTS[worth]))
    again = facts.get(row, "mptcp.reinjected_in")
    if again is not None:
        found.append(
            Remark("mptcp.reinjected_in", f"Reinjected in packet {again}", again, "warning")
        )
    unmapped = facts.get(row, "mptrace.unmapped_octets")
    if unmapped:
        text = f"Without a mapping: {figures.octets(unmapped)}"
        found.append(Remark("mptrace.unmapped_octets", text, tone="warning"))
    return found


def _mapping(facts: PacketFacts, row: int) -> list[Remark]:
    found = []
    dsn, raw = facts.get(row, "mptcp.dsn"), facts.get(row, "mptcp.rawdsn64")
    if dsn is not None:
        text = f"Data sequence number {dsn} (relative; {raw:#018x})"
        found.append(Remark("mptcp.dsn", text))
    mapping = facts.get(row, "mptcp.related_mapping")
    if mapping is not None:
        if mapping == row + 1:
            found.append(Remark("mptcp.related_mapping", "Mapping in this packet"))
        else:
            text = f"Mapping in packet {mapping}"
            found.append(Remark("mptcp.related_mapping", text, mapping))
    ack = facts.get(row, "mptcp.ack")
    if ack is not None:
        found.append(Remark("mptcp.ack", f"DATA_ACK {ack} (relative)"))
    return found


def _order(facts: PacketFacts, packets: PacketTable, row: int) -> list[Remark]:
    late = facts.get(row, "mptrace.out_of_order_octets")
    if not late:
        return []
    extent = facts.get(row, "mptrace.out_of_order_extent")
    missing = f"Out of order: {figures.octets(extent)} below it were missing"
    found = [Remark("mptrace.out_of_order_octets", missing)]
    filled = facts.get(row, "mptrace.gap_filled_in")
    if filled is not None:
        later = _later(packets, row, filled - 1)
        found.append(
            Remark("mptrace.gap_filled_in", f"Gap filled in packet {filled}, {later}", filled)
        )
    return found


def _acknowledgements(facts: PacketFacts, packets: PacketTable, row: int) -> list[Remark]:
    found = []
    for name, word in (("mptrace.data_acked_in", "DATA_ACK"), ("mptrace.acked_in", "TCP ACK")):
        frame = facts.get(row, name)
        if frame is not None:
            later = _later(packets, row, frame - 1)
            text = f"Acknowledged by the {word} of packet {frame}, {later}"
            found.append(Remark(name, text, frame))
        elif facts.get(row, "tcp.len") and facts.get(row, "mptrace.copy") is not None:
            found.append(Remark(name, f"No {word} for it in the capture", tone="warning"))
    for name, word in (("mptrace.data_acked_in", "DATA_ACK"), ("mptrace.acked_in", "TCP ACK")):
        rows = facts.acknowledged_by(row, name)
        if rows.size:
            first, last = int(rows[0]) + 1, int(rows[-1]) + 1
            which = f"packet {first}" if first == last else f"packets {first} to {last}"
            count = "" if rows.size <= 1 else f" ({rows.size} packets)"
            found.append(Remark("", f"Its {word} is the first to cover {which}{count}", first))
    for name, word in (
        ("mptrace.data_flight", "Data flight"),
        ("mptrace.flight", "Subflow flight"),
    ):
        flight = facts.get(row, name)
        if flight is not None:
            found.append(Remark(name, f"{word} {figures.octets(flight)}"))
    return found


def _neighbours(facts: PacketFacts, packets: PacketTable, row: int) -> list[Remark]:
    """The packets of the same subflow and direction before and after, with the time between."""
    own = facts.rows_of_subflow(row)
    at = int(own.searchsorted(row))
    found = []
    if at > 0:
        before = int(own[at - 1])
        gap = figures.seconds((int(packets.time_ns[row]) - int(packets.time_ns[before])) * 1e-9)
        text = f"Subflow's previous packet: {before + 1}, {gap} earlier"
        found.append(Remark("", text, before + 1))
    if at + 1 < own.size:
        after = int(own[at + 1])
        text = f"Subflow's next packet: {after + 1}, {_later(packets, row, after)}"
        found.append(Remark("", text, after + 1))
    else:
        found.append(Remark("", "The last packet of its subflow in the capture"))
    return found


def _later(packets: PacketTable, row: int, later_row: int) -> str:
    duration_ns = int(packets.time_ns[later_row]) - int(packets.time_ns[row])
    return f"{figures.seconds(duration_ns * 1e-9)} later"
