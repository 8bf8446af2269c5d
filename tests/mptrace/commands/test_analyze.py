"""``mptrace analyze``: what goes where, and the exit statuses; the analysis itself is made up."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mptrace.capture.errors import CaptureError
from mptrace.commands import main, progress
from mptrace.views import tables

Output = pytest.CaptureFixture[str]
Use = Callable[[Any], list[Any]]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Let the command find a made-up analysis (or error); return what it asked for."""

    def install(result: Any) -> list[Any]:
        asked: list[Any] = []

        def analyze(files: Any, **options: Any) -> Any:
            asked.append((files, options))
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr("mptrace.analysis.analyze", analyze, raising=False)
        return asked

    return install


def test_text_is_the_default(use: Use, plain: Any, capsys: Output) -> None:
    asked = use(plain)
    assert main.run(["analyze", "a.pcap", "b.pcap"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("File       walkout/client.pcap\n")
    assert captured.err == ""
    assert asked[0][0] == ["a.pcap", "b.pcap"]


def test_json(use: Use, plain: Any, capsys: Output) -> None:
    use(plain)
    assert main.run(["analyze", "a.pcap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema_version"] == 1


def test_some_connections(use: Use, many: Callable[[int], Any], capsys: Output) -> None:
    use(many(9))
    assert main.run(["analyze", "a.pcap", "--json", "-c", "2", "--connection", "7"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [connection["index"] for connection in document["connections"]] == [2, 7]
    use(many(9))
    assert main.run(["analyze", "a.pcap", "-c", "4"]) == 0
    assert "\nConnection 4: " in capsys.readouterr().out


def test_a_connection_that_is_not_there(use: Use, plain: Any, capsys: Output) -> None:
    use(plain)
    assert main.run(["analyze", "a.pcap", "-c", "4"]) == 2
    assert capsys.readouterr() == (
        "",
        (
            "mptrace: walkout/client.pcap: there is no connection 4: "
            "the capture has only connection 0\n"
        ),
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_go_into_the_folder_and_nowhere_else(
    use: Use,
    plain: Any,
    capsys: Output,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    use(plain)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert main.run(["analyze", "a.pcap", f"--{kind}", str(tmp_path / "there")]) == 0
    assert "Connection 0" in capsys.readouterr().out
    assert list(here.iterdir()) == []
    assert {path.name for path in (tmp_path / "there").iterdir()} == {
        f"{name}.{kind}" for name in tables.NAMES
    }


def test_tables_hold_what_was_selected(
    use: Use, many: Callable[[int], Any], tmp_path: Path, capsys: Output
) -> None:
    use(many(5))
    assert main.run(["analyze", "a.pcap", "-c", "3", "--csv", str(tmp_path)]) == 0
    del capsys
    with (tmp_path / "connections.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["mptcp.stream"] for row in csv.DictReader(stream)] == ["3"]


def test_a_folder_that_cannot_be_written(
    use: Use, plain: Any, capsys: Output, tmp_path: Path
) -> None:
    use(plain)
    blocked = tmp_path / "file"
    blocked.touch()
    assert main.run(["analyze", "a.pcap", "--csv", str(blocked / "below")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"mptrace: {blocked}")
    assert captured.err.count("\n") == 1


def test_parquet_without_pyarrow_is_said_before_the_work(
    use: Use, plain: Any, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = use(plain)
    monkeypatch.setattr(tables, "find_spec", lambda _: None)
    assert main.run(["analyze", "a.pcap", "--parquet", str(tmp_path)]) == 2
    assert "mptrace[parquet]" in capsys.readouterr().err
    assert asked == []


def test_damage_is_status_1_and_a_line(use: Use, rich_analysis: Any, capsys: Output) -> None:
    use(rich_analysis)
    assert main.run(["analyze", "a.pcap", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["capture"]["damage"]["offset"] == 123_456
    assert captured.err == (
        "mptrace: walkout/client.pcap: damaged at offset 123456: "
        "record of 4,294,967,295 octets; analyzed up to there\n"
    )


def test_nothing_readable_is_status_2_and_a_line(use: Use, capsys: Output) -> None:
    use(CaptureError("a\x1b.pcap", 24, "not a capture\nat all"))
    assert main.run(["analyze", "a.pcap"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mptrace: a\\x1b.pcap")
    assert "24" in captured.err
    assert "not a capture\\nat all" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("terminal", "choice", "environment", "colored"),
    [
        (False, "auto", {}, False),
        (True, "auto", {}, True),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (True, "auto", {"TERM": "dumb"}, False),
        (True, "never", {}, False),
        (False, "always", {"NO_COLOR": "1"}, True),
    ],
)
def test_colour(
    use: Use,
    plain: Any,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    choice: str,
    environment: dict[str, str],
    colored: bool,
) -> None:
    use(plain)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert main.run(["analyze", "a.pcap", "--color", choice]) == 0
    assert ("\x1b[" in capsys.readouterr().out) == colored


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("500", 140), (None, 100)])
def test_width(
    use: Use,
    rich_analysis: Any,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
    columns: str | None,
    widest: int,
) -> None:
    use(rich_analysis)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    main.run(["analyze", "a.pcap"])
    lengths = [len(line) for line in capsys.readouterr().out.splitlines()]
    assert widest - 20 < max(lengths) <= widest


class Terminal:
    """Standard error that is a terminal."""

    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass


def bar_output(monkeypatch: pytest.MonkeyPatch, total: int) -> str:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.ProgressBar() as bar:
        for done in range(0, total, total // 4):
            bar(done, total)
    return terminal.written


def test_a_long_capture_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "%" in bar_output(monkeypatch, 4 * progress.WORTH_SHOWING)


def test_a_short_capture_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bar_output(monkeypatch, progress.WORTH_SHOWING - 4) == ""


def test_no_terminal_no_bar(capsys: Output) -> None:
    with progress.ProgressBar() as bar:
        bar(1, 10 * progress.WORTH_SHOWING)
    assert capsys.readouterr().err == ""
