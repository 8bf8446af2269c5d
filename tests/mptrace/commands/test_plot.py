"""``mptrace plot``: one timeline as a page or an image."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mptrace.commands import main, plot
from mptrace.views.charts import image
from mptrace.views.charts.kinds import KINDS

Output = pytest.CaptureFixture[str]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def capture(root: Path) -> str:
    return str(root / "samples" / "fade" / "client.pcap")


@pytest.fixture
def chromium() -> None:
    if not any(map(shutil.which, image.BROWSERS)):
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")


def test_kinds_are_those_of_the_charts() -> None:
    assert sorted(plot.KINDS) == sorted(KINDS)


def test_html_needs_no_browser(
    capture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    target = tmp_path / "x.html"
    arguments = ["plot", capture, "--kind", "rtt", "-o", str(target)]
    assert main.run([*arguments, "--direction", "client-to-server", "--theme", "dark"]) == 0
    text = target.read_text(encoding="utf-8")
    assert "Round-trip times: connection 0, client" in text
    assert "#14181e" in text


@pytest.mark.usefixtures("chromium")
def test_svg_has_the_size_and_the_title(capture: str, tmp_path: Path) -> None:
    target = tmp_path / "x.svg"
    arguments = ["plot", capture, "-o", str(target), "--width", "640", "--height", "400"]
    assert main.run(arguments) == 0
    root = ET.parse(target).getroot()
    assert root.tag == f"{SVG}svg"
    assert (root.get("width"), root.get("height")) == ("640", "400")
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert "Data sequence number: connection 0, server → client" in texts
    assert "DATA_ACK" in texts


@pytest.mark.usefixtures("chromium")
def test_png_is_sharp(capture: str, tmp_path: Path) -> None:
    target = tmp_path / "x.png"
    assert main.run(["plot", capture, "--kind", "signalling", "-o", str(target)]) == 0
    octets = target.read_bytes()
    assert octets.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", octets[16:24]) == (1800, 1040)


def test_without_a_browser_it_says_so(
    capture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main.run(["plot", capture, "-o", str(tmp_path / "x.svg")]) == 2
    assert "needs Chromium or Chrome" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_fails_is_an_error_in_one_line(
    capture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    import kaleido

    def fail(*arguments: object, **options: object) -> bytes:
        del arguments, options
        raise RuntimeError("it broke")

    monkeypatch.setattr(kaleido, "calc_fig_sync", fail)
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    assert main.run(["plot", capture, "-o", str(tmp_path / "x.svg")]) == 2
    assert capsys.readouterr().err == (
        "mptrace: /opt/chromium could not draw the figure: it broke\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "x.gif"], "the ending must be one of .svg, .png, .pdf, .html"),
        (["-o", "x"], "the ending must be one of"),
        (["-o", "x.svg", "--width", "50"], "--width must be between 100 and 10000"),
        (["-o", "x.svg", "--height", "20000"], "--height must be between"),
        (["-o", "x.html", "--connection", "5"], "there is no connection 5"),
        (["-o", "x.html", "--kind", "pie"], "invalid choice: 'pie'"),
        ([], "the following arguments are required: -o/--output"),
    ],
)
def test_wrong_usage(
    capture: str,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Output,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["plot", capture, *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unasked(capture: str, tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "x.html"
    target.write_text("mine", encoding="utf-8")
    assert main.run(["plot", capture, "-o", str(target)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert target.read_text(encoding="utf-8") == "mine"
    assert main.run(["plot", capture, "-o", str(target), "--force"]) == 0
    assert target.read_text(encoding="utf-8") != "mine"
