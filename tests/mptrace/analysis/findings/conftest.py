"""Captures written packet by packet, and what dpkt says of a packet: no decoder of the project."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dpkt
import pytest

from dissector import keys
from dissector.option_codec import encode_options
from dissector.options import (
    AddAddress,
    DataSequenceSignal,
    MpCapable,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    TcpOption,
)
from mptrace.analysis.pipeline import analyze
from mptrace.analysis.results import Analysis
from mptrace.capture import open_capture
from mptrace.capture.writer import PcapWriter

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
RAW_IP, ETHERNET, LINUX_SLL2 = 101, 1, 276
CLIENT_KEY, SERVER_KEY = 0x0123456789ABCDEF, 0xFEDCBA9876543210
MASK = (1 << 64) - 1
SUBTYPES = (
    "MP_CAPABLE",
    "MP_JOIN",
    "DSS",
    "ADD_ADDR",
    "REMOVE_ADDR",
    "MP_PRIO",
    "MP_FAIL",
    "MP_FASTCLOSE",
    "MP_TCPRST",
)


@dataclass
class Stream:
    """A TCP connection; index 0 is its initiator, the client."""

    ends: tuple[tuple[str, int], tuple[str, int]]
    seq: list[int]
    mapped: list[int] = field(default_factory=lambda: [1, 1])
    """Subflow sequence number of the next octet."""


class Play:
    """An MPTCP connection, and whatever else a test wants, written one packet after the other."""

    def __init__(self, version: int = 1, flags: int = 0x01) -> None:
        self.version = version
        self.flags = flags
        self.now_ns = 1_700_000_000_000_000_000
        self.records: list[tuple[int, bytes]] = []
        self.next_data = [
            keys.initial_data_seq(key, version) + 1 for key in (CLIENT_KEY, SERVER_KEY)
        ]
        self.streams = 0

    # --- packets ---------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)

    def stream(self, client: str = "10.0.1.1", server: str = "10.0.0.9") -> Stream:
        self.streams += 1
        return Stream(((client, 40_000 + self.streams), (server, 5001)), [1000, 5000])

    def send(
        self,
        stream: Stream,
        sender: int,
        flags: int,
        options: list[TcpOption] | bytes = b"",
        payload: bytes = b"",
    ) -> int:
        """Write a segment of the initiator (0) or responder (1); returns its packet number."""
        source, target = stream.ends[sender], stream.ends[1 - sender]
        area = options if isinstance(options, bytes) else encode_options(options)
        tcp = dpkt.tcp.TCP(
            sport=source[1],
            dport=target[1],
            seq=stream.seq[sender] & 0xFFFFFFFF,
            ack=stream.seq[1 - sender] & 0xFFFFFFFF if flags & ACK else 0,
            flags=flags,
            win=5000,
            opts=area,
            data=payload,
        )
        tcp.off = (20 + len(area)) // 4
        ip = dpkt.ip.IP(
            src=socket.inet_aton(source[0]),
            dst=socket.inet_aton(target[0]),
            p=6,
            id=len(self.records) + 1,
            ttl=64,
            data=tcp,
        )
        ip.len = 40 + len(area) + len(payload)
        stream.seq[sender] += len(payload) + bool(flags & SYN) + bool(flags & FIN)
        return self.record(bytes(ip))

    def record(self, octets: bytes) -> int:
        self.now_ns += 1_000_000
        self.records.append((self.now_ns, octets))
        return len(self.records)

    # --- handshakes ------------------------------------------------------------------------

    def capable(self, *shown: int, version: int | None = None, **rest: Any) -> list[TcpOption]:
        chosen = self.version if version is None else version
        return [MpCapable(chosen, self.flags, *shown, **rest)]

    def open(self) -> Stream:
        stream = self.stream()
        self.send(stream, 0, SYN, self.capable(*([] if self.version else [CLIENT_KEY])))
        self.send(stream, 1, SYN | ACK, self.capable(SERVER_KEY))
        self.send(stream, 0, ACK, self.capable(CLIENT_KEY, SERVER_KEY))
        return stream

    def join_syn(self, stream: Stream, version: int | None = None, backup: bool = False) -> int:
        token = keys.token(SERVER_KEY, self.version if version is None else version)
        return self.send(stream, 0, SYN, [MpJoinSyn(backup, 2, token, 111)])

    def join_syn_ack(self, stream: Stream, wrong: bool = False) -> int:
        hmac = keys.join_syn_ack_hmac(SERVER_KEY, CLIENT_KEY, 222, 111, self.version)
        if wrong:
            hmac = bytes(8)
        return self.send(stream, 1, SYN | ACK, [MpJoinSynAck(False, 0, hmac, 222)])

    def join(self, client: str = "10.0.2.1", backup: bool = False) -> Stream:
        stream = self.stream(client)
        self.join_syn(stream, backup=backup)
        self.join_syn_ack(stream)
        hmac = keys.join_ack_hmac(CLIENT_KEY, SERVER_KEY, 111, 222, self.version)
        self.send(stream, 0, ACK, [MpJoinAck(hmac)])
        self.data_ack(stream, 1)
        return stream

    def advertisement(self, address_id: int, address: str) -> TcpOption:
        """An ADD_ADDR of the server, with its HMAC."""
        where = ip_address(address)
        hmac = keys.add_address_hmac(SERVER_KEY, CLIENT_KEY, address_id, where.packed, None)
        return AddAddress(self.version, address_id, where, None, False, hmac)

    def echo(self, stream: Stream, sender: int, address: str, address_id: int) -> int:
        option = AddAddress(self.version, address_id, ip_address(address), None, True)
        return self.send(stream, sender, ACK, [option])

    # --- data ------------------------------------------------------------------------------

    def signal(self, sender: int, **rest: Any) -> DataSequenceSignal:
        """A DSS that acknowledges everything of the other side."""
        rest.setdefault("data_ack", self.next_data[1 - sender] & MASK)
        rest.setdefault("data_ack_octets", 8 if rest["data_ack"] is not None else 0)
        return DataSequenceSignal(**rest)

    def mapping(self, sender: int, data_seq: int, ssn: int, length: int, **rest: Any) -> TcpOption:
        return self.signal(
            sender,
            data_ack=None,
            data_seq=data_seq & MASK,
            data_seq_octets=8,
            subflow_seq=ssn,
            data_length=length,
            **rest,
        )

    def data(self, stream: Stream, sender: int, octets: int = 1000, size: int = 1000) -> int:
        """Send fresh data, each segment with its mapping; returns the last packet."""
        packet = 0
        for left in range(octets, 0, -size):
            length = min(size, left)
            option = self.mapping(sender, self.next_data[sender], stream.mapped[sender], length)
            packet = self.send(stream, sender, ACK, [option], bytes(length))
            stream.mapped[sender] += length
            self.next_data[sender] += length
        return packet

    def again(self, stream: Stream, sender: int, data_seq: int, octets: int = 1000) -> int:
        """Send octets that were sent before, under a new subflow sequence number."""
        option = self.mapping(sender, data_seq, stream.mapped[sender], octets)
        stream.mapped[sender] += octets
        return self.send(stream, sender, ACK, [option], bytes(octets))

    def data_ack(self, stream: Stream, sender: int) -> int:
        return self.send(stream, sender, ACK, [self.signal(sender)])

    def data_fin(self, stream: Stream, sender: int, data_seq: int | None = None) -> int:
        place = self.next_data[sender] if data_seq is None else data_seq
        if data_seq is None:
            self.next_data[sender] += 1
        option = self.mapping(sender, place, 0, 1, data_fin=True)
        return self.send(stream, sender, ACK, [option])

    def transfer(self, stream: Stream, octets: int = 3000) -> None:
        """Data from the client, acknowledged."""
        self.data(stream, 0, octets)
        self.data_ack(stream, 1)

    def end_data(self, stream: Stream) -> None:
        self.data_fin(stream, 0)
        self.data_ack(stream, 1)
        self.data_fin(stream, 1)
        self.data_ack(stream, 0)

    def fins(self, *streams: Stream) -> None:
        for stream in streams:
            self.send(stream, 0, ACK | FIN)
            self.send(stream, 1, ACK | FIN)
            self.send(stream, 0, ACK)

    def close(self, *streams: Stream) -> None:
        self.end_data(streams[0])
        self.fins(*streams)

    def write(self, path: Path, *, snaplen: int = 65_535, cut: int = 0) -> Path:
        with path.open("wb") as file:
            writer = PcapWriter(file, RAW_IP)
            for time_ns, octets in self.records:
                writer.write(octets[:snaplen], time_ns, len(octets))
        if cut:
            path.write_bytes(path.read_bytes()[:-cut])
        return path


@dataclass(frozen=True)
class Told:
    """A packet in the words of dpkt: ``SYN/ACK MP_JOIN``, ``ACK DSS data``."""

    path: Path

    def words(self, packets: tuple[int, ...]) -> list[str]:
        with open_capture(self.path) as capture:
            records = [capture.packet(number) for number in packets]
            return [_words(record.octets, record.interface.link_type) for record in records]


def _words(octets: bytes, link_type: int) -> str:
    start = {RAW_IP: 0, ETHERNET: 14, LINUX_SLL2: 20}[link_type]
    ip_class = dpkt.ip.IP if octets[start] >> 4 == 4 else dpkt.ip6.IP6
    tcp = ip_class(octets[start:]).data
    assert isinstance(tcp, dpkt.tcp.TCP)
    words = [name for bit, name in ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST")) if tcp.flags & bit]
    if not words or (tcp.flags & SYN and tcp.flags & ACK):
        words.append("ACK")
    names = []
    for kind, value in dpkt.tcp.parse_opts(tcp.opts):
        if kind == 30:
            subtype = value[0] >> 4
            names.append(SUBTYPES[subtype] if subtype < len(SUBTYPES) else f"subtype {subtype}")
    return " ".join(["/".join(words), *names, *(["data"] if tcp.data else [])])


@pytest.fixture(scope="session")
def told() -> Callable[[Path], Told]:
    return Told


@pytest.fixture(scope="session")
def analyzed() -> Callable[[Path], Analysis]:
    """Analyze a capture, each one once."""
    return cache(analyze)


@pytest.fixture(scope="session")
def sample(root: Path) -> Callable[[str], Path]:
    """Find a recorded sample by ``scenario/side``, however it is compressed."""

    def find(name: str) -> Path:
        (found,) = (root / "samples").glob(f"{name}.pcap*")
        return found

    return find


@pytest.fixture
def play() -> type[Play]:
    return Play
