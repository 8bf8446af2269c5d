"""tcpdump and dumpcap on a host: ready before the first packet, flushed at the end."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samples.recording.namespaces import Namespace, RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from samples.recording.compression import Compression

BUFFER_KIB = 65_536
"""The kernel keeps room of one snaplen for each packet: with 256 KiB, for 256 packets."""
DROPPED = re.compile(r"^(\d+) packets? dropped by (?:kernel|interface)")
READY_SIGNS = ("listening on", "Capturing on", "File:")


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """How one host's packets are captured."""

    interfaces: tuple[str, ...] = ("any",)
    snaplen: int = 262_144
    nanoseconds: bool = False
    pcapng: bool = False
    compression: Compression | None = None


class PacketCapture:
    """A running capture program that writes ``path``."""

    def __init__(self, host: Namespace, path: Path, settings: CaptureSettings) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._process = host.start(
            _dumpcap(path, settings) if settings.pcapng else _tcpdump(path, settings)
        )
        self._said: list[str] = []
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        if not self._ready.wait(10) or self._process.poll() is not None:
            self.stop()
            raise RecordingError(f"no capture into {path.name}: {' '.join(self._said)}")
        if settings.pcapng:
            time.sleep(0.3)  # dumpcap speaks before its interfaces are open

    def stop(self) -> None:
        """Let the last packets come, then end the capture and wait until the file is whole."""
        if self._process.poll() is None:
            time.sleep(0.3)
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    @property
    def dropped(self) -> int:
        """Packets that the capture lacks, as tcpdump says when it has ended."""
        found = (DROPPED.match(line) for line in self._said)
        return sum(int(match[1]) for match in found if match)

    def _listen(self) -> None:
        pipe = self._process.stderr
        if pipe is not None:
            for line in pipe:
                self._said.append(line.strip())
                if line.startswith(READY_SIGNS) or "listening on" in line:
                    self._ready.set()
        self._ready.set()


def _tcpdump(path: Path, settings: CaptureSettings) -> Sequence[str]:
    precision = "nano" if settings.nanoseconds else "micro"
    return [
        *("tcpdump", "-i", settings.interfaces[0], "-U", "--immediate-mode", "-Z", "root", "-n"),
        *(
            "-B",
            str(BUFFER_KIB),
            "-s",
            str(settings.snaplen),
            f"--time-stamp-precision={precision}",
        ),
        *("-w", str(path), "tcp"),
    ]


def _dumpcap(path: Path, settings: CaptureSettings) -> Sequence[str]:
    arguments = ["dumpcap", "-q", "-w", str(path)]
    for interface in settings.interfaces:
        arguments += ["-i", interface, "-f", "tcp", "-s", str(settings.snaplen), "-B", "8"]
    return arguments
