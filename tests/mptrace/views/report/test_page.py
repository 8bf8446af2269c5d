"""The report as a file: whole, well-formed, within its size, and stored without loss."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mptrace
from mptrace.views import connection_tables, definitions, summary
from mptrace.views.charts.chart import Chart, Column, Series
from mptrace.views.report import Options, html, packing
from mptrace.views.report.markup import script_json, words
from mptrace.views.report.panel import panel

Sample = Callable[[str], mptrace.Analysis]

VOID = {"meta", "br", "input", "line", "path", "rect"}


class Outline(HTMLParser):
    """Ids, links and scripts; every element must be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.policy = ""
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.handlers: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.handlers += [name for name in values if name.startswith("on") or name == "style"]
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("aria-controls", "aria-labelledby"):
            if name in values:
                self.references.append(values[name])
        if values.get("href", "").startswith("#def-"):
            self.references.append(values["href"][1:])
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag == "script" and "type" not in values:
            self.scripts.append("")
        if tag == "style":
            self.styles.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script" and self.scripts:
            self.scripts[-1] += data
        if self._open and self._open[-1] == "style":
            self.styles[-1] += data

    def close(self) -> None:
        super().close()
        assert not self._open


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    return parser


def unpacked(page: str, index: int) -> tuple[dict[str, Any], bytes]:
    found = re.search(rf'id="packed-{index}">([^<]*)</script>', page)
    assert found
    plain = zlib.decompress(base64.b64decode(found[1]))
    length = int.from_bytes(plain[:4], "little")
    return json.loads(plain[4 : 4 + length]), plain[4 + length :]


@pytest.fixture(scope="module")
def one(sample: Sample) -> str:
    return html(sample("fade"))


@pytest.fixture(scope="module")
def several(sample: Sample) -> str:
    return html(sample("many"))


def test_it_is_well_formed_and_every_link_leads_somewhere(one: str, several: str) -> None:
    for page in (one, several):
        found = outline(page)
        assert len(found.ids) == len(set(found.ids))
        assert set(found.references) <= set(found.ids)
        assert found.handlers == []
    content, _ = unpacked(several, 5)
    assert set(outline(content["html"]).references) <= {*outline(several).ids, *(
        outline(content["html"]).ids
    )}  # fmt: skip


