"""The captures that bench makes: right in the eyes of tshark, of hashlib and of our analysis."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import mptrace
from bench.make_capture import ROOT, SHAPES, Made, make_capture
from bench.template import UnusableSampleError
from mptrace.analysis.model import Connection

SAMPLE = ROOT / "samples" / "aggregate" / "client.pcap"

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """Three connections with their data repeated."""
    path = tmp_path_factory.mktemp("several") / "several.pcap"
    return path, make_capture(path, SHAPES["many"], connections=3, packets=2400)


def tshark_fields(path: Path, *fields: str, only: str = "tcp") -> list[tuple[str, ...]]:
    named = [part for field in fields for part in ("-e", field)]
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    command = ["tshark", "-r", str(path), *checks, "-Y", only, "-T", "fields", *named]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [tuple(line.split("\t")) for line in lines.splitlines()]


def figures(connection: Connection) -> dict[str, object]:
    """What must not change in a copy: everything but names, places and times of its begin."""
    value = dataclasses.asdict(connection)
    return {
        "duration": round(value["duration_s"], 6),
        "end": value["end"],
        "directions": [
            {
                key: figure
                for key, figure in value[direction].items()
                if not key.endswith(("_bps", "_s")) and key not in ("stalls", "handovers")
            }
            for direction in ("client_to_server", "server_to_client")
        ],
        "round_trips": [
            tuple(round(number, 8) for number in value[direction]["data_rtt_s"].values())
            for direction in ("client_to_server", "server_to_client")
        ],
        "hmacs": [subflow["hmac_valid"] for subflow in value["subflows"]],
        "handshakes": [subflow["handshake"] for subflow in value["subflows"]],
    }


def test_a_copy_without_repetition_has_the_figures_of_its_sample(tmp_path: Path) -> None:
    path = tmp_path / "copies.pcap"
    made = make_capture(path, SHAPES["many"], connections=3, packets=3)
    sample = mptrace.analyze(SAMPLE)
    copies = mptrace.analyze(path)
    assert made == Made(3 * sample.capture.packets, 3, 1)
    assert len(copies) == 3
    for connection in copies:
        assert figures(connection) == figures(sample[0])
    assert len({connection.client.key for connection in copies} | {sample[0].client.key}) == 4
    assert not copies.findings


def test_repeated_data_is_whole_and_in_place(several: tuple[Path, Made]) -> None:
    path, made = several
    sample = mptrace.analyze(SAMPLE)[0]
    analysis = mptrace.analyze(path)
    assert made.repetitions > 1
    assert analysis.capture.packets == made.packets >= 2400
    assert not analysis.findings
    for connection in analysis:
        assert connection.end == "data_fin"
        assert [s.hmac_valid.client for s in connection.subflows] == [None, True]
        assert [s.hmac_valid.server for s in connection.subflows] == [None, True]
        for ours, theirs in (
            (connection.client_to_server, sample.client_to_server),
            (connection.server_to_client, sample.server_to_client),
        ):
            more = ours.unique_octets - theirs.unique_octets
            assert more > 0
            assert more % (made.repetitions - 1) == 0
            assert ours.acked_octets == ours.unique_octets == ours.payload_octets
            assert ours.missing_octets == ours.unmapped_octets == 0


@needs_tshark
@pytest.mark.tshark
def test_tshark_puts_every_stream_to_the_connection_that_was_meant(
    several: tuple[Path, Made],
) -> None:
    rows = tshark_fields(
        several[0], "tcp.stream", "mptcp.stream", only="mptcp && !(tcp.flags.syn == 1)"
    )
    pairs = {(stream, connection) for stream, connection in rows}
    assert len(pairs) == 6, "each TCP stream belongs to one connection"
    assert Counter(connection for _, connection in pairs) == {"0": 2, "1": 2, "2": 2}
    analysis = mptrace.analyze(several[0])
    ours = {(str(s.tcp_stream), str(c.index)) for c in analysis for s in c.subflows}
    by_stream = dict(pairs)
    assert {stream for stream, _ in ours} == set(by_stream)
    same = {(ours_of, by_stream[stream]) for stream, ours_of in ours}
    assert len(same) == 3, "streams are grouped alike"


@needs_tshark
@pytest.mark.tshark
def test_every_checksum_is_right(several: tuple[Path, Made]) -> None:
    rows = tshark_fields(several[0], "ip.checksum.status", "tcp.checksum.status")
    assert Counter(rows) == {("1", "1"): several[1].packets}


@needs_tshark
@pytest.mark.tshark
def test_tokens_and_hmacs_follow_from_the_keys(several: tuple[Path, Made]) -> None:
    """RFC 8684 sections 3.1 and 3.2, computed with the standard library from tshark's fields."""
    keys = tshark_fields(
        several[0],
        "tcp.options.mptcp.sendkey",
        "tcp.options.mptcp.recvkey",
        only="tcp.options.mptcp.recvkey && tcp.len == 0",
    )
    names = {}
    for sender, receiver in set(keys):
        client, server = int(sender, 0).to_bytes(8), int(receiver, 0).to_bytes(8)
        names[int.from_bytes(hashlib.sha256(server).digest()[:4])] = (client, server)
    assert len(names) == 3
    joins = tshark_fields(
        several[0],
        "tcp.stream",
        "tcp.options.mptcp.recvtok",
        "tcp.options.mptcp.sendrand",
        "tcp.options.mptcp.sendtrunchmac",
        "tcp.options.mptcp.sendhmac",
        only="tcp.options.mptcp.subtype == 1",
    )
    by_stream: dict[str, list[str]] = {}
    for stream, *values in joins:
        by_stream.setdefault(stream, []).extend(value for value in values if value)
    assert len(by_stream) == 3
    for values in by_stream.values():
        token, client_nonce, *answer = values
        client, server = names[int(token, 0)]
        server_nonce, truncated = sorted(answer[:2], key=len)
        nonces = [int(nonce, 0).to_bytes(4) for nonce in (client_nonce, server_nonce)]
        expected = hmac.digest(server + client, nonces[1] + nonces[0], "sha256")
        assert int(truncated, 0) == int.from_bytes(expected[:8])
        expected = hmac.digest(client + server, nonces[0] + nonces[1], "sha256")
        assert bytes.fromhex(answer[2].replace(":", "").removeprefix("0x")) == expected[:20]


