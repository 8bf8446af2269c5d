"""Time and peak memory of a command."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class FailedCommandError(Exception):
    """A command that was to be measured ended with an error."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run took."""

    seconds: float
    """From start to end."""
    cpu_seconds: float
    """User and system time."""
    peak_octets: int
    """Largest resident set."""


def measure(command: Sequence[str]) -> Measurement:
    """Run a command to its end, its output thrown away.

    Raises FailedCommandError when its exit status is not 0.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        # wait4 tells of this child alone, whatever other children used
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise FailedCommandError(f"{' '.join(command)}: exit status {process.returncode}")
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def best_of(runs: int, *commands: Sequence[str]) -> list[Measurement]:
    """The fastest of several runs of each: what it takes when nothing disturbs it.

    The commands run in turns, so that a machine which slows down does so for all of them.
    """
    turns = [[measure(command) for command in commands] for _ in range(runs)]
    return [min(of_one, key=lambda run: run.seconds) for of_one in zip(*turns, strict=True)]
