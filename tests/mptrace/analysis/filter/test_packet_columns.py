"""Columns are read once, whatever the order of batches and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mptrace.analysis import analyze_capture
from mptrace.analysis.filter import DisplayFilter, PacketColumns, connections_with
from mptrace.capture import Capture, open_capture

FILTERS = (
    "tcp.seq > 5000",
    "frame.time_delta > 0.01",
    "tcp.time_delta > 0.02",
    "tcp.options.mptcp.subtype == 1",
    "tcp.window_size > 65535",
    'frame contains 1e && tcp.payload matches "[a-f]"',
    "tcp.stream == 1",
)


def test_fields_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    original = Capture.batches

    def batches(self: Capture, progress: object = None) -> object:
        passes.append(1)
        return original(self, progress)  # type: ignore[arg-type]

    with open_capture(root / "samples/add_address_ipv6/client.pcap") as capture:
        monkeypatch.setattr(Capture, "batches", batches)
        columns = PacketColumns(capture)
        told: list[int] = []
        DisplayFilter("tcp.len > 0 && ip.ttl == 64 && tcp.stream == 0").mask(columns, told.append)
        assert len(passes) == 1
        assert told == sorted(told)
        assert told[-1] == capture.size
        DisplayFilter("tcp.len < 10 || tcp.stream == 1 || frame.number == 3").mask(columns)
        assert len(passes) == 1
        DisplayFilter("tcp.checksum > 5").mask(columns)
        assert len(passes) == 2


def test_small_batches_make_no_difference(root: Path) -> None:
    path = root / "samples/add_address_ipv6/client.pcap"
    with open_capture(path) as whole, open_capture(path, chunk_octets=700) as parts:
        columns, in_parts = PacketColumns(whole), PacketColumns(parts)
        assert columns.packets == in_parts.packets
        for text in FILTERS:
            display_filter = DisplayFilter(text)
            expected = display_filter.mask(columns)
            assert expected.any()
            assert (display_filter.mask(in_parts) == expected).all(), text


def test_several_files_are_one_capture(root: Path) -> None:
    """Numbered by time over both files; every packet is in the mask once."""
    paths = [root / f"samples/fallback_first_data/{side}.pcap" for side in ("client", "server")]
    with (
        open_capture(paths) as both,
        open_capture(paths[0]) as one,
        open_capture(paths[1]) as other,
    ):
        columns = PacketColumns(both)
        apart = [PacketColumns(one), PacketColumns(other)]
        for text in (
            "tcp.len > 0",
            "tcp.flags.syn == 1",
            "frame contains 1e",
            "tcp.options.sack_le",
        ):
            display_filter = DisplayFilter(text)
            numbers = display_filter.frame_numbers(columns)
            assert numbers.size == sum(display_filter.mask(part).sum() for part in apart)
        times = columns.column("frame.time_epoch").value
        assert (np.diff(times) >= 0).all()
        assert columns.packets == sum(part.packets for part in apart)


def test_a_capture_without_packets(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "none.pcap"
    path.write_bytes((root / "samples/add_address_ipv6/client.pcap").read_bytes()[:24])
    with open_capture(path) as capture:
        columns = PacketColumns(capture, analyze_capture(capture))
        for text in (*FILTERS, "mptcp.stream == 0", "mptrace.copy == first", "!ip", "mptcp.master",
                     "mptrace.finding", "ip.src == ip.dst", "ipv6.addr == fd00::/8",
                     "len(mptrace.copy) > 1", "count(tcp.port) == 2", "mptcp.dss.dsn"):  # fmt: skip
            assert DisplayFilter(text).mask(columns).shape == (0,)


def test_fields_of_the_analysis_need_one(root: Path) -> None:
    with open_capture(root / "samples/add_address_ipv6/client.pcap") as capture:
        columns = PacketColumns(capture)
        assert DisplayFilter("mptcp").mask(columns).any()
        with pytest.raises(ValueError, match="only the finished analysis knows"):
            DisplayFilter("mptcp.stream == 0").mask(columns)


def test_connections_of_the_packets_that_pass(root: Path) -> None:
    with open_capture(root / "samples/many/client.pcap") as capture:
        analysis = analyze_capture(capture)
        columns = PacketColumns(capture, analysis)
        for connection in analysis.connection_list[:3]:
            for subflow in connection.subflows:
                mask = DisplayFilter(f"tcp.stream == {subflow.tcp_stream}").mask(columns)
                assert connections_with(analysis, mask) == {connection.index}
            mask = DisplayFilter(f"mptcp.stream == {connection.index}").mask(columns)
            assert mask.sum() == connection.packets
        assert connections_with(analysis, np.zeros(columns.packets, np.bool_)) == frozenset()


def test_findings_are_fields(root: Path) -> None:
    with open_capture(root / "samples/walkout/client.pcap") as capture:
        analysis = analyze_capture(capture)
        columns = PacketColumns(capture, analysis)
        assert analysis.findings
        for finding in analysis.findings:
            numbers = DisplayFilter(f"mptrace.finding == {finding.code}").frame_numbers(columns)
            assert set(finding.packets) <= set(numbers.tolist())
