"""``--filter`` for analyze and dissect: what is shown, and what is said of a wrong one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mptrace.commands import main

Output = pytest.CaptureFixture[str]


@pytest.fixture
def many(root: Path) -> str:
    return str(root / "samples/many/client.pcap")


def connections(output: str) -> list[int]:
    return [connection["index"] for connection in json.loads(output)["connections"]]


def test_connections_with_a_packet_that_passes(many: str, capsys: Output) -> None:
    assert main.run(["analyze", many, "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    wanted = "mptcp.stream == 3 || mptcp.stream == 5"
    assert main.run(["analyze", many, "--json", "--filter", f"tcp.len > 0 && ({wanted})"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["connections"] == [whole["connections"][3], whole["connections"][5]]
    assert shown["capture"] == whole["capture"]


def test_with_connections_named(many: str, capsys: Output) -> None:
    command = [
        "analyze",
        many,
        "--json",
        "--filter",
        "mptcp.stream in {3 5 7}",
        "-c",
        "5",
        "-c",
        "6",
    ]
    assert main.run(command) == 0
    assert connections(capsys.readouterr().out) == [5]
    assert main.run(["analyze", many, "--filter", "tcp", "-c", "99999"]) == 2
    assert "there is no connection 99999" in capsys.readouterr().err


def test_nothing_passes(many: str, capsys: Output) -> None:
    assert main.run(["analyze", many, "--json", "--filter", "udp"]) == 0
    captured = capsys.readouterr()
    assert connections(captured.out) == []
    assert captured.err == "mptrace: the filter lets no packet of an MPTCP connection through\n"


def test_tables_have_the_packets_that_pass(root: Path, tmp_path: Path, capsys: Output) -> None:
    path = str(root / "samples/walkout/client.pcap")
    wanted = ["--filter", "mptrace.copy == reinjection"]
    assert main.run(["analyze", path, *wanted, "--csv", str(tmp_path)]) == 0
    capsys.readouterr()
    with (tmp_path / "packets.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {row["mptrace.copy"] for row in rows} == {"reinjection"}
    assert main.run(["dissect", path, *wanted, "--json"]) == 0
    numbers = [json.loads(line)["packet"] for line in capsys.readouterr().out.splitlines()]
    assert [int(row["frame.number"]) for row in rows] == numbers


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--filter", "frame.number in {2..4} && tcp"], [2, 3, 4]),
        (["--filter", "frame.number in {2..4}", "-n", "4,9,3"], [4, 3]),
        (["--filter", "frame.number in {2..4}", "--all"], [2, 3, 4]),
        (["--filter", "udp"], []),
    ],
)
def test_dissect(root: Path, capsys: Output, arguments: list[str], numbers: list[int]) -> None:
    path = str(root / "samples/walkout/client.pcap")
    assert main.run(["dissect", path, "--json", *arguments]) == 0
    shown = [json.loads(line)["packet"] for line in capsys.readouterr().out.splitlines()]
    assert shown == numbers


def test_a_packet_that_is_not_there(root: Path, capsys: Output) -> None:
    path = str(root / "samples/walkout/client.pcap")
    assert main.run(["dissect", path, "--filter", "tcp", "-n", "99999"]) == 2
    assert "there is no packet 99999" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["analyze", "dissect"])
def test_a_wrong_filter(command: str, capsys: Output) -> None:
    assert main.run([command, "not-even-opened.pcap", "--filter", "tcp.lenn > 0"]) == 2
    assert capsys.readouterr() == (
        "",
        "mptrace: --filter: there is no field tcp.lenn; do you mean tcp.len? (column 1)\n",
    )
