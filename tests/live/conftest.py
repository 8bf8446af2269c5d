"""A transfer of real hosts, recorded while the tests run, in namespaces of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mptrace

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # behind the installed package: only `samples` is taken from here

from samples.recording import stage as staging  # noqa: E402
from samples.recording.application import stream  # noqa: E402
from samples.recording.namespaces import (  # noqa: E402
    RecordingError,
    missing_tools,
    why_impossible,
)
from samples.recording.packet_capture import CaptureSettings  # noqa: E402

TOOLS = ("ip", "tcpdump")
NAME = "live"
UP_OCTETS, DOWN_OCTETS = 120_000, 60_000
SNAPLEN = 4_096
"""No frame here is longer, and the kernel holds more of them where each needs less room."""
ATTEMPTS = 3
"""A machine that is too busy may lose packets of a capture, or a transfer; tcpdump and the
applications say so, and then it is played again."""


@dataclass(frozen=True)
class LiveTransfer:
    """What was recorded, and what applications and kernels said of it."""

    client: mptrace.Analysis
    server: mptrace.Analysis
    paths: dict[str, Path]
    apps: dict[str, dict[str, Any]]
    counters: dict[str, dict[str, int]]
    streams: dict[str, bytes]
    hosts: set[str]
    devices: tuple[str, ...]
    """What the names of the links' devices began with before they were handed to the hosts."""


def _refuse(reason: str) -> None:
    if os.environ.get("CI") and missing_tools(TOOLS):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def live_transfer(tmp_path_factory: pytest.TempPathFactory) -> LiveTransfer:
    """Play and record one transfer: the server advertises an address, the client joins it."""
    reason = why_impossible(TOOLS)
    if reason is not None:
        _refuse(reason)
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RecordingError):
            return _played(tmp_path_factory.mktemp("live"))
    return _played(tmp_path_factory.mktemp("live"))


def _played(directory: Path) -> LiveTransfer:
    captures = {
        "client": CaptureSettings(snaplen=SNAPLEN, nanoseconds=True),
        "server": CaptureSettings(snaplen=SNAPLEN),
    }
    paths = {}
    with contextlib.ExitStack() as stack:
        try:
            built = stack.enter_context(staging.stage(NAME, captures))
        except RecordingError as error:  # such as /proc/sys that a container may not write
            pytest.skip(f"no hosts can be made here: {error}")
        built.advertise("10.2.0.2")
        with built.recording():
            settings = {**staging.AFTER_JOIN, "timeout_s": 8.0}
            built.finish(built.start(UP_OCTETS, DOWN_OCTETS, **settings), limit_s=30.0)
        failed = [app["err"] for app in built.apps if app["err"]]
        if failed:
            raise RecordingError(f"{NAME}: {failed}")
        for side in captures:
            paths[side] = directory / f"{side}.pcap"
            paths[side].write_bytes((built.directory / f"{side}.pcap").read_bytes())
    return LiveTransfer(
        client=mptrace.analyze(paths["client"]),
        server=mptrace.analyze(paths["server"]),
        paths=paths,
        apps={app["side"]: app for app in built.apps},
        counters={"client": built.counters["cl"], "server": built.counters["sv"]},
        streams={
            "client": stream(NAME, "client", 0, UP_OCTETS),
            "server": stream(NAME, "server", 0, DOWN_OCTETS),
        },
        hosts={built.client.name, built.server.name},
        devices=(f"mpt{os.getpid() % 10**7}c", f"mpt{os.getpid() % 10**7}s"),
    )
