"""Reports of samples and of made-up analyses, opened in the installed Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mptrace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def sample(root: Path) -> Callable[[str], mptrace.Analysis]:
    """The analysis of a sample's capture at the client."""
    return cache(lambda name: mptrace.analyze(root / "samples" / name / "client.pcap"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The installed Chromium, headless; without one such tests are skipped, under CI they fail.

    It ends with the module: while Playwright is at work its event loop is the thread's, and
    tests of the terminal browser need one of their own.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        yield started
        started.close()


@dataclass
class Opened:
    """A report in the browser, with all that went over its console or asked for a network."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open a report; at the end of the test it must not have complained or asked for anything."""
    opened: list[Opened] = []
    contexts: list[Any] = []

    def load(html: str, fragment: str = "", **options: Any) -> Opened:
        path = tmp_path / f"report-{len(opened)}.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        result = Opened(context.new_page())
        page = result.page
        page.set_default_timeout(20_000)
        page.on("console", lambda message: result.complaints.append(message.text))
        page.on("pageerror", lambda error: result.complaints.append(str(error)))
        page.on("dialog", lambda dialog: result.complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: result.requests.append(request.url))
        opened.append(result)
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]", state="attached")
        return result

    yield load
    for number, result in enumerate(opened):
        assert result.complaints == []
        away = [url for url in result.requests if not url.startswith(("data:", "blob:"))]
        assert [url.partition("#")[0] for url in away] == [
            (tmp_path / f"report-{number}.html").as_uri()
        ]
    for context in contexts:
        context.close()
