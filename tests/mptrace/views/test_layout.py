"""Tables fit, whatever is in them, and lose no text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mptrace.views.layout import Layout, display_width
from mptrace.views.summary import Cell, Column, Table

words = st.lists(st.text("abcäö中", min_size=1, max_size=7), max_size=6).map(" ".join)


@given(
    rows=st.lists(st.tuples(words, st.integers(0, 10**6), words), max_size=5),
    width=st.integers(40, 120),
    indent=st.integers(0, 4),
)
def test_tables_fit_and_lose_nothing(
    rows: list[tuple[str, int, str]], width: int, indent: int
) -> None:
    table = Table(
        "t",
        (Column("Text"), Column("Number", numeric=True), Column("Other")),
        tuple((Cell(a), Cell(str(n)), Cell(b)) for a, n, b in rows),
    )
    lines = list(Layout(width, color=False).table(table, indent=indent))
    assert all(display_width(line) <= width for line in lines)
    text = "".join("".join(lines[2:]).split())
    assert sorted(text) == sorted("".join("".join(f"{a}{n}{b}".split()) for a, n, b in rows))


def test_addresses_get_a_line_of_their_own_when_the_table_is_too_wide() -> None:
    address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:37736"
    table = Table(
        "t",
        (
            Column("#", numeric=True),
            Column("Client", address=True),
            Column("Server", address=True),
            Column("State"),
        ),
        ((Cell("0"), Cell(address), Cell(address), Cell("established")),),
    )
    wide = list(Layout(140, color=False).table(table))
    assert len(wide) == 3
    assert list(Layout(100, color=False).table(table)) == [
        "#  State",
        "──────────────",
        "0  established",
        f"   {address} → {address}",
    ]
    assert list(Layout(60, color=False).table(table))[3:] == [f"   {address}", f"   → {address}"]


def test_heads_of_several_lines_stand_on_the_rule() -> None:
    table = Table("t", (Column("A"), Column("B\nb", numeric=True)), ((Cell("1"), Cell("2")),))
    assert list(Layout(80, color=False).table(table)) == ["   B", "A  b", "────", "1  2"]


def test_paragraphs_hang_under_their_first_word() -> None:
    text = Layout(40, color=False).paragraph("word " * 12, lead="Label  ", indent=2)
    first, *rest = text.splitlines()
    assert first.startswith("  Label  word")
    assert rest
    assert all(line.startswith("         word") and len(line) <= 40 for line in rest)
