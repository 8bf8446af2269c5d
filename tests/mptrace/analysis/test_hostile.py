"""Damaged packets: nothing raises, and no connection suffers from another's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import mptrace
from mptrace.capture import open_capture
from mptrace.capture.writer import PcapWriter

SAMPLES = ("walkout", "add_address_ipv6", "checksum", "mp_fail_multi", "many")
SLL2 = 276


def packets(path: Path) -> list[tuple[int, bytes]]:
    with open_capture(path) as capture:
        return [
            (int(batch.time_ns[row]), batch.buffer[start : start + length].tobytes())
            for batch in capture.batches()
            for row, (start, length) in enumerate(
                zip(batch.offset.tolist(), batch.captured_length.tolist(), strict=True)
            )
        ]


def write(path: Path, records: list[tuple[int, bytes]]) -> Path:
    with path.open("wb") as file:
        writer = PcapWriter(file, SLL2)
        for time_ns, octets in records:
            writer.write(octets, time_ns)
    return path


def sample(root: Path, name: str) -> Path:
    return next((root / "samples" / name).glob("client.pcap*"))


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("seed", range(3))
def test_flipped_octets_never_raise(root: Path, tmp_path: Path, name: str, seed: int) -> None:
    source = random.Random(seed)
    records = packets(sample(root, name))[:600]
    damaged = []
    for time_ns, octets in records:
        changed = bytearray(octets)
        # headers and options stand in the first 120 octets: that is where a flip tells
        for _ in range(source.choice([0, 1, 3])):
            changed[source.randrange(min(len(changed), 120))] = source.randrange(256)
        damaged.append((time_ns, bytes(changed[: source.choice([len(changed)] * 9 + [50])])))
    analysis = mptrace.analyze(write(tmp_path / "damaged.pcap", damaged))
    assert analysis.capture.packets == len(records)
    assert set(analysis.packets["frame.number"]) <= set(range(1, len(records) + 1))
    for connection in analysis:
        for direction in (connection.client_to_server, connection.server_to_client):
            assert 0 <= direction.unique_octets <= direction.payload_octets


@pytest.mark.parametrize("seed", range(4))
def test_damage_stays_within_its_connection(root: Path, tmp_path: Path, seed: int) -> None:
    """MPTCP options and payload of one connection are overwritten; the others stay as they were."""
    path = sample(root, "many")
    records = packets(path)
    before = mptrace.analyze(path)
    victim = 7
    frames = before.packets
    own = set(frames.loc[frames["mptcp.stream"] == victim, "frame.number"])
    # the handshakes stay, or the victim's packets would rightly be seen as other connections
    own -= set(frames.loc[frames["tcp.flags"] & 2 != 0, "frame.number"])
    source = random.Random(seed)
    damaged = []
    for number, (time_ns, octets) in enumerate(records, 1):
        if number in own:
            tail = bytes(source.randrange(256) for _ in octets[60:])
            octets = octets[:60] + tail  # noqa: PLW2901  (SLL2 20, IPv4 20, TCP 20)
        damaged.append((time_ns, octets))
    after = mptrace.analyze(write(tmp_path / "damaged.pcap", damaged))
    assert len(after) >= len(before)
    by_key = {connection.client.key: connection for connection in after}
    for connection in before:
        if connection.index != victim:
            assert by_key[connection.client.key] == connection
    assert by_key.get(before[victim].client.key) != before[victim]
