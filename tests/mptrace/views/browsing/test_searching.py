from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from mptrace.analysis.filter import FilterError
from mptrace.views.browsing import searching
from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.ordinary_rows import UNLIKE
from mptrace.views.browsing.searching import Search, SearchFaultError

Open = Callable[[str], OpenedCapture]


def everything(capture: OpenedCapture) -> np.ndarray:
    return np.arange(len(capture.packets))


def all_matches(capture: OpenedCapture, search: Search) -> list[int]:
    """Go from match to match until the first one comes again."""
    shown = everything(capture)
    found: list[int] = []
    row = len(capture.packets) - 1
    while True:
        following = searching.find(capture, search, shown, row, 1)
        if following is None or following in found:
            return found
        found.append(following)
        row = following


@pytest.mark.parametrize("name", ["fade/client.pcap", "two_interfaces/client.pcapng"])
def test_octets_are_found_where_they_are(opened: Open, name: str) -> None:
    capture = opened(name)
    octets = [capture.packets.record(row).octets for row in range(len(capture.packets))]
    for wanted in (octets[20][30:34], octets[50][-6:], b"\x1e\x1a", b"\x02\x04\x05\xb4"):
        search = Search.of("octets", wanted.hex(":"))
        expected = [row for row, packet in enumerate(octets) if wanted in packet]
        assert all_matches(capture, search) == expected
    absent = Search.of("octets", "00" * 3 + "de ad be ef 00 11 22 33")
    assert searching.find(capture, absent, everything(capture), 0, 1) is None


def test_octets_over_the_border_of_two_packets_are_not_found(opened: Open) -> None:
    capture = opened("fade/client.pcap")
    record = capture.packets.record(5)
    follows = capture.capture.read(0, record.file_offset + len(record.octets) - 4, 8)
    assert searching.find(
        capture, Search.of("octets", follows.hex()), everything(capture), 0, 1
    ) is None  # fmt: skip


def test_words_are_found_forwards_and_backwards_round_the_end(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    shown = everything(capture)
    search = Search.of("words", "mp_join")
    forwards = all_matches(capture, search)
    assert len(forwards) == 3
    assert searching.find(capture, search, shown, forwards[0], -1) == forwards[-1]
    assert searching.find(capture, search, shown, forwards[-1], 1) == forwards[0]
    only = shown[shown != forwards[1]]
    assert searching.find(capture, search, only, forwards[0], 1) == forwards[2]


@pytest.mark.parametrize(
    "name",
    ["walkout/client.pcap", "fade/server.pcap", "many/client.pcap", "add_address_ipv6/client.pcap",
     "mp_fail_multi/server.pcap", "snaplen/client.pcap", "fallback_first_data/client.pcap"],
)  # fmt: skip
def test_rows_of_one_kind_differ_in_digits_only(opened: Open, name: str) -> None:
    capture = opened(name)
    words: dict[int, str] = {}
    for row, kind in enumerate(capture.rows.kinds.tolist()):
        if kind != UNLIKE:
            text = re.sub(r"\d+", "0", capture.rows.row(row).words)
            assert words.setdefault(kind, text) == text
    assert words


@pytest.mark.parametrize("text", ["ack", "Out of", "mapping", "dsn", "data ", "SYN", "7", "..2"])
def test_words_are_found_in_every_row_that_has_them(opened: Open, text: str) -> None:
    capture = opened("fade/server.pcap")
    every = [capture.rows.row(row).words.casefold() for row in range(len(capture.packets))]
    expected = [row for row, words in enumerate(every) if text.casefold() in words]
    assert all_matches(capture, Search.of("words", text)) == expected


def test_a_filter_finds_the_packets_that_pass(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    search = Search.of("filter", "tcp.flags.syn == 1")
    assert all_matches(capture, search) == capture.filter.rows("tcp.flags.syn == 1").tolist()
    assert searching.find(capture, search, everything(capture), 0, -1) is not None
    with pytest.raises(FilterError):
        searching.find(capture, Search.of("filter", "tcp.flgs"), everything(capture), 0, 1)


def test_a_search_can_be_given_up(opened: Open) -> None:
    capture = opened("walkout/client.pcap")
    search = Search.of("words", "mp_join")
    assert searching.find(capture, search, everything(capture), 0, 1, lambda: True) is None


@pytest.mark.parametrize(("kind", "text"), [("octets", "1e 1"), ("octets", "zz"), ("words", "")])
def test_nonsense_is_refused_in_words(kind: searching.Kind, text: str) -> None:
    with pytest.raises(SearchFaultError):
        Search.of(kind, text)
