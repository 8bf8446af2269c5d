"""Masks over columns say what a plain loop over each packet's values says."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mptrace.analysis.filter import DisplayFilter, FilterError, PacketColumns, octet_search
from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.filter.registry import find, visible

SAMPLES = ("add_address_ipv6/client.pcap", "walkout/client.pcap")
Packet = Callable[[str], list[Any]]
"""The values of a field in one packet."""
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
NUMBERS = (
    "tcp.port", "tcp.len", "tcp.stream", "tcp.flags", "tcp.flags.syn", "frame.number", "tcp.seq",
    "tcp.options.mptcp.subtype", "tcp.options.mptcp.addrid", "tcp.options.mptcp.rawdataack",
    "mptcp.dsn", "mptcp.rawdsn64", "mptrace.subflow",
)  # fmt: skip
WIDE = {"tcp.options.mptcp.rawdataack", "mptcp.rawdsn64"}
ADDRESSES = ("ip.addr", "ip.src", "ipv6.addr", "ipv6.dst", "tcp.options.mptcp.ipv4")
TEXTS = ("mptrace.copy", "mptrace.direction")
OCTETS = ("tcp.payload", "tcp.options.mptcp.sendhmac", "frame")


@dataclass(frozen=True)
class Condition:
    """A filter, and the same in plain Python."""

    text: str
    holds: Callable[[Packet], bool]


@cache
def values(columns: PacketColumns, name: str) -> list[list[Any]]:
    """Per packet: plain Python values."""
    field = find(name)
    assert field is not None
    column = columns.column(name)
    result: list[list[Any]] = [[] for _ in range(columns.packets)]
    found: list[Any]
    match field.type:
        case FieldType.OCTETS:
            found = octet_search.values(columns.capture, column) if len(column) else []
        case FieldType.IPV4:
            found = [IPv4Address(value) for value in column.value.tolist()]
        case FieldType.IPV6:
            found = [IPv6Address(high << 64 | low) for high, low in column.value.tolist()]
        case FieldType.TEXT:
            found = [column.names[code] for code in column.value.tolist()]
        case _:
            found = column.value.tolist()
    for row, value in zip(column.row.tolist(), found, strict=True):
        result[row].append(value)
    return result


def quantified(quantifier: str, verdicts: list[bool]) -> bool:
    return bool(verdicts) and (all(verdicts) if quantifier == "all" else any(verdicts))


def quantifiers() -> st.SearchStrategy[tuple[str, str]]:
    """How a quantifier is written, and which one it is where nothing is written."""
    return st.sampled_from([("", ""), ("any ", "any"), ("all ", "all")])


def written(symbol: str, quantifier: tuple[str, str]) -> str:
    return quantifier[1] or ("all" if symbol == "!=" else "any")


@st.composite
def numbers(draw: st.DrawFn) -> Condition:
    name, symbol = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(list(COMPARE)))
    quantifier = draw(quantifiers())
    field = find(name)
    assert field is not None
    known = st.sampled_from([0, 1, 2, 16, 24, 1420, 5001, 501, 16385, 2**31, 2**63, 2**64 - 1])
    most = 2**63 - 1 if field.type is FieldType.SIGNED else 2**field.bits - 1
    value = min(draw(st.one_of(known, st.integers(0, 70000))), most)
    if field.type is FieldType.BOOLEAN:
        value = int(value != 0)
    shown = hex(value) if draw(st.booleans()) else str(value)
    compare, kind = COMPARE[symbol], written(symbol, quantifier)
    if draw(st.booleans()):
        return Condition(
            f"{quantifier[0]}{name} {symbol} {shown}",
            lambda packet: quantified(kind, [compare(v, value) for v in packet(name)]),
        )
    return Condition(
        f"{quantifier[0]}{shown} {symbol} {name}",
        lambda packet: quantified(kind, [compare(value, v) for v in packet(name)]),
    )


@st.composite
def field_pairs(draw: st.DrawFn) -> Condition:
    left, right = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS))
    symbol, quantifier = draw(st.sampled_from(list(COMPARE))), draw(quantifiers())
    compare, kind = COMPARE[symbol], written(symbol, quantifier)
    return Condition(
        f"{quantifier[0]}{left} {symbol} {right}",
        lambda packet: quantified(
            kind, [compare(a, b) for a in packet(left) for b in packet(right)]
        ),
    )


@st.composite
def memberships(draw: st.DrawFn) -> Condition:
    name, no = draw(st.sampled_from(("tcp.port", "tcp.len", "frame.number"))), draw(st.booleans())
    low = draw(st.lists(st.integers(0, 60000), min_size=1, max_size=3))
    spans = [(value, value + draw(st.sampled_from([0, 1, 1000, 5000]))) for value in low]
    members = [f"{a}" if a == b else f"{a}..{b}" for a, b in spans]
    separator = draw(st.sampled_from([" ", ", "]))
    return Condition(
        f"{name}{' not' if no else ''} in {{{separator.join(members)}}}",
        lambda packet: any(a <= value <= b for value in packet(name) for a, b in spans) != no,
    )


def wrapped(value: int, *, wide: bool) -> int:
    return value % 2**64 if wide else (value + 2**63) % 2**64 - 2**63


def divided(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


CALCULATE: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "/": divided, "%": lambda a, b: a - b * divided(a, b),
}  # fmt: skip


@st.composite
def calculations(draw: st.DrawFn) -> Condition:
    name, sign = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(list(CALCULATE)))
    wide = name in WIDE
    operand = draw(st.integers(0 if wide else -(2**63), 2**64 - 1 if wide else 2**63 - 1))
    operand = draw(st.sampled_from([operand, operand % 100]))
    limit = draw(st.integers(0, 3000))
    symbol = draw(st.sampled_from(list(COMPARE)))
    compare, calculate = COMPARE[symbol], CALCULATE[sign]
    kind = "all" if symbol == "!=" else "any"

    def holds(packet: Packet) -> bool:
        results = [
            wrapped(calculate(value, operand), wide=wide)
            for value in packet(name)
            if operand or sign not in "/%"
        ]
        return quantified(kind, [compare(result, limit) for result in results])

    return Condition(f"{name} {sign} {operand} {symbol} {limit}", holds)


@st.composite
def addresses(draw: st.DrawFn) -> Condition:
    name, symbol = draw(st.sampled_from(ADDRESSES)), draw(st.sampled_from(["==", "!="]))
    ipv6 = name.startswith("ipv6")
    host = draw(st.sampled_from(["fd00:1::1", "fd00:2::2", "::"] if ipv6 else
                                ["10.1.0.1", "10.2.0.1", "0.0.0.0", "10.1.0.2"]))  # fmt: skip
    prefix = draw(st.integers(0, 128 if ipv6 else 32))
    network = ip_network(f"{host}/{prefix}", strict=False)
    wanted = symbol == "=="
    return Condition(
        f"{name} {symbol} {host}/{prefix}",
        lambda packet: quantified(
            "any" if wanted else "all", [(value in network) == wanted for value in packet(name)]
        ),
    )


@st.composite
def texts(draw: st.DrawFn) -> Condition:
    name, field = draw(st.sampled_from([(name, find(name)) for name in TEXTS]))
    assert field is not None
    text = draw(st.sampled_from(field.texts))
    part = text[draw(st.integers(0, 3)) : draw(st.integers(4, 9))]
    return draw(
        st.sampled_from(
            [
                Condition(f"{name} == {text}", lambda packet: text in packet(name)),
                Condition(f'{name} contains "{part}"',
                          lambda packet: any(part in value for value in packet(name))),
                Condition(f'{name} matches "^{part.upper()}"',
                          lambda packet: any(value.startswith(part) for value in packet(name))),
                Condition(f'upper({name}) contains "{part.upper()}"',
                          lambda packet: any(part in value for value in packet(name))),
            ]
        )
    )  # fmt: skip


@st.composite
def octets(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(OCTETS))
    needle = draw(st.one_of(st.binary(min_size=1, max_size=2), st.sampled_from([b"\x1e", b"\x01"])))
    first = draw(st.integers(-30, 60))
    length = draw(st.integers(1, 4))
    part = f"{name}[{first}:{length}]"

    def cut(packet: Packet) -> list[bytes]:
        starts = [(v, first if first >= 0 else len(v) + first) for v in packet(name)]
        return [v[at : at + length] for v, at in starts if 0 <= at <= len(v) - length]

    pattern = re.compile(re.escape(needle), re.IGNORECASE)
    quoted = "".join(f"\\x{octet:02x}" for octet in needle)
    plain = needle.hex(":") if len(needle) > 1 else needle.hex()
    return draw(
        st.sampled_from(
            [
                Condition(f"{name} contains {plain}",
                          lambda packet: any(needle in v for v in packet(name))),
                Condition(f'{name} matches "{quoted}"',
                          lambda packet: any(pattern.search(v) for v in packet(name))),
                Condition(f"{part} == {plain}", lambda packet: needle in cut(packet)),
                Condition(f"{part} != {plain}",
                          lambda packet: quantified("all", [v != needle for v in cut(packet)])),
                Condition(f"{part} > {plain}", lambda packet: any(
                    (len(v), v) > (len(needle), needle) for v in cut(packet))),
                Condition(f'{part} contains "{quoted}"',
                          lambda packet: any(needle in v for v in cut(packet))),
                Condition(part, lambda packet: bool(cut(packet))),
                Condition(f"len({name}) > {100 + first}",
                          lambda packet: any(len(v) > 100 + first for v in packet(name))),
            ]
        )
    )  # fmt: skip


@st.composite
def existences(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from((*NUMBERS, *ADDRESSES, *TEXTS, *OCTETS)))
    least = draw(st.integers(0, 2))
    return draw(
        st.sampled_from(
            [
                Condition(name, lambda packet: bool(packet(name))),
                Condition(f"count({name}) > {least}",
                          lambda packet: bool(packet(name)) and len(packet(name)) > least),
            ]
        )
    )  # fmt: skip


def both(left: Condition, right: Condition) -> Condition:
    return Condition(f"({left.text}) && ({right.text})", lambda p: left.holds(p) and right.holds(p))


def either(left: Condition, right: Condition) -> Condition:
    return Condition(f"({left.text}) or {right.text}", lambda p: left.holds(p) or right.holds(p))


def one_of(left: Condition, right: Condition) -> Condition:
    return Condition(f"({left.text}) ^^ ({right.text})", lambda p: left.holds(p) != right.holds(p))


def negated(test: Condition) -> Condition:
    return Condition(f"!({test.text})", lambda p: not test.holds(p))


LEAVES = st.one_of(
    numbers(), field_pairs(), memberships(), calculations(), addresses(), texts(), octets(),
    existences(),
)  # fmt: skip
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(both, inner, inner),
        st.builds(either, inner, inner),
        st.builds(one_of, inner, inner),
        st.builds(negated, inner),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("sample", SAMPLES)
@settings(max_examples=150)
@given(condition=CONDITIONS)
def test_columns_say_what_packets_say(
    columns_of: Callable[[str], PacketColumns], sample: str, condition: Condition
) -> None:
    columns = columns_of(sample)
    mask = DisplayFilter(condition.text).mask(columns)
    expected = [
        condition.holds(lambda name, row=row: values(columns, name)[row])  # type: ignore[misc]
        for row in range(columns.packets)
    ]
    assert mask.tolist() == expected


WORDS = st.sampled_from([
    *(field.name for field in visible()), "==", "!=", "<", ">=", "===", "!==", "&&", "||", "^^",
    "!",
    "not", "any", "all", "(", ")", "{", "}", "in", "..", ",", "contains", "matches", '"a"',
    '"[a-c]"', "0", "1", "-1", "0xff", "1.5", "10.0.0.0/8", "fe80::/10", "aa:bb", "'x'", "[0:2]",
    "[-1]", "[5:]", "+", "*", "/", "%", "&", "len(", "count(", "first", "DSS", "True",
])  # fmt: skip


@settings(max_examples=300)
@given(words=st.lists(WORDS, max_size=8))
def test_any_filter_is_evaluated_or_refused(
    columns_of: Callable[[str], PacketColumns], words: list[str]
) -> None:
    columns = columns_of(SAMPLES[0])
    try:
        display_filter = DisplayFilter(" ".join(words))
    except FilterError:
        return
    mask = display_filter.mask(columns)
    assert mask.shape == (columns.packets,)
    assert mask.dtype == np.bool_


@pytest.mark.parametrize("field", [field.name for field in visible()])
def test_every_field_has_a_column(columns_of: Callable[[str], PacketColumns], field: str) -> None:
    """Also where there is nothing: ascending packets, a value each, absent where it says so."""
    columns = columns_of(SAMPLES[0])
    column = columns.column(field)
    assert (np.diff(column.row) >= 0).all()
    assert column.row.size == column.value.shape[0]
    passing = DisplayFilter(field).mask(columns)
    assert passing.tolist() == np.isin(np.arange(columns.packets), column.row).tolist()


def test_the_empty_filter_lets_everything_through(
    columns_of: Callable[[str], PacketColumns],
) -> None:
    columns = columns_of(SAMPLES[0])
    assert DisplayFilter("").frame_numbers(columns).tolist() == list(range(1, columns.packets + 1))
