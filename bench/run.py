"""Measure mptrace beside tshark: ``python bench/run.py [--quick]``.

Prints packets per second and peak memory of ``mptrace analyze --json`` and of
``tshark -q -z conv,mptcp`` on the same captures, as ratios; how the cost grows with packets and
connections; and the time to start. Both read from the page cache.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from bench.make_capture import SHAPES  # noqa: E402
from bench.measure import Measurement, best_of  # noqa: E402

_MEBI: Final = 1 << 20
_SMALL_SAMPLE: Final = ROOT / "samples" / "aggregate" / "client.pcap"
_BESIDE_TSHARK: Final = ("many", "one", "connections", "plain")


@dataclass(frozen=True, slots=True)
class Case:
    """A capture that both are run on."""

    path: Path
    packets: int
    connections: int


def mptrace_command() -> list[str]:
    """The installed command beside this Python, else the package of this directory."""
    script = Path(sys.executable).with_name("mptrace")
    return [str(script)] if script.exists() else [sys.executable, "-m", "mptrace"]


def make(
    directory: Path, shape: str, *, connections: int | None = None, packets: int | None = None
) -> Case:
    """Make a capture in the directory."""
    name = "-".join(str(part) for part in (shape, connections, packets) if part is not None)
    path = directory / f"{name}.pcap"
    command = [sys.executable, str(ROOT / "bench" / "make_capture.py"), "--shape", shape, str(path)]
    for option, number in (("--connections", connections), ("--packets", packets)):
        if number is not None:
            command += [option, str(number)]
    # In a process of its own, and read in small parts: a child begins with its parent's size,
    # and what is measured here are children.
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    made = re.search(r": (\d+) packets, (\d+) MPTCP connections", said)
    if made is None:
        raise RuntimeError(f"make_capture.py said: {said}")
    with path.open("rb", buffering=0) as file:
        os.fsync(file.fileno())  # else the system writes it to the disk beside what is measured
        while file.read(_MEBI):  # into the page cache
            pass
    return Case(path, int(made[1]), int(made[2]))


def print_pair(case: Case, ours: Measurement, theirs: Measurement) -> None:
    """Print a line of the comparison."""
    print(
        f"{case.path.stem:<24}{case.packets:>11,}{case.connections:>8,}"
        f"{case.packets / ours.seconds:>12,.0f}{case.packets / theirs.seconds:>12,.0f}"
        f"{theirs.seconds / ours.seconds:>8.1f} x"
        f"{ours.peak_octets / _MEBI:>9,.0f} MiB{theirs.peak_octets / _MEBI:>9,.0f} MiB"
        f"{ours.peak_octets / theirs.peak_octets:>8.2f} x"
    )


def beside_tshark(directory: Path, packets: int | None, runs: int) -> None:
    """Compare with tshark on every shape."""
    tshark = shutil.which("tshark")
    if tshark is None:
        print("tshark is not installed: nothing to compare with")
        return
    print(
        f"{'capture':<24}{'packets':>11}{'conn.':>8}{'mptrace/s':>12}{'tshark/s':>12}"
        f"{'speed':>10}{'mptrace':>13}{'tshark':>13}{'memory':>10}"
    )
    for shape in _BESIDE_TSHARK:
        wanted = packets if SHAPES[shape].packets is not None else None
        connections = None
        if packets is not None:
            connections = max(SHAPES[shape].connections // 10, 1)
        case = make(directory, shape, packets=wanted, connections=connections)
        ours, theirs = best_of(
            runs,
            [*mptrace_command(), "analyze", "--json", str(case.path)],
            [tshark, "-q", "-z", "conv,mptcp", "-r", str(case.path)],
        )
        print_pair(case, ours, theirs)
        case.path.unlink()


def growth(directory: Path, quick: bool, runs: int) -> None:
    """Show what ten times the connections and four times the packets cost."""
    few, packets = (100, 25_000) if quick else (1_000, 250_000)
    print(f"\n{'growth':<30}{'small':>10}{'large':>10}{'size':>8}{'time':>8}{'memory':>9}")
    for shape, small, large in (
        ("connections", {"connections": few}, {"connections": 10 * few}),
        (
            "many",
            {"packets": packets, "connections": 10},
            {"packets": 4 * packets, "connections": 10},
        ),
        ("one", {"packets": packets}, {"packets": 4 * packets}),
    ):
        results = []
        for arguments in (small, large):
            case = make(directory, shape, **arguments)
            (run,) = best_of(runs, [*mptrace_command(), "analyze", "--json", str(case.path)])
            results.append((case, run))
            case.path.unlink()
        (first, one), (second, other) = results
        print(
            f"{shape + ', ' + next(iter(small)):<30}{one.seconds:>8.2f} s{other.seconds:>8.2f} s"
            f"{second.packets / first.packets:>6.1f} x{other.seconds / one.seconds:>6.1f} x"
            f"{other.peak_octets / one.peak_octets:>7.1f} x"
        )


def start_up(runs: int) -> None:
    """Show the time until a command of no work is done."""
    python = sys.executable
    print(f"\n{'start-up':<44}{'mptrace':>10}{'Python':>10}{'ratio':>9}{'allowed':>9}")
    for title, command, yardstick, allowed in (
        (
            "mptrace --version / python3 -c pass",
            [*mptrace_command(), "--version"],
            [python, "-c", "pass"],
            4,
        ),
        (
            "small sample / python3 -c 'import pandas'",
            [*mptrace_command(), "analyze", str(_SMALL_SAMPLE)],
            [python, "-c", "import pandas"],
            2,
        ),
    ):
        ours, theirs = best_of(runs, command, yardstick)
        print(
            f"{title:<44}{1000 * ours.seconds:>7.0f} ms{1000 * theirs.seconds:>7.0f} ms"
            f"{ours.seconds / theirs.seconds:>7.1f} x{allowed:>7} x"
        )


def main(arguments: list[str] | None = None) -> int:
    """Measure what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description="Measure mptrace beside tshark.")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the packets")
    parser.add_argument("--runs", type=int, default=3, help="best of so many (default: 3)")
    parser.add_argument("--directory", type=Path, help="where captures are made (2 GB)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mptrace-bench-", dir=chosen.directory) as name:
        directory = Path(name)
        beside_tshark(directory, 50_000 if chosen.quick else None, chosen.runs)
        growth(directory, chosen.quick, chosen.runs)
    start_up(5 * chosen.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
