"""Figures as text: every figure has its unit, and no text can say what the figure doesn't."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mptrace.analysis.model import Endpoint
from mptrace.views import figures


@pytest.mark.parametrize(
    ("number", "exact", "text"),
    [
        (None, True, "-"),
        (0, True, "0 B"),
        (0, False, "0 B"),
        (999, False, "999 B"),
        (1000, False, "1.00 kB"),
        (9_999_999, True, "9,999,999 B"),
        (10_000_000, True, "10.0 MB"),
        (999_600, False, "1.00 MB"),
        (12_345_678_901, True, "12.3 GB"),
        (2**63, True, "9223 PB"),
    ],
)
def test_octets(number: int | None, exact: bool, text: str) -> None:
    assert figures.octets(number, exact=exact) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "-"),
        (0.0, "0 bit/s"),
        (999.4, "999 bit/s"),
        (999.6, "1.00 kbit/s"),
        (3_251_234.5, "3.25 Mbit/s"),
        (99_960_000.0, "100 Mbit/s"),
        (4.5e10, "45.0 Gbit/s"),
    ],
)
def test_bit_rate(rate: float | None, text: str) -> None:
    assert figures.bit_rate(rate) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.0000004, "0 µs"),
        (0.00083, "830 µs"),
        (0.0205, "20.5 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (599.9, "599.90 s"),
        (600.0, "10 min 00 s"),
        (3723.4, "1 h 02 min 03 s"),
    ],
)
def test_seconds(duration: float | None, text: str) -> None:
    assert figures.seconds(duration) == text


@given(st.floats(min_value=0, max_value=1))
def test_only_nothing_is_none_and_only_all_is_all(part: float) -> None:
    text = figures.share(part)
    assert (text == "0.0 %") == (part == 0)
    assert (text == "100.0 %") == (part == 1)


def test_share_of_nothing_is_absent() -> None:
    assert figures.share(None) == "-"


@pytest.mark.parametrize(
    ("packets", "total", "text"),
    [
        ((), 0, ""),
        ((4,), 0, "packet 4"),
        ((4, 7), 2, "packets 4 and 7"),
        ((1, 2, 3, 4, 5), 5, "packets 1, 2, 3, 4 and 5"),
        ((1, 2, 3, 4, 5, 6), 6, "packets 1, 2, 3, 4, 5 and 1 more"),
        ((1, 2, 3, 4, 5, 6), 1006, "packets 1, 2, 3, 4, 5 and 1,001 more"),
    ],
)
def test_packet_list(packets: tuple[int, ...], total: int, text: str) -> None:
    assert figures.packet_list(packets, total) == text


@pytest.mark.parametrize(
    ("address", "text"),
    [("10.0.0.1", "10.0.0.1:80"), ("2001:db8::1", "[2001:db8::1]:80")],
)
def test_endpoint(address: str, text: str) -> None:
    assert figures.endpoint(Endpoint(address, 80, 0, None)) == text


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_iso_time_keeps_every_nanosecond(time_ns: int) -> None:
    text = figures.iso_time(time_ns)
    whole = dt.datetime.fromisoformat(text[:19] + "+00:00")
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    seconds = round((whole - epoch) / dt.timedelta(seconds=1))
    assert seconds * 1_000_000_000 + int(text[20:29]) == time_ns
    assert text.endswith("Z")


def test_readable_time() -> None:
    assert figures.readable_time(1_000_000_000_123_456_789) == "2001-09-09 01:46:40.123456 UTC"


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_wide_hex_has_every_bit(number: int) -> None:
    text = figures.wide_hex(number, 16)
    assert text is not None
    assert re.fullmatch("0x[0-9a-f]{16}", text)
    assert int(text, 16) == number


@given(st.text())
def test_printable_text_commands_no_terminal(text: str) -> None:
    shown = figures.printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


def test_printable_names_what_it_hides() -> None:
    assert figures.printable("a\x1b[2Jb\nc\udcff") == r"a\x1b[2Jb\nc\udcff"
