"""Make the MPTCP v0 (RFC 6824) samples: ``python samples/make_v0.py [--output DIR]``.

No kernel of today speaks v0, so these captures are written, not recorded: options by the project's
own encoder, frames by dpkt. Each truth.json says so. They must agree with tshark, which knows v0.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import socket
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import dpkt  # noqa: E402

from dissector import keys  # noqa: E402
from dissector.checksum import dss_checksum  # noqa: E402
from dissector.option_codec import encode_options  # noqa: E402
from dissector.options import (  # noqa: E402
    AddAddress,
    DataSequenceSignal,
    MaximumSegmentSize,
    MpCapable,
    MpFail,
    MpJoinAck,
    MpJoinSyn,
    MpJoinSynAck,
    RemoveAddress,
    SackPermitted,
    TcpOption,
    Timestamps,
    WindowScale,
)
from mptrace.capture.writer import PcapWriter  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 0
HMAC_SHA1 = 0x01
CHECKSUM_REQUIRED = 0x80
ETHERNET = 1
PORT = 5001
SEGMENT_OCTETS = 1380
START_NS = 1_400_000_000_123_456_789
SYN, ACK, PSH, FIN = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH, dpkt.tcp.TH_FIN

Side = Literal["client", "server"]
OTHER: dict[Side, Side] = {"client": "server", "server": "client"}


@dataclass
class Flow:
    """One subflow: where its TCP numbers stand on each side."""

    client: tuple[str, int]
    server: tuple[str, int]
    isn: dict[Side, int]
    next_seq: dict[Side, int]
    one_way_ns: int
    address_id: int = 0

    def end(self, side: Side) -> tuple[str, int]:
        """Address and port of a side."""
        return self.client if side == "client" else self.server


@dataclass
class Play:
    """A v0 connection that is written packet by packet, as seen near the client."""

    name: str
    checksums: bool = False
    now_ns: int = START_NS
    packets: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose keys and first sequence numbers from the name."""
        self.random = random.Random(self.name)
        self.key: dict[Side, int] = {
            "client": self.random.getrandbits(64),
            "server": self.random.getrandbits(64),
        }
        self.next_dsn: dict[Side, int] = {
            side: (keys.initial_data_seq(key, VERSION) + 1) & (2**64 - 1)
            for side, key in self.key.items()
        }
        self.received_dsn = {OTHER[side]: dsn for side, dsn in self.next_dsn.items()}
        self.sent: dict[Side, bytes] = {"client": b"", "server": b""}
        self.flags = HMAC_SHA1 | (CHECKSUM_REQUIRED if self.checksums else 0)

    # --- packets -----------------------------------------------------------------------------

    def send(
        self, flow: Flow, side: Side, flags: int, options: list[TcpOption], payload: bytes = b""
    ) -> None:
        """Write one segment and move the sequence numbers of the flow."""
        self.segment_at(flow, side, flags, options, payload, flow.next_seq[side])
        flow.next_seq[side] += len(payload) + bool(flags & SYN) + bool(flags & FIN)

    def segment_at(
        self,
        flow: Flow,
        side: Side,
        flags: int,
        options: list[TcpOption],
        payload: bytes,
        seq: int,
    ) -> None:
        """Write one segment with a sequence number of the caller's."""
        source, destination = flow.end(side), flow.end(OTHER[side])
        tcp = dpkt.tcp.TCP(
            sport=source[1],
            dport=destination[1],
            seq=seq & 0xFFFFFFFF,
            ack=flow.next_seq[OTHER[side]] & 0xFFFFFFFF if flags & ACK else 0,
            flags=flags,
            win=29_200 if flags & SYN else 229,
            opts=encode_options(options),
            data=payload,
        )
        tcp.off = (20 + len(tcp.opts)) // 4
        ip = dpkt.ip.IP(
            src=socket.inet_aton(source[0]),
            dst=socket.inet_aton(destination[0]),
            p=dpkt.ip.IP_PROTO_TCP,
            id=len(self.packets) & 0xFFFF,
            ttl=64 if side == "client" else 57,
            data=tcp,
        )
        ip.len = 20 + 20 + len(tcp.opts) + len(payload)
        macs = {"client": b"\x02\0\0\0\0\x01", "server": b"\x02\0\0\0\0\x02"}
        frame = dpkt.ethernet.Ethernet(src=macs[side], dst=macs[OTHER[side]], data=ip)
        self.packets.append((self.now_ns, bytes(frame)))
        self.now_ns += 150_000

    def wait(self, flow: Flow) -> None:
        """Let a round trip of the flow pass."""
        self.now_ns += 2 * flow.one_way_ns

    def clock(self) -> Timestamps:
        """Give the timestamps option of this moment."""
        value = self.now_ns // 1_000_000 & 0xFFFFFFFF
        return Timestamps(value=value, echo_reply=value - 40)

    # --- handshakes --------------------------------------------------------------------------

    def open(self) -> Flow:
        """MP_CAPABLE handshake over the first path."""
        flow = self._flow(("10.9.1.1", 40_001), ("10.9.1.2", PORT), 10_000_000)
        client, server = self.key["client"], self.key["server"]
        self.send(flow, "client", SYN, [*_syn_options(), MpCapable(VERSION, self.flags, client)])
        self.wait(flow)
        answer = MpCapable(VERSION, self.flags, server)
        self.send(flow, "server", SYN | ACK, [*_syn_options(), answer])
        self.send(flow, "client", ACK, [MpCapable(VERSION, self.flags, client, server)])
        return flow

    def join(
        self, address: str, address_id: int, server: tuple[str, int] = ("10.9.1.2", PORT)
    ) -> Flow:
        """MP_JOIN handshake from another address of the client."""
        flow = self._flow((address, 40_100 + address_id), server, 30_000_000)
        flow.address_id = address_id
        nonce: dict[Side, int] = {
            "client": self.random.getrandbits(32),
            "server": self.random.getrandbits(32),
        }
        client, host = self.key["client"], self.key["server"]
        token = keys.token(host, VERSION)
        syn = MpJoinSyn(False, address_id, token, nonce["client"])
        self.send(flow, "client", SYN, [*_syn_options(), syn])
        self.wait(flow)
        hmac = keys.join_syn_ack_hmac(host, client, nonce["server"], nonce["client"], VERSION)
        answer = MpJoinSynAck(False, 0, hmac, nonce["server"])
        self.send(flow, "server", SYN | ACK, [*_syn_options(), answer])
        hmac = keys.join_ack_hmac(client, host, nonce["client"], nonce["server"], VERSION)
        self.send(flow, "client", ACK, [MpJoinAck(hmac)])
        self.wait(flow)
        self.send(flow, "server", ACK, [self.clock()])
        return flow

    def _flow(self, client: tuple[str, int], server: tuple[str, int], one_way_ns: int) -> Flow:
        isn: dict[Side, int] = {
            "client": self.random.getrandbits(32),
            "server": self.random.getrandbits(32),
        }
        return Flow(client, server, isn, dict(isn), one_way_ns)

    # --- data --------------------------------------------------------------------------------

    def data(self, flow: Flow, side: Side, octets: int, wide: bool = True) -> None:
        """Send fresh octets in segments with a mapping each (``wide``: 8-octet DSN)."""
        while octets:
            size = min(octets, SEGMENT_OCTETS)
            payload = self.random.randbytes(size)
            self.mapped(flow, side, self.next_dsn[side], payload, wide)
            self.next_dsn[side] += size
            self.sent[side] += payload
            octets -= size

    def repeat(self, flow: Flow, side: Side, first: int, octets: int) -> None:
        """Send octets of the stream again from offset ``first``, on this flow: a reinjection."""
        base = self.next_dsn[side] - len(self.sent[side])
        for offset in range(first, first + octets, SEGMENT_OCTETS):
            piece = self.sent[side][offset : min(offset + SEGMENT_OCTETS, first + octets)]
            self.mapped(flow, side, base + offset, piece, True)

    def mapped(self, flow: Flow, side: Side, dsn: int, payload: bytes, wide: bool) -> None:
        """Send one segment with its DSS."""
        subflow_seq = flow.next_seq[side] - flow.isn[side]
        dsn &= 2**64 - 1
        checksum = dss_checksum(dsn, subflow_seq, len(payload), payload)
        option = DataSequenceSignal(
            data_ack=self.received_dsn[side] & 0xFFFFFFFF,
            data_ack_octets=4,
            data_seq=dsn if wide else dsn & 0xFFFFFFFF,
            data_seq_octets=8 if wide else 4,
            subflow_seq=subflow_seq,
            data_length=len(payload),
            checksum=checksum if self.checksums else None,
        )
        self.send(flow, side, ACK | PSH, [self.clock(), option], payload)

    def acknowledge(self, flow: Flow, side: Side, wide: bool = False) -> None:
        """Acknowledge all data of the other side, on this flow and at the data level."""
        self.wait(flow)
        self.received_dsn[side] = self.next_dsn[OTHER[side]]
        self.data_ack(flow, side, wide)

    def data_ack(self, flow: Flow, side: Side, wide: bool = False) -> None:
        """Send a DATA_ACK of what is known to be received."""
        number = self.received_dsn[side] & (2**64 - 1)
        option = DataSequenceSignal(
            data_ack=number if wide else number & 0xFFFFFFFF, data_ack_octets=8 if wide else 4
        )
        self.send(flow, side, ACK, [self.clock(), option])

    def data_fin(self, flow: Flow, side: Side) -> None:
        """Signal the end of a direction: a mapping of one number and no octet."""
        dsn = self.next_dsn[side] & (2**64 - 1)
        option = DataSequenceSignal(
            data_ack=self.received_dsn[side] & 0xFFFFFFFF,
            data_ack_octets=4,
            data_seq=dsn,
            data_seq_octets=8,
            subflow_seq=0,
            data_length=1,
            checksum=dss_checksum(dsn, 0, 1, b"") if self.checksums else None,
            data_fin=True,
        )
        self.send(flow, side, ACK, [self.clock(), option])
        self.next_dsn[side] += 1

    def close(self, *flows: Flow) -> None:
        """End both directions and every subflow."""
        self.data_fin(flows[0], "client")
        self.acknowledge(flows[0], "server")
        self.data_fin(flows[0], "server")
        self.acknowledge(flows[0], "client")
        self.close_tcp(*flows)

    def close_tcp(self, *flows: Flow) -> None:
        """End every subflow with FINs."""
        for flow in flows:
            self.send(flow, "client", ACK | FIN, [self.clock()])
            self.wait(flow)
            self.send(flow, "server", ACK | FIN, [self.clock()])
            self.send(flow, "client", ACK, [self.clock()])

    # --- the files ---------------------------------------------------------------------------

    def write(self, output: Path) -> None:
        """Write capture and truth."""
        directory = output / self.name
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "client.pcap").open("wb") as file:
            writer = PcapWriter(file, ETHERNET)
            for time_ns, frame in self.packets:
                writer.write(frame, time_ns)
        (directory / "truth.json").write_text(
            json.dumps(self.truth(), indent=1) + "\n", encoding="utf-8"
        )

    def truth(self) -> dict[str, Any]:
        """Say what the two sides sent, as the recorded samples do."""
        sides: tuple[Side, Side] = ("client", "server")
        apps = [
            {
                "side": side,
                "i": 0,
                "sent": len(self.sent[side]),
                "sent_sha": hashlib.sha256(self.sent[side]).hexdigest(),
                "got": len(self.sent[OTHER[side]]),
                "got_sha": hashlib.sha256(self.sent[OTHER[side]]).hexdigest(),
                "err": None,
                "info": None,
            }
            for side in sides
        ]
        return {
            "scenario": self.name,
            "kernel": None,
            "made": "made with the project's own encoder (samples/make_v0.py), not recorded",
            "apps": apps,
            "counters": {},
            "tcp_counters": {},
        }


