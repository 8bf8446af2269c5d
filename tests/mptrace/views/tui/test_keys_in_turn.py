"""Keys that come faster than what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.events import AppBlur, Key

from mptrace.views.tui.connection_screen import ConnectionScreen
from mptrace.views.tui.filter_bar import FilterBar
from mptrace.views.tui.follow_screen import FollowScreen

Browse = Callable[..., Any]

NAMES = {"/": "slash", ".": "full_stop", "=": "equals_sign", " ": "space", "?": "question_mark"}


async def at_once(driver: Any, *parts: str) -> None:
    """Give the browser characters, and keys by name in angle brackets, without a pause."""
    for part in parts:
        if part.startswith("<"):
            driver.app.post_message(Key(part.strip("<>"), None))
        else:
            for character in part:
                driver.app.post_message(Key(NAMES.get(character, character), character))
    await driver.settle()
    await driver.settle()


def test_a_filter_typed_with_the_key_that_asks_for_it(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await at_once(driver, "/tcp.flags.syn == 1", "<enter>")
        assert driver.screen.query_one(FilterBar).applied == "tcp.flags.syn == 1"
        assert driver.screen.shown.size == 4

    browse("walkout/client.pcap", scenario)


def test_from_a_finding_on(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("3")
        await driver.press("enter")
        chosen = driver.number
        await driver.press("r")
        expected = driver.number
        assert expected != chosen
        await driver.press("g", "3")
        await at_once(driver, "<enter>", "r")
        assert driver.number == expected

    browse("walkout/client.pcap", scenario)


def test_a_packet_asked_for_and_passed(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await at_once(driver, "<ctrl+g>", "7", "<enter>", "jjm")
        assert driver.number == 9
        assert driver.screen.packets.list.marked == {8}

    browse("walkout/client.pcap", scenario)


def test_screens_opened_and_left(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await at_once(driver, "c")
        assert isinstance(driver.app.screen, ConnectionScreen)
        await at_once(driver, "<escape>", "?", "<escape>", "jj")
        assert driver.number == 3
        await at_once(driver, "?q", "o")
        assert isinstance(driver.app.screen, FollowScreen)
        await at_once(driver, "q", "G")
        assert driver.number == len(driver.screen.opened.packets)

    browse("walkout/client.pcap", scenario)


def test_a_key_after_the_terminal_lost_the_focus(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        driver.app.post_message(AppBlur())
        await driver.settle()
        assert not driver.app.app_focus
        await at_once(driver, "jj")
        assert driver.app.app_focus
        assert driver.number == 3

    browse("walkout/client.pcap", scenario)