def test_the_policy_has_the_hashes_of_what_is_there(one: str) -> None:
    found = outline(one)

    def named(text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return f"'sha256-{digest}'"

    rules = dict(rule.split(" ", 1) for rule in found.policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [named(text) for text in found.scripts]
    assert len(found.scripts) == 2
    assert rules["style-src"].split() == [named(found.styles[0]), named("")]
    assert "connect-src" not in rules  # what is not named is as default-src


def test_plotly_is_there_once_and_nothing_is_loaded(one: str, several: str) -> None:
    from plotly.offline import get_plotlyjs

    for page in (one, several):
        assert page.count(get_plotlyjs()) == 1
        ours = page.replace(get_plotlyjs(), "")
        assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", ours)
        assert "@import" not in ours
        assert "url(" not in ours


def test_a_small_report_is_little_more_than_plotly(one: str) -> None:
    from plotly.offline import get_plotlyjs

    assert len(one.encode()) < len(get_plotlyjs().encode()) + 150_000


def test_a_size_is_kept_and_what_is_left_out_is_said(sample: Sample, several: str) -> None:
    analysis = sample("many")
    fixed = len(several) - sum(map(len, re.findall(r'id="packed-\d+">[^<]*', several)))
    small = fixed + 150_000
    page = html(analysis, Options(largest=small))
    assert len(page) < small < len(several)
    stored = re.findall(r'id="packed-(\d+)"', page)
    assert 0 < len(stored) < len(analysis)
    assert f"{len(analysis) - len(stored)} connections with less data" in page
    assert page.count("<tr data-connection=") == len(analysis)


def test_a_tight_report_has_less_of_a_connection_before_it_has_none(sample: Sample) -> None:
    one = html(sample("loss"))
    assert len(unpacked(one, 0)[0]["directions"]) == 2
    largest = len(one) - 1500
    tight = html(sample("loss"), Options(largest=largest))
    assert len(tight) <= largest
    (connection,) = sample("loss")
    forth, back = connection.client_to_server, connection.server_to_client
    assert forth.unique_octets > back.unique_octets
    assert list(unpacked(tight, 0)[0]["directions"]) == ["client_to_server"]
    bare = html(sample("loss"), Options(largest=len(one) - 25_000))
    assert unpacked(bare, 0)[0]["directions"] == {}
    assert "The series of this connection are not in this report" in bare


@given(
    st.lists(st.integers(-(2**60), 2**60), max_size=50),
    st.lists(st.integers(0, 2**31 - 1), max_size=50),
)
def test_columns_are_stored_without_loss(wide: list[int], narrow: list[int]) -> None:
    columns = packing.Columns()
    places = []
    for numbers in (wide, narrow):
        column = Column(np.array(numbers, np.int64))
        places.append(columns.add(column, np.arange(len(numbers))))
    octets = columns.octets()
    for (offset, rows, width, _), numbers in zip(places, (wide, narrow), strict=True):
        start, count, size = int(offset), int(rows), int(width)
        planes = octets[start : start + count * size]
        steps = [
            int.from_bytes(bytes(planes[plane * count + row] for plane in range(size)), "little",
                           signed=True)
            for row in range(count)
        ]  # fmt: skip
        assert np.cumsum(steps, dtype=np.int64).tolist() == numbers


def test_a_block_has_every_row_or_says_of_how_many() -> None:
    x = Column(np.arange(1000) * 3, 1e-6)
    y = Column(np.arange(1000) % 17)
    chart = Chart("rtt", "t", (Series("s", "marks", {}, x, y, columns=(y,)),), (0.0, 1.0))
    for points, rows in ((1000, 1000), (100, 100)):
        text = packing.block({"client_to_server": [chart]}, None, points)
        plain = zlib.decompress(base64.b64decode(text))
        length = int.from_bytes(plain[:4], "little")
        document = json.loads(plain[4 : 4 + length])
        (series,) = document["directions"]["client_to_server"][0]["series"]
        assert series["x"][1] <= rows
        assert series["x"][3] == 1e-6
        assert series.get("of", 1000) == 1000
        assert ("of" in series) == (points < 1000)


def test_json_in_a_script_cannot_end_it() -> None:
    value = {"</script>": ["<!--", "&", "\u2028", 1.5, None]}
    text = script_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_every_label_of_the_tables_has_its_definition(rich_analysis: Any, plain: Any) -> None:
    labels = {"State"}
    without = {"Data", "#", "Carried", "tcp.stream", "Client end", "Server end", "Client", "Server",
               "Lasts", "Subflows"}  # fmt: skip
    directions = set(connection_tables.DIRECTIONS.values())
    for analysis in (rich_analysis, plain):
        overview = summary.overview(analysis.connection_list, analysis.findings)
        labels |= {words(column.label) for column in overview.columns}
        for connection in analysis.connection_list:
            data, subflows, carried, *_ = connection_tables.all_tables(connection)
            labels |= {row[0].text.strip() for row in data.rows}
            labels |= {words(c.label) for t in (data, subflows, carried) for c in t.columns}
    missing = {
        label for label in labels - without - directions if definitions.of_label(label) is None
    }
    assert not missing


def test_definitions_are_the_page_in_docs(root: Any) -> None:
    text = (root / "docs" / "definitions.md").read_text(encoding="utf-8")
    assert definitions.page() == text
    known = definitions.definitions()
    for term in definitions.LABELS.values():
        assert known[term].text in text.replace("\r", "")
    assert "reinjection" in known["Copy"].text
    assert known["Data RTT"].slug == "data-rtt"
    assert definitions.of_label("tcp.stream") is None


def test_a_capture_without_mptcp_says_so(plain: Any) -> None:
    plain.connection_list = ()
    plain.findings = ()
    page = html(plain)
    outline(page)
    assert "There is no Multipath TCP in this capture" in page


def test_connections_that_no_capture_was_read_for_have_all_but_timelines(
    rich_analysis: Any, golden: Callable[[str, str], None]
) -> None:
    page = html(rich_analysis)
    outline(page)
    odd = rich_analysis.connection_list[1]
    findings = [f for f in rich_analysis.findings if f.connection == 1]
    made = panel(odd, findings, {}, {})
    outline(made)
    golden("panel.html", made.replace("><", ">\n<") + "\n")


def test_a_title_and_a_theme(plain: Any) -> None:
    page = mptrace.report(plain, title="Out of the <house>", theme="dark")
    assert "<title>Out of the &lt;house&gt;</title>" in page
    assert '<html lang="en" data-theme="dark">' in page