def _syn_options() -> list[TcpOption]:
    return [MaximumSegmentSize(1460), SackPermitted(), WindowScale(7)]


def two_subflows() -> Play:
    """Two subflows with DSS checksums, data both ways, 4- and 8-octet numbers."""
    play = Play("v0_two_subflows", checksums=True)
    first = play.open()
    play.data(first, "client", 4_000)
    play.acknowledge(first, "server")
    second = play.join("10.9.2.1", 2)
    for round_number in range(6):
        wide = round_number % 2 == 0
        play.data(first, "client", 5_000, wide)
        play.data(second, "client", 2_500, wide)
        play.acknowledge(first, "server", not wide)
        play.acknowledge(second, "server")
        play.data(second, "server", 3_000, wide)
        play.acknowledge(second, "client", wide)
    play.close(first, second)
    return play


def fallback() -> Play:
    """A server that goes on with an infinite mapping, without MP_FAIL before it."""
    play = Play("v0_fallback", checksums=True)
    flow = play.open()
    play.data(flow, "client", 3_000)
    play.acknowledge(flow, "server")
    play.data(flow, "server", 2_760)
    play.acknowledge(flow, "client")
    _infinite(play, flow, "server", 4_000)
    play.send(flow, "client", ACK, [play.clock()])
    play.close_tcp(flow)
    return play


