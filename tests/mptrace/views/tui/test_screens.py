"""Connections, findings, the page of a connection, its data, help, exports, reloading."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mptrace.capture import open_capture
from mptrace.capture.writer import PcapWriter
from mptrace.views.browsing.plots import KINDS
from mptrace.views.tui import keys
from mptrace.views.tui.connection_screen import ConnectionScreen
from mptrace.views.tui.follow_screen import FollowScreen
from mptrace.views.tui.help_screen import HelpScreen
from mptrace.views.tui.loading import LoadingScreen
from mptrace.views.tui.timeline import Timeline

Browse = Callable[..., Any]


def test_connections_lead_to_their_page_and_back(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("2")
        assert "established" in driver.lines()[3]
        await driver.press("j")
        assert "subflow 0" in driver.lines()[4]
        await driver.press("right")
        assert any("last from the server: packet" in line for line in driver.lines())
        await driver.press("k", "enter")
        assert isinstance(driver.app.screen, ConnectionScreen)
        assert driver.lines()[1].startswith("Connection 0: ")
        await driver.press("escape", "j", "enter")
        assert driver.number == driver.screen.opened.analysis[0].subflows[0].first_packet

    browse("walkout/client.pcap", scenario)


def test_the_summary_is_the_text_of_analyze(browse: Browse) -> None:
    from mptrace.views import text

    async def scenario(driver: Any) -> None:
        await driver.press("c")
        shown = [line.rstrip(" ▁▂▃▄▅▆▇█") for line in driver.lines()[1:-1]]
        analysis = driver.app.opened.analysis
        expected = [
            line.rstrip()
            for paragraph in text.lines(analysis, color=False, width=79, detail=True)
            for line in paragraph.split("\n")
        ]
        begin = next(i for i, line in enumerate(expected) if line.startswith("Connection 0"))
        assert shown[:15] == expected[begin : begin + 15]

    browse("walkout/client.pcap", scenario)


def test_the_timeline_leads_to_packets(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("c", "2")
        timeline = driver.app.screen.query_one(Timeline)
        assert timeline.plot.kind == "data sequence"
        for kind in (*KINDS[1:], KINDS[0]):
            await driver.press("t")
            assert timeline.plot.kind == kind
        await driver.press("T", "T")
        first, last = timeline.plot.span_ns
        await driver.press("end")
        assert timeline.time_ns == last
        await driver.press("home", "pagedown", "right")
        assert timeline.time_ns == first + 11 * timeline.column_ns
        await driver.press("plus", "plus")
        low, high = timeline.window_ns
        assert low <= timeline.time_ns <= high
        assert (high - low) * 3 < last - first
        await driver.press("right")
        time_ns = timeline.time_ns
        await driver.press("enter")
        row = driver.number - 1
        times = driver.screen.opened.packets.time_ns - driver.screen.opened.packets.time_ns[0]
        assert times[row] >= time_ns
        assert row == 0 or times[row - 1] < time_ns

    browse("walkout/client.pcap", scenario)


def test_the_timeline_goes_from_copy_to_copy(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        copies = (driver.screen.opened.facts.rows_with_copies + 1).tolist()
        await driver.press("c", "2", "r", "enter")
        assert driver.number == copies[0]
        await driver.press("c", "2", "d", "end", "R", "minus", "0", "enter")
        assert driver.number == copies[-1]

    browse("walkout/client.pcap", scenario)


def test_a_click_on_the_timeline_moves_the_cursor(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("c", "2")
        timeline = driver.app.screen.query_one(Timeline)
        await driver.click(Timeline, offset=(46, 5))
        first, last = timeline.plot.span_ns
        assert abs(timeline.time_ns - (first + last) / 2) < (last - first) / 20

    browse("walkout/client.pcap", scenario)


def test_signalling_leads_to_packets(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("c", "3", "j")
        assert "MP_CAPABLE" in "".join(driver.lines()[2:4])
        await driver.press("enter")
        assert driver.number == driver.screen.opened.analysis[0].events[1].packet
        await driver.press("c", "shift+tab")
        assert driver.app.screen.query_one("#signalling").display

    browse("walkout/client.pcap", scenario)


def test_following_the_data(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("o")
        screen = driver.app.screen
        assert isinstance(screen, FollowScreen)
        total = screen.lines.line_count()
        await driver.press("d")
        assert 0 < screen.lines.line_count() < total
        await driver.press("x", "d")
        conversation = screen.lines.conversation
        assert conversation is not None
        wanted = conversation.octets(40)
        await driver.press("g", "ctrl+f", "tab")
        await driver.type(wanted.hex())
        await driver.press("enter")
        assert screen.lines.cursor == 40
        await driver.press("n")
        assert "Not found" in driver.lines()[-1]
        frame = conversation.line(40).frame
        await driver.press("ctrl+f", "escape", "enter")
        assert driver.number == frame

    browse("walkout/client.pcap", scenario)


def test_a_packet_without_a_connection_has_no_page(browse: Browse, tmp_path: Path) -> None:
    path = tmp_path / "arp.pcap"
    with path.open("wb") as file:
        PcapWriter(file, 1).write(bytes(12) + b"\x08\x06" + bytes(28), 10**18)

    async def scenario(driver: Any) -> None:
        await driver.press("c")
        assert "no MPTCP connection" in driver.said
        await driver.press("o", "r", "f", "right_square_bracket", "right_curly_bracket")
        await driver.press("2")
        assert "no MPTCP connection" in "".join(driver.lines())
        await driver.press("j", "enter", "right", "left", "3")
        assert "Nothing to report" in "".join(driver.lines())

    browse(path, scenario)


def test_help_lists_every_key(browse: Browse, root: Path) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("question_mark")
        assert isinstance(driver.app.screen, HelpScreen)
        shown = " ".join(" ".join(driver.lines()).split())
        for key in keys.GROUPS[0][1]:
            assert key.keys in shown
        await driver.press("escape", "c", "question_mark", "q", "escape")
        assert driver.number == 1

    browse("walkout/client.pcap", scenario, size=(100, 60))
    page = (root / "docs" / "browser.md").read_text(encoding="utf-8")
    for title, group in keys.GROUPS:
        assert f"\n## {title}\n" in page
        for key in group:
            assert f"| {key.keys.replace('|', chr(92) + '|')} | {key.does} |" in page


def test_the_palette_has_the_commands(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        commands = {c.title: c for c in driver.app.get_system_commands(driver.screen)}
        commands["Findings"].callback()
        await driver.settle()
        assert driver.screen.query_one("#findings-view").display
        commands["Time format"].callback()
        assert driver.screen.packets.times.format == "delta"
        await driver.press("c")
        fewer = list(driver.app.get_system_commands(driver.app.screen))
        assert 0 < len(fewer) < len(commands)

    browse("walkout/client.pcap", scenario)


def test_exports(browse: Browse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(driver: Any) -> None:
        monkeypatch.chdir(tmp_path)
        await driver.press("slash")
        await driver.type("tcp.flags.syn == 1")
        await driver.press("enter", "ctrl+s", *"syn", "enter")
        assert driver.said == "4 packets written to syn.pcapng"
        await driver.press("ctrl+s", *"syn", "enter")
        assert driver.said == "syn.pcapng exists already; nothing was written"
        await driver.press("ctrl+s", "tab", *"syn", "enter")
        assert driver.said == "4 rows written to syn.csv"
        await driver.press("ctrl+s", "tab", "tab", *"all", "enter")
        assert driver.said == "The report written to all.html"
        await driver.press("ctrl+s", *"nowhere", "slash", *"x", "enter")
        assert "No such file" in driver.said
        await driver.press("ctrl+s", "enter")
        assert driver.said == "No file was named"

    browse("walkout/client.pcap", scenario)
    with open_capture(tmp_path / "syn.pcapng") as capture:
        assert len(list(capture.records())) == 4
    assert (tmp_path / "syn.csv").read_text().count("\n") == 5


def test_a_file_that_grew_is_read_again(browse: Browse, root: Path, tmp_path: Path) -> None:
    whole = (root / "samples/walkout/client.pcap").read_bytes()
    with open_capture(root / "samples/walkout/client.pcap") as capture:
        cut = capture.packet(101).file_offset - 16
    path = tmp_path / "growing.pcap"
    path.write_bytes(whole[:cut])

    async def scenario(driver: Any) -> None:
        assert len(driver.screen.opened.packets) == 100
        await driver.press("slash")
        await driver.type("tcp.len > 0")
        await driver.press("enter", "G")
        number, shown = driver.number, driver.screen.shown.size
        path.write_bytes(whole)
        await driver.press("ctrl+r")
        await driver.opened()
        assert len(driver.screen.opened.packets) > 100
        assert driver.number == number
        assert driver.screen.shown.size > shown
        path.unlink()
        await driver.press("ctrl+r")
        await driver.opened()
        assert "Could not be read again" in driver.said
        await driver.press("g")
        assert driver.screen.packets.row is not None

    browse(path, scenario)


def test_a_damaged_file_opens_with_its_damage_shown(
    browse: Browse, tmp_path: Path, root: Path
) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes((root / "samples/walkout/client.pcap").read_bytes()[:20_000])

    async def scenario(driver: Any) -> None:
        assert re.search(r"Packet 1 of \d+  damaged at offset [\d,]+: ", driver.said)
        await driver.press("G")
        assert f"Packet {driver.number} of {driver.number} " in driver.said

    browse(path, scenario)


def test_what_is_no_capture_ends_with_the_reason(browse: Browse, tmp_path: Path) -> None:
    path = tmp_path / "text.pcap"
    path.write_text("this is no capture")

    async def scenario(driver: Any) -> None:
        del driver

    app = browse(path, scenario)
    assert app.return_value is not None
    assert "not a capture file" in app.return_value


def test_progress_is_shown_while_a_capture_is_read(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        screen = LoadingScreen("some.pcap")
        driver.app.push_screen(screen)
        await driver.settle()
        screen.progress("analyzing", 50, 200)
        await driver.settle()
        shown = " ".join(driver.lines())
        assert "some.pcap" in shown
        assert "analyzing" in shown
        assert "25%" in shown

    browse("no_data/client.pcap", scenario)


def test_hundreds_of_connections(browse: Browse) -> None:
    async def scenario(driver: Any) -> None:
        await driver.press("2", "G", "enter")
        assert driver.app.screen.connection.index == 59
        await driver.press("escape", "right", "j", "enter")
        assert driver.screen.opened.facts.get(driver.number - 1, "mptcp.stream") == 59

    browse("many/client.pcap", scenario)
