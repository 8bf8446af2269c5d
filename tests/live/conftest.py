"""A transfer of real hosts, recorded while the tests run, in namespaces of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mptrace

if TYPE_CHECKING:
    from collections.abc import Callable

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
FAST_OPEN_OCTETS = 500
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

    def prepare(built: staging.Stage) -> None:
        built.advertise("10.2.0.2")

    return _played(tmp_path_factory, prepare, staging.AFTER_JOIN)


@pytest.fixture(scope="session")
def fast_open_transfer(tmp_path_factory: pytest.TempPathFactory) -> LiveTransfer:
    """Play and record a transfer of one subflow whose first octets come with the SYN."""

    def prepare(built: staging.Stage) -> None:
        built.client.sysctl("net.ipv4.tcp_fastopen", 0x5)  # on, without a cookie
        built.server.sysctl("net.ipv4.tcp_fastopen", 0x602)  # the same, for every listener

    return _played(tmp_path_factory, prepare, {"client_fast_open": FAST_OPEN_OCTETS})


def _played(
    directories: pytest.TempPathFactory,
    prepare: Callable[[staging.Stage], None],
    settings: dict[str, Any],
) -> LiveTransfer:
    reason = why_impossible(TOOLS)
    if reason is not None:
        _refuse(reason)
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RecordingError):
            return _played_once(directories.mktemp("live"), prepare, settings)
    return _played_once(directories.mktemp("live"), prepare, settings)


def _played_once(
    directory: Path, prepare: Callable[[staging.Stage], None], settings: dict[str, Any]
) -> LiveTransfer:
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
        prepare(built)
        with built.recording():
            started = built.start(UP_OCTETS, DOWN_OCTETS, **settings, timeout_s=8.0)
            built.finish(started, limit_s=30.0)
        failed = [app["err"] for app in built.apps if app["err"]]
        if any(f"[Errno {errno.EOPNOTSUPP}]" in error for error in failed):
            pytest.skip(f"this kernel's MPTCP can't do that: {failed}")
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
