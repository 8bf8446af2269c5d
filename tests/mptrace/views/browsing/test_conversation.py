from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mptrace.views.browsing.conversation import Conversation
from mptrace.views.browsing.opened import OpenedCapture

Open = Callable[[str], OpenedCapture]


@pytest.mark.parametrize("form", ["text", "hexadecimal"])
def test_the_lines_of_a_side_are_its_stream(opened: Open, samples: Path, form: str) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    truth = json.loads((samples / "walkout/truth.json").read_text())
    assert conversation.index(form, 80)  # type: ignore[arg-type]
    for number, side in enumerate(("client", "server")):
        lines = [i for i in range(len(conversation)) if conversation.line(i).side == number]
        whole = b"".join(conversation.octets(i) for i in lines)
        sent = [app["sent_sha"] for app in truth["apps"] if app["side"] == side]
        assert hashlib.sha256(whole).hexdigest() in sent


@pytest.mark.parametrize("width", [24, 80, 158])
def test_lines_fit(opened: Open, width: int) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    assert conversation.index("text", width)
    assert all(len(conversation.line(i).text) <= width for i in range(0, len(conversation), 37))


def test_hexadecimal_lines_say_where_they_are(opened: Open) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    assert conversation.index("hexadecimal", 80, (0,))
    line = conversation.line(1)
    octets = conversation.octets(1)
    assert line.text.split()[0] == str(1 + len(conversation.octets(0)))
    assert octets[:4].hex(" ") in line.text


def test_one_side_alone(opened: Open) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    assert conversation.index("text", 80, (1,))
    assert {conversation.line(i).side for i in range(len(conversation))} == {1}


def test_what_is_missing_is_a_line(opened: Open) -> None:
    conversation = Conversation(opened("snaplen/client.pcap"), 0)
    assert conversation.index("text", 80)
    lines = [conversation.line(i) for i in range(len(conversation))]
    assert any(line.missing and "not in the capture" in line.text for line in lines)


def test_octets_are_found_also_across_lines(opened: Open) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    conversation.index("hexadecimal", 40)
    wanted = conversation.octets(100)[-3:] + conversation.octets(101)[:3]
    assert conversation.find(wanted, 90, 1) == 100
    assert conversation.find(wanted, 110, -1) == 100
    assert conversation.find(b"\x00" * 40, 0, 1) is None
    assert conversation.find(wanted, -1, 1, lambda: True) is None


def test_laying_out_can_be_given_up(opened: Open) -> None:
    conversation = Conversation(opened("walkout/client.pcap"), 0)
    assert not conversation.index("text", 80, cancelled=lambda: True)


def test_the_begin_can_be_had_first(opened: Open) -> None:
    whole = Conversation(opened("walkout/client.pcap"), 0)
    begin = Conversation(opened("walkout/client.pcap"), 0)
    assert whole.index("text", 80)
    assert begin.index("text", 80, most=20)
    assert 0 < len(begin) < len(whole)
    lines = [begin.line(i) for i in range(len(begin))]
    assert lines == [whole.line(i) for i in range(len(begin))]
