"""The browser driven by keys, without a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color
from textual.widgets import Input

from mptrace.views.tui.app import BrowserApp
from mptrace.views.tui.browser_screen import BrowserScreen
from mptrace.views.tui.packets_view import PacketsView

_NAMES = {" ": "space", '"': "quotation_mark"}

Scenario = Callable[["Driver"], Awaitable[None]]


class Driver:
    """A running browser: press keys, look at the state."""

    def __init__(self, app: BrowserApp, pilot: Any) -> None:
        self.app = app
        self._pilot = pilot

    async def opened(self) -> None:
        """Wait until the capture is shown."""
        for _ in range(1000):
            if self.app.return_value is not None:
                return
            screen = self.app.screen
            if isinstance(screen, BrowserScreen) and any(
                v.opened for v in screen.query(PacketsView)
            ):
                break
            await self._pilot.pause(0.01)
        await self.settle()

    async def settle(self) -> None:
        """Wait for threads and for what they set off."""
        for _ in range(2):
            await self.app.workers.wait_for_complete()
            await self._pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, then wait until nothing happens any more."""
        await self._pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type a text: at once, and its last character as a key."""
        line = self.app.focused
        assert isinstance(line, Input)
        line.insert_text_at_cursor(text[:-1])
        await self.press(_NAMES.get(text[-1], text[-1]))

    async def click(self, *arguments: Any, **options: Any) -> None:
        """Click somewhere."""
        await self._pilot.click(*arguments, **options)
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self._pilot.resize_terminal(width, height)
        await self.settle()

    @property
    def screen(self) -> BrowserScreen:
        """The main screen; an error where another one is shown."""
        assert isinstance(self.app.screen, BrowserScreen), self.app.screen
        return self.app.screen

    @property
    def number(self) -> int:
        """The number of the packet under the cursor."""
        row = self.screen.packets.row
        assert row is not None
        return row + 1

    @property
    def said(self) -> str:
        """What the last line says."""
        status = self.screen.status
        return status.message or status.place

    def lines(self) -> list[str]:
        """The screen as text."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return [strip.text.ljust(width) for strip in strips[:height]]

    def colors(self) -> list[Color | None]:
        """The colours of everything on the screen, text and background."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        styles = [segment.style for strip in strips for segment in strip]
        return [c for style in styles if style for c in (style.color, style.bgcolor)]


@pytest.fixture
def browse(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., BrowserApp]:
    """Browse a sample (its path below samples/), or any file, as a scenario says."""
    monkeypatch.chdir(root / "samples")

    def run(
        path: str | Path, scenario: Scenario, *, size: tuple[int, int] = (80, 24)
    ) -> BrowserApp:
        app = BrowserApp([str(path)])

        async def drive() -> None:
            async with app.run_test(size=size) as pilot:
                driver = Driver(app, pilot)
                await driver.opened()
                await scenario(driver)

        try:
            asyncio.run(drive())
        finally:
            if app.opened is not None:
                app.opened.close()
        return app

    return run
