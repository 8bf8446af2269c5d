"""What every view for people shows of an analysis: rows, labels, units and words.

Text, HTML and the browser render these values and add nothing of their own, so that they cannot
disagree. Nothing is computed here: a figure of the model becomes words (:mod:`.figures`), and rows
that say nothing are left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dissector.signals import FALLBACK_WORDS
from mptrace.views import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mptrace.analysis.model import CaptureSummary, Connection, Finding, Host, Severity
    from mptrace.views.reading import Reading

Tone = Literal["", "error", "warning", "note", "good", "faint", "strong"]
"""How a text is meant; a view makes a colour of it, or nothing."""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
ARROW: Final = "→"

STATE_WORDS: Final = {
    "established": "established",
    "handshake": "handshake only",
    "fallback": "fallback to TCP",
    "partial": "partial",
}
STATE_TONES: Final[dict[str, Tone]] = {
    "established": "good",
    "handshake": "warning",
    "fallback": "warning",
    "partial": "note",
}
CONNECTION_END_WORDS: Final = {
    "data_fin": "closed with DATA_FIN",
    "fastclose": "aborted with MP_FASTCLOSE",
    "reset": "every subflow reset",
    "open": "still open where the capture ends",
}
_PLACES: Final = 6
CAPTURE_POINT_WORDS: Final = {
    "client": "at or near the client",
    "server": "at or near the server",
    "between": "between client and server",
}


class Cell(NamedTuple):
    """One piece of text and how it is meant."""

    text: str
    tone: Tone = ""


class Column(NamedTuple):
    """One column of a table; ``numeric`` columns are aligned to the right."""

    label: str
    numeric: bool = False
    address: bool = False
    """An address: the one kind of cell that may be broken over two lines."""


class Table(NamedTuple):
    """A table with its title; each row has a cell for each column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Fact(NamedTuple):
    """One labelled line."""

    label: str
    text: str
    tone: Tone = ""


class FindingGroup(NamedTuple):
    """The findings of one code."""

    code: str
    severity: Severity
    findings: tuple[Finding, ...]


def capture_facts(capture: CaptureSummary) -> tuple[Fact, ...]:
    """Return what the capture is: format, size, time, and what is wrong with it."""
    kind = capture.format
    if capture.compression:
        kind += f" ({capture.compression})"
    links = ", ".join(map(figures.printable, capture.link_types)) or "no interface"
    facts = [
        Fact("File", figures.printable(capture.path), "strong"),
        Fact("Format", f"{kind}, link type {links}"),
        Fact(
            "Packets",
            f"{figures.count(capture.packets)}, of which {figures.count(capture.tcp_packets)} TCP "
            f"and {figures.count(capture.mptcp_packets)} with MPTCP options",
        ),
    ]
    if capture.first_time_ns is not None:
        start = figures.readable_time(capture.first_time_ns)
        facts.append(Fact("Time", f"{start}, for {figures.seconds(capture.duration_s)}"))
    if len(capture.interfaces) > 1:
        facts.append(Fact("Interfaces", ", ".join(map(figures.printable, capture.interfaces))))
    limits = (
        (capture.truncated_packets, "packet", "shorter than on the wire (snaplen)"),
        (capture.capture_duplicates, "packet", "captured more than once, counted once"),
        (capture.ip_fragments, "IP fragment", "not reassembled"),
        (capture.unreadable_packets, "packet", "with headers that could not be read to their end"),
    )
    facts += [
        Fact("Limits", f"{figures.counted(number, noun)} {what}", "warning")
        for number, noun, what in limits
        if number
    ]
    if capture.damage is not None:
        where = f"at offset {capture.damage.offset}"
        if capture.damage.path and capture.damage.path != capture.path:
            where = f"{figures.printable(capture.damage.path)} {where}"
        reason = figures.printable(capture.damage.reason)
        facts.append(Fact("Damage", f"{where}: {reason}; all before it is analyzed", "error"))
    return tuple(facts)


def headline(reading: Reading) -> str:
    """Return the analysis in one line: how many connections, and how many findings."""
    connections = reading.connection_list
    text = (
        figures.counted(len(connections), "MPTCP connection")
        if connections
        else ("No MPTCP connection")
    )
    states = Counter(connection.state for connection in connections)
    if len(connections) > 1:
        parts = [f"{n:,} {STATE_WORDS[s]}" for s, n in states.items()]
        text += f" ({', '.join(parts)})"
    if reading.plain_tcp_streams:
        text += f" and {figures.counted(reading.plain_tcp_streams, 'TCP stream')} without MPTCP"
    return f"{text}; {finding_counts(reading.findings)}"


def finding_counts(findings: Iterable[Finding]) -> str:
    """Return how many findings there are of each severity: ``1 error, 2 notes``."""
    severities = Counter(finding.severity for finding in findings)
    parts = [figures.counted(severities[s], s) for s in SEVERITIES if severities[s]]
    return ", ".join(parts) or "nothing to report"


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the worst severity among the findings."""
    present = {finding.severity for finding in findings}
    return next((severity for severity in SEVERITIES if severity in present), None)


def path(connection: Connection) -> str:
    """Return the two ends of the connection's first subflow, client first."""
    if not connection.subflows:
        return "no subflow captured"
    first = connection.subflows[0]
    return f"{figures.endpoint(first.client)} {ARROW} {figures.endpoint(first.server)}"


