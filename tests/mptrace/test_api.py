"""What ``import mptrace`` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import mptrace
from mptrace.capture import CaptureError


def test_a_notebook_shows_tables(root: Path) -> None:
    analysis = mptrace.analyze(root / "samples" / "walkout" / "client.pcap")
    assert isinstance(analysis, mptrace.Analysis)
    html = analysis._repr_html_()
    assert "<table" in html
    assert "10.1.0.1" in html


def test_iterating_gives_connections(root: Path) -> None:
    analysis = mptrace.analyze(root / "samples" / "many" / "client.pcap")
    assert len(analysis) == len(list(analysis)) == len(analysis.connection_list) > 50
    assert analysis[3] is analysis.connection(3)
    with pytest.raises(IndexError):
        analysis.connection(len(analysis))


def test_progress_ends_at_the_size_of_the_file(root: Path) -> None:
    path = root / "samples" / "walkout" / "client.pcap"
    calls: list[tuple[int, int]] = []
    mptrace.analyze(path, progress=lambda done, size: calls.append((done, size)))
    assert calls[-1] == (path.stat().st_size, path.stat().st_size)


def test_what_is_no_capture_says_so(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("hello, this is no capture")
    with pytest.raises(CaptureError, match=r"text\.txt"):
        mptrace.analyze(path)


def test_exports_are_there() -> None:
    for name in mptrace.__all__:
        assert getattr(mptrace, name)
