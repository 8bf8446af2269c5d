"""Network namespaces: made, used and taken away again, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOOLS = ("ip", "tcpdump", "dumpcap", "iptables", "ss")


class RecordingError(Exception):
    """Recording is impossible here, or the kernel did not do what a scenario is about."""


def why_impossible(tools: Sequence[str] = TOOLS) -> str | None:
    """Say in one line why nothing can be recorded on this machine; None when it can."""
    if os.geteuid() != 0:
        return "recording needs root: it makes network namespaces (try sudo)"
    missing = missing_tools(tools)
    if missing:
        return f"recording needs {', '.join(missing)}: not found on PATH"
    if not Path("/proc/sys/net/mptcp/enabled").exists():
        return f"this kernel ({os.uname().release}) has no MPTCP (CONFIG_MPTCP)"
    if not Path("/dev/net/tun").exists():
        return "this machine has no /dev/net/tun: the links need TAP devices"
    try:
        with namespace("mptrace-probe"):
            pass
    except RecordingError as error:
        return f"network namespaces cannot be made here: {error}"
    return None


def missing_tools(tools: Sequence[str] = TOOLS) -> list[str]:
    """Name the programs of ``tools`` that are not on PATH."""
    return [tool for tool in tools if shutil.which(tool) is None]


class Namespace:
    """One host of the recording: a network namespace by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Give the command line that runs ``arguments`` inside this namespace."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, line: str) -> str:
        """Run one command inside, wait for it, and return what it printed."""
        return run(self.command(line.split()))

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Start a program inside; its output can be read from its pipes."""
        return subprocess.Popen(
            self.command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def sysctl(self, name: str, value: int | str) -> None:
        """Set a ``net`` variable of this namespace, its name written with dots."""
        path = "/proc/sys/" + name.replace(".", "/")
        run(self.command(["sh", "-c", f"echo {value} > {path}"]))


def run(arguments: Sequence[str]) -> str:
    """Run a program to its end; raise RecordingError with what it said when it fails."""
    result = subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        said = (result.stderr or result.stdout).strip()
        raise RecordingError(f"{' '.join(arguments)}: {said or f'exit {result.returncode}'}")
    return result.stdout


@contextlib.contextmanager
def namespace(role: str) -> Iterator[Namespace]:
    """Make a namespace for the time of a ``with`` block."""
    name = f"{role}-{os.getpid()}"
    run(["ip", "netns", "add", name])
    try:
        made = Namespace(name)
        made.run("ip link set lo up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
