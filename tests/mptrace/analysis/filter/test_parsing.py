"""What the language means, and what is said of text that is none of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mptrace.analysis.filter.errors import FilterError
from mptrace.analysis.filter.parsing import MAX_DEPTH, MAX_LENGTH, parse
from mptrace.analysis.filter.syntax import (
    Arithmetic,
    Comparison,
    Existence,
    Junction,
    Membership,
    Negation,
    Quoted,
    Slice,
    Test,
    Value,
    Word,
)


def value(part: Value) -> str:
    match part:
        case Word():
            return part.text
        case Quoted():
            return repr(part.octets)
        case Arithmetic():
            return f"({value(part.left)}{part.operator}{value(part.right)})"
        case Slice():
            return f"{value(part.operand)}[{part.first},{part.length},{part.last}]"
    return type(part).__name__


def shape(test: Test | None) -> str:
    match test:
        case Junction():
            return f"({f' {test.operator} '.join(shape(part) for part in test.tests)})"
        case Negation():
            return f"not {shape(test.test)}"
        case Comparison():
            return f"{test.quantifier} {value(test.left)}{test.operator}{value(test.right)}"
        case Existence():
            return value(test.value)
        case Membership():
            members = [
                value(m.low) + (f"..{value(m.high)}" if m.high is not None else "")
                for m in test.members
            ]
            return f"{test.quantifier} {value(test.left)} in {members}"
    return type(test).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "NoneType"),
        ("  \n ", "NoneType"),
        ("a or b and c xor d", "(a or ((b and c) xor d))"),
        ("a || b && c ^^ d", "(a or ((b and c) xor d))"),
        ("not a and b", "(not a and b)"),
        ("! a == 1 && b", "(not any a==1 and b)"),
        ("!!a", "not not a"),
        ("not (a or b)", "not (a or b)"),
        ("((a))", "a"),
        ("a.b-c == d", "any a.b-c==d"),
        ("a eq 1 and b ne 2", "(any a==1 and all b!=2)"),
        ("a === 1 or b !== 2 or c ~= 3", "(all a==1 or any b!=2 or any c!=3)"),
        ("all a < 1 and any b != 2", "(all a<1 and any b!=2)"),
        ("1 < a <= 5", "(any 1<a and any a<=5)"),
        ("a in {1 2 5..9, -3}", "any a in ['1', '2', '5..9', '-3']"),
        ("a in { 1.5 .. 2.5 }", "any a in ['1.5..2.5']"),
        ("all a !in {x}", "not all a in ['x']"),
        ("a not in {10.0.0.0/8 fe80::1}", "not any a in ['10.0.0.0/8', 'fe80::1']"),
        ("a + 1 * 2 & 3 == 4", "any ((a+(1*2))&3)==4"),
        ("a - 1 == -1", "any (a-1)==-1"),
        ("a == -1", "any a==-1"),
        ("a & 2", "(a&2)"),
        ("a[0:2] == 08:0a", "any a[0,2,None]==08:0a"),
        ("a[3] && a[1-2] && a[-4:] && a[:2] && a[2:]",
         "(a[3,1,None] and a[1,None,2] and a[-4,None,None] and a[0,2,None] and a[2,None,None])"),
        (r'a == "x\"\x41\n\101"', r"""any a==b'x"A\nA'"""),
        (r'a == r"\x41"', r"any a==b'\\x41'"),
        ("anything and inner and order and notes", "(anything and inner and order and notes)"),
        ("a == ::1 && b == 02:00:00:00:00:01", "(any a==::1 and any b==02:00:00:00:00:01)"),
        ("a == ::ffff:10.0.0.1/100", "any a==::ffff:10.0.0.1/100"),
    ],
)  # fmt: skip
def test_meaning(text: str, expected: str) -> None:
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("tcp.len = 1", 9, "= is no operator: == compares"),
        ("a | b", 3, "| is no operator: || is or"),
        ("a ^ b", 3, "^ is no operator: ^^ is exclusive or"),
        ("a ? b", 3, "'?' has no meaning here"),
        ("tcp AND ip", 5, "operators are written in small letters"),
        ("tcp ip", 5, '"ip" stands where an operator'),
        ("(tcp", 5, "the filter ends where ) should follow"),
        ("tcp)", 4, '")" was not expected here'),
        ("()", 2, '")" stands where a field or a value should'),
        ("tcp.len ==", 11, "the filter ends where a field or a value should follow"),
        ("tcp &&", 7, "the filter ends where a field or a value should follow"),
        ("&& tcp", 1, '"&&" stands where'),
        ("a in {}", 7, '"}" stands where a field or a value should'),
        ("a in {1", 8, "the filter ends where } should follow"),
        ('a == "abc', 6, "the quotation mark here has no partner"),
        ("a[1", 2, "the [ here has no partner"),
        ("a[x]", 2, "a slice is"),
        ("a[]", 2, "a slice is"),
        ("a[1:0]", 2, "a slice has a length of 1 or more"),
        ("a matches 1", 11, "matches wants a regular expression in double quotes"),
        ("a matches", 10, "a string in quotes"),
        (r'a == "\q"', 6, r"\q means nothing in a string"),
        (r'a == "\777"', 6, "more than an octet holds"),
        (r"a == '\q'", 6, r"\q means nothing"),
        ("!" * 500 + "a", MAX_DEPTH + 1, "nested too deeply"),
        ("(" * 500, MAX_DEPTH + 1, "nested too deeply"),
        ("a" + "[0:1]" * 10, 2, "a slice of a slice"),
        ("+".join("a" * 100), 199, "more than 50 numbers"),
        ("a" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "at most"),
    ],
)
def test_faults_have_a_place(text: str, column: int, reason: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert reason in caught.value.reason
    assert caught.value.column == column
    assert str(caught.value) == f"{caught.value.reason} (column {column})"


def test_many_parentheses_side_by_side_are_not_deep() -> None:
    assert shape(parse(" && ".join(["!(a)"] * 300))).count("not a") == 300


def test_the_place_is_pointed_at() -> None:
    with pytest.raises(FilterError) as caught:
        parse("tcp\tAND ip")
    assert caught.value.pointed() == "tcp AND ip\n    ^~~"


PIECES = st.sampled_from([
    "tcp", "ip.addr", "==", "!=", "in", "{", "}", "(", ")", "[0]", "[", "&&", "||", "!", "not",
    "any", "all", "1", "1.2.3.4", "..",
    "-", "+", "&", "~", ",", "matches", "contains", '"a"', '"', "'a'",
    "::", "0x1",
])  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES).map(" ".join)))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    fault: FilterError | None = None
    tree: Test | None = None
    try:
        tree = parse(text)
    except FilterError as error:
        fault = error
    if fault is None:
        assert (tree is None) == (not text.strip(" \t\r\n"))
    else:
        assert 1 <= fault.column <= len(text) + 1
        assert fault.pointed().rpartition("\n")[2].strip(" ~") == "^"


def test_lark_is_loaded_to_parse_only() -> None:
    code = (
        "import sys, mptrace.analysis.filter; print('lark' in sys.modules, 'pandas' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "False"]