def mp_fail() -> Play:
    """A payload was changed on the way: MP_FAIL, then an infinite mapping that sends it again."""
    play = Play("v0_mp_fail", checksums=True)
    flow = play.open()
    play.data(flow, "client", 1_380)
    play.acknowledge(flow, "server")
    failed = play.next_dsn["client"]
    payload = play.random.randbytes(1_000)
    changed = bytes([payload[0] ^ 0xFF]) + payload[1:]
    subflow_seq = flow.next_seq["client"] - flow.isn["client"]
    option = DataSequenceSignal(
        data_ack=play.received_dsn["client"] & 0xFFFFFFFF,
        data_ack_octets=4,
        data_seq=failed & (2**64 - 1),
        data_seq_octets=8,
        subflow_seq=subflow_seq,
        data_length=len(payload),
        checksum=dss_checksum(failed & (2**64 - 1), subflow_seq, len(payload), payload),
    )
    play.send(flow, "client", ACK | PSH, [play.clock(), option], changed)
    play.wait(flow)
    play.send(flow, "server", ACK, [play.clock(), MpFail(failed & (2**64 - 1))])
    _infinite(play, flow, "client", 5_000, again=payload)
    play.send(flow, "server", ACK, [play.clock()])
    play.close_tcp(flow)
    return play


