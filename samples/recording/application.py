"""The two applications of a recording: each sends a known stream and hashes what it reads.

Run inside a namespace: ``python application.py '{"side": "client", ...}'``. It prints ``ready``
(server, once it listens) and then one JSON array: per connection what was sent and read, with
SHA-256 of each, and the kernel's MPTCP_INFO at the end of the transfer. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

IPPROTO_MPTCP = 262
SOL_MPTCP = 284
MPTCP_INFO = 1
MSG_FASTOPEN = 0x20000000
BULK_BLOCK, LIVE_BLOCK = 16_384, 4_096
# struct mptcp_info of linux/mptcp.h: six octets, flags, token, the sequence numbers, three octets,
# retransmits, octets (retransmitted, sent, received, acknowledged), subflows_total.
INFO_LAYOUT = struct.Struct("=6B2xII3Q3BxI4QB")
INFO_NAMES = (
    "subflows",
    "add_addr_signal",
    "add_addr_accepted",
    "subflows_max",
    "add_addr_signal_max",
    "add_addr_accepted_max",
    "flags",
    "token",
    "write_seq",
    "snd_una",
    "rcv_nxt",
    "local_addr_used",
    "local_addr_max",
    "csum_enabled",
    "retransmits",
    "bytes_retrans",
    "bytes_sent",
    "bytes_received",
    "bytes_acked",
    "subflows_total",
)
INFO_KEPT = (
    "token",
    "write_seq",
    "snd_una",
    "rcv_nxt",
    "csum_enabled",
    "retransmits",
    "bytes_retrans",
    "bytes_sent",
    "bytes_received",
    "bytes_acked",
    "subflows",
    "subflows_total",
)


@dataclass(frozen=True)
class Task:
    """What one application is to do; the keys of the JSON on the command line."""

    side: str
    seed: str
    address: str
    port: int
    octets: int
    expect: int = 0
    """Keep the own direction open until so many octets of the peer were read."""
    mptcp: bool = True
    connections: int = 1
    source: str = ""
    source_ports: tuple[int, ...] = ()
    pause_s: float = 0.0
    """Wait between handshake and first octet, so that other subflows can join."""
    greeting: int = 0
    """Octets that are sent before the pause: joins begin once data was acknowledged."""
    linger_s: float = 0.0
    """Wait before the close, with all data sent and acknowledged."""
    abort_after: int | None = None
    """Abort (FASTCLOSE) once so many octets were read."""
    timeout_s: float = 20.0
    spread_s: float = 0.0
    """Client: time between the starts of connections."""
    one_by_one: bool = False
    """Client: start a connection when the one before has ended."""
    listen_too: bool = False
    """Client: also listen on its own port, so that the server can join it."""
    octets_per_s: int = 0
    """Write so fast and no faster, as a live stream does; 0: as fast as the socket takes it."""
    fast_open: int = 0
    """Client: so many octets go with the SYN (TCP Fast Open)."""
    wait_for_end: bool = False
    """Send everything only after the peer's stream was read to its end."""


def stream(seed: str, side: str, index: int, octets: int) -> bytes:
    """Give the pseudo-random stream that ``side`` sends on connection ``index``."""
    return random.Random(f"{seed} {side} {index}").randbytes(octets)


def mptcp_info(connection: socket.socket) -> dict[str, int | str] | None:
    """Read MPTCP_INFO; None where the connection is plain TCP from its beginning."""
    try:
        raw = connection.getsockopt(SOL_MPTCP, MPTCP_INFO, 256)
    except OSError:
        return None
    if len(raw) < INFO_LAYOUT.size:
        return None
    values = dict(zip(INFO_NAMES, INFO_LAYOUT.unpack_from(raw), strict=True))
    kept: dict[str, int | str] = {name: values[name] for name in INFO_KEPT}
    kept["token"] = f"0x{values['token']:08x}"
    for name in ("write_seq", "snd_una", "rcv_nxt"):
        kept[name] = f"0x{values[name]:016x}"
    return kept


