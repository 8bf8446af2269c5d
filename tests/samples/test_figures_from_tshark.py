"""Figures of recorded transfers, counted once more from tshark's fields alone.

tshark gives relative TCP numbers and the raw fields of each DSS; what follows counts single octets
in dictionaries, straight from docs/definitions.md, and shares nothing with mptrace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mptrace
from mptrace.analysis.model import Connection, ConnectionDirection

NAMES = ("fade", "loss", "mp_fail_multi", "walkout", "slow_second_path", "v0_reinjection")
FIELDS = (
    "frame.number", "frame.time_relative", "tcp.stream", "ip.src", "tcp.seq", "tcp.len", "tcp.ack",
    "tcp.flags", "tcp.options.mptcp.rawdataseqno", "tcp.options.mptcp.subflowseqno",
    "tcp.options.mptcp.datalvllen", "tcp.options.mptcp.rawdataack",
    "tcp.options.mptcp.datafin.flag",
)  # fmt: skip


@dataclass
class Row:
    frame: int
    time_s: float
    stream: int
    source: str
    seq: int
    length: int
    ack: int
    flags: int
    data_seq: int | None
    subflow_seq: int
    data_length: int
    data_ack: int | None
    data_fin: bool


def number(text: str) -> int:
    return int(text, 0) if text else 0


def rows_of(path: Path) -> list[Row]:
    if shutil.which("tshark") is None:
        if os.environ.get("CI"):
            pytest.fail("tshark is missing")
        pytest.skip("tshark is not installed")
    command = ["tshark", "-n", "-r", str(path), "-o", "tcp.relative_sequence_numbers:true"]
    command += ["-T", "fields", "-E", "separator=;", "-E", "occurrence=f"]
    for name in FIELDS:
        command += ["-e", name]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = []
    for line in output.splitlines():
        texts = line.split(";")
        seq, length, ack, flags = (number(text) for text in texts[4:8])
        data_seq, data_ack = (number(texts[i]) if texts[i] else None for i in (8, 11))
        rows.append(
            Row(
                frame=int(texts[0]),
                time_s=float(texts[1]),
                stream=int(texts[2]),
                source=texts[3],
                seq=seq,
                length=length,
                ack=ack,
                flags=flags,
                data_seq=data_seq,
                subflow_seq=number(texts[9]),
                data_length=number(texts[10]),
                data_ack=data_ack,
                data_fin=texts[12] in ("1", "True"),
            )
        )
    return rows


def near(value: int, expected: int) -> int:
    """A number of 64 bits, or of 32 that is expanded next to ``expected``."""
    if value > 0xFFFFFFFF:
        return value
    distance = (value - expected) & 0xFFFFFFFF
    return expected + (distance - (1 << 32) if distance >> 31 else distance)


@dataclass
class Direction:
    """What one side sent, in relative numbers: the connection's first octet is 1."""

    first: int
    """The 64-bit DSN of relative 0: the IDSN."""
    mappings: dict[int, list[tuple[int, int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Per stream: (subflow sequence number, relative DSN, length) in order of announcement."""
    segments: list[Row] = field(default_factory=list)
    data_acks: list[tuple[int, int]] = field(default_factory=list)
    """(frame, relative DATA_ACK) as it advanced."""
    acks: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    latest: int = 0
    fin: int | None = None

    def relative(self, value: int) -> int:
        self.latest = near(value, self.first + self.latest) - self.first
        return self.latest

    def announce(self, row: Row) -> None:
        if row.data_seq is None:
            return
        data = self.relative(row.data_seq)
        length = row.data_length - row.data_fin
        if row.data_fin:
            self.fin = data + length
        if length > 0:
            mapping = (row.subflow_seq, data, length)
            if mapping not in self.mappings[row.stream][-8:]:
                self.mappings[row.stream].append(mapping)

    def acknowledge(self, row: Row) -> None:
        if row.flags & 0x10 and not row.flags & 0x04:
            before = self.acks[row.stream][-1][1] if self.acks[row.stream] else -1
            if row.ack > before:
                self.acks[row.stream].append((row.frame, row.ack))
        if row.data_ack is not None:
            value = self.relative(row.data_ack)
            if not self.data_acks or value > self.data_acks[-1][1]:
                self.data_acks.append((row.frame, value))

    def figures(self) -> Counter[str]:
        where = {
            stream: {
                start + i: data + i
                for start, data, length in reversed(mappings)
                for i in range(length)
            }
            for stream, mappings in self.mappings.items()
        }
        frame_acking = {stream: _covering(acks) for stream, acks in self.acks.items()}
        data_acked = _covering(self.data_acks)
        copies: dict[int, list[tuple[int, int]]] = {}
        figures: Counter[str] = Counter()
        frontier = 1
        late: set[int] = set()
        for row in self.segments:
            place = where.get(row.stream, {})
            first = []
            for position in range(row.seq, row.seq + row.length):
                octet = place.get(position)
                if octet is None:
                    figures["unmapped"] += 1
                    continue
                earlier = copies.setdefault(octet, [])
                if not earlier:
                    kind = "first"
                    first.append(octet)
                    figures[f"first on {row.stream}"] += 1
                elif (row.stream, position) in earlier:
                    kind = "retransmission"
                elif any(stream == row.stream for stream, _ in earlier):
                    kind = "remapped"
                else:
                    kind = "reinjection"
                    covered = data_acked(octet)
                    own = frame_acking[row.stream](position)
                    others = min(frame_acking[s](p) for s, p in earlier)
                    worth = "useful" if own < others else "redundant"
                    figures["spurious" if covered < row.frame else worth] += 1
                figures[kind] += 1
                earlier.append((row.stream, position))
            while frontier in copies:
                frontier += 1
            above = [octet for octet in first if octet > frontier]
            figures["out of order octets"] += len(above)
            if above:
                late.add(row.frame)
        figures["out of order packets"] = len(late)
        top = max([1, *(octet + 1 for octet in copies), *(a for _, a in self.data_acks)])
        if self.fin is not None and top > self.fin:
            top = self.fin
        figures["missing"] = sum(octet not in copies for octet in range(1, top))
        figures["acked"] = top_acked(self) - 1
        return figures


def top_acked(direction: Direction) -> int:
    highest = direction.data_acks[-1][1] if direction.data_acks else 1
    if direction.fin is not None and highest > direction.fin:
        return direction.fin
    return highest


def _covering(acks: list[tuple[int, int]]) -> Any:
    """The frame of the first acknowledgement above an octet."""
    from bisect import bisect_right

    numbers = [number for _, number in acks]

    def frame(octet: int) -> int:
        index = bisect_right(numbers, octet)
        return acks[index][0] if index < len(acks) else 1 << 40

    return frame


def directions(connection: Connection, rows: list[Row]) -> tuple[Direction, Direction]:
    """What each side sent and the other acknowledged, client first."""
    client_of = {subflow.tcp_stream: subflow.client.address for subflow in connection.subflows}
    assert connection.client.initial_dsn is not None
    assert connection.server.initial_dsn is not None
    sides = (Direction(connection.client.initial_dsn), Direction(connection.server.initial_dsn))
    for row in rows:
        from_client = row.source == client_of[row.stream]
        own, other = sides if from_client else sides[::-1]
        own.announce(row)
        if row.length and not row.flags & 0x04:
            own.segments.append(row)
        other.acknowledge(row)
    return sides


def round_trips(side: Direction, stream: int, times: dict[int, float]) -> list[float]:
    """From each segment that was sent once to the ACK that first covers it."""
    segments = [row for row in side.segments if row.stream == stream]
    sent = Counter(p for row in segments for p in range(row.seq, row.seq + row.length))
    covering = _covering(side.acks[stream])
    found = []
    for row in segments:
        acked = covering(row.seq + row.length - 1)
        once = all(sent[p] == 1 for p in range(row.seq, row.seq + row.length))
        if once and acked in times and acked > row.frame:
            found.append(times[acked] - row.time_s)
    return found


def check_rates(side: Direction, ours: ConnectionDirection, times: dict[int, float]) -> None:
    """Averages from the first payload packet on (docs/definitions.md)."""
    begin, end = side.segments[0].time_s, side.segments[-1].time_s
    bits = 8 * sum(row.length for row in side.segments)
    if end > begin:
        assert ours.throughput_bps == pytest.approx(bits / (end - begin), rel=1e-6)
    octets = top_acked(side) - 1
    reached = next(frame for frame, acked in side.data_acks if acked > octets)
    assert ours.goodput_bps == pytest.approx(8 * octets / (times[reached] - begin), rel=1e-6)


@pytest.mark.tshark
@pytest.mark.parametrize("name", NAMES)
def test_rates_and_round_trips_are_those_of_tsharks_fields(root: Path, name: str) -> None:
    path = min((root / "samples" / name).glob("*.pcap"))
    (connection,) = mptrace.analyze(path)
    rows = rows_of(path)
    times = {row.frame: row.time_s for row in rows}
    for side, name_ in zip(
        directions(connection, rows), ("client_to_server", "server_to_client"), strict=True
    ):
        ours = getattr(connection, name_)
        if side.segments:
            check_rates(side, ours, times)
        for subflow in connection.subflows:
            samples = round_trips(side, subflow.tcp_stream, times)
            rtt = getattr(subflow, name_).rtt_s
            if not samples:
                assert rtt is None
                continue
            assert rtt.samples == len(samples)
            quantiles = np.percentile(samples, (0, 50, 95, 100))
            assert (rtt.min, rtt.median, rtt.p95, rtt.max) == pytest.approx(quantiles, abs=2e-9)


@pytest.mark.tshark
@pytest.mark.parametrize("name", NAMES)
def test_handshakes_take_what_tsharks_times_say(root: Path, name: str) -> None:
    path = min((root / "samples" / name).glob("*.pcap"))
    (connection,) = mptrace.analyze(path)
    syns: dict[int, dict[int, float]] = defaultdict(dict)
    for row in rows_of(path):
        if row.flags & 2:
            syns[row.stream].setdefault(row.flags & 0x12, row.time_s)
    begin = min(times[2] for times in syns.values())
    for subflow in connection.subflows:
        times = syns[subflow.tcp_stream]
        assert subflow.handshake_s == pytest.approx(times[0x12] - times[2], abs=2e-9)
        if subflow.kind == "join":
            assert subflow.join_delay_s == pytest.approx(times[2] - begin, abs=2e-9)
        else:
            assert subflow.join_delay_s is None


@pytest.mark.tshark
@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_tsharks_fields(root: Path, name: str) -> None:
    path = min((root / "samples" / name).glob("*.pcap"))
    (connection,) = mptrace.analyze(path)
    rows = rows_of(path)
    sides = directions(connection, rows)
    for side, direction, name_ in (
        (sides[0], connection.client_to_server, "client_to_server"),
        (sides[1], connection.server_to_client, "server_to_client"),
    ):
        wanted = side.figures()
        ours = {
            "first": direction.unique_octets,
            "acked": direction.acked_octets,
            "missing": direction.missing_octets,
            "unmapped": direction.unmapped_octets,
            "retransmission": direction.retransmitted_octets,
            "remapped": direction.remapped_octets,
            "reinjection": direction.reinjected_octets.total,
            "spurious": direction.reinjected_octets.spurious,
            "useful": direction.reinjected_octets.useful,
            "redundant": direction.reinjected_octets.redundant,
            "out of order packets": direction.out_of_order_packets,
            "out of order octets": direction.out_of_order_octets,
        }
        for subflow in connection.subflows:
            ours[f"first on {subflow.tcp_stream}"] = getattr(subflow, name_).first_octets
        assert ours == {key: wanted[key] for key in ours}
