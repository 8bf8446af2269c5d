"""``mptrace browse`` as a program: without a terminal, and on one that tmux makes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mptrace.commands import main

PATIENCE_S = 60.0


@pytest.mark.parametrize("name", ["browse", "tui"])
def test_without_a_terminal_it_says_so(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([name, str(root / "samples/no_data/client.pcap")]) == main.FAILED
    assert capsys.readouterr().err.startswith("mptrace: browse needs a terminal")


class Terminal:
    """A terminal of tmux."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", os.devnull, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self, *arguments: str) -> None:
        program = shlex.join([sys.executable, "-P", "-m", "mptrace", *arguments])
        script = f"{program}; echo status $?; sleep 60"
        environment = [f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}", "TERM=screen"]
        options = [part for value in environment for part in ("-e", value)]
        self.run("new-session", "-d", "-x", "80", "-y", "24", *options, script)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.run("send-keys", key)

    def shown(self) -> str:
        return self.run("capture-pane", "-p")

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while text not in (shown := self.shown()):
            assert time.monotonic() < deadline, f"no {text!r} in\n{shown}"
            time.sleep(0.05)
        return shown


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    if not shutil.which("tmux"):
        if os.environ.get("CI"):
            pytest.fail("tmux is not installed")
        pytest.skip("tmux is not installed")
    socket = f"mptrace-{uuid.uuid4().hex}"
    yield Terminal(socket)
    subprocess.run(["tmux", "-L", socket, "kill-server"], check=False, capture_output=True)


def test_on_a_real_terminal(terminal: Terminal, root: Path) -> None:
    terminal.start("browse", str(root / "samples/walkout/client.pcap"))
    first = terminal.wait_for("Packet 1 of 353")
    assert "SYN MP_CAPABLE v1" in first
    terminal.keys("3")
    terminal.wait_for("falls silent")
    terminal.keys("Enter")
    terminal.wait_for("─Packet 15")
    terminal.keys("r")
    terminal.wait_for("[Reinjection of")
    terminal.keys("/")
    terminal.run("send-keys", "-l", "tcp.flags.syn == 1")
    terminal.keys("Enter")
    terminal.wait_for("4 shown")
    terminal.keys("?")
    terminal.wait_for("Everywhere")
    terminal.keys("q")
    terminal.wait_for("4 shown")
    terminal.keys("q")
    terminal.wait_for("status 0")


def test_what_is_no_capture_leaves_the_terminal_with_a_line(
    terminal: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / "x.pcap"
    path.write_text("no capture at all")
    terminal.start("browse", str(path))
    shown = terminal.wait_for("status 2")
    assert "mptrace: " in shown
    assert "not a capture file" in shown.replace("\n", "")


def test_standard_input_and_keys_beside_it(terminal: Terminal, root: Path) -> None:
    program = shlex.join([sys.executable, "-P", "-m", "mptrace", "browse", "-"])
    path = shlex.quote(str(root / "samples/walkout/client.pcap"))
    terminal.run(
        "new-session", "-d", "-x", "80", "-y", "24",
        "-e", f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}",
        f"cat {path} | {program}; echo status $?; sleep 60",
    )  # fmt: skip
    terminal.wait_for("Packet 1 of 353")
    terminal.keys("G")
    terminal.wait_for("Packet 353 of 353")
    terminal.keys("q")
    terminal.wait_for("status 0")
