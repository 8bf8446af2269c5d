"""Screens as they look, byte for byte: read what changed before a golden file is renewed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from textual.widgets import Input

SCREENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "packets": ("fade/client.pcap", ("r", "tab", "j", "j", "j")),
    "connections": ("aggregate/client.pcap", ("2", "j", "right")),
    "timeline": ("walkout/client.pcap", ("c", "2", "r")),
    "signalling": ("walkout/client.pcap", ("c", "3", "j")),
    "completion": ("aggregate/client.pcap", ("slash", *"frame.n")),
    "help": ("aggregate/client.pcap", ("question_mark",)),
}


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
@pytest.mark.parametrize("name", SCREENS)
def test_screens(
    browse: Callable[..., Any],
    golden: Callable[[str, str], None],
    name: str,
    size: tuple[int, int],
) -> None:
    path, keys = SCREENS[name]
    shot: list[str] = []

    async def scenario(driver: Any) -> None:
        for line in driver.app.screen.query(Input):
            line.cursor_blink = False
        await driver.press(*keys)
        shot.append(driver.app.export_screenshot(simplify=True))

    browse(path, scenario, size=size)
    golden(f"{name}-{size[0]}x{size[1]}.svg", normalized(shot[0]))


def normalized(svg: str) -> str:
    """Without the number that Rich makes of the content for its class names."""
    return re.sub(r"terminal-\d+-", "t", svg).rstrip() + "\n"
