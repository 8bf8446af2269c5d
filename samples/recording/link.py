"""Links between the two hosts: TAP devices on both ends, and this process in between.

A TAP device hands over whole Ethernet frames with right checksums, so that a middlebox may change
them; with ``offload`` it hands over what the host gives its network card instead: unsegmented
frames of up to 64 KB with unfinished checksums, which pass unchanged.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samples.recording.namespaces import Namespace, RecordingError, run
from samples.recording.segment import read_segment

if TYPE_CHECKING:
    from samples.recording.middlebox import Middlebox

TUNSETIFF = 0x400454CA
TUNSETOFFLOAD = 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
OFFLOAD_CHECKSUM_TSO4_TSO6 = 0x01 | 0x02 | 0x04
FRAME_LIMIT = 70_000


@dataclass(slots=True)
class Way:
    """One direction of a path: what it does to packets, and what went through."""

    delay_s: float
    rate_bps: float
    loss: float = 0.0
    queue_octets: int = 96_000
    silent: bool = False
    middleboxes: list[Middlebox] = field(default_factory=list)
    payload_octets: int = 0
    """TCP payload octets that were let through so far."""
    busy_until: float = 0.0


@dataclass(slots=True)
class Path:
    """Two ways between an interface of the client and one of the server."""

    client_interface: str
    server_interface: str
    up: Way
    down: Way

    def fall_silent(self) -> None:
        """From now on nothing arrives in either direction, and nobody is told."""
        self.up.silent = self.down.silent = True


@dataclass(order=True, slots=True)
class _Delivery:
    due: float
    order: int
    target: int = field(compare=False)
    frame: bytes = field(compare=False)


class Link:
    """Carries frames of all paths between the namespaces in a thread of its own."""

    def __init__(self, paths: list[Path], *, seed: str, offload: bool = False) -> None:
        self.paths = paths
        self._random = random.Random(seed)
        self._offload = offload
        self._ways: dict[int, tuple[Way, int]] = {}
        self._queue: list[_Delivery] = []
        self._order = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="link", daemon=True)
        self.failure: Exception | None = None

    def attach(self, client: Namespace, server: Namespace) -> None:
        """Make the TAP devices, give them to the namespaces, and start to carry frames."""
        for number, path in enumerate(self.paths):
            ours = f"mpt{os.getpid() % 10**7}c{number}"
            theirs = f"mpt{os.getpid() % 10**7}s{number}"
            client_file = self._tap(ours)
            server_file = self._tap(theirs)
            self._ways[client_file] = (path.up, server_file)
            self._ways[server_file] = (path.down, client_file)
            for host, device, name in (
                (client, ours, path.client_interface),
                (server, theirs, path.server_interface),
            ):
                run(["ip", "link", "set", device, "netns", host.name, "name", name])
        self._thread.start()

    def close(self) -> None:
        """Stop carrying and give the TAP devices back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for file in self._ways:
            os.close(file)
        self._ways.clear()

    def _tap(self, name: str) -> int:
        flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if self._offload else 0)
        file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            if self._offload:
                fcntl.ioctl(file, TUNSETOFFLOAD, OFFLOAD_CHECKSUM_TSO4_TSO6)
        except OSError as error:
            os.close(file)
            raise RecordingError(f"no TAP device {name}: {error.strerror}") from error
        return file

    def _carry(self) -> None:
        try:
            files = list(self._ways)
            while not self._stop.is_set():
                wait = 0.05
                if self._queue:
                    wait = min(wait, max(0.0, self._queue[0].due - time.monotonic()))
                for file in select.select(files, [], [], wait)[0]:
                    self._take(file)
                now = time.monotonic()
                while self._queue and self._queue[0].due <= now:
                    delivery = heapq.heappop(self._queue)
                    _write(delivery.target, delivery.frame)
        except Exception as error:  # noqa: BLE001 - a thread's error, raised by whoever waits for it
            self.failure = error

    def _take(self, file: int) -> None:
        way, target = self._ways[file]
        for _ in range(64):
            try:
                frame = os.read(file, FRAME_LIMIT)
            except BlockingIOError:
                return
            except OSError:
                return  # the interface is down
            self._forward(way, target, frame)

    def _forward(self, way: Way, target: int, frame: bytes) -> None:
        if way.silent:
            return
        start = 10 if self._offload else 0
        segment = read_segment(bytearray(frame[start:]))
        if segment is not None:
            if way.loss and self._random.random() < way.loss:
                return
            if not all(middlebox(segment) for middlebox in way.middleboxes):
                return
            way.payload_octets += segment.payload_octets
            frame = frame[:start] + bytes(segment.frame)
        now = time.monotonic()
        begin = max(now, way.busy_until)
        if (begin - now) * way.rate_bps / 8 > way.queue_octets:
            return  # the queue is full
        way.busy_until = begin + len(frame) * 8 / way.rate_bps
        self._order += 1
        due = way.busy_until + way.delay_s
        heapq.heappush(self._queue, _Delivery(due, self._order, target, frame))


def _write(file: int, frame: bytes) -> None:
    try:
        os.write(file, frame)
    except OSError:
        return  # the interface went down: the frame is lost, as on a real link
