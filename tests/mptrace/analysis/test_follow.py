"""The data stream rebuilt: what the applications read, by their hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from mptrace.analysis.follow import Missing, delivered
from mptrace.analysis.model import DirectionName
from mptrace.analysis.pipeline import analyze_capture
from mptrace.capture import open_capture

DIRECTIONS: tuple[tuple[DirectionName, str], ...] = (
    ("client_to_server", "server"),
    ("server_to_client", "client"),
)
"""Each with who reads it."""
WHOLE = (
    "aggregate/client.pcap",
    "checksum/server.pcap",
    "fade/client.pcap",
    "fallback_syn_ack/client.pcap",
    "fallback_first_data/server.pcap",
    "first_data_rewritten/server.pcap",
    "loss/server.pcap",
    "mp_fail_multi/server.pcap",
    "offload/client.pcap",
    "two_interfaces/client.pcapng",
    "walkout/client.pcap",
)


@pytest.mark.parametrize("name", WHOLE)
def test_streams_are_what_the_applications_read(root: Path, name: str) -> None:
    path = root / "samples" / name
    truth = json.loads((path.parent / "truth.json").read_text())
    with open_capture(path) as capture:
        analysis = analyze_capture(capture)
        for direction, side in DIRECTIONS:
            read = {app["got_sha"]: app["got"] for app in truth["apps"] if app["side"] == side}
            digest, octets = hashlib.sha256(), 0
            for part in delivered(analysis.evidence, 0, direction).content(capture):
                assert not isinstance(part, Missing)
                digest.update(part)
                octets += len(part)
            assert read[digest.hexdigest()] == octets


def test_every_connection_of_many_has_its_own_stream(root: Path) -> None:
    truth = json.loads((root / "samples/many/truth.json").read_text())
    expected = sorted(app["sent_sha"] for app in truth["apps"])
    found = []
    with open_capture(root / "samples/many/client.pcap") as capture:
        analysis = analyze_capture(capture)
        for index in range(len(analysis)):
            for direction, _ in DIRECTIONS:
                parts = delivered(analysis.evidence, index, direction).content(capture)
                whole = b"".join(part for part in parts if isinstance(part, bytes))
                found.append(hashlib.sha256(whole).hexdigest())
    assert sorted(found) == expected


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("snaplen/client.pcap", "cut by the snaplen"),
        ("second_interface_only/client.pcap", "not captured"),
    ],
)
def test_what_is_missing_is_named(root: Path, name: str, reason: str) -> None:
    with open_capture(root / "samples" / name) as capture:
        analysis = analyze_capture(capture)
        missing = 0
        for direction, _ in DIRECTIONS:
            stream = delivered(analysis.evidence, 0, direction)
            reached = 1
            for part in stream.content(capture):
                if isinstance(part, Missing):
                    assert part.reason == reason
                    assert part.start == reached
                    missing += part.length
                    reached += part.length
                else:
                    reached += len(part)
            assert reached == stream.end
        assert missing > 0


def test_a_direction_without_data_has_no_stream(root: Path) -> None:
    with open_capture(root / "samples/no_data/client.pcap") as capture:
        analysis = analyze_capture(capture)
        stream = delivered(analysis.evidence, 0, "client_to_server")
        assert list(stream.content(capture)) == []
        assert stream.end == 1
