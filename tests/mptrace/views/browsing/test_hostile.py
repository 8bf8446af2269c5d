"""Whatever a capture holds, it can be browsed: rows, fields, remarks and data."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mptrace.capture import CaptureError, open_capture
from mptrace.capture.writer import PcapWriter
from mptrace.views.browsing.connection_outline import connection_nodes
from mptrace.views.browsing.conversation import Conversation
from mptrace.views.browsing.finding_outline import finding_nodes
from mptrace.views.browsing.opened import OpenedCapture, open_for_browsing
from mptrace.views.browsing.outline import Node
from mptrace.views.browsing.packet_outline import packet_nodes
from mptrace.views.browsing.plots import KINDS, plot
from mptrace.views.browsing.signalling import ladder_nodes


def unfold(nodes: list[Node]) -> None:
    for node in nodes:
        assert node.text.isprintable()
        assert all(line.isprintable() for line in node.detail.split("\n"))
        unfold(list(node.nodes()))


def look_at_everything(capture: OpenedCapture) -> None:
    assert capture.rows.kinds.size == len(capture.packets)
    for row in range(len(capture.packets)):
        packet = capture.rows.made(row)
        assert packet.info.isprintable()
        assert len(packet.marks) == 3
        unfold(packet_nodes(capture.packets, capture.facts, row))
    unfold(connection_nodes(capture)[1])
    unfold(finding_nodes(capture))
    for connection in capture.analysis:
        unfold(ladder_nodes(connection))
        for kind in KINDS:
            drawing = plot(connection, "client_to_server", kind)
            canvas = drawing.drawn(40, 8, drawing.span_ns)
            assert len(canvas.row(0)) > 0
        conversation = Conversation(capture, connection.index)
        assert conversation.index("text", 80)
        assert all(conversation.line(i).text.isprintable() for i in range(len(conversation)))


@pytest.mark.parametrize(
    "name", ["walkout/client.pcap", "add_address_port/server.pcap", "v0_mp_fail/client.pcap"]
)
def test_packets_with_wrong_octets(samples: Path, tmp_path: Path, name: str) -> None:
    """Every packet is kept; in some of them a few octets of the headers are others, or missing."""
    chance = random.Random(name)
    path = tmp_path / "wrong.pcap"
    with open_capture(samples / name) as original, path.open("wb") as file:
        writer = PcapWriter(file, original.packet(1).interface.link_type)
        for record in list(original.records())[:220]:
            octets = bytearray(record.octets)
            if chance.random() < 0.5:
                for _ in range(chance.randint(1, 4)):
                    octets[chance.randrange(min(len(octets), 110))] = chance.randrange(256)
            if chance.random() < 0.2:
                del octets[chance.randrange(len(octets)) :]
            writer.write(bytes(octets), record.time_ns, record.wire_length)
    capture = open_for_browsing([str(path)])
    look_at_everything(capture)
    capture.close()


def test_a_file_cut_anywhere(samples: Path, tmp_path: Path) -> None:
    whole = (samples / "fallback_syn_ack/client.pcap").read_bytes()
    path = tmp_path / "cut.pcap"
    for length in (25, 41, 100, 1000, 3333, len(whole) - 1):
        path.write_bytes(whole[:length])
        try:
            capture = open_for_browsing([str(path)])
        except CaptureError:
            continue
        assert capture.analysis.capture.damage is not None
        look_at_everything(capture)
        capture.close()
