"""Tables on disk: nothing is lost on the way, least of all bits."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from mptrace.views import tables

if TYPE_CHECKING:
    from pathlib import Path


def test_csv_has_a_file_for_each_table(rich_analysis: Any, tmp_path: Path) -> None:
    paths = tables.write_csv(rich_analysis, tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == sorted(f"{name}.csv" for name in tables.NAMES)
    assert sorted(paths) == sorted((tmp_path / "new" / "folder").iterdir())


def test_csv_keeps_64_bits_and_absence(rich_analysis: Any, tmp_path: Path) -> None:
    tables.write_csv(rich_analysis, tmp_path)
    with (tmp_path / "mappings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [
        {"mptcp.stream": "0", "number": str(2**64 - 1), "mptcp.dsn": str(2**53 + 1)},
        {"mptcp.stream": "1", "number": str(2**64 - 1), "mptcp.dsn": ""},
    ]


def test_csv_findings(rich_analysis: Any, tmp_path: Path) -> None:
    tables.write_csv(rich_analysis, tmp_path)
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {
        "code": "handover",
        "severity": "warning",
        "connection": "0",
        "subflow": "0",
        "packets": "909 960",
        "packet_count": "2",
        "message": "New data moved from subflow 0 to subflow 1 after a gap of 412 ms.",
        "reference": "RFC 8684 section 3.3.6",
    }
    assert rows[2]["connection"] == rows[2]["packets"] == ""


def test_parquet_keeps_64_bits_and_absence(rich_analysis: Any, tmp_path: Path) -> None:
    paths = tables.write_parquet(rich_analysis, tmp_path)
    assert sorted(path.name for path in paths) == sorted(f"{name}.parquet" for name in tables.NAMES)
    mappings = pd.read_parquet(tmp_path / "mappings.parquet")
    assert str(mappings["number"].dtype) == "uint64"
    assert list(mappings["number"]) == [2**64 - 1] * 2
    assert mappings["mptcp.dsn"].dtype == pd.UInt64Dtype()
    assert mappings["mptcp.dsn"][0] == 2**53 + 1
    assert mappings["mptcp.dsn"][1] is pd.NA
    findings = pd.read_parquet(tmp_path / "findings.parquet")
    assert list(findings["packets"][0]) == [909, 960]


def test_without_pyarrow_parquet_says_what_to_install(
    rich_analysis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    with pytest.raises(tables.MissingPyarrowError, match=r"mptrace\[parquet\]"):
        tables.write_parquet(rich_analysis, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_findings_is_a_table_too() -> None:
    frame = tables.findings_frame(())
    assert len(frame) == 0
    assert "message" in frame
