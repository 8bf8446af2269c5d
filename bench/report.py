"""Measure the report of a large capture: ``python bench/report.py [CAPTURE...]``.

Prints how long writing the report takes beside the analysis, how large it is, and how long
Chromium needs from opening the file until its first timeline is drawn and the page answers.
Without a capture, one of a million packets in one connection and one in several hundred are made.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

import mptrace  # noqa: E402
from bench.make_capture import SHAPES, make_capture  # noqa: E402

_DRAWN: Final = "() => document.querySelector('.js-plotly-plot .main-svg') && performance.now()"


def interactive_seconds(page: Path) -> float | None:
    """From opening a report to its first timeline; None where there is no Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        best = float("inf")
        for _ in range(3):
            tab = browser.new_page(viewport={"width": 1440, "height": 900})
            tab.goto(page.as_uri())
            milliseconds = tab.wait_for_function(_DRAWN, polling=10).json_value()
            best = min(best, float(milliseconds) / 1000)
            tab.close()
        browser.close()
    return best


def measure(capture: Path, directory: Path) -> None:
    """Print a line about one capture."""
    started = time.perf_counter()
    analysis = mptrace.analyze(capture)
    analyzed = time.perf_counter()
    page = directory / f"{capture.stem}.html"
    page.write_text(mptrace.report(analysis), encoding="utf-8")
    written = time.perf_counter()
    seconds = interactive_seconds(page)
    shown = "no Chromium" if seconds is None else f"{seconds:.2f} s"
    print(
        f"{capture.stem:<16}{analysis.capture.packets:>11,} packets{len(analysis):>7,} connections"
        f"{analyzed - started:>8.1f} s analysis{written - analyzed:>8.1f} s report"
        f"{page.stat().st_size / 1e6:>8.1f} MB  interactive after {shown}"
    )


def main() -> int:
    """Measure the captures named, or make some."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("captures", nargs="*", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        captures: list[Path] = arguments.captures
        for shape in () if captures else ("one", "many"):
            path = directory / f"{shape}.pcap"
            make_capture(path, SHAPES[shape])
            measure(path, directory)
            path.unlink()
        for path in captures:
            measure(path, directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
