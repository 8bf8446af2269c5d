"""``mptrace report``: where the file goes, what is never overwritten, and the exit statuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mptrace.commands import main, progress
from mptrace.commands import report as command

Output = pytest.CaptureFixture[str]


@pytest.fixture
def capture(root: Path) -> str:
    return str(root / "samples" / "fade" / "client.pcap")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_name_is_the_capture_s(here: Path, capture: str, capsys: Output) -> None:
    assert main.run(["report", capture]) == 0
    assert [path.name for path in here.iterdir()] == ["client.html"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "mptrace: wrote client.html\n"
    text = (here / "client.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "<title>MPTCP in client.pcap</title>" in text
    assert text.endswith("</html>\n")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/walk.pcap", "walk.html"),
        ("walk.pcapng.gz", "walk.html"),
        ("walk.PCAP.xz", "walk.PCAP.html"),
        ("walk.2026", "walk.2026.html"),
        (".pcap", ".pcap.html"),
    ],
)
def test_names(path: str, name: str) -> None:
    assert command.output_path(None, [path, "other.pcap"]) == Path(name)


def test_nothing_is_overwritten_unasked(here: Path, capture: str, capsys: Output) -> None:
    precious = here / "client.html"
    precious.write_text("mine", encoding="utf-8")
    assert main.run(["report", capture]) == 2
    assert precious.read_text(encoding="utf-8") == "mine"
    assert capsys.readouterr().err == (
        "mptrace: client.html: exists already (--force writes over it)\n"
    )
    assert main.run(["report", capture, "-o", "client.html"]) == 2
    assert main.run(["report", capture, "-o", "client.html", "--force"]) == 0
    assert precious.read_text(encoding="utf-8").startswith("<!DOCTYPE")
    assert [path.name for path in here.iterdir()] == ["client.html"]


def test_standard_output(
    here: Path, capture: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main.run(["report", capture, "-o", "-", "--title", "A → B", "--theme", "dark"]) == 0
    captured = capfdbinary.readouterr()
    assert captured.err == b""
    assert "<title>A → B</title>".encode() in captured.out
    assert b'data-theme="dark"' in captured.out
    assert list(here.iterdir()) == []


def test_standard_input_has_no_name(capsys: Output) -> None:
    assert main.run(["report", "-"]) == 2
    assert "say -o FILE" in capsys.readouterr().err


def test_one_connection(here: Path, root: Path, capsys: Output) -> None:
    capture = str(root / "samples" / "many" / "client.pcap")
    assert main.run(["report", capture, "-c", "4", "-o", "four.html"]) == 0
    text = (here / "four.html").read_text(encoding="utf-8")
    assert re.findall(r'id="packed-(\d+)"', text) == ["4"]
    capsys.readouterr()
    assert main.run(["report", capture, "-c", "4000", "-o", "x.html"]) == 2
    assert "there is no connection 4000" in capsys.readouterr().err
    assert not (here / "x.html").exists()


def test_a_damaged_capture_is_reported_up_to_there(here: Path, root: Path, capsys: Output) -> None:
    whole = (root / "samples" / "fade" / "client.pcap").read_bytes()
    (here / "cut.pcap").write_bytes(whole[: len(whole) // 2])
    assert main.run(["report", "cut.pcap"]) == 1
    assert "cut.pcap: damaged at offset" in capsys.readouterr().err
    assert "The capture is damaged" in (here / "cut.html").read_text(encoding="utf-8")


def test_what_cannot_be_read_leaves_no_file(here: Path, capsys: Output) -> None:
    (here / "text.pcap").write_text("no capture at all", encoding="utf-8")
    assert main.run(["report", "text.pcap"]) == 2
    assert "text.pcap" in capsys.readouterr().err
    assert not (here / "text.html").exists()


def test_a_directory_that_is_not_there(here: Path, capture: str, capsys: Output) -> None:
    assert main.run(["report", capture, "-o", "no/such/place.html"]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_progress_counts_connections(
    here: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []

    def note(self: Any, done: int, total: int) -> None:
        del self
        seen.append((done, total))

    monkeypatch.setattr(progress.ProgressBar, "__call__", note)
    assert main.run(["report", str(root / "samples" / "many" / "client.pcap")]) == 0
    drawn = [total for _, total in seen if total < 1000]
    assert drawn
    assert seen[-1] == (drawn[0], drawn[0])
    assert len(drawn) == drawn[0]
    assert (here / "client.html").exists()


def test_the_command_is_light(many: Callable[[int], Any]) -> None:
    """Made-up connections have no series: the report is the table, panels and no timelines."""
    from mptrace.views.report import html

    text = html(many(120))
    assert text.count("<tr data-connection=") == 120
    assert len(re.findall(r'id="packed-\d+"', text)) == 120
