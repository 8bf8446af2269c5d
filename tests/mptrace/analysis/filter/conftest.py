"""Captures with their columns, and tshark, for the tests of display filters."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from mptrace.analysis import analyze_capture
from mptrace.analysis.filter import PacketColumns
from mptrace.capture import open_capture

MakeColumns = Callable[[str], PacketColumns]


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
def columns_of(root: Path) -> Iterator[MakeColumns]:
    """The columns of a sample, analyzed once."""
    with ExitStack() as stack:

        @cache
        def columns(name: str) -> PacketColumns:
            capture = stack.enter_context(open_capture(root / "samples" / name))
            return PacketColumns(capture, analyze_capture(capture))

        yield columns


@pytest.fixture(scope="session")
def made_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pcap of what samples lack: ARP, UDP, ICMP, VLAN, tunnel, fragment, cut and short."""
    path = tmp_path_factory.mktemp("made") / "made.pcap"
    frames = _frames()
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, (frame, wire_length) in enumerate(frames):
            file.write(struct.pack("<IIII", 1_700_000_000, number * 1000, len(frame), wire_length))
            file.write(frame)
    return path


def _frames() -> Sequence[tuple[bytes, int]]:
    ethernet = bytes.fromhex("020000000002 020000000001".replace(" ", ""))
    tcp = _tcp(b"GET / HTTP/1.0\r\n")
    udp = struct.pack(">HHHH", 5353, 53, 12, 0) + b"\xde\xad\xbe\xef"
    inner = _ipv4("192.168.1.1", "192.168.1.2", 6, tcp)
    whole = ethernet + b"\x08\x00" + _ipv4("10.0.0.1", "10.0.0.2", 6, tcp)
    frames = [
        ethernet + b"\x08\x06" + bytes.fromhex("0001080006040001") + bytes(20),
        whole,
        ethernet + b"\x08\x00" + _ipv4("10.0.0.2", "10.0.0.1", 17, udp),
        ethernet + b"\x08\x00" + _ipv4("10.0.0.1", "10.0.0.3", 1, b"\x08\0\xf7\xff\0\0\0\0"),
        ethernet + b"\x81\x00\x00\x05\x08\x00" + _ipv4("10.0.0.1", "10.0.0.2", 6, tcp),
        ethernet + b"\x08\x00" + _ipv4("172.16.0.1", "172.16.0.2", 4, inner),
        ethernet + b"\x86\xdd" + _ipv6("fd00::1", "fd00::2", 6, tcp),
        ethernet + b"\x08\x00" + _ipv4("10.0.0.1", "10.0.0.2", 17, bytes(24), fragment=0x2003),
        ethernet + b"\x86\xdd" + _ipv6("fe80::1", "ff02::1", 58, b"\x80\0\0\0\0\0\0\0"),
    ]
    return [*((frame, len(frame)) for frame in frames), (whole[:60], len(whole)), (b"\1\2", 2)]


def _tcp(payload: bytes) -> bytes:
    return struct.pack(">HHIIHHHH", 40000, 80, 1000, 2000, 0x5018, 512, 0, 0) + payload


def _ipv4(
    source: str, destination: str, protocol: int, payload: bytes, fragment: int = 0x4000
) -> bytes:
    ends = bytes(int(part) for end in (source, destination) for part in end.split("."))
    return (
        struct.pack(">BBHHHBBH", 0x45, 0xB9, 20 + len(payload), 7, fragment, 63, protocol, 0)
        + ends
        + payload
    )


def _ipv6(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    from ipaddress import IPv6Address

    ends = IPv6Address(source).packed + IPv6Address(destination).packed
    return struct.pack(">IHBB", 0x61234567, len(payload), protocol, 61) + ends + payload
