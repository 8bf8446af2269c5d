from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mptrace.capture import open_capture
from mptrace.capture.writer import PcapWriter
from mptrace.views.browsing.opened import OpenedCapture, open_for_browsing
from mptrace.views.browsing.packet_table import PacketTable

ARP = bytes.fromhex(
    "ffffffffffff0200000000010806000108000604000102000000000a0a0100010000000000000a010002"
)
UDP = (
    bytes.fromhex(
        "020000000002020000000001080045000020000100004011648a0a0100010a010002"
        "1f9000350 00c0000".replace(" ", "")
    )
    + b"abcd"
)
NAMES = (
    "frame.number",
    "frame.len",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.len",
    "frame.time_epoch",
)


def fields_by_tshark(path: Path, *names: str) -> list[list[str]]:
    arguments = [part for name in names for part in ("-e", name)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=f", *arguments]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split("\t") for line in lines]


@pytest.mark.tshark
@pytest.mark.skipif(
    not shutil.which("tshark") and not os.environ.get("CI"), reason="tshark is not installed"
)
@pytest.mark.parametrize("name", ["walkout/client.pcap", "add_address_ipv6/client.pcap"])
def test_rows_are_those_of_tshark(
    name: str, opened: Callable[[str], OpenedCapture], samples: Path
) -> None:
    capture = opened(name)
    rows = fields_by_tshark(samples / name, *NAMES)
    assert len(rows) == len(capture.packets)
    for row, found in enumerate(rows):
        packet, header = capture.rows.row(row), capture.packets.tcp(row)
        assert header is not None
        seconds, fraction = found[10].split(".")
        assert [packet.number, packet.length] == [int(found[0]), int(found[1])]
        assert packet.source == found[2] + found[3]
        assert packet.destination == found[4] + found[5]
        assert [header.source_port, header.destination_port, header.seq] == [
            int(text) for text in found[6:9]
        ]
        assert header.payload_length == int(found[9])
        assert int(capture.packets.time_ns[row]) == int(seconds) * 10**9 + int(
            fraction.ljust(9, "0")[:9]
        )


def test_a_record_is_the_packet_of_that_number(
    opened: Callable[[str], OpenedCapture], samples: Path
) -> None:
    capture = opened("two_interfaces/client.pcapng")
    with open_capture(samples / "two_interfaces/client.pcapng") as whole:
        records = list(whole.records())
    assert len(records) == len(capture.packets)
    for row, record in enumerate(records):
        assert capture.packets.record(row) == record


def test_several_files_are_in_the_order_of_time(samples: Path, tmp_path: Path) -> None:
    with open_capture(samples / "walkout/client.pcap") as capture:
        records = list(capture.records())
    paths = [tmp_path / "odd.pcap", tmp_path / "even.pcap"]
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            writer = PcapWriter(file, records[0].interface.link_type)
            for record in records[number::2]:
                writer.write(record.octets, record.time_ns, record.wire_length)
    both = open_for_browsing([str(path) for path in paths])
    try:
        assert bool((np.diff(both.packets.time_ns) >= 0).all())
        octets = sorted(both.packets.record(row).octets for row in range(len(both.packets)))
        assert octets == sorted(record.octets for record in records)
        for row in range(len(both.packets)):
            area_header = both.packets.tcp(row)
            assert area_header is not None
            area = both.packets.option_area(row, area_header)
            assert area in both.packets.record(row).octets
    finally:
        both.close()


@pytest.fixture
def mixed(tmp_path: Path) -> OpenedCapture:
    path = tmp_path / "mixed.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file, 1)
        writer.write(ARP, 10**18)
        writer.write(UDP, 10**18 + 5)
        writer.write(b"\x00" * 9, 10**18 + 9)
    return open_for_browsing([str(path)])


def test_packets_without_tcp_have_rows_too(mixed: OpenedCapture) -> None:
    rows = [mixed.rows.row(row) for row in range(3)]
    assert [row.number for row in rows] == [1, 2, 3]
    assert (rows[1].source, rows[1].destination) == ("10.1.0.1", "10.1.0.2")
    assert "UDP" in rows[1].info or "User" in rows[1].info
    assert rows[0].source == "02:00:00:00:00:01"
    assert all(row.connection is None and row.info for row in rows)
    mixed.close()


def test_an_empty_capture_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    with path.open("wb") as file:
        PcapWriter(file, 1)
    capture = open_for_browsing([str(path)])
    assert len(capture.packets) == 0
    assert not capture.facts.rows.size
    capture.close()


def test_the_widest_address_is_found(opened: Callable[[str], OpenedCapture]) -> None:
    v6 = opened("add_address_ipv6/client.pcap")
    longest = max(len(v6.rows.row(row).source) for row in range(len(v6.packets)))
    assert v6.packets.widest_address >= longest
    assert opened("walkout/client.pcap").packets.widest_address == len("10.1.0.1")


def test_reading_tells_how_far_it_is(samples: Path) -> None:
    told: list[int] = []
    with open_capture(samples / "walkout/client.pcap") as capture:
        PacketTable.read(capture, told.append)
        assert told[-1] == capture.size
