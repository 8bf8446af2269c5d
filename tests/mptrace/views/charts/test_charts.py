"""Figures of recorded samples: what they show is what the analysis says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mptrace
from mptrace.views import charts, definitions
from mptrace.views.charts.explained import EXPLAINED
from mptrace.views.charts.figure import figure
from mptrace.views.charts.kinds import KINDS, build

Sample = Callable[[str], mptrace.Analysis]

SAMPLES = (
    "aggregate", "fade", "mp_fail_multi", "join_refused", "plain_server", "no_data", "priority",
    "second_interface_only", "snaplen", "v0_reinjection", "server_joins", "fallback_first_data",
)  # fmt: skip


def traces(made: Any, word: str) -> list[Any]:
    return [trace for trace in made.data if word in (trace.name or "")]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_can_be_drawn_of_every_sample(sample: Sample, name: str) -> None:
    for connection in sample(name):
        for kind in KINDS:
            for direction in ("client_to_server", "server_to_client"):
                for theme in ("light", "dark"):
                    made = charts.draw(kind, connection, direction, theme=theme)
                    text = made.to_json()
                    assert "$" not in text, "a colour's token is left"
                    json.loads(text)


def test_the_functions_for_notebooks_are_those_kinds(sample: Sample) -> None:
    connection = sample("aggregate").connection(0)
    names = [name.replace("_", "-") for name in charts.__all__ if name != "draw"]
    assert sorted(names) == sorted(KINDS) == sorted(EXPLAINED)
    for kind in KINDS:
        made = getattr(charts, kind.replace("-", "_"))(connection)
        assert made == charts.draw(kind, connection)


def test_the_definitions_of_charts_exist() -> None:
    for explained in EXPLAINED.values():
        assert explained.caption.endswith(".")
        assert explained.definitions
        for term in explained.definitions:
            assert definitions.definitions()[term].text


def test_without_a_direction_the_busier_one_is_drawn(sample: Sample) -> None:
    down = sample("fade").connection(0)
    assert down.server_to_client.unique_octets > down.client_to_server.unique_octets
    assert charts.data_sequence(down) == charts.data_sequence(down, "server_to_client")


def test_strokes_cover_the_data(sample: Sample) -> None:
    connection = sample("aggregate").connection(0)
    made = charts.data_sequence(connection, "client_to_server")
    covered = 0
    for subflow in connection.subflows:
        (trace,) = traces(made, f"subflow {subflow.index}: ")
        start, end = trace.y[0::3], trace.y[1::3]
        assert np.isnan(trace.y[2::3]).all()
        octets = int((np.array(end) - np.array(start)).sum())
        assert octets == subflow.client_to_server.first_octets
        covered += octets
    assert covered == connection.client_to_server.unique_octets
    (line,) = traces(made, "DATA_ACK")
    # one above the last octet, and one more for the DATA_FIN
    assert max(line.y) == connection.client_to_server.acked_octets + 2


def test_repeated_data_is_marked_by_its_class(sample: Sample) -> None:
    connection = sample("mp_fail_multi").connection(0)
    side = max(
        (connection.client_to_server, connection.server_to_client), key=lambda s: s.unique_octets
    )
    assert side.reinjected_octets.total
    made = charts.data_sequence(connection)
    again = traces(made, "reinjection on subflow")
    octets = sum(int((np.array(t.y[1::3]) - np.array(t.y[0::3])).sum()) for t in again)
    assert octets == side.reinjected_octets.total
    assert {trace.marker.symbol for trace in again} == {"diamond-open"}
    assert "repeats packet" in again[0].hovertemplate


def test_stacked_throughput_and_goodput_integrate_to_the_octets(sample: Sample) -> None:
    connection = sample("aggregate").connection(0)
    made = charts.throughput(connection, "client_to_server")
    for subflow in connection.subflows:
        (trace,) = traces(made, f"subflow {subflow.index}: ")
        assert trace.stackgroup
        octets = np.sum(np.array(trace.y[:-1]) * np.diff(trace.x)) / 8
        assert octets == pytest.approx(subflow.client_to_server.payload_octets, rel=1e-6)
    goodput = next(trace for trace in made.data if trace.name == "goodput")
    octets = np.sum(np.array(goodput.y[:-1]) * np.diff(goodput.x)) / 8
    assert octets == pytest.approx(connection.client_to_server.acked_octets, rel=1e-6)


def test_shares_are_those_of_the_model(sample: Sample) -> None:
    connection = sample("aggregate").connection(0)
    made = charts.shares(connection, "client_to_server")
    for subflow in connection.subflows:
        (trace,) = traces(made, f"subflow {subflow.index}: ")
        assert trace.x[0] == pytest.approx(
            100 * (subflow.client_to_server.contribution or 0), abs=1e-3
        )
        assert "client → server" in trace.y[0]
    assert sum(trace.x[0] for trace in made.data) == pytest.approx(100)


def test_round_trips_have_the_model_s_median(sample: Sample) -> None:
    connection = sample("aggregate").connection(0)
    made = charts.rtt(connection, "client_to_server")
    for subflow in connection.subflows:
        (trace,) = traces(made, f"subflow {subflow.index}: ")
        known = subflow.client_to_server.rtt_s
        assert known is not None
        assert len(trace.y) == known.samples
        assert np.median(trace.y) == pytest.approx(1e3 * known.median, abs=1e-3)


def test_flight_and_reorder_queue_reach_the_model_s_maxima(sample: Sample) -> None:
    connection = sample("loss").connection(0)
    side = connection.server_to_client
    made = charts.flight(connection, "server_to_client")
    (flight,) = [trace for trace in made.data if trace.name == "data flight"]
    assert max(flight.y) == side.max_data_flight_octets
    made = charts.reordering(connection, "server_to_client")
    delays = np.concatenate([trace.y for trace in traces(made, "delay of")])
    assert side.out_of_order_delay_s is not None
    assert len(delays) == side.out_of_order_delay_s.samples
    assert max(delays) == pytest.approx(1e3 * side.out_of_order_delay_s.max, abs=1e-3)
    (queue,) = traces(made, "reorder queue")
    assert queue.y[-1] == 0


def test_lanes_show_events_stalls_and_what_was_unanswered(sample: Sample) -> None:
    connection = sample("fade").connection(0)
    made = charts.signalling(connection)
    words = " ".join(text for trace in made.data for text in (trace.hovertext or ()) if text)
    shown = [event for event in connection.events if event.kind != "ESTABLISHED"]
    assert shown
    for event in shown:
        assert f"packet {event.packet}: " in words
    assert traces(made, "unanswered")
    assert len(made.layout.yaxis.ticktext) == len(connection.subflows)
    stalled = replace_side(connection)
    assert traces(charts.signalling(stalled), "stall")
    assert traces(charts.signalling(stalled), "handover")


def replace_side(connection: Any) -> Any:
    """The same connection with a stall and a handover in its busier direction."""
    from mptrace.analysis.model import Handover, Stall

    side = replace(
        connection.server_to_client,
        stalls=(Stall(0.5, 0.3, 1000, 1, 2, 0),),
        handovers=(Handover(0.5, 0.3, 0, 1, 1, 2, "stall"),),
    )
    changed = replace(connection, server_to_client=side)
    changed.trace_to(connection.evidence)
    return changed


def test_stalls_and_handovers_are_seen_in_every_timeline(sample: Sample) -> None:
    changed = replace_side(sample("fade").connection(0))
    for kind in KINDS:
        if kind in ("shares", "signalling"):
            continue
        made = charts.draw(kind, changed)
        assert [(s.x0, s.x1) for s in made.layout.shapes] == [(0.5, 0.8), (0.5, 0.8)]
        assert "stall 300 ms" in [note.text for note in made.layout.annotations]


def test_a_thinned_figure_says_so(sample: Sample) -> None:
    chart = build("flight", sample("aggregate").connection(0))
    whole, thinned = figure(chart), figure(chart, bins=5)
    assert "thinned to 20 points a series, extremes kept" in [
        note.text for note in thinned.layout.annotations
    ]
    assert all("thinned" not in note.text for note in whole.layout.annotations or ())
    for full, few in zip(whole.data, thinned.data, strict=True):
        assert len(few.y) <= 20
        assert max(few.y) == max(full.y)


def test_texts_of_a_capture_are_no_markup(sample: Sample) -> None:
    connection = sample("fade").connection(0)
    bad = "<a href='https://example.org'>x</a> %{x} &lt;b&gt;"
    events = tuple(replace(event, text=bad, kind="<b>X</b>") for event in connection.events)
    changed = replace(connection, events=events)
    changed.trace_to(connection.evidence)
    for trace in charts.signalling(changed).data:
        for text in (*(trace.hovertext or ()), *(trace.text or ())):
            assert "<" not in (text or "").replace("<br>", "")
    assert "&lt;a href=" in charts.signalling(changed).to_json().replace("\\u0026", "&")


def test_a_connection_without_an_analysis_has_no_charts(plain: Any) -> None:
    with pytest.raises(LookupError, match="does not come from an analysis"):
        charts.rtt(plain.connection_list[0])
    with pytest.raises(KeyError):
        charts.draw("pie", plain.connection_list[0])
