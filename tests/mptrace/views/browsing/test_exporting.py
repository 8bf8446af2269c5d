from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mptrace.capture import open_capture
from mptrace.views.browsing import exporting
from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.time_column import TimeColumn

Open = Callable[[str], OpenedCapture]


@pytest.mark.parametrize("name", ["walkout/client.pcap", "two_interfaces/client.pcapng"])
def test_packets_are_written_as_they_are(opened: Open, name: str, tmp_path: Path) -> None:
    capture = opened(name)
    rows = np.array([0, 3, 4, 100, 101])
    path = tmp_path / "some.pcapng"
    assert exporting.write_packets(capture, rows, path) == 5
    with open_capture(path) as written:
        records = list(written.records())
    for row, record in zip(rows.tolist(), records, strict=True):
        original = capture.packets.record(row)
        assert record.octets == original.octets
        assert record.time_ns == original.time_ns
        assert record.wire_length == original.wire_length
        assert record.interface.link_type == original.interface.link_type
        assert record.interface.name == original.interface.name


def test_no_file_is_written_over(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "there.csv"
    path.write_text("mine")
    capture = opened("walkout/client.pcap")
    rows = np.arange(3)
    with pytest.raises(FileExistsError):
        exporting.write_packets(capture, rows, path)
    with pytest.raises(FileExistsError):
        exporting.write_table(capture, TimeColumn(capture.packets), rows, path)
    with pytest.raises(FileExistsError):
        exporting.write_report(capture, path)
    assert path.read_text() == "mine"


def test_the_table_is_what_is_shown(opened: Open, tmp_path: Path) -> None:
    capture = opened("walkout/client.pcap")
    path = tmp_path / "table.csv"
    times = TimeColumn(capture.packets)
    times.next_format()
    rows = np.array([0, 10, 200])
    assert exporting.write_table(capture, times, rows, path) == 3
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [line["No."] for line in table] == ["1", "11", "201"]
    assert [line["Info"] for line in table] == [capture.rows.row(r).info for r in rows.tolist()]
    gap = int(capture.packets.time_ns[200] - capture.packets.time_ns[10])
    assert table[2]["Time"] == f"{gap // 10**9}.{gap % 10**9 // 1000:06}"


def test_the_report_is_the_reports(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    exporting.write_report(opened("walkout/client.pcap"), path)
    text = path.read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")


def test_an_export_can_be_given_up(opened: Open, tmp_path: Path) -> None:
    capture = opened("walkout/client.pcap")
    rows = np.arange(50)
    assert exporting.write_packets(capture, rows, tmp_path / "a.pcapng", lambda: True) == 0
    times = TimeColumn(capture.packets)
    assert exporting.write_table(capture, times, rows, tmp_path / "a.csv", lambda: True) == 0