def _infinite(play: Play, flow: Flow, side: Side, octets: int, again: bytes = b"") -> None:
    """Send octets after an infinite mapping: one DSS with length 0 and checksum 0, then none."""
    option = DataSequenceSignal(
        data_ack=play.received_dsn[side] & 0xFFFFFFFF,
        data_ack_octets=4,
        data_seq=play.next_dsn[side] & (2**64 - 1),
        data_seq_octets=8,
        subflow_seq=flow.next_seq[side] - flow.isn[side],
        data_length=0,
        checksum=0,
    )
    stream = again + play.random.randbytes(octets)
    for offset in range(0, len(stream), SEGMENT_OCTETS):
        options: list[TcpOption] = [play.clock()]
        if offset == 0:
            options.append(option)
        payload = stream[offset : offset + SEGMENT_OCTETS]
        play.send(flow, side, ACK | PSH, options, payload)
    play.next_dsn[side] += len(stream)
    play.sent[side] += stream
    play.wait(flow)


def add_address() -> Play:
    """ADD_ADDR without HMAC, with and without port, IPv4 and IPv6; a join; REMOVE_ADDR."""
    play = Play("v0_add_address")
    flow = play.open()
    play.data(flow, "client", 2_000)
    play.acknowledge(flow, "server")
    for address_id, address, port in (
        (3, "10.9.3.2", None),
        (4, "10.9.4.2", 8_080),
        (5, "fd00:9::2", None),
        (6, "fd00:9::6", 8_081),
    ):
        option = AddAddress(VERSION, address_id, ip_address(address), port)
        play.send(flow, "server", ACK, [play.clock(), option])
    second = play.join("10.9.2.1", 2, ("10.9.3.2", PORT))
    play.data(second, "client", 6_000)
    play.acknowledge(second, "server")
    play.send(flow, "server", ACK, [play.clock(), RemoveAddress((4, 5))])
    play.data(flow, "server", 3_000)
    play.acknowledge(flow, "client")
    play.close(flow, second)
    return play


def reinjection() -> Play:
    """Data of the first subflow again on the second: once useful, once redundant, once spurious."""
    play = Play("v0_reinjection")
    first = play.open()
    play.data(first, "client", 2_760)
    play.acknowledge(first, "server")
    second = play.join("10.9.2.1", 2)
    # Useful: the first subflow's copy is acknowledged after the one on the second.
    play.data(first, "client", 4_140)
    seen = first.next_seq["client"]
    first.next_seq["client"] -= 4_140
    play.now_ns += 400_000_000
    play.repeat(second, "client", 2_760, 4_140)
    play.acknowledge(second, "server")
    first.next_seq["client"] = seen
    play.data_ack(first, "server")
    # Redundant: sent again before the acknowledgement that was on its way.
    play.data(first, "client", 2_760)
    play.repeat(second, "client", 6_900, 2_760)
    play.acknowledge(first, "server")
    play.wait(second)
    play.data_ack(second, "server")
    # Spurious: sent again although a DATA_ACK had covered it.
    play.data(first, "client", 1_380)
    play.acknowledge(first, "server")
    play.repeat(second, "client", 9_660, 1_380)
    play.wait(second)
    play.data_ack(second, "server")
    play.close(first, second)
    return play


PLAYS: tuple[Callable[[], Play], ...] = (
    two_subflows,
    fallback,
    mp_fail,
    add_address,
    reinjection,
)


def main(arguments: list[str] | None = None) -> int:
    """Write all v0 samples."""
    parser = argparse.ArgumentParser(description="Make the MPTCP v0 samples.")
    parser.add_argument(
        "--output", type=Path, default=HERE, metavar="DIR", help="default: samples/"
    )
    output = parser.parse_args(arguments).output
    for make in PLAYS:
        play = make()
        play.write(output)
        print(f"{play.name:20} {len(play.packets)} packets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
