"""What the tests of the capture room share: writing captures, running tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from mptrace.capture.writer import PcapWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Path of a program; without it the test is skipped, and fails under CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            if os.environ.get("CI"):
                pytest.fail(f"{name} is not installed")
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def tshark_fields(tool: Callable[[str], str]) -> Callable[..., list[dict[str, str]]]:
    """Run tshark on a file: one dictionary of fields per packet, innermost layer."""

    def run(path: Path, fields: Sequence[str], *options: str) -> list[dict[str, str]]:
        wanted = [argument for field in fields for argument in ("-e", field)]
        command = [tool("tshark"), "-n", "-r", str(path), *options]
        command += ["-T", "fields", "-E", "occurrence=l", *wanted]
        lines = subprocess.run(command, capture_output=True, check=False, text=True).stdout
        return [dict(zip(fields, line.split("\t"), strict=True)) for line in lines.splitlines()]

    return run


@pytest.fixture
def write_pcap(tmp_path: Path) -> Callable[..., Path]:
    """Write frames to a pcap file, one millisecond apart."""

    def write(
        frames: Sequence[bytes],
        link_type: int = 1,
        *,
        name: str = "a.pcap",
        wire_lengths: Sequence[int] | None = None,
        start_ns: int = 1_700_000_000_000_000_000,
    ) -> Path:
        path = tmp_path / name
        lengths = wire_lengths or [len(frame) for frame in frames]
        with path.open("wb") as file:
            writer = PcapWriter(file, link_type)
            for number, (frame, length) in enumerate(zip(frames, lengths, strict=True)):
                writer.write(frame, start_ns + number * 1_000_000, length)
        return path

    return write
