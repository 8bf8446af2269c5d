"""What a scenario is, and how one is played, checked and written down."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samples.recording.compression import compress
from samples.recording.namespaces import RecordingError
from samples.recording.packet_capture import CaptureSettings
from samples.recording.stage import Stage, stage, two_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from samples.recording.link import Path as LinkPath

BOTH = {"client": CaptureSettings(), "server": CaptureSettings()}
CLIENT = {"client": CaptureSettings()}
SERVER = {"server": CaptureSettings()}
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Scenario:
    """One sample: what happens, what a correct analysis says, and the proof that it happened."""

    name: str
    happens: str
    analysis_says: str
    play: Callable[[Stage], None]
    captures: Mapping[str, CaptureSettings] = field(default_factory=lambda: dict(BOTH))
    proof: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Kernel counters (``cl``, ``sv``) that must have moved by at least so much."""
    complete: bool = True
    """Both applications must have read all that the other sent."""
    paths: Callable[[], list[LinkPath]] = two_paths
    offload: bool = False


def record(scenario: Scenario, output: Path) -> dict[str, Any]:
    """Play a scenario until its proof holds, write captures and truth.json, return the truth."""
    complaint = ""
    for _ in range(ATTEMPTS):
        with stage(
            scenario.name,
            dict(scenario.captures),
            scenario.paths(),
            offload=scenario.offload,
        ) as built:
            scenario.play(built)
            truth = _truth(scenario, built)
            complaint = _complaint(scenario, truth)
            if not complaint:
                _keep(built, output / scenario.name, truth)
                return truth
    raise RecordingError(f"{scenario.name}: {complaint}")


def _truth(scenario: Scenario, built: Stage) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "kernel": _kernel(),
        "apps": built.apps,
        "counters": built.counters,
        "tcp_counters": built.tcp_counters,
    }


def _kernel() -> str:
    """Give the kernel's version without what its builder wrote behind it."""
    release = re.match(r"[0-9.]+", os.uname().release)
    return f"Linux {release.group() if release else os.uname().release}"


def _complaint(scenario: Scenario, truth: dict[str, Any]) -> str:
    for side, counters in scenario.proof.items():
        for name, least in counters.items():
            found = {**truth["counters"][side], **truth["tcp_counters"][side]}.get(name, 0)
            if found < least:
                return f"{side} {name} is {found}, not {least}: {truth['counters']}"
    if scenario.complete:
        for app in truth["apps"]:
            if app["err"]:
                return f"{app['side']} {app['i']}: {app['err']}"
        if pairs(truth["apps"], "sent_sha") != pairs(truth["apps"], "got_sha", swap=True):
            return "not every octet arrived"
    return ""


def pairs(apps: list[dict[str, Any]], key: str, *, swap: bool = False) -> list[tuple[str, str]]:
    """List (side, value) of all applications, in an order that does not depend on accept()."""
    other = {"client": "server", "server": "client"}
    return sorted((other[app["side"]] if swap else app["side"], app[key]) for app in apps)


def _keep(built: Stage, directory: Path, truth: dict[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for stale in directory.iterdir():
        stale.unlink()
    for recorded in built.directory.iterdir():
        packed, suffix = compress(recorded.read_bytes(), built.captures[recorded.stem].compression)
        (directory / (recorded.name + suffix)).write_bytes(packed)
    (directory / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
