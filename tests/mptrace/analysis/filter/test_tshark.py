"""tshark, given the same fields and the same filters, has the same values and packets."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mptrace.analysis.filter import DisplayFilter, PacketColumns, octet_search
from mptrace.analysis.filter.field import Field
from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.filter.registry import visible
from mptrace.capture import open_capture

pytestmark = pytest.mark.tshark

Tool = Callable[[str], str]
SAMPLES = (
    "walkout/client.pcap",
    "add_address_ipv6/client.pcap",
    "two_interfaces/client.pcapng",
    "port_reuse/client.pcap",
    "fallback_first_data/client.pcap",
    "subflow_reset/server.pcap",
    "snaplen/client.pcap",
)
SAME_NAME_OTHER_MEANING = {
    # what tshark means by these is told in docs/filter.md
    "tcp.options.mptcp.flags", "tcp.options.mptcp.reserved", "tcp.options.mptcp.reserved.flag",
    "tcp.options.mptcp.checksum", "tcp.options.unknown.payload", "tcp.option_kind",
    "tcp.option_len",
    # a protocol has no value in tshark's output, only a name
    "frame", "tcp", "ip", "ipv6", "eth", "sll", "udp", "icmp", "icmpv6", "frame.time",
}  # fmt: skip
FILTERS = """
tcp.flags.syn == True
tcp.flags.syn == 2
tcp.flags.syn
!tcp.flags.syn == 1
tcp.port != 5001
tcp.port == 5001
tcp.port === 5001
tcp.port !== 5001
any tcp.port > 40000
all tcp.port > 40000
tcp.port all_ne 5001
tcp.len in {1420}
tcp.len in {1400..1500}
tcp.len not in {0}
tcp.len == 0x58c
tcp.len == 02614
tcp.len ge 0b1 and tcp.len le 1000
ip.addr == 10.1.0.0/16
ip.addr == 10.2.0.1
ip.src == 10.1.0.1/31
ip.addr < 10.2.0.0
ip.addr > 10.2.0.0/16
ip.addr != 10.2.0.1
ip.addr in {10.2.0.0/16}
ip.src in {10.1.0.1 .. 10.1.0.9}
ipv6.addr == fd00::/8
ipv6.addr != fd00::/8
ipv6.src > fd00:2::
frame.time_relative > 0.5
frame.time_relative == 0.0
frame.time_relative > -1
frame.time_delta > 0.01
tcp.time_relative > 0.1
frame.time > "2020-01-01 00:00:00"
tcp.srcport == tcp.dstport
tcp.srcport < tcp.dstport
ip.src < ip.dst
tcp.seq > tcp.ack
tcp.flags & 2
tcp.flags & 0x10 == 0x10
tcp.len + 1 == 1
tcp.len * 2 > 2000
tcp.len % 100 == 20
not tcp.len == 0 and tcp.flags.fin == 1 or tcp.flags.syn == 1
not (tcp.len == 0 and tcp.flags.fin == 1) or tcp.flags.syn == 1
!tcp.len==0
! tcp.len == 0 && ip
frame contains "GET"
frame contains 0101080a
frame contains 08:0a
frame contains 7f
frame contains "\\x08\\n"
tcp.payload contains aa
tcp contains 08:0a
tcp contains 61
frame matches "a.b"
tcp.payload matches "[a-c]{3}"
frame[0] == 08
frame[0:2] == 08:00
frame[-1] == 00
frame[-2:2] == 00:00
frame[90:] > 80
frame[0:2] > 00
frame[0-1] == 00:00
frame[:2] == 08:00
tcp.payload[0] < 40
len(tcp.payload) > 1000
count(tcp.options.mptcp.subtype) > 1
ip.proto == TCP
tcp.options.mptcp.subtype == "Data Sequence Signal"
tcp.options.mptcp.subtype > 2
tcp.options.mptcp.subtype != 2
tcp.options.mptcp.sendhmac contains 01
tcp.options.mptcp.sendtrunchmac > 0
tcp.options.mptcp.rawdataack > 0x8000000000000000
tcp.options.mptcp.addrid != 1
tcp.options.mptcp.flags & 4
tcp.window_size > 65535
frame.number in {3..9}
tcp.stream == 1
mptcp && mptcp.stream == 0
mptcp && mptcp.master == 1
tcp && !mptcp
mptcp
udp || icmp || icmpv6
eth.src == 02:00:00:00:00:01
""".strip().splitlines()
MPTCP = ("-2", "-o", "mptcp.analyze_mappings:TRUE")


def shared_fields(tshark: str) -> list[Field]:
    known = subprocess.run([tshark, "-G", "fields"], capture_output=True, check=True, text=True)
    names = {line.split("\t")[2] for line in known.stdout.splitlines() if line.startswith("F\t")}
    return [
        field
        for field in visible()
        if field.name in names
        and field.name not in SAME_NAME_OTHER_MEANING
        and not field.name.startswith("mptcp.")
    ]


def values_of(field: Field, columns: PacketColumns) -> list[list[Any]]:
    """What the packets have, as tshark's output is parsed below."""
    column = columns.column(field.name)
    result: list[list[Any]] = [[] for _ in range(columns.packets)]
    values: list[Any]
    if field.type is FieldType.OCTETS:
        values = octet_search.values(columns.capture, column) if len(column) else []
    elif field.type is FieldType.IPV6:
        values = [IPv6Address(high << 64 | low) for high, low in column.value.tolist()]
    elif field.type is FieldType.IPV4:
        values = [IPv4Address(value) for value in column.value.tolist()]
    else:
        values = column.value.tolist()
    for row, value in zip(column.row.tolist(), values, strict=True):
        result[row].append(value)
    return result


