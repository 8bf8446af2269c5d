"""The data stream of each direction, rebuilt from the packets and held to the applications'.

Nothing here knows what was sent but its SHA-256: one octet too many, missing, or in a wrong place
shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dissector.reassembly import DataReassembler
from mptrace import Analysis
from mptrace.analysis.data_sequence.copies import payload_pieces
from mptrace.capture import open_capture

AnalysisOf = Callable[[Any], Analysis]

# Under a checksum that fails, the first copy in the capture is not the one that was delivered.
REWRITTEN = {"mp_fail_multi/server", "mp_fail_single_server/client", "v0_mp_fail/client"}


def rebuilt(analysis: Analysis, path: Any) -> list[bytes]:
    """Both directions of each connection, client to server first; first copies."""
    plane = analysis.evidence.plane
    segments = plane.subflows.segments
    pieces, _ = payload_pieces(plane.subflows, plane.runs, plane.payload_rows)
    floors = plane.floor.tolist()
    orders = [DataReassembler(floor) for floor in floors]
    streams = [bytearray() for _ in floors]
    space = plane.space_of_way[plane.subflows.way[pieces.row]]
    with open_capture(path) as capture:
        for _ in capture.batches():
            pass
        for index in np.argsort(segments.frame_number[pieces.row], kind="stable").tolist():
            row = int(pieces.row[index])
            length = int(pieces.place_end[index] - pieces.place[index])
            skipped = int(pieces.place[index] - plane.subflows.place[row])
            octets = capture.read(
                int(segments.source[row]), int(segments.payload_position[row]) + skipped, length
            )
            progress = orders[space[index]].receive(
                int(pieces.data_place[index]),
                length,
                int(segments.frame_number[row]),
                int(segments.time_ns[row]),
                octets,
            )
            for piece in progress.delivered:
                streams[space[index]] += piece.payload
    return [bytes(stream) for stream in streams]


def _readable(capture: Any) -> bool:
    """The applications got what was sent, and its octets are in the capture."""
    return capture.delivered and capture.id not in REWRITTEN


def test_the_streams_are_those_of_the_applications(finished: Any, analysis_of: AnalysisOf) -> None:
    analysis = analysis_of(finished)
    if not _readable(finished) or analysis.capture.truncated_packets:
        return
    digests = [hashlib.sha256(stream).hexdigest() for stream in rebuilt(analysis, finished.path)]
    found = [
        digests[2 * number : 2 * number + 2]
        for number, connection in enumerate(analysis)
        if connection.state != "partial"
    ]
    clients = finished.applications("client")
    if finished.id == "fallback_syn/server":  # plain TCP: nothing of it is rebuilt
        clients = []
    assert found == [[app["sent_sha"], app["got_sha"]] for app in clients]


@pytest.mark.parametrize(
    "name",
    ["aggregate/client", "walkout/client", "loss/server", "fade/server", "v0_two_subflows/client"],
)
def test_the_telling_samples_are_among_them(
    name: str, capture_of: Callable[[str], Any], analysis_of: AnalysisOf
) -> None:
    capture = capture_of(name)
    assert _readable(capture)
    assert not analysis_of(capture).capture.truncated_packets


def test_a_stream_that_a_middlebox_changed_is_not_the_one_that_was_sent(
    capture_of: Callable[[str], Any], analysis_of: AnalysisOf
) -> None:
    capture = capture_of("first_data_rewritten/server")
    (up, _) = rebuilt(analysis_of(capture), capture.path)
    (client,), (server,) = capture.applications("client"), capture.applications("server")
    assert hashlib.sha256(up).hexdigest() == server["got_sha"] != client["sent_sha"]