class Exchange:
    """One connection: both directions at the same time."""

    def __init__(self, task: Task, connection: socket.socket, index: int, *, sent: int = 0) -> None:
        self.task = task
        self.connection = connection
        self.index = index
        self._block = LIVE_BLOCK if task.octets_per_s else BULK_BLOCK
        self.sent = sent
        self.got = 0
        self.got_hash = hashlib.sha256()
        self.error: str | None = None
        self.aborted = threading.Event()
        self.ended = threading.Event()

    def run(self) -> dict[str, Any]:
        """Send and read to the end; return what happened."""
        self.connection.settimeout(self.task.timeout_s)
        data = stream(self.task.seed, self.task.side, self.index, self.task.octets)
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        if self.task.wait_for_end:
            self.ended.wait(self.task.timeout_s)
        self._write(data)
        reader.join(self.task.timeout_s)
        info = None if self.aborted.is_set() else self._settled_info()
        if self.task.linger_s:
            time.sleep(self.task.linger_s)
        self.connection.close()
        return {
            "side": self.task.side,
            "i": self.index,
            "sent": self.sent,
            "sent_sha": hashlib.sha256(data[: self.sent]).hexdigest(),
            "got": self.got,
            "got_sha": self.got_hash.hexdigest(),
            "err": self.error,
            "info": info,
        }

    def _settled_info(self) -> dict[str, int | str] | None:
        info = mptcp_info(self.connection)
        for _ in range(20):
            if info is None or info["write_seq"] == info["snd_una"]:
                break
            time.sleep(0.025)
            info = mptcp_info(self.connection)
        return info

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            if self.task.greeting:
                greeting = view[self.sent : self.sent + self.task.greeting]
                self.sent += self.connection.send(greeting)
            if self.task.pause_s:
                time.sleep(self.task.pause_s)
            while self.sent < len(data) and not self.aborted.is_set():
                self.sent += self.connection.send(view[self.sent : self.sent + self._block])
                if self.task.octets_per_s:
                    time.sleep(self._block / self.task.octets_per_s)
            if self.task.abort_after is None:
                self._wait_until_acknowledged()
                self.connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._failed(error)

    def _wait_until_acknowledged(self) -> None:
        """Hold the DATA_FIN back: Linux accepts no join once either side has sent it."""
        end = time.monotonic() + self.task.timeout_s
        while time.monotonic() < end and not self.ended.is_set():
            info = mptcp_info(self.connection)
            acknowledged = info is None or info["write_seq"] == info["snd_una"]
            if acknowledged and self.got >= self.task.expect:
                return
            time.sleep(0.005)

    def _read(self) -> None:
        try:
            while block := self.connection.recv(65_536):
                self.got += len(block)
                self.got_hash.update(block)
                if self.task.abort_after is not None and self.got >= self.task.abort_after:
                    self._abort()
                    return
        except OSError as error:
            self._failed(error)
        finally:
            self.ended.set()

    def _abort(self) -> None:
        self.aborted.set()
        linger_nothing = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_nothing)
        self.connection.close()

    def _failed(self, error: OSError) -> None:
        if not self.aborted.is_set() and self.error is None:
            self.error = f"{type(error).__name__}: {error}"


def open_socket(task: Task) -> socket.socket:
    """Make the socket of the task's family and protocol."""
    family = socket.AF_INET6 if ":" in task.address else socket.AF_INET
    protocol = IPPROTO_MPTCP if task.mptcp else socket.IPPROTO_TCP
    opened = socket.socket(family, socket.SOCK_STREAM, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return opened


def serve(task: Task) -> list[dict[str, Any]]:
    """Accept the connections of a task and answer each."""
    results: list[dict[str, Any]] = []
    listener = open_socket(task)
    listener.bind((task.address, task.port))
    listener.listen(task.connections)
    listener.settimeout(task.timeout_s)
    print("ready", flush=True)
    threads: list[threading.Thread] = []
    for index in range(task.connections):
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            break
        exchange = Exchange(task, connection, index)
        threads.append(threading.Thread(target=lambda e=exchange: results.append(e.run())))
        threads[-1].start()
    for thread in threads:
        thread.join()
    listener.close()
    return results


def connect(task: Task, index: int) -> dict[str, Any]:
    """Make one connection of a task and exchange its data."""
    connection = open_socket(task)
    connection.settimeout(task.timeout_s)
    if task.source or task.source_ports:
        port = task.source_ports[index % len(task.source_ports)] if task.source_ports else 0
        connection.bind((task.source, port))
    listener = None
    if task.listen_too:
        listener = open_socket(task)
        listener.bind((task.source, task.source_ports[0]))
        listener.listen()
    try:
        sent = 0
        if task.fast_open:
            data = stream(task.seed, task.side, index, task.octets)[: task.fast_open]
            sent = connection.sendto(data, MSG_FASTOPEN, (task.address, task.port))
        else:
            connection.connect((task.address, task.port))
        return Exchange(task, connection, index, sent=sent).run()
    except OSError as error:
        connection.close()
        return {
            "side": task.side,
            "i": index,
            "sent": 0,
            "sent_sha": hashlib.sha256().hexdigest(),
            "got": 0,
            "got_sha": hashlib.sha256().hexdigest(),
            "err": f"{type(error).__name__}: {error}",
            "info": None,
        }
    finally:
        if listener is not None:
            listener.close()


def call(task: Task) -> list[dict[str, Any]]:
    """Make all connections of a client's task."""
    if task.one_by_one:
        return [connect(task, index) for index in range(task.connections)]
    results: list[dict[str, Any]] = []
    threads: list[threading.Thread] = []
    for index in range(task.connections):
        threads.append(threading.Thread(target=lambda i=index: results.append(connect(task, i))))
        threads[-1].start()
        time.sleep(task.spread_s)
    for thread in threads:
        thread.join()
    return results


def main() -> None:
    """Do the task of the command line and print the result."""
    wanted = json.loads(sys.argv[1])
    wanted["source_ports"] = tuple(wanted.get("source_ports", ()))
    task = Task(**wanted)
    results = serve(task) if task.side == "server" else call(task)
    print(json.dumps(sorted(results, key=lambda result: int(result["i"]))), flush=True)


if __name__ == "__main__":
    main()
