"""What is offered at the cursor leads to filters that can be understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mptrace.analysis.filter import DisplayFilter, complete
from mptrace.analysis.filter.registry import find, visible


def offered(text: str, cursor: int | None = None) -> list[str]:
    return [c.text for c in complete(text, len(text) if cursor is None else cursor)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("mptcp.str", ["mptcp.stream"]),
        ("tcp.flags.s", ["tcp.flags.syn"]),
        ("dsn", ["mptcp.dsn", "mptcp.dss.dsn"]),
        ("tcp.len > 0 && ipv6.s", ["ipv6.src"]),
        ("!(tcp.strea", ["tcp.stream"]),
        ("len(tcp.pay", ["tcp.payload"]),
        ("low", ["lower("]),
        ("tcp.len ", ["==", "!="]),
        ("tcp.len =", ["=="]),
        ("tcp.len >", [">="]),
        ("tcp.len > 0 &", ["&&"]),
        ("!", ["eth"]),
        ("tcp.len co", []),
        ("tcp.payload co", ["contains"]),
        ("mptcp ", ["&&", "||", "^^"]),
        ("tcp.len == 5 ", ["&&", "||", "^^"]),
        ('frame contains "a" ', ["&&", "||", "^^"]),
        ("tcp.len in {5} ", ["&&", "||", "^^"]),
        ("tcp.flags.syn == ", ["1", "0"]),
        ("mptrace.copy == re", ["retransmission", "remapped", "reinjection"]),
        ("mptrace.copy in {first, rein", ["reinjection"]),
        ("tcp.options.mptcp.subtype == d", ["DSS", '"Data Sequence Signal"']),
        ('frame contains "tcp.l', []),
        ("frame matches ", []),
        ("tcp.len == ", []),
        ("nothing.such", []),
    ],
)
def test_offered(text: str, first: list[str]) -> None:
    assert offered(text)[: max(len(first), 1)] == first


def test_every_field_is_offered_at_the_beginning() -> None:
    assert offered("") == [field.name for field in visible()]
    assert offered("tcp.len == 5 && ") == offered("")


def test_the_word_under_the_cursor_is_replaced() -> None:
    text = "ip.sr == 10.0.0.1 && tcp"
    chosen = complete(text, 4)[0]
    assert chosen.completed(text) == ("ip.src == 10.0.0.1 && tcp", 6)
    assert chosen.meaning == "source address"


@given(st.text(), st.integers(-5, 50))
def test_any_text_at_any_cursor(text: str, cursor: int) -> None:
    for candidate in complete(text, cursor):
        completed, place = candidate.completed(text)
        assert completed[:place].endswith(candidate.text)


@given(st.sampled_from([field.name for field in visible()]), st.data())
def test_what_is_offered_is_understood(name: str, data: st.DataObject) -> None:
    typed = name[: data.draw(st.integers(1, len(name)))]
    assert name in offered(typed)
    field = find(name)
    assert field is not None
    operators = [
        text for text in offered(f"{name} ") if text not in {"in {", "contains", "matches"}
    ]
    operator = data.draw(st.sampled_from(operators))
    if operator in {"&&", "||", "^^"}:
        DisplayFilter(f"{name} {operator} tcp")
        return
    for value in offered(f"{name} {operator} "):
        DisplayFilter(f"{name} {operator} {value}")
        DisplayFilter(f"{name} in {{{value}}}")
