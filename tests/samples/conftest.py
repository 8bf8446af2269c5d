"""The samples with their truth, and their analyses, each made once per test process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

import mptrace
from mptrace import Analysis

SAMPLES = Path(__file__).parents[2] / "samples"
Side = Literal["client", "server"]

# What was not captured from its beginning, or not with all options of each packet.
PARTIAL = {"late_capture/client", "second_interface_only/client", "snaplen/server"}

# Connections that were given up: the applications handed over more than was sent or delivered.
BROKEN_OFF = {
    "cut_off",
    "fastclose",
    "fastclose_server",
    "first_data_rewritten",
    "mp_fail_single",
}


@dataclass(frozen=True)
class SampleCapture:
    """One capture of a sample and the truth beside it."""

    name: str
    side: Side
    path: Path
    truth: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.name}/{self.side}"

    @property
    def whole(self) -> bool:
        """The capture shows every packet of its host with all options."""
        return self.id not in PARTIAL

    @property
    def counters(self) -> dict[str, int]:
        """How far the MPTCP counters of the capturing host moved."""
        counters: dict[str, int] = self.truth["counters"]["cl" if self.side == "client" else "sv"]
        return counters

    @property
    def tcp_counters(self) -> dict[str, int]:
        """How far the TCP counters of the capturing host moved."""
        key = "cl" if self.side == "client" else "sv"
        counters: dict[str, int] = self.truth["tcp_counters"][key]
        return counters

    def applications(self, side: Side) -> list[dict[str, Any]]:
        """What the applications of one side say, in the order of their connections."""
        return [app for app in self.truth["apps"] if app["side"] == side]

    @property
    def delivered(self) -> bool:
        """Each side read exactly what the other sent."""
        clients, servers = self.applications("client"), self.applications("server")
        return sorted(app["sent_sha"] for app in clients) == sorted(
            app["got_sha"] for app in servers
        ) and sorted(app["sent_sha"] for app in servers) == sorted(
            app["got_sha"] for app in clients
        )


def captures() -> list[SampleCapture]:
    found = []
    for truth_file in sorted(SAMPLES.glob("*/truth.json")):
        truth = json.loads(truth_file.read_text(encoding="utf-8"))
        for path in sorted(truth_file.parent.glob("*.pcap*")):
            side: Side = "client" if path.name.startswith("client") else "server"
            found.append(SampleCapture(truth_file.parent.name, side, path, truth))
    return found


CAPTURES = captures()


CHOICES: dict[str, Callable[[SampleCapture], bool]] = {
    "sample": lambda _: True,
    "finished": lambda capture: capture.whole and capture.name not in BROKEN_OFF,
    "broken_off": lambda capture: capture.name in BROKEN_OFF,
    "partial": lambda capture: not capture.whole,
    "recorded": lambda capture: capture.whole and capture.truth["kernel"] is not None,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test the captures of the kind that it asks for by the name of its argument."""
    for argument, chosen in CHOICES.items():
        if argument in metafunc.fixturenames:
            found = [capture for capture in CAPTURES if chosen(capture)]
            metafunc.parametrize(argument, found, ids=[capture.id for capture in found])


@cache
def _analyze(path: Path) -> Analysis:
    return mptrace.analyze(path)


@pytest.fixture(scope="session")
def samples_directory() -> Path:
    return SAMPLES


@pytest.fixture(scope="session")
def capture_of() -> Callable[[str], SampleCapture]:
    """Find a capture by its id, such as ``walkout/client``."""
    by_id = {capture.id: capture for capture in CAPTURES}
    return by_id.__getitem__


@pytest.fixture(scope="session")
def analysis_of() -> Callable[[SampleCapture], Analysis]:
    """Analyze a capture; the same one a second time costs nothing."""
    return lambda capture: _analyze(capture.path)
