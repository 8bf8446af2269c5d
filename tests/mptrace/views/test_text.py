"""The text: byte for byte as it was read by a person, and safe on every terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mptrace.analysis.model import CaptureSummary
from mptrace.views import text
from mptrace.views.layout import display_width

if TYPE_CHECKING:
    from mptrace.views.reading import Reading

Golden = Callable[[str, str], None]
Many = Callable[[int], Any]


def written(
    reading: Reading, width: int = 100, *, color: bool = False, detail: bool = False
) -> str:
    lines = text.lines(reading, color=color, width=width, detail=detail)
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_one_connection(plain: Any, golden: Golden, width: int) -> None:
    golden(f"plain-{width}.txt", written(plain, width))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_everything_that_can_be_said(rich_analysis: Any, golden: Golden, width: int) -> None:
    golden(f"rich-{width}.txt", written(rich_analysis, width))


def test_many_connections(many: Many, golden: Golden) -> None:
    golden("many.txt", written(many(120)))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_asked(rich_analysis: Any, many: Many, width: int) -> None:
    for reading in (rich_analysis, many(9)):
        for line in written(reading, width).splitlines():
            assert display_width(line) <= width, line


def test_plain_text_has_no_escapes_and_no_blanks_at_the_end(rich_analysis: Any) -> None:
    output = written(rich_analysis)
    assert "\x1b" not in output
    assert not re.search(r"[ \t]+$", output, re.MULTILINE)


def test_colour_changes_nothing_but_colour(rich_analysis: Any) -> None:
    colored = written(rich_analysis, color=True)
    assert "\x1b[1;31m" in colored
    without = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in without.splitlines()] == written(rich_analysis).splitlines()


def test_few_connections_are_shown_in_full_and_many_are_listed(many: Many) -> None:
    assert written(many(text.DETAILED)).count("Data sent, each octet once") == text.DETAILED
    listed = written(many(text.DETAILED + 1))
    assert "Data sent, each octet once" not in listed
    assert "-c N, with N from 0 to 3" in listed


def test_what_is_left_out_is_said(many: Many) -> None:
    output = written(many(text.LISTED + 7))
    assert "7 more connections, not listed here" in output
    assert len(re.findall(r"^ *\d+  10\.1\.0\.1:", output, re.MULTILINE)) == text.LISTED


def test_detail_shows_all_that_were_asked_for(many: Many) -> None:
    assert written(many(7), detail=True).count("Data sent, each octet once") == 7


def test_findings_of_a_kind_are_cut_short_and_said(plain: Any) -> None:
    repeated = replace(plain, findings=plain.findings * 10)
    output = written(repeated)
    assert output.count("New data moved") == text.FINDINGS_PER_CODE
    assert "7 more of this kind" in output


def test_a_capture_cannot_command_the_terminal(plain: Any) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\n\r\x00"
    (connection,) = plain.connection_list
    reading = replace(
        plain,
        capture=replace(plain.capture, path=evil, interfaces=(evil, evil), link_types=(evil,)),
        findings=(replace(plain.findings[0], message=evil, reference=evil),),
        connection_list=(replace(connection, index=0),),
    )
    output = written(reading)
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", output) is None
    assert r"\x1b]0;owned\x07" in output


def test_an_empty_capture(plain: Any) -> None:
    empty = CaptureSummary(
        path="empty.pcap",
        format="pcap",
        link_types=("ETHERNET",),
        packets=0,
        tcp_packets=0,
        mptcp_packets=0,
        first_time_ns=None,
        duration_s=0.0,
        truncated_packets=0,
        capture_duplicates=0,
        damage=None,
    )
    reading = replace(plain, capture=empty, connection_list=(), findings=())
    assert written(reading) == (
        "File       empty.pcap\n"
        "Format     pcap, link type ETHERNET\n"
        "Packets    0, of which 0 TCP and 0 with MPTCP options\n"
        "\n"
        "No MPTCP connection; nothing to report\n"
    )
