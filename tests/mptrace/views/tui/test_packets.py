"""The table of packets, its fields and octets, by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mptrace.views.tui.packet_list import PacketList

Browse = Callable[..., Any]


def test_moving_in_the_list(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        total = len(driver.screen.opened.packets)
        assert driver.number == 1
        await driver.press("j", "down", "k")
        assert driver.number == 2
        await driver.press("G")
        assert driver.number == total
        await driver.press("g", "pagedown")
        page = driver.screen.packets.list.scrollable_content_region.height - 1
        assert driver.number == 1 + page
        await driver.press("pageup", "end", "home")
        assert driver.number == 1
        assert driver.said.startswith(f"Packet 1 of {total}")

    browse("walkout/client.pcap", scenario)


def test_going_to_a_packet(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("ctrl+g", "1", "5", "0", "enter")
        assert driver.number == 150
        await driver.press("colon", "9", "9", "9", "9", "enter")
        assert driver.number == 150
        assert "no packet 9999" in driver.said
        await driver.press("ctrl+g", "escape", "j")
        assert driver.number == 151
        await driver.press("backspace")
        assert driver.number == 1
        await driver.press("alt+right")
        assert driver.number == 151

    browse("walkout/client.pcap", scenario)


def test_the_fall_of_the_first_path_is_found_by_keys_alone(browse: Browse) -> None:
    """Findings, Enter: the moment; r: what was sent again; its link: what that repeats."""

    async def scenario(driver: Any) -> None:
        findings = driver.screen.opened.analysis.findings
        silent = next(f for f in findings if f.code == "subflow_silent")
        await driver.press("3")
        tree = driver.app.focused
        while silent.message not in tree.node.text:
            await driver.press("j")
        await driver.press("enter")
        assert driver.number == silent.packets[0]
        await driver.press("r")
        facts, row = driver.screen.opened.facts, driver.screen.packets.row
        kind = facts.get(row, "mptrace.copy")
        assert kind in ("remapped", "reinjection", "retransmission")
        shown = "\n".join(driver.lines())
        assert f"{kind.capitalize()}" in shown
        await driver.press("tab")
        fields = driver.screen.packets.fields
        earlier = facts.get(row, "mptrace.repeats")
        while fields.node.link != earlier:
            await driver.press("j")
        await driver.press("enter")
        assert driver.number == earlier
        await driver.press("backspace")
        assert driver.screen.packets.row == row

    browse("fade/client.pcap", scenario)
    browse("walkout/client.pcap", scenario)


def test_steps_to_packets_of_a_kind(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        facts = driver.screen.opened.facts
        stream = facts.get(0, "tcp.stream")
        await driver.press("ctrl+g", "6", "0", "enter")
        here = facts.get(59, "tcp.stream")
        await driver.press("right_square_bracket")
        assert facts.get(driver.number - 1, "tcp.stream") == here
        await driver.press("left_square_bracket")
        assert driver.number == 60
        await driver.press("right_curly_bracket")
        assert driver.number == 61
        await driver.press("left_curly_bracket", "left_curly_bracket")
        assert driver.number == 59
        await driver.press("f")
        assert facts.findings(driver.number - 1)
        await driver.press("F")
        assert "No earlier packet with a finding" in driver.said
        await driver.press("g", "R")
        assert "No earlier packet that repeats" in driver.said
        assert stream == 0

    browse("walkout/client.pcap", scenario)


def test_marks(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("m", "j", "j", "m")
        assert driver.screen.packets.list.marked == {0, 2}
        assert "2 marked" in driver.said
        await driver.press("quotation_mark")
        assert driver.number == 1
        await driver.press("apostrophe")
        assert driver.number == 3
        await driver.press("m")
        assert driver.screen.packets.list.marked == {0}
        await driver.press("M")
        assert not driver.screen.packets.list.marked

    browse("walkout/client.pcap", scenario)


def test_times(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        def shown() -> str:
            return str(driver.lines()[7].split()[1])

        assert shown().startswith("0.")
        await driver.press("t", "t")
        assert ":" in shown()
        assert "time of day" in driver.said
        await driver.press("t", "j", "j", "j", "j", "T")
        assert shown() == "*REF*"
        assert driver.lines()[3].split()[1] == "0.000000"
        await driver.press("ctrl+t")
        assert shown() != "*REF*"

    browse("walkout/client.pcap", scenario)


def test_a_field_highlights_its_octets_and_the_other_way_round(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        fields, octets = driver.screen.packets.fields, driver.screen.packets.octets
        await driver.press("tab")
        assert driver.app.focused is fields
        while not fields.node.text.startswith("Sequence number"):
            await driver.press("j")
        span = fields.node.span
        assert octets.span == span
        header = driver.screen.opened.packets.tcp(0)
        assert int.from_bytes(octets.octets[span[0] : span[0] + 4], "big") == header.seq
        await driver.press("tab")
        assert driver.app.focused is octets
        await driver.press("right", "right", "right", "right")
        assert fields.node.text.startswith("Acknowledgment number")
        await driver.press("up")
        assert fields.node.span[0] <= octets.octet < sum(fields.node.span)
        await driver.press("shift+tab", "escape")
        assert isinstance(driver.app.focused, PacketList)

    browse("walkout/client.pcap", scenario)


def test_trees_open_and_close(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        fields = driver.screen.packets.fields
        await driver.press("tab", "left")
        assert not fields.node.expanded
        closed = len(fields.outline)
        await driver.press("right")
        assert len(fields.outline) > closed
        await driver.press("right")
        assert fields.outline.lines[fields.cursor].depth == 1
        await driver.press("left")
        assert fields.cursor == 0
        await driver.press("enter")
        assert len(fields.outline) == closed

    browse("walkout/client.pcap", scenario)


def test_tab_goes_round_the_panes(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        packets = driver.screen.packets
        for pane in (packets.fields, packets.octets, packets.list, packets.fields):
            await driver.press("tab")
            assert driver.app.focused is pane
        await driver.press("shift+tab")
        assert driver.app.focused is packets.list
        await driver.click("FilterInput")
        assert driver.app.focused is driver.screen.query_one("FilterInput")

    browse("walkout/client.pcap", scenario)


def test_a_click_chooses(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.click(PacketList, offset=(10, 4))
        assert driver.number == 5
        await driver.click(PacketList, offset=(10, 2), times=2)
        assert driver.number == 3
        assert driver.app.focused is driver.screen.packets.fields

    browse("walkout/client.pcap", scenario)


def test_scrolling_sideways(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        head, before = driver.lines()[2], driver.lines()[3:5]
        await driver.press("l")
        assert driver.lines()[3][:20] == before[0][8:28]
        assert driver.lines()[2].index("Time") == head.index("Time") - 8
        await driver.press("h", "h")
        assert driver.lines()[3][:20] == before[0][:20]

    browse("walkout/client.pcap", scenario)


@pytest.mark.parametrize(("width", "side_by_side"), [(80, False), (160, True)])
def test_layouts(browse: Browse, width: int, side_by_side: bool) -> None:
    async def scenario(driver: Any) -> None:
        packets = driver.screen.packets
        assert (packets.octets.region.y == packets.fields.region.y) is side_by_side
        await driver.resize(240 - width, 40)
        assert (packets.octets.region.y == packets.fields.region.y) is not side_by_side
        assert len(driver.lines()[0].rstrip()) <= 240 - width

    browse("walkout/client.pcap", scenario, size=(width, 40))


def test_every_colour_is_one_of_sixteen(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        for keys in ((), ("2",), ("3",), ("1", "c"), ("tab",), ("tab",)):
            await driver.press(*keys)
            for color in driver.colors():
                assert color is None or color.is_default or color.number < 16

    browse("fade/client.pcap", scenario)


def test_without_colours_there_are_none(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scenario(driver: Any) -> None:
        await driver.press("r", "tab", "j")
        assert "[Remapped," in "\n".join(driver.lines())
        for color in driver.colors():
            assert color is None or color.is_default

    browse("fade/client.pcap", scenario)


def test_any_size_is_drawn(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        for size in ((20, 3), (300, 4), (8, 60)):
            await driver.resize(*size)
            await driver.press("2", "3", "1", "c", "tab", "escape")
        await driver.resize(80, 24)
        assert driver.number == 1
        assert driver.lines()[2].lstrip().startswith("No.")

    browse("walkout/client.pcap", scenario)
