"""The trees of connections and of findings."""

from __future__ import annotations

from collections.abc import Callable

from mptrace.views.browsing.connection_outline import ConnectionLink, connection_nodes
from mptrace.views.browsing.finding_outline import finding_nodes
from mptrace.views.browsing.octet_lines import characters, line, line_count, octets_per_line
from mptrace.views.browsing.opened import OpenedCapture

Open = Callable[[str], OpenedCapture]


def test_every_connection_has_its_subflows_and_findings(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    head, (node,) = connection_nodes(capture)
    assert head.split()[:2] == ["#", "State"]
    assert node.link == ConnectionLink(0)
    assert node.expanded
    below = node.nodes()
    subflows = [child for child in below if child.key.startswith("subflow:")]
    connection = capture.analysis[0]
    assert [child.link for child in subflows] == [s.first_packet for s in connection.subflows]
    assert len(below) == len(connection.subflows) + len(capture.analysis.findings)


def test_a_subflow_says_when_it_was_heard_last(opened: Open) -> None:
    capture = opened("fade/client.pcap")
    _, (node,) = connection_nodes(capture)
    frame = capture.analysis.packets
    for subflow in node.nodes()[:2]:
        own = frame[frame["tcp.stream"] == int(subflow.key.split(".")[1])]
        for child in subflow.nodes():
            if not child.key.startswith("heard:"):
                continue
            client = child.key == "heard:client"
            way = "client_to_server" if client else "server_to_client"
            assert child.link == own[own["mptrace.direction"] == way]["frame.number"].max()


def test_many_connections_begin_folded_and_aligned(opened: Open) -> None:
    _, nodes = connection_nodes(opened("many/client.pcap"))
    assert len(nodes) == 60
    assert not any(node.expanded for node in nodes)
    assert (
        len({node.text.index("established") for node in nodes if "established" in node.text}) == 1
    )


def test_findings_lead_to_their_packets(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    nodes = finding_nodes(capture)
    assert len(nodes) == len(capture.analysis.findings)
    ranks = [("error", "warning", "note").index(node.tone) for node in nodes]
    assert ranks == sorted(ranks)
    links = sorted(child.link for node in nodes for child in node.nodes())
    expected = sorted(n for finding in capture.analysis.findings for n in finding.packets)
    assert links == expected


def test_octet_lines() -> None:
    octets = bytes(range(30, 70))
    assert line_count(octets, 16) == 3
    last = line(octets, 2, 16)
    assert (last.offset, last.octets) == (32, octets[32:])
    assert last.digits[0] == "3e"
    assert characters(b"a\x00\x7f~ ") == "a..~ "
    assert [octets_per_line(width) for width in (20, 40, 80, 140, 500)] == [8, 8, 16, 32, 32]