def parsed(field: Field, text: str) -> Any:
    match field.type:
        case FieldType.OCTETS:
            return bytes.fromhex(text.replace(":", ""))
        case FieldType.IPV4:
            return IPv4Address(text)
        case FieldType.IPV6:
            return IPv6Address(text)
        case FieldType.TIME:
            return int(Decimal(text) * 1_000_000_000)
        case FieldType.ETHERNET:
            return int(text.replace(":", ""), 16)
    return {"True": 1, "False": 0}.get(text) if text in {"True", "False"} else int(text, 0)


def check_values(tshark: str, path: Path, columns: PacketColumns) -> None:
    fields = shared_fields(tshark)
    command = [tshark, "-n", "-r", str(path), "-T", "fields", "-E", "aggregator=;"]
    command += [argument for field in fields for argument in ("-e", field.name)]
    output = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    packets = [line.split("\t") for line in output.splitlines()]
    assert len(packets) == columns.packets
    columns.load(field.name for field in fields)
    for index, field in enumerate(fields):
        theirs = [
            sorted(parsed(field, part) for part in packet[index].split(";") if part)
            for packet in packets
        ]
        ours = [sorted(values) for values in values_of(field, columns)]
        different = [n for n, (a, b) in enumerate(zip(theirs, ours, strict=True), 1) if a != b]
        assert not different, (field.name, different[:5], theirs[different[0] - 1],
                               ours[different[0] - 1])  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_values(tool: Tool, root: Path, columns_of: Callable[[str], Any], name: str) -> None:
    check_values(tool("tshark"), root / "samples" / name, columns_of(name))


def test_values_of_other_protocols(tool: Tool, made_capture: Path) -> None:
    with open_capture(made_capture) as capture:
        check_values(tool("tshark"), made_capture, PacketColumns(capture))


def counted(tshark: str, path: Path, filters: list[str]) -> list[tuple[int, int]]:
    """How many packets pass each filter, and the sum of their numbers, in one run of tshark."""
    columns = [
        column
        for text in filters
        for column in (f"FRAMES()({text})", f"SUM(frame.number)frame.number && ({text})")
    ]
    command = [tshark, "-n", "-r", str(path), *MPTCP, "-q", "-z", ",".join(["io,stat,0", *columns])]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    row = next(line for line in result.stdout.splitlines() if re.match(r"\|\s*[\d.]+ <> ", line))
    numbers = [int(part) for part in row.split("|")[2:] if part.strip()]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


@pytest.mark.parametrize("name", SAMPLES[1:5])
def test_filters(tool: Tool, root: Path, columns_of: Callable[[str], Any], name: str) -> None:
    columns = columns_of(name)
    theirs = counted(tool("tshark"), root / "samples" / name, FILTERS)
    passing = [DisplayFilter(text).frame_numbers(columns) for text in FILTERS]
    ours = [(numbers.size, int(np.sum(numbers))) for numbers in passing]
    assert dict(zip(FILTERS, ours, strict=True)) == dict(zip(FILTERS, theirs, strict=True))


def test_filters_of_other_protocols(tool: Tool, made_capture: Path) -> None:
    filters = [text for text in FILTERS if "mptcp." not in text and "mptcp" not in text.split("!")]
    filters = [text for text in filters if not DisplayFilter(text).needs_analysis]
    theirs = counted(tool("tshark"), made_capture, filters)
    with open_capture(made_capture) as capture:
        columns = PacketColumns(capture)
        passing = [DisplayFilter(text).frame_numbers(columns) for text in filters]
    ours = [(numbers.size, int(np.sum(numbers))) for numbers in passing]
    assert dict(zip(filters, ours, strict=True)) == dict(zip(filters, theirs, strict=True))