def test_plain_tcp_beside_mptcp(tmp_path: Path) -> None:
    path = tmp_path / "plain.pcap"
    made = make_capture(path, SHAPES["plain"], connections=20, packets=20)
    analysis = mptrace.analyze(path)
    assert made.connections == len(analysis) == 1
    assert analysis.plain_tcp_streams == 38
    assert not analysis.findings


def test_short_connections(tmp_path: Path) -> None:
    path = tmp_path / "connections.pcap"
    sample = mptrace.analyze(ROOT / "samples" / "many" / "client.pcap")
    made = make_capture(path, SHAPES["connections"], connections=2 * len(sample))
    analysis = mptrace.analyze(path)
    assert len(analysis) == made.connections == 2 * len(sample)
    assert analysis.capture.packets == 2 * sample.capture.packets
    ends = Counter((c.state, c.end, len(c.subflows)) for c in analysis)
    assert ends == {
        key: 2 * count
        for key, count in Counter((c.state, c.end, len(c.subflows)) for c in sample).items()
    }


def test_snaplen_cuts_what_is_written_and_nothing_else(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.pcap", tmp_path / "cut.pcap"
    make_capture(whole, SHAPES["one"], packets=700)
    made = make_capture(cut, SHAPES["one"], packets=700, snaplen=128)
    assert cut.stat().st_size <= 24 + made.packets * (16 + 128) < whole.stat().st_size
    full, short = mptrace.analyze(whole)[0], mptrace.analyze(cut)[0]
    assert short.client_to_server == full.client_to_server


def test_a_sample_that_cannot_be_repeated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableSampleError):
        make_capture(
            tmp_path / "never.pcap",
            SHAPES["one"],
            sample=ROOT / "samples" / "fallback_syn" / "client.pcap",
        )
