"""Connections written packet by packet, to analyze, with every position known beforehand."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mptrace
from dissector.option_codec import encode_options
from dissector.options import (
    DataSequenceSignal,
    MpCapable,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    TcpOption,
)
from mptrace.capture.writer import PcapWriter

if TYPE_CHECKING:
    from collections.abc import Callable

SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1
START_NS = 1_700_000_000_000_000_000
RAW = 101


def _octets(number: int, width: int) -> bytes:
    return number.to_bytes(width, "big")


@dataclass
class Subflow:
    """A TCP connection of the story; positions count from the SYN, which is 0."""

    number: int
    isn: tuple[int, int]
    """Of client and server."""


@dataclass
class Story:
    """One v1 connection, written as a raw-IPv4 capture."""

    client_key: int = 0x0102030405060708
    server_key: int = 0x1112131415161718
    packets: list[tuple[int, bytes]] = field(default_factory=list)
    now_ns: int = START_NS
    subflows: list[Subflow] = field(default_factory=list)
    checksums: bool = False

    # RFC 8684 section 3.1 and 3.2, by hashlib alone
    def initial_data_seq(self, direction: int) -> int:
        key = (self.client_key, self.server_key)[direction]
        return int.from_bytes(sha256(_octets(key, 8)).digest()[-8:], "big")

    def token(self, direction: int) -> int:
        key = (self.client_key, self.server_key)[direction]
        return int.from_bytes(sha256(_octets(key, 8)).digest()[:4], "big")

    @property
    def frame(self) -> int:
        """Number of the packet that was written last."""
        return len(self.packets)

    def segment(
        self,
        subflow: Subflow,
        direction: int,
        flags: int,
        position: int,
        ack: int | None,
        options: list[TcpOption],
        payload: bytes = b"",
        window: int = 1000,
    ) -> int:
        """Write one segment, a millisecond after the one before; its frame number."""
        self.now_ns += 1_000_000
        opts = encode_options(options)
        ports = (40_000 + subflow.number, 5001)
        addresses = (bytes((10, subflow.number, 0, 1)), bytes((10, 0, 0, 2)))
        header = struct.pack(
            ">HHIIBBHHH",
            ports[direction],
            ports[1 - direction],
            (subflow.isn[direction] + position) & MASK32,
            0 if ack is None else (subflow.isn[1 - direction] + ack) & MASK32,
            (20 + len(opts)) // 4 << 4,
            flags | (0 if ack is None else ACK),
            window,
            0,
            0,
        )
        total = 20 + len(header) + len(opts) + len(payload)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, total, self.frame & 0xFFFF, 0x4000, 64, 6, 0)
        ip += addresses[direction] + addresses[1 - direction]
        self.packets.append((self.now_ns, ip + header + opts + payload))
        return self.frame

    def open(self, isn: tuple[int, int] = (1000, 2000)) -> Subflow:
        """The handshake of the initial subflow (RFC 8684 section 3.1)."""
        subflow = Subflow(len(self.subflows), isn)
        self.subflows.append(subflow)
        flags = 0x01 | (0x80 if self.checksums else 0)
        self.segment(subflow, 0, SYN, 0, None, [MpCapable(1, flags)])
        self.segment(subflow, 1, SYN, 0, 1, [MpCapable(1, flags, self.server_key)])
        both = MpCapable(1, flags, self.client_key, self.server_key)
        self.segment(subflow, 0, 0, 1, 1, [both])
        return subflow

    def join(self, isn: tuple[int, int] = (3000, 4000), *, backup: bool = False) -> Subflow:
        """The handshake of a further subflow (RFC 8684 section 3.2)."""
        subflow = Subflow(len(self.subflows), isn)
        self.subflows.append(subflow)
        number = subflow.number
        nonces = 0x01020304 + number, 0x0A0B0C0D + number
        keys = _octets(self.client_key, 8), _octets(self.server_key, 8)
        first, second = _octets(nonces[0], 4), _octets(nonces[1], 4)
        answer = digest(keys[1] + keys[0], second + first, "sha256")
        proof = digest(keys[0] + keys[1], first + second, "sha256")
        syn = MpJoinSyn(backup, number, self.token(1), nonces[0])
        self.segment(subflow, 0, SYN, 0, None, [syn])
        syn_ack = MpJoinSynAck(backup, 0, answer[:8], nonces[1])
        self.segment(subflow, 1, SYN, 0, 1, [syn_ack])
        self.segment(subflow, 0, 0, 1, 1, [MpJoinAck(proof[:20])])
        return subflow

    def signal(
        self,
        direction: int,
        *,
        mapping: tuple[int, int, int] | None = None,
        data_ack: int | None = None,
        data_fin: bool = False,
        wide: bool = True,
        checksum: int | None = None,
    ) -> DataSequenceSignal:
        """A DSS: ``mapping`` is (relative DSN, subflow position, length), DATA_ACK relative."""
        width = 8 if wide else 4
        mask = MASK64 if wide else MASK32
        values: dict[str, int | None] = {}
        if mapping is not None:
            relative, position, length = mapping
            values["data_seq"] = (self.initial_data_seq(direction) + relative) & mask
            values["data_seq_octets"] = width
            values["subflow_seq"], values["data_length"] = position, length
            values["checksum"] = checksum
        if data_ack is not None:
            values["data_ack"] = (self.initial_data_seq(1 - direction) + data_ack) & mask
            values["data_ack_octets"] = width
        return DataSequenceSignal(data_fin=data_fin, **values)  # type: ignore[arg-type]

    def write(self, path: Path) -> Path:
        """The capture as a file."""
        with path.open("wb") as file:
            writer = PcapWriter(file, RAW)
            for time_ns, octets in self.packets:
                writer.write(octets, time_ns)
        return path

    def analyze(self, path: Path) -> mptrace.Analysis:
        """What the analysis says of it."""
        return mptrace.analyze(self.write(path))


@pytest.fixture
def story() -> Callable[..., Story]:
    """Start a connection to be written."""
    return Story
