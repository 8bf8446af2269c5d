"""Record the samples: ``python samples/record.py [SCENARIO...] [--output DIR] [--list]``.

Needs root, a Linux kernel with MPTCP, and ip, tcpdump, dumpcap, iptables and ss. Everything happens
in network namespaces of its own, which are taken away again in every case.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

from samples.recording.namespaces import RecordingError, why_impossible  # noqa: E402
from samples.recording.scenario import Scenario, record  # noqa: E402
from samples.recording.scenarios import ALL  # noqa: E402

if TYPE_CHECKING:
    from types import FrameType


def main(arguments: list[str] | None = None) -> int:
    """Record what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description="Record small MPTCP captures with their truth.")
    parser.add_argument("scenario", nargs="*", help="scenarios to record (default: all)")
    parser.add_argument(
        "--output", type=Path, default=HERE, metavar="DIR", help="default: samples/"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--table", action="store_true", help="print the README's table and end")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        for scenario in ALL:
            print(f"{scenario.name:32} {scenario.happens}")
        return 0
    if chosen.table:
        print(table())
        return 0
    unknown = sorted(set(chosen.scenario) - {scenario.name for scenario in ALL})
    if unknown:
        print(f"record.py: no such scenario: {', '.join(unknown)} (see --list)", file=sys.stderr)
        return 2
    reason = why_impossible()
    if reason is not None:
        print(f"record.py: {reason}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    return record_all(
        [s for s in ALL if not chosen.scenario or s.name in chosen.scenario], chosen.output
    )


def record_all(scenarios: list[Scenario], output: Path) -> int:
    """Record scenarios one after the other; one that fails does not keep the others back."""
    failed = False
    for scenario in scenarios:
        try:
            truth = record(scenario, output)
        except RecordingError as error:
            failed = True
            print(f"record.py: {error}", file=sys.stderr)
        except KeyboardInterrupt:
            print("record.py: interrupted; everything is taken away again", file=sys.stderr)
            return 130
        else:
            size = sum(file.stat().st_size for file in (output / scenario.name).iterdir())
            print(f"{scenario.name:32} {size / 1000:7.0f} kB  {truth['counters']}", flush=True)
    return 1 if failed else 0


def table() -> str:
    """Give the table of samples/README.md."""
    lines = ["| sample | captured | what happens | what a correct analysis says |"]
    lines.append("| --- | --- | --- | --- |")
    for scenario in ALL:
        sides = ", ".join(scenario.captures)
        lines.append(
            f"| {scenario.name} | {sides} | {scenario.happens} | {scenario.analysis_says} |"
        )
    return "\n".join(lines)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
