"""The report in a real browser: quiet, alone, and doing what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import mptrace
from mptrace.views import json as json_view
from mptrace.views.charts.explained import EXPLAINED
from mptrace.views.charts.kinds import build
from mptrace.views.charts.thinning import keep_extremes
from mptrace.views.report import Options, html

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Playwright switches greenlets, which takes the tracer away from the rest of a run; and what these
# tests call, others call too
pytestmark = pytest.mark.no_cover

Sample = Callable[[str], mptrace.Analysis]
Show = Callable[..., Any]

PLOT = ".card[data-kind='{}'] .plot"


def drawn(page: Page, kind: str) -> Page:
    """Scroll to a chart and wait until it is drawn."""
    page.locator(PLOT.format(kind)).scroll_into_view_if_needed()
    page.wait_for_selector(f"{PLOT.format(kind)} .main-svg")
    return page


def shown_range(page: Page, kind: str) -> list[float]:
    found: list[float] = page.evaluate(
        "kind => document.querySelector(`.card[data-kind='${kind}'] .plot`).layout.xaxis.range",
        kind,
    )
    return found


def wait_for_range(page: Page, kind: str, expected: list[float]) -> None:
    page.wait_for_function(
        "([kind, wanted]) => document.querySelector(`.card[data-kind='${kind}'] .plot`)"
        ".layout.xaxis.range.every((v, i) => Math.abs(v - wanted[i]) < 1e-6)",
        arg=[kind, expected],
    )


def wait_for_later_start(page: Page, time_s: float) -> None:
    page.wait_for_function(
        "time => document.querySelector(\".card[data-kind='data-sequence'] .plot\")"
        ".layout.xaxis.range[0] > time",
        arg=time_s,
    )


def test_all_charts_are_drawn_and_nothing_leaves_the_page(sample: Sample, show: Show) -> None:
    opened = show(html(sample("fade")))
    page = opened.page
    drawn(page, "data-sequence")
    assert page.locator(PLOT.format("reordering") + " .main-svg").count() == 0, "drawn unseen"
    for kind in EXPLAINED:
        drawn(page, kind)
    assert page.locator(".js-plotly-plot").count() == len(EXPLAINED)
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert opened.complaints == []
    refused = page.evaluate("fetch('https://example.org/').then(() => 'answered', () => 'refused')")
    assert refused == "refused"
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in text for text in opened.complaints)
    opened.complaints.clear()


def test_the_numbers_are_those_of_the_json(sample: Sample, show: Show) -> None:
    analysis = sample("mp_fail_multi")
    document = json_view.document(analysis)
    (connection,) = document["connections"]
    page = show(html(analysis)).page
    page.get_by_role("tab", name="Figures").click()
    rows = {
        cells[0].rstrip("?").strip(): cells[1:]
        for cells in page.eval_on_selector_all(
            "#tables-0 tbody tr", "rows => rows.map(row => [...row.cells].map(c => c.innerText))"
        )
    }

    def number(text: str) -> int:
        digits = re.match(r"[\d,]+", text)
        assert digits, text
        return int(digits[0].replace(",", ""))

    sides = (connection["client_to_server"], connection["server_to_client"])
    for label, key in (
        ("Data sent, each octet once", "unique_octets"),
        ("Acknowledged (DATA_ACK)", "acked_octets"),
        ("Retransmitted by TCP", "retransmitted_octets"),
        ("Remapped (same subflow again)", "remapped_octets"),
        ("Most in flight", "max_data_flight_octets"),
    ):
        shown = [
            number(text) for text in rows.get(label, ("0 B", "0 B"))
        ]  # a silent row is left out
        assert shown == [side[key] for side in sides], label
    reinjected = [side["reinjected_octets"]["total"] for side in sides]
    assert [number(text) for text in rows["Reinjected (other subflow)"]] == reinjected
    story = page.locator(".story").inner_text()
    busier = max(sides, key=lambda side: side["unique_octets"])
    name = "client_to_server" if busier is sides[0] else "server_to_client"
    for subflow in connection["subflows"]:
        share = 100 * subflow[name]["contribution"]
        assert f"{share:.1f} % over subflow {subflow['index']}" in story
    for finding in document["findings"]:
        assert finding["message"].removesuffix(".") in story


def test_tabs_by_mouse_and_by_keyboard(sample: Sample, show: Show) -> None:
    page = show(html(sample("add_address"))).page
    ladder = page.locator("svg.ladder")
    assert not ladder.is_visible()
    page.get_by_role("tab", name="Sequence diagram").click()
    assert ladder.is_visible()
    assert not page.locator(".cards").is_visible()
    (connection,) = sample("add_address")
    assert page.locator("svg.ladder .step").count() == len(connection.events)
    assert "advertises address" in ladder.text_content()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Figures").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowRight")
    assert page.locator(".cards").is_visible()
    page.keyboard.press("End")
    assert page.locator("#tables-0").is_visible()


def test_charts_zoom_together(sample: Sample, show: Show) -> None:
    page = show(html(sample("aggregate"))).page
    for kind in ("data-sequence", "signalling", "throughput"):
        drawn(page, kind)
    whole = shown_range(page, "data-sequence")
    box = page.locator(PLOT.format("data-sequence") + " .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    span = whole[1] - whole[0]
    wait_for_later_start(page, whole[0] + span / 8)
    zoomed = shown_range(page, "data-sequence")
    assert zoomed[0] == pytest.approx(whole[0] + span * 0.25, abs=span / 20)
    assert zoomed[1] == pytest.approx(whole[0] + span * 0.5, abs=span / 20)
    wait_for_range(page, "signalling", zoomed)
    drawn(page, "rtt")  # what is drawn later has the same range
    wait_for_range(page, "rtt", zoomed)
    page.get_by_role("button", name="whole").click()
    for kind in ("data-sequence", "throughput", "rtt"):
        wait_for_range(page, kind, whole)
    page.locator("h1").click()
    page.keyboard.press("+")
    wait_for_range(page, "throughput", [whole[0] + span / 4, whole[1] - span / 4])
    page.keyboard.press("ArrowLeft")
    wait_for_range(page, "throughput", [whole[0] + span / 12, whole[0] + 7 * span / 12])
    page.keyboard.press("0")
    wait_for_range(page, "throughput", whole)


def test_the_page_thins_as_python_does_and_again_on_zoom(sample: Sample, show: Show) -> None:
    analysis = sample("loss")
    few = html(analysis).replace('"bins":500', '"bins":10')
    page = show(few).page
    drawn(page, "flight")
    series = next(
        own for own in build("flight", analysis.connection(0)).series if own.name == "data flight"
    )
    assert series.x is not None
    assert series.y is not None
    kept = keep_extremes(series.x.number, series.y.number, series.y.number, 10)
    assert kept.size < len(series.x)
    script = (
        f'(() => {{ const own = document.querySelector("{PLOT.format("flight")}").data'
        ".find(trace => trace.name === 'data flight'); return [own.x, own.y]; })()"
    )
    x, y = page.evaluate(script)
    assert y == series.y.values[kept].tolist()
    assert x == pytest.approx(series.x.values[kept].tolist())
    note = page.locator(".card[data-kind='flight'] .thinned")
    assert "Thinned to 40 points a series, every extreme kept" in note.inner_text()
    low, high = shown_range(page, "flight")
    for _ in range(6):
        page.get_by_role("button", name="+").click()
    middle, half = (low + high) / 2, (high - low) / 2**7
    wait_for_range(page, "flight", [middle - half, middle + half])
    inside = [
        value
        for time, value in zip(series.x.values.tolist(), series.y.values.tolist(), strict=True)
        if middle - half <= time <= middle + half
    ]
    x, y = page.evaluate(script)
    seen = [
        value for time, value in zip(x, y, strict=True) if middle - half <= time <= middle + half
    ]
    assert inside
    assert seen == inside if len(inside) <= 38 else max(seen) == max(inside)


def test_the_other_direction_of_the_data(sample: Sample, show: Show) -> None:
    (connection,) = analysis = sample("aggregate")
    page = show(html(analysis)).page
    drawn(page, "data-sequence")
    for label, side in (
        ("client → server", connection.client_to_server),
        ("server → client", connection.server_to_client),
    ):
        page.get_by_label(label).check()
        page.wait_for_function(
            "top => document.querySelector(\".card[data-kind='data-sequence'] .plot\").data"
            ".find(t => t.name === 'DATA_ACK').y.at(-1) === top",
            arg=side.acked_octets + 2,
        )


def test_table_of_connections(sample: Sample, show: Show) -> None:
    analysis = sample("many")
    page = show(html(analysis)).page
    rows = page.locator("#connections tbody tr")
    assert rows.count() == len(analysis)
    port = analysis.connection(7).subflows[0].client.port
    page.get_by_label("Filter").fill(f":{port} established")
    visible = page.locator("#connections tbody tr:not([hidden])")
    assert visible.count() == 1
    assert page.locator("#matches").inner_text() == f"1 of {len(analysis)}"
    visible.first.locator("td").nth(3).click()
    page.wait_for_selector("text=Connection 7:")
    assert page.locator(".topology text").filter(has_text="client").count() >= 1
    page.get_by_label("Filter").fill("no such thing")
    assert visible.count() == 0
    page.get_by_label("Filter").fill("")
    heading = page.locator("#connections thead th").nth(4)
    times = [c.duration_s for c in analysis]
    for order, direction in ((sorted(times), "ascending"), (sorted(times)[::-1], "descending")):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == direction
        keys = page.eval_on_selector_all(
            "#connections tbody tr", "rows => rows.map(row => Number(row.cells[4].dataset.sort))"
        )
        assert keys == pytest.approx(order)


def test_links_of_findings_lead_to_the_moment(sample: Sample, show: Show) -> None:
    analysis = sample("mp_fail_multi")
    finding = next(f for f in analysis.findings if f.code == "mp_fail")
    frames = analysis.packets
    packet = finding.packets[0]
    (time,) = frames.loc[frames["frame.number"] == packet, "frame.time_relative"].tolist()
    page = show(html(analysis)).page
    drawn(page, "data-sequence")
    low, high = shown_range(page, "data-sequence")
    page.get_by_role("tab", name="Figures").click()
    page.locator(".story li.error a", has_text=str(packet)).first.click()
    wait_for_later_start(page, low)
    near = shown_range(page, "data-sequence")
    assert near[0] < time < near[1]
    assert near[1] - near[0] < (high - low) / 5
    notes = page.locator(PLOT.format("data-sequence") + " .annotation-text")
    assert f"packet {packet}" in notes.all_text_contents()
    assert page.url.endswith(f"/p={packet}")


def test_an_address_with_a_moment_opens_there(sample: Sample, show: Show) -> None:
    page = show(html(sample("many")), "#connection-3/t=1.500000/p=9").page
    assert "Connection 3:" in page.locator("#connection h2").inner_text()
    page = show(html(sample("aggregate")), "#connection-77").page
    assert "Connection 77 is not in this report" in page.locator("#connection").inner_text()


def test_charts_without_anything_to_show_are_left_out(sample: Sample, show: Show) -> None:
    page = show(html(sample("no_data"))).page
    drawn(page, "signalling")
    (connection,) = sample("no_data")
    assert connection.client_to_server.payload_octets == 0
    assert page.locator(".card:not([hidden])").count() == 1


def test_definitions_are_one_click_away(sample: Sample, show: Show) -> None:
    page = show(html(sample("fade"))).page
    page.locator(".card.rtt a.def").first.click()
    dialog = page.locator("#definition")
    assert dialog.is_visible()
    assert "Karn" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.get_by_role("tab", name="Figures").click()
    page.locator("#tables-0 a[href='#def-data-flight']").first.click()
    assert "highest DATA_ACK so far" in dialog.inner_text()


THEMES = [
    ("auto", "dark", True), ("light", "dark", False),
    ("dark", "light", True),
]  # fmt: skip


@pytest.mark.parametrize(("theme", "preferred", "dark"), THEMES)
def test_light_and_dark(sample: Sample, show: Show, theme: Any, preferred: str, dark: bool) -> None:
    page = show(html(sample("fade"), Options(theme=theme)), color_scheme=preferred).page
    drawn(page, "data-sequence")
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    paper = page.evaluate(
        f'document.querySelector("{PLOT.format("data-sequence")}").layout.paper_bgcolor'
    )
    assert (body, paper) == (
        ("rgb(20, 24, 30)", "#14181e") if dark else ("rgb(255, 255, 255)", "#ffffff")
    )


def test_nothing_is_wider_than_a_narrow_screen(sample: Sample, show: Show) -> None:
    page = show(html(sample("fade")), viewport={"width": 360, "height": 700}).page
    for name in ("Timelines", "Sequence diagram", "Figures"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_paper_has_all_tabs_and_no_buttons(sample: Sample, show: Show) -> None:
    page = show(html(sample("fade"), Options(theme="dark"))).page
    drawn(page, "data-sequence")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("svg.ladder").is_visible()
    assert page.locator("#tables-0").is_visible()
    assert not page.locator("[role=tablist]").is_visible()
    paper = page.evaluate(
        f'document.querySelector("{PLOT.format("reordering")}").layout.paper_bgcolor'
    )
    assert paper == "#ffffff"


BAD = (
    "\"><img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    "</script></template><svg onload=document.title='taken'>'\\u003c%{x}<!--"
)


def test_no_text_of_a_capture_becomes_markup(sample: Sample, show: Show) -> None:
    whole = sample("add_address")
    (connection,) = whole
    subflows = tuple(
        replace(
            subflow,
            client=replace(subflow.client, address=BAD),
            server=replace(subflow.server, address=f"{BAD}{subflow.index}"),
            end="reset",
            reset_reason=mptrace_reset(BAD),
        )
        for subflow in connection.subflows
    )
    changed = replace(
        connection,
        subflows=subflows,
        events=tuple(replace(event, text=BAD, kind=BAD) for event in connection.events),
        addresses=tuple(replace(address, address=BAD) for address in connection.addresses),
    )
    found = mptrace_finding(BAD)
    analysis = mptrace.Analysis(
        capture=replace(
            whole.capture, path=BAD, interfaces=(BAD, "eth0"), link_types=(BAD,), compression=BAD
        ),
        connection_list=(changed,),
        findings=(found, replace(found, connection=None)),
        plain_tcp_streams=0,
        evidence=whole.evidence,
    )
    opened = show(html(analysis, Options(title=BAD)))
    page = opened.page
    for kind in EXPLAINED:
        if page.locator(f".card[data-kind='{kind}']").is_visible():
            drawn(page, kind)
    page.locator(PLOT.format("signalling") + " .nsewdrag").first.hover()
    page.get_by_role("tab", name="Sequence diagram").click()
    page.get_by_role("tab", name="Figures").click()
    assert "taken" in page.title()  # as text of the title, which is all that it may be
    assert page.title().startswith('">')
    assert (
        page.locator("img, iframe, object, embed, link, base, form:not(dialog form)").count() == 0
    )
    assert page.locator("[onerror], [onload]").count() == 0
    scripts = page.eval_on_selector_all("script", "all => all.map(s => s.id || s.type)")
    assert scripts == ["packed-0", "settings", "", ""]
    assert BAD.replace("\\", "")[:20] in page.locator("h1").inner_text()


def mptrace_reset(name: str) -> Any:
    from mptrace.analysis.model import ResetReason

    return ResetReason(3, name, False)


def mptrace_finding(text: str) -> Any:
    from mptrace.analysis.model import Finding

    return Finding(text, "error", 0, 0, (1, 2), text, text, 2)
