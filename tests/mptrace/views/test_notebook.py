"""HTML for notebooks: the rows of the text, escaped whatever the capture holds."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from mptrace.views import connection_tables, notebook, summary

if TYPE_CHECKING:
    from collections.abc import Callable

VOID = {"br"}


class Outline(HTMLParser):
    """Collects tags and text, and holds that every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def close(self) -> None:
        super().close()
        assert not self._open


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


def test_golden(rich_analysis: Any, golden: Callable[[str, str], None]) -> None:
    golden("rich.html", notebook.html(rich_analysis) + "\n")


def test_it_has_every_row_of_the_summary(rich_analysis: Any) -> None:
    texts = set(outline(notebook.html(rich_analysis)).texts)
    assert summary.headline(rich_analysis) in texts
    for connection in rich_analysis.connection_list:
        for fact in summary.connection_facts(connection):
            assert {fact.label, fact.text} <= texts
        for table in connection_tables.all_tables(connection):
            for row in table.rows:
                assert {cell.text for cell in row if cell.text} <= texts


def test_everything_is_escaped(plain: Any) -> None:
    evil = "<script>alert(1)</script>\"'&"
    (connection,) = plain.connection_list
    (finding,) = plain.findings
    ends = [replace(subflow, client=replace(subflow.client, address=evil)) for subflow in
            connection.subflows]  # fmt: skip
    reading = replace(
        plain,
        capture=replace(plain.capture, path=evil, interfaces=(evil, evil), link_types=(evil,)),
        connection_list=(replace(connection, subflows=tuple(ends)),),
        findings=(replace(finding, message=evil, reference=evil, code=evil),),
    )
    parsed = outline(notebook.html(reading))
    assert "script" not in parsed.tags
    assert evil in parsed.texts


def test_many_connections_are_listed_and_what_is_left_out_is_said(
    many: Callable[[int], Any],
) -> None:
    parsed = outline(notebook.html(many(notebook.LISTED + 3)))
    assert parsed.tags.count("details") == notebook.DETAILED
    assert "3 more connections, not listed here" in parsed.texts
    assert f"Details of the first {notebook.DETAILED} connections only." in parsed.texts
