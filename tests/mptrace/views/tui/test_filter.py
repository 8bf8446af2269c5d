"""The display filter and finding, by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mptrace.views.tui.filter_bar import CandidateList, FilterBar

Browse = Callable[..., Any]


def bar(driver: Any) -> FilterBar:
    found: FilterBar = driver.screen.query_one(FilterBar)
    return found


def test_a_filter_hides_packets(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("slash")
        await driver.type("tcp.len > 0")
        await driver.press("enter")
        frame = driver.screen.opened.analysis.packets
        expected = frame[frame["tcp.len"] > 0]["frame.number"].tolist()
        assert (driver.screen.shown + 1).tolist() == expected
        assert f"{len(expected)} shown" in driver.said
        assert driver.number == expected[0]
        await driver.press("j")
        assert driver.number == expected[1]
        await driver.press("ctrl+g", "1", "enter")
        assert "hidden by the filter" in driver.said
        await driver.press("ctrl+l")
        assert driver.screen.shown.size == len(driver.screen.opened.packets)
        assert driver.number == expected[1]

    browse("walkout/client.pcap", scenario)


def test_a_wrong_filter_points_at_the_place(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("slash")
        await driver.type("tcp.len > 0 && tcp.strem == 1")
        await driver.press("enter")
        lines = driver.lines()
        assert lines[1].index("tcp.strem") == lines[2].index("^")
        assert "tcp.stream" in lines[3] + lines[4]
        assert bar(driver).line.cursor_position == len("tcp.len > 0 && ")
        assert driver.screen.shown.size == len(driver.screen.opened.packets)
        await driver.press("x")
        assert not bar(driver).has_class("faulty")

    browse("walkout/client.pcap", scenario)


def test_completion(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("slash")
        await driver.type("mptrace.rein")
        listed = driver.screen.query_one(CandidateList)
        assert listed.display
        names = [candidate.text for candidate in listed.candidates]
        assert all("rein" in name for name in names)
        await driver.press("down", "tab")
        assert bar(driver).line.value == names[1]
        await driver.press("escape", "escape")
        assert bar(driver).line.value == ""
        assert driver.app.focused is driver.screen.packets.list

    browse("walkout/client.pcap", scenario)


def test_history(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        for text in ("tcp.len > 0", "tcp.flags.syn == 1"):
            await driver.press("slash", "ctrl+a", "ctrl+k")
            await driver.type(text)
            await driver.press("enter")
        assert driver.screen.shown.size == 4
        await driver.press("ctrl+l", "slash", "up")
        assert bar(driver).line.value == "tcp.flags.syn == 1"
        await driver.press("up")
        assert bar(driver).line.value == "tcp.len > 0"
        await driver.press("down", "enter")
        assert driver.screen.shown.size == 4

    browse("walkout/client.pcap", scenario)


def test_a_field_becomes_a_filter(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("tab")
        while not driver.screen.packets.fields.node.text.startswith("Source port"):
            await driver.press("j")
        await driver.press("a")
        port = driver.screen.opened.packets.tcp(0).source_port
        assert bar(driver).applied == f"tcp.srcport == {port}"
        assert 0 < driver.screen.shown.size < len(driver.screen.opened.packets)

    browse("walkout/client.pcap", scenario)


def test_nothing_passes(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("slash")
        await driver.type("frame.number > 99999")
        await driver.press("enter")
        assert driver.screen.packets.row is None
        assert driver.said.startswith("No packet of")
        await driver.press("j", "r", "m", "t", "n", "escape", "tab", "enter")
        await driver.press("ctrl+l")
        assert driver.number == 1

    browse("walkout/client.pcap", scenario)


def test_finding_words_and_octets(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("ctrl+f")
        await driver.type("mp_join")
        await driver.press("enter")
        first = driver.number
        assert "MP_JOIN" in driver.screen.opened.rows.row(first - 1).info
        await driver.press("n")
        assert driver.number > first
        await driver.press("N")
        assert driver.number == first
        octets = driver.screen.opened.packets.record(100).octets
        await driver.press("ctrl+f", "tab", "tab")
        await driver.type(octets[-8:].hex())
        await driver.press("enter")
        assert octets[-8:] in driver.screen.opened.packets.record(driver.number - 1).octets
        await driver.press("ctrl+f", "ctrl+f")
        await driver.type("tcp.flags.fin == 1")
        await driver.press("enter")
        assert driver.screen.opened.packets.tcp(driver.number - 1).flags & 1

    browse("walkout/client.pcap", scenario)


def test_what_is_not_there_is_not_found(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("n")
        await driver.type("nowhere to be seen")
        await driver.press("enter")
        assert driver.said == "Not found: nowhere to be seen"
        await driver.press("ctrl+f", "tab", "tab", "z", "enter")
        assert "pairs of digits" in driver.said
        await driver.press("ctrl+f", "up")
        assert driver.app.focused.value == "z"

    browse("walkout/client.pcap", scenario)
