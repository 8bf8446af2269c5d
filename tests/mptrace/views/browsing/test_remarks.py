from __future__ import annotations

from collections.abc import Callable

import pytest

from mptrace.analysis.filter import DisplayFilter
from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.outline import Node, Outline
from mptrace.views.browsing.packet_outline import OPENED, packet_nodes
from mptrace.views.browsing.remarks import Remark, remarks

Open = Callable[[str], OpenedCapture]


def payload(capture: OpenedCapture, row: int) -> bytes:
    header = capture.packets.tcp(row)
    assert header is not None
    start = header.options_offset + header.options_length
    return capture.packets.record(row).octets[start : start + header.payload_length]


def named(capture: OpenedCapture, row: int, name: str) -> Remark | None:
    found = [r for r in remarks(capture.facts, capture.packets, row) if r.name == name]
    return found[0] if found else None


@pytest.mark.parametrize("name", ["fade/client.pcap", "walkout/client.pcap", "loss/client.pcap"])
def test_what_a_packet_repeats_has_the_same_octets(opened: Open, name: str) -> None:
    capture = opened(name)
    rows = capture.facts.rows_with_copies.tolist()
    assert rows
    for row in rows:
        remark = named(capture, row, "mptcp.reinjection_of") or named(
            capture, row, "mptrace.repeats"
        )
        assert remark is not None
        assert remark.link is not None
        assert remark.link < row + 1
        earlier, later = payload(capture, remark.link - 1), payload(capture, row)
        shorter, longer = sorted((earlier, later), key=len)
        # the copies overlap: the begin of one lies in the other
        assert shorter[:64] in longer or longer[:64] in shorter or shorter[-64:] in longer


def test_reinjections_are_linked_both_ways(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    found = 0
    for row in capture.facts.rows_with_copies.tolist():
        again = named(capture, row, "mptcp.reinjection_of")
        if again is None or again.link is None:
            continue
        back = named(capture, again.link - 1, "mptcp.reinjected_in")
        assert back is not None
        assert back.link is not None
        assert back.link <= row + 1
        found += 1
    assert found


def test_acknowledgements_are_linked_both_ways(opened: Open) -> None:
    capture = opened("aggregate/client.pcap")
    checked = 0
    for row in capture.facts.rows.tolist():
        by = named(capture, row, "mptrace.data_acked_in")
        if by is None or by.link is None:
            continue
        covered = capture.facts.acknowledged_by(by.link - 1, "mptrace.data_acked_in").tolist()
        assert row in covered
        words = [r.text for r in remarks(capture.facts, capture.packets, by.link - 1)]
        assert any(text.startswith("Its DATA_ACK is the first to cover packet") for text in words)
        checked += 1
    assert checked > 50


def test_the_filter_of_a_remark_finds_its_packet(opened: Open) -> None:
    capture = opened("fade/client.pcap")
    for row in (*capture.facts.rows_with_copies.tolist()[:3], 0, 100):
        for remark in remarks(capture.facts, capture.packets, row):
            if remark.filter:
                assert row in capture.filter.rows(remark.filter).tolist(), remark


def test_the_filter_of_a_field_finds_its_packet(opened: Open) -> None:
    capture = opened("fade/client.pcap")

    def check(nodes: list[Node] | tuple[Node, ...], row: int) -> int:
        count = 0
        for node in nodes:
            if node.filter and node.span is not None:
                try:
                    DisplayFilter(node.filter)
                except ValueError:
                    continue  # a name that Wireshark gives to no field
                assert row in capture.filter.rows(node.filter).tolist(), node.filter
                count += 1
            count += check(tuple(node.nodes()), row)
        return count

    for row in (0, 1, 5):
        assert check(packet_nodes(capture.packets, capture.facts, row), row) > 15


def test_neighbours_on_the_subflow_are_the_nearest(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    streams = {row: capture.facts.get(row, "tcp.stream") for row in capture.facts.rows.tolist()}
    row = 60
    texts = [r for r in remarks(capture.facts, capture.packets, row) if "Subflow's" in r.text]
    later = min(r for r, s in streams.items() if s == streams[row] and r > row)
    earlier = max(r for r, s in streams.items() if s == streams[row] and r < row)
    assert [remark.link for remark in texts] == [earlier + 1, later + 1]


def test_a_packet_of_no_connection_has_no_remarks(opened: Open) -> None:
    capture = opened("plain_server/client.pcap")
    foreign = [r for r in range(len(capture.packets)) if not capture.facts.has(r)]
    assert all(remarks(capture.facts, capture.packets, row) == () for row in foreign)


def test_spans_lie_within_the_packet(opened: Open) -> None:
    capture = opened("fade/client.pcap")

    def check(nodes: list[Node] | tuple[Node, ...], length: int) -> None:
        for node in nodes:
            if node.span is not None:
                assert node.span[0] >= 0
                assert node.span[0] + node.span[1] <= length
            check(tuple(node.nodes()), length)

    for row in range(0, len(capture.packets), 7):
        nodes = packet_nodes(capture.packets, capture.facts, row)
        check(nodes, capture.packets.record(row).wire_length)


def test_what_was_open_stays_open_from_packet_to_packet(opened: Open) -> None:
    capture = opened("fade/client.pcap")
    keys = set(OPENED)
    first = Outline(packet_nodes(capture.packets, capture.facts, 5), keys)
    line = first.find(lambda node: node.key == "layer:ip")
    assert line is not None
    assert first.toggle(line)
    second = Outline(packet_nodes(capture.packets, capture.facts, 6), keys)
    assert second.find(lambda node: node.text.startswith("Time to live")) is not None
