"""The tables of one connection: its two directions, its subflows, what each of them carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import figures
from mptrace.views.summary import ARROW, Cell, Column, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.analysis.model import (
        Connection,
        ConnectionDirection,
        DirectionName,
        Distribution,
        Subflow,
        SubflowDirection,
    )

DIRECTIONS: Final[dict[DirectionName, str]] = {
    "client_to_server": f"client {ARROW} server",
    "server_to_client": f"server {ARROW} client",
}
HANDSHAKE_WORDS: Final = {
    "complete": "complete",
    "no_syn_ack": "no SYN/ACK",
    "refused": "refused (RST)",
    "option_removed": "MP_JOIN removed on the way",
    "no_third_ack": "no third ACK",
    "not_captured": "not captured",
}
HANDSHAKE_TONES: Final[dict[str, Tone]] = {
    "complete": "",
    "no_syn_ack": "warning",
    "refused": "warning",
    "option_removed": "warning",
    "no_third_ack": "warning",
    "not_captured": "note",
}


_NONE: Final = "none"
_SILENT: Final = frozenset((_NONE, figures.ABSENT, figures.octets(0)))
"""Texts that say nothing: a row that has only these is left out."""


def all_tables(connection: Connection, *, exact: bool = True) -> tuple[Table, ...]:
    """Return the tables of a connection that have something to say, in reading order."""
    tables = (
        direction_table(connection),
        subflow_table(connection),
        carried_table(connection, exact=exact),
        address_table(connection),
    )
    return tuple(table for table in tables if table.rows)


def direction_table(connection: Connection) -> Table:
    """Return the figures of the data sequence space, a column for each direction."""
    sides = (connection.client_to_server, connection.server_to_client)
    rows: list[tuple[Cell, ...]] = []
    for label, always, tone, words in _DIRECTION_ROWS:
        texts = tuple(words(side) for side in sides)
        if always or not _SILENT.issuperset(texts):
            cells = (Cell(text, "" if text in _SILENT else tone) for text in texts)
            rows.append((Cell(label), *cells))
    columns = (Column("Data"), *(Column(text, numeric=True) for text in DIRECTIONS.values()))
    return Table("Data", columns, tuple(rows))


def subflow_table(connection: Connection) -> Table:
    """Return a row for each subflow: who, when, and how it began and ended."""
    columns = (
        Column("#", numeric=True),
        Column("tcp.stream", numeric=True),
        Column("Client end", address=True),
        Column("Server end", address=True),
        Column("Began"),
        Column("Handshake"),
        Column("End"),
    )
    rows = tuple(
        (
            Cell(str(subflow.index)),
            Cell(str(subflow.tcp_stream)),
            Cell(figures.endpoint(subflow.client)),
            Cell(figures.endpoint(subflow.server)),
            Cell(_began(subflow)),
            _handshake(subflow),
            _end(subflow),
        )
        for subflow in connection.subflows
    )
    return Table("Subflows", columns, rows)


def carried_table(connection: Connection, *, exact: bool = True) -> Table:
    """Return what each subflow carried in each direction; columns without a figure are left out."""
    present = [
        entry
        for entry in _CARRIED_COLUMNS
        if (exact or entry[0] != "Packets")
        and (
            entry[1]
            or not _SILENT.issuperset(
                entry[2](getattr(subflow, name), exact)
                for subflow in connection.subflows
                for name in DIRECTIONS
            )
        )
    ]
    rows: list[tuple[Cell, ...]] = []
    for name, words in DIRECTIONS.items():
        directions = [(subflow, getattr(subflow, name)) for subflow in connection.subflows]
        if not any(direction.payload_octets for _, direction in directions):
            continue
        rows.append((Cell(words, "strong"), *(Cell("") for _ in present)))
        rows += [
            (
                Cell(f"  subflow {subflow.index}"),
                *(Cell(entry[2](direction, exact)) for entry in present),
            )
            for subflow, direction in directions
        ]
    columns = (Column("Carried"), *(Column(entry[0], numeric=True) for entry in present))
    return Table("Carried", columns, tuple(rows))


def address_table(connection: Connection) -> Table:
    """Return a row for each address that was advertised with ADD_ADDR."""
    columns = (
        Column("ADD_ADDR by"),
        Column("ID", numeric=True),
        Column("Address", address=True),
        Column("Packet", numeric=True),
        Column("HMAC"),
        Column("What became of it"),
    )
    hmac = {
        True: Cell("right"),
        False: Cell("wrong", "error"),
        None: Cell("none (v0)" if connection.version == 0 else "not checkable", "faint"),
    }
    rows = []
    for advertised in connection.addresses:
        # v0 has neither HMACs nor echoes (RFC 6824 section 3.4.1)
        good = advertised.echoed or connection.version == 0
        fate = [] if connection.version == 0 else ["echoed" if good else "never echoed"]
        fate.append("joined" if advertised.joined else "never joined")
        if advertised.removed:
            fate.append("removed again")
        rows.append(
            (
                Cell(advertised.by),
                Cell(str(advertised.address_id)),
                Cell(figures.address_and_port(advertised.address, advertised.port)),
                Cell(str(advertised.packet)),
                hmac[advertised.hmac_valid],
                Cell(", ".join(fate), "" if good else "warning"),
            )
        )
    return Table("Addresses advertised (ADD_ADDR)", columns, tuple(rows))


def rtt(distribution: Distribution | None) -> str:
    """Return median and 95th percentile of round-trip times."""
    if distribution is None:
        return figures.ABSENT
    return f"{figures.seconds(distribution.median)} ({figures.seconds(distribution.p95)})"


def _began(subflow: Subflow) -> str:
    if subflow.kind == "initial":
        text = figures.moment(subflow.start_s)
    elif subflow.join_delay_s is None:
        text = f"join at {figures.moment(subflow.start_s)}"
    else:
        text = f"join after {figures.seconds(subflow.join_delay_s)}"
    if subflow.started_by == "server":
        text += " by the server"
    backups = [side for side in ("client", "server") if getattr(subflow, side).backup]
    return f"{text}, backup ({' and '.join(backups)})" if backups else text


def _handshake(subflow: Subflow) -> Cell:
    valid = subflow.hmac_valid
    wrong = [
        side
        for side, right in (("client", valid.client), ("server", valid.server))
        if right is False
    ]
    if wrong:
        return Cell(f"HMAC of the {' and the '.join(wrong)} wrong", "error")
    text, tone = HANDSHAKE_WORDS[subflow.handshake], HANDSHAKE_TONES[subflow.handshake]
    if subflow.handshake == "complete" and subflow.handshake_s is not None:
        text = f"SYN/ACK in {figures.seconds(subflow.handshake_s)}"
    return Cell(text, tone)


def _end(subflow: Subflow) -> Cell:
    if subflow.end == "fin":
        return Cell("FIN")
    if subflow.end == "open":
        return Cell("open", "faint")
    by = f" by {subflow.reset_by}" if subflow.reset_by else ""
    why = f": {figures.printable(subflow.reset_reason.name)}" if subflow.reset_reason else ""
    return Cell(f"RST{by}{why}", "warning")


def _out_of_order(side: ConnectionDirection) -> str:
    if not side.out_of_order_packets:
        return _NONE
    return (
        f"{figures.counted(side.out_of_order_packets, 'packet')}, "
        f"{figures.octets(side.out_of_order_octets)}"
    )


def _checksums(side: ConnectionDirection) -> str:
    if not side.checksums_verified and not side.checksum_failures:
        return figures.ABSENT
    return f"{figures.count(side.checksums_verified)} right, {side.checksum_failures:,} wrong"


def _window_limited(side: ConnectionDirection) -> str:
    number = side.window_limited_packets
    return figures.counted(number, "packet") if number else _NONE


def _data_fin(side: ConnectionDirection) -> str:
    if not side.data_fin:
        return "not seen"
    return {True: "sent, acknowledged", False: "sent, not acknowledged", None: "sent"}[
        side.data_fin_acked
    ]


def _longest_stall(side: ConnectionDirection) -> str:
    if not side.stalls:
        return _NONE
    longest = max(stall.duration_s for stall in side.stalls)
    return f"{len(side.stalls)}, longest {figures.seconds(longest)}"


_DIRECTION_ROWS: Final[tuple[tuple[str, bool, Tone, Callable[[ConnectionDirection], str]], ...]] = (
    ("Data sent, each octet once", True, "", lambda side: figures.octets(side.unique_octets)),
    ("Acknowledged (DATA_ACK)", True, "", lambda side: figures.octets(side.acked_octets)),
    (
        "Missing from the capture",
        False,
        "warning",
        lambda side: figures.octets(side.missing_octets),
    ),
    (
        "Goodput",
        False,
        "",
        lambda side: figures.bit_rate(side.goodput_bps),
    ),
    (
        "Throughput, all copies",
        False,
        "",
        lambda side: figures.bit_rate(side.throughput_bps),
    ),
    ("Data RTT, median (95 %)", False, "", lambda side: rtt(side.data_rtt_s)),
    ("Retransmitted by TCP", False, "", lambda side: figures.octets(side.retransmitted_octets)),
    ("Remapped (same subflow again)", False, "", lambda side: figures.octets(side.remapped_octets)),
    (
        "Reinjected (other subflow)",
        False,
        "",
        lambda side: figures.octets(side.reinjected_octets.total),
    ),
    ("  useful", False, "", lambda side: figures.octets(side.reinjected_octets.useful)),
    ("  redundant", False, "", lambda side: figures.octets(side.reinjected_octets.redundant)),
    ("  spurious", False, "", lambda side: figures.octets(side.reinjected_octets.spurious)),
    ("Out of order", False, "", _out_of_order),
    (
        "  gap filled, median (95 %)",
        False,
        "",
        lambda side: rtt(side.out_of_order_delay_s),
    ),
    ("Without a mapping", False, "warning", lambda side: figures.octets(side.unmapped_octets)),
    ("Most in flight", False, "", lambda side: figures.octets(side.max_data_flight_octets)),
    ("Limited by the receive window", False, "", _window_limited),
    ("Stalls", False, "warning", _longest_stall),
    ("DSS checksums", False, "", _checksums),
    ("DATA_FIN", True, "", _data_fin),
)
"""Label, whether the row is shown without a figure, its tone, and its words."""

_CARRIED_COLUMNS: Final[tuple[tuple[str, bool, Callable[[SubflowDirection, bool], str]], ...]] = (
    ("Share of\nthe data", True, lambda d, _: figures.share(d.contribution)),
    ("Packets", True, lambda d, _: figures.count(d.packets)),
    ("Payload", True, lambda d, exact: figures.octets(d.payload_octets, exact=exact)),
    (
        "Retrans-\nmitted",
        False,
        lambda d, exact: figures.octets(d.retransmitted_octets, exact=exact),
    ),
    ("Remapped", False, lambda d, exact: figures.octets(d.remapped_octets, exact=exact)),
    ("Reinjected", False, lambda d, exact: figures.octets(d.reinjected_octets, exact=exact)),
    ("Unmapped", False, lambda d, exact: figures.octets(d.unmapped_octets, exact=exact)),
    ("RTT\nmedian", True, lambda d, _: figures.seconds(d.rtt_s.median if d.rtt_s else None)),
    ("RTT\n95 %", True, lambda d, _: figures.seconds(d.rtt_s.p95 if d.rtt_s else None)),
)
"""Label, whether the column is shown without a figure, and a cell's words."""