def version(connection: Connection) -> str:
    """Return the protocol version in words."""
    return "MPTCP version unknown" if connection.version is None else f"MPTCP v{connection.version}"


def state(connection: Connection) -> Cell:
    """Return the connection's state in words."""
    return Cell(STATE_WORDS[connection.state], STATE_TONES[connection.state])


def connection_facts(connection: Connection) -> tuple[Fact, ...]:
    """Return who, when, how it ended, and the fallback, of one connection."""
    text, tone = state(connection)
    facts = [
        Fact("State", f"{text}, {version(connection)}", tone),
        Fact(
            "Time",
            f"starts at {figures.moment(connection.start_s)} (packet {connection.first_packet}), "
            f"lasts {figures.seconds(connection.duration_s)}, "
            f"{end_words(connection)}",
        ),
    ]
    if connection.fallback is not None:
        cause = figures.printable(_fallback_words(connection.fallback.cause))
        facts.append(Fact("Fallback", f"{cause} (packet {connection.fallback.packet})", "warning"))
    facts += _host_facts("Client", connection.client) + _host_facts("Server", connection.server)
    checksum = {True: "in use", False: "not in use", None: "unknown"}[connection.checksum]
    seen = (
        f"; captured {CAPTURE_POINT_WORDS[connection.capture_point]}"
        if connection.capture_point
        else ""
    )
    facts.append(Fact("DSS", f"checksums {checksum}{seen}"))
    return tuple(facts)


def _fallback_words(cause: str) -> str:
    return next((words for code, words in FALLBACK_WORDS.items() if code == cause), cause)


def end_words(connection: Connection) -> str:
    """How it ended; after a fallback to TCP there need not have been a DATA_FIN."""
    if connection.end == "data_fin" and not (
        connection.client_to_server.data_fin or connection.server_to_client.data_fin
    ):
        return "closed with FIN"
    return CONNECTION_END_WORDS[connection.end]


def _host_facts(label: str, host: Host) -> list[Fact]:
    parts = [
        f"{name} {text}"
        for name, text in (
            ("key", figures.wide_hex(host.key, 16)),
            ("token", figures.wide_hex(host.token, 8)),
            ("initial DSN", figures.wide_hex(host.initial_dsn, 16)),
        )
        if text is not None
    ]
    return [Fact(label, ", ".join(parts))] if parts else []


def overview(connections: Sequence[Connection], findings: Sequence[Finding]) -> Table:
    """Return a table with a row for each connection, compact enough for hundreds."""
    by_connection: dict[int | None, list[Finding]] = {}
    for finding in findings:
        by_connection.setdefault(finding.connection, []).append(finding)
    rows = []
    for connection in connections:
        first = connection.subflows[0] if connection.subflows else None
        own = by_connection.get(connection.index, [])
        severity = worst(own)
        number = sum(finding.severity == severity for finding in own)
        rows.append(
            (
                Cell(str(connection.index)),
                Cell(figures.endpoint(first.client) if first else figures.ABSENT),
                Cell(figures.endpoint(first.server) if first else figures.ABSENT),
                state(connection),
                Cell(figures.seconds(connection.duration_s)),
                Cell(str(len(connection.subflows))),
                Cell(figures.octets(connection.client_to_server.unique_octets, exact=False)),
                Cell(figures.octets(connection.server_to_client.unique_octets, exact=False)),
                Cell(figures.counted(number, severity), severity) if severity else Cell(""),
            )
        )
    columns = (
        Column("#", numeric=True),
        Column("Client", address=True),
        Column("Server", address=True),
        Column("State"),
        Column("Lasts", numeric=True),
        Column("Sub-\nflows", numeric=True),
        Column("Client\nsent", numeric=True),
        Column("Server\nsent", numeric=True),
        Column("Findings"),
    )
    return Table("Connections", columns, tuple(rows))


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, worst first; within a severity in the order of their packets."""
    return sorted(
        findings,
        key=lambda f: (SEVERITIES.index(f.severity), f.packets[0] if f.packets else 0),
    )


def finding_groups(findings: Iterable[Finding]) -> tuple[FindingGroup, ...]:
    """Return findings by their code, worst first."""
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in by_severity(findings):
        groups.setdefault((finding.code, finding.severity), []).append(finding)
    return tuple(FindingGroup(code, sev, tuple(found)) for (code, sev), found in groups.items())


def finding_text(finding: Finding) -> str:
    """Return a finding's sentence with the packets that prove it and where to read more."""
    proof = [
        part
        for part in (
            figures.packet_list(finding.packets, finding.packet_count),
            figures.printable(finding.reference),
        )
        if part
    ]
    message = figures.printable(finding.message).removesuffix(".")
    return f"{message} ({'; '.join(proof)})" if proof else f"{message}."


def group_text(group: FindingGroup) -> str:
    """Return how often and where a kind of finding occurs, with the first as an example."""
    if len(group.findings) == 1:
        where = group.findings[0].connection
        place = "" if where is None else f"connection {where}: "
        return place + finding_text(group.findings[0])
    places = sorted({f.connection for f in group.findings if f.connection is not None})
    text = f"{figures.count(len(group.findings))} times"
    if places:
        listed = ", ".join(map(str, places[:_PLACES]))
        more = f" and {len(places) - _PLACES:,} more" if len(places) > _PLACES else ""
        text += f" (connection{'s' if len(places) > 1 else ''} {listed}{more})"
    return f"{text}, first: {finding_text(group.findings[0])}"
