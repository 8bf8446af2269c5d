"""How far the kernel's own counters moved: the truth that no packet can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samples.recording.namespaces import Namespace

Counters = dict[str, dict[str, int]]

TCP_NAMES = (
    "ActiveOpens",
    "PassiveOpens",
    "AttemptFails",
    "EstabResets",
    "RetransSegs",
    "InErrs",
    "OutRsts",
)
TCP_EXTENSION_NAMES = (
    "TCPLostRetransmit",
    "TCPFastRetrans",
    "TCPTimeouts",
    "TCPLossProbes",
    "TCPSynRetrans",
    "TCPDSACKRecv",
    "TCPSpuriousRTOs",
    "TCPOFOQueue",
)


def read_counters(host: Namespace) -> Counters:
    """Read the tables MPTcpExt, TcpExt and Tcp of a namespace."""
    text = host.run("cat /proc/net/netstat /proc/net/snmp")
    return parse_tables(text)


def parse_tables(text: str) -> Counters:
    """Read pairs of lines (names, values) as /proc/net/netstat has them."""
    tables: Counters = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        table, _, name_text = names.partition(":")
        _, _, value_text = values.partition(":")
        numbers = [int(value) for value in value_text.split()]
        tables[table] = dict(zip(name_text.split(), numbers, strict=True))
    return tables


def moved(before: Counters, after: Counters) -> dict[str, int]:
    """Give the MPTCP counters that moved, and by how much."""
    return _difference(before, after, "MPTcpExt", None)


def moved_tcp(before: Counters, after: Counters) -> dict[str, int]:
    """Give the TCP counters that say something of a transfer and moved."""
    return {
        **_difference(before, after, "Tcp", TCP_NAMES),
        **_difference(before, after, "TcpExt", TCP_EXTENSION_NAMES),
    }


def _difference(
    before: Counters, after: Counters, table: str, names: tuple[str, ...] | None
) -> dict[str, int]:
    old, new = before.get(table, {}), after.get(table, {})
    chosen = names if names is not None else tuple(new)
    steps = {name: new.get(name, 0) - old.get(name, 0) for name in chosen}
    return {name: step for name, step in steps.items() if step and name != "MPCurrEstab"}
