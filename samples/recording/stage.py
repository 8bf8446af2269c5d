"""The stage of a scenario: two hosts, the paths between them, and the transfer."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from samples.recording import application
from samples.recording.counters import Counters, moved, moved_tcp, read_counters
from samples.recording.link import Link, Path, Way
from samples.recording.namespaces import Namespace, RecordingError, namespace
from samples.recording.packet_capture import CaptureSettings, PacketCapture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PORT = 5001
SIDES = ("client", "server")
AFTER_JOIN: dict[str, Any] = {"server_greeting": 500, "client_pause_s": 0.3, "server_pause_s": 0.3}
"""The server greets; both sides send the rest when the other subflow has had time to join."""
TRUTH_SIDE = {"client": "cl", "server": "sv"}


def two_paths() -> list[Path]:
    """Give the usual paths: 10 ms each way at 6 Mbit/s, and 30 ms at 3 Mbit/s."""
    return [
        Path("wlan0", "eth0", Way(0.010, 6e6), Way(0.010, 6e6)),
        Path("cell0", "eth1", Way(0.030, 3e6), Way(0.030, 3e6)),
    ]


@dataclass(slots=True)
class Transfer:
    """The two applications while they run."""

    server: subprocess.Popen[str]
    client: subprocess.Popen[str]


@dataclass(slots=True)
class Stage:
    """What a scenario has at hand."""

    name: str
    client: Namespace
    server: Namespace
    link: Link
    directory: FilePath
    captures: dict[str, CaptureSettings]
    apps: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    tcp_counters: dict[str, dict[str, int]] = field(default_factory=dict)
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """The paths of the link, first path first."""
        return self.link.paths

    def both(self, act: Callable[[Namespace], object]) -> None:
        """Do something on both hosts."""
        act(self.client)
        act(self.server)

    def sysctl(self, name: str, value: int) -> None:
        """Set ``net.mptcp.<name>`` on both hosts."""
        self.both(lambda host: host.sysctl(f"net.mptcp.{name}", value))

    def join_second_path(self, flags: str = "subflow") -> None:
        """Let the client use its second address for a subflow (``ip mptcp endpoint add``)."""
        self.client.run(f"ip mptcp endpoint add 10.2.0.1 dev cell0 id 1 {flags}")

    def advertise(self, address: str, interface: str = "eth1", extra: str = "") -> None:
        """Let the server advertise an address, and the client accept it."""
        self.server.run(f"ip mptcp endpoint add {address} dev {interface} id 7 signal {extra}")

    def start(self, up: int, down: int, **settings: Any) -> Transfer:
        """Start both applications: ``up`` octets client to server, ``down`` octets back.

        Other settings are those of ``application.Task``; with ``client_`` or ``server_`` before
        the name they are for one side only.
        """
        tasks = {
            "client": self._task("client", up, {"expect": down, **settings}),
            "server": self._task("server", down, {"expect": up, **settings}),
        }
        server = self._run_application(self.server, tasks["server"])
        if server.stdout is None or server.stdout.readline().strip() != "ready":
            raise RecordingError(f"{self.name}: the server does not listen")
        client = self._run_application(self.client, tasks["client"])
        return Transfer(server, client)

    def finish(self, transfer: Transfer, limit_s: float = 60.0) -> None:
        """Wait until both applications have ended and keep what they say."""
        for process in (transfer.client, transfer.server):
            try:
                out, err = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                raise RecordingError(f"{self.name}: no end after {limit_s:g} s") from None
            if process.returncode != 0:
                raise RecordingError(f"{self.name}: application failed: {err.strip()}")
            self.apps += json.loads(out.splitlines()[-1])
        if self.link.failure is not None:
            raise RecordingError(f"{self.name}: the link failed: {self.link.failure!r}")

    def transfer(self, up: int, down: int, **settings: Any) -> None:
        """Start and finish a transfer."""
        self.finish(self.start(up, down, **settings))

    def wait_until(self, reached: Callable[[], bool], limit_s: float = 15.0) -> None:
        """Wait for something to be true of the link."""
        end = time.monotonic() + limit_s
        while not reached():
            if time.monotonic() > end:
                raise RecordingError(f"{self.name}: waited {limit_s:g} s in vain")
            time.sleep(0.002)

    def wait_for_octets(self, octets: int, *ways: Way) -> None:
        """Wait until so many payload octets have gone over these ways together."""
        self.wait_until(lambda: sum(way.payload_octets for way in ways) >= octets)

    @contextlib.contextmanager
    def recording(self, settle_s: float = 0.5) -> Iterator[None]:
        """Capture on both hosts and watch the kernel's counters during a ``with`` block."""
        hosts = {"client": self.client, "server": self.server}
        before: dict[str, Counters] = {s: read_counters(host) for s, host in hosts.items()}
        running = []
        try:
            for side, settings in self.captures.items():
                suffix = "pcapng" if settings.pcapng else "pcap"
                path = self.directory / f"{side}.{suffix}"
                running.append(PacketCapture(hosts[side], path, settings))
            yield
            time.sleep(settle_s)
        finally:
            for capture in running:
                capture.stop()
        for capture in running:
            if capture.dropped:
                raise RecordingError(f"{self.name}: {capture.path.name} lacks {capture.dropped}")
        for side, host in hosts.items():
            after = read_counters(host)
            self.counters[TRUTH_SIDE[side]] = moved(before[side], after)
            self.tcp_counters[TRUTH_SIDE[side]] = moved_tcp(before[side], after)

    def end_applications(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None and not pipe.closed:
                    pipe.close()

    def _task(self, side: str, octets: int, settings: dict[str, Any]) -> application.Task:
        values: dict[str, Any] = {"address": "10.1.0.2", "port": PORT}
        if side == "server":
            values["address"] = "::" if ":" in str(settings.get("address", "")) else "0.0.0.0"
        for name, value in settings.items():
            owner, _, rest = name.partition("_")
            if owner in SIDES and rest:
                if owner == side:
                    values[rest] = value
            elif not (side == "server" and name == "address"):
                values[name] = value
        return application.Task(side=side, seed=self.name, octets=octets, **values)

    def _run_application(self, host: Namespace, task: application.Task) -> subprocess.Popen[str]:
        script = str(FilePath(application.__file__))
        process = host.start([sys.executable, "-I", script, json.dumps(asdict(task))])
        self._running.append(process)
        return process


@contextlib.contextmanager
def stage(
    name: str,
    captures: dict[str, CaptureSettings],
    paths: list[Path] | None = None,
    *,
    offload: bool = False,
) -> Iterator[Stage]:
    """Build the hosts and paths of a scenario for the time of a ``with`` block."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(namespace("mptrace-client"))
        server = stack.enter_context(namespace("mptrace-server"))
        directory = FilePath(stack.enter_context(tempfile.TemporaryDirectory(prefix="mptrace-")))
        link = Link(paths if paths is not None else two_paths(), seed=name, offload=offload)
        stack.callback(link.close)
        link.attach(client, server)
        _configure(client, 1, [path.client_interface for path in link.paths])
        _configure(server, 2, [path.server_interface for path in link.paths])
        built = Stage(name, client, server, link, directory, captures)
        stack.callback(built.end_applications)
        yield built


def _configure(host: Namespace, number: int, interfaces: list[str]) -> None:
    """Give interface i the addresses 10.i.0.number and fd00:i::number."""
    host.sysctl("net.ipv4.conf.all.rp_filter", 0)
    host.sysctl("net.ipv4.conf.default.rp_filter", 0)
    host.run("ip mptcp limits set subflows 4 add_addr_accepted 4")
    for position, interface in enumerate(interfaces, 1):
        host.sysctl(f"net.ipv6.conf.{interface}.accept_dad", 0)
        host.sysctl(f"net.ipv6.conf.{interface}.router_solicitations", 0)
        host.run(f"ip link set {interface} up")
        host.run(f"ip addr add 10.{position}.0.{number}/24 dev {interface}")
        host.run(f"ip addr add fd00:{position}::{number}/64 dev {interface} nodad")
        host.sysctl(f"net.ipv4.conf.{interface}.rp_filter", 0)
        if number == 1:
            _route_by_source(host, position, interface)


def _route_by_source(client: Namespace, position: int, interface: str) -> None:
    """Let what comes from an address of the client leave by that address's interface.

    The server needs none of this: it reaches each client address over the network that it is in.
    """
    table = 100 + position
    client.run(f"ip route add default via 10.{position}.0.2 dev {interface} table {table}")
    client.run(f"ip rule add from 10.{position}.0.1 table {table}")
    client.run(f"ip -6 route add default via fd00:{position}::2 dev {interface} table {table}")
    client.run(f"ip -6 rule add from fd00:{position}::1 table {table}")
