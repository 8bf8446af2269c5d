"""The DataFrames: their schema, and their sums against the model's figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import mptrace
from mptrace.analysis.frames import schema
from mptrace.views.json import document

SAMPLES = ("walkout", "loss", "checksum", "many", "mp_fail_multi", "fallback_syn", "late_capture")


@pytest.fixture(scope="module", params=SAMPLES)
def analysis(root: Path, request: pytest.FixtureRequest) -> mptrace.Analysis:
    folder = root / "samples" / request.param
    return mptrace.analyze(next(folder.glob("*.pcap*")))


@pytest.mark.parametrize("name", ["packets", "mappings"])
def test_columns_and_dtypes_are_those_of_the_schema(analysis: mptrace.Analysis, name: str) -> None:
    frame = getattr(analysis, name)
    wanted = {column.name: column.dtype for column in getattr(schema, name.upper())}
    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == wanted


def test_schema_says_every_name_once() -> None:
    for columns in (schema.PACKETS, schema.MAPPINGS):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in columns)


def test_packet_sums_are_the_figures(analysis: mptrace.Analysis) -> None:
    packets = analysis.packets
    for connection in analysis:
        for name in ("client_to_server", "server_to_client"):
            direction = getattr(connection, name)
            rows = packets[
                (packets["mptcp.stream"] == connection.index)
                & (packets["mptrace.direction"] == name)
            ]
            sums = rows.sum(numeric_only=True)
            assert sums["mptrace.first_octets"] == direction.unique_octets
            assert sums["mptrace.retransmitted_octets"] == direction.retransmitted_octets
            assert sums["mptrace.remapped_octets"] == direction.remapped_octets
            assert sums["mptrace.reinjected_octets"] == direction.reinjected_octets.total
            assert sums["mptrace.unmapped_octets"] == direction.unmapped_octets
            assert sums["tcp.len"] == direction.payload_octets
            assert sums["mptrace.out_of_order_octets"] == direction.out_of_order_octets
            late = int((rows["mptrace.out_of_order_octets"] > 0).sum())
            assert late == direction.out_of_order_packets
            flight = rows["mptrace.data_flight"].max()
            assert (0 if pd.isna(flight) else flight) == direction.max_data_flight_octets
            for subflow in connection.subflows:
                own = rows[rows["mptrace.subflow"] == subflow.index]
                carried = getattr(subflow, name)
                assert len(own) == carried.packets
                assert own["tcp.len"].sum() == carried.payload_octets
                flight = own["mptrace.flight"].max()
                assert (0 if pd.isna(flight) else flight) == carried.max_flight_octets
                samples = own["mptrace.rtt"].dropna()
                if carried.rtt_s is None:
                    assert samples.empty
                else:
                    assert len(samples) == carried.rtt_s.samples
                    assert samples.median() == pytest.approx(carried.rtt_s.median)


def test_mappings_cover_what_is_mapped(analysis: mptrace.Analysis) -> None:
    mappings = analysis.mappings
    for connection in analysis:
        for name in ("client_to_server", "server_to_client"):
            rows = mappings[
                (mappings["mptcp.stream"] == connection.index)
                & (mappings["mptrace.direction"] == name)
            ]
            assert len(rows) == getattr(connection, name).mappings
            verdicts = rows["mptrace.checksum"].value_counts()
            assert verdicts.get("invalid", 0) == getattr(connection, name).checksum_failures
            assert verdicts.get("valid", 0) == getattr(connection, name).checksums_verified


def test_links_lead_to_the_copies_that_are_repeated(root: Path) -> None:
    folder = root / "samples" / "mp_fail_multi"
    packets = mptrace.analyze(next(folder.glob("*.pcap*"))).packets.set_index("frame.number")
    moved = packets[packets["mptcp.reinjection_of"].notna()]
    assert len(moved)
    for number, row in moved.iterrows():
        earlier = packets.loc[row["mptcp.reinjection_of"]]
        assert row["mptcp.reinjection_of"] < number
        assert earlier["mptrace.subflow"] != row["mptrace.subflow"]
        start, end = row["mptcp.dsn"], row["mptcp.dsn"] + row["tcp.len"]
        assert earlier["mptcp.dsn"] < end
        assert earlier["mptcp.dsn"] + earlier["tcp.len"] > start


def test_rows_of_connections_and_subflows_are_those_of_the_json(
    analysis: mptrace.Analysis,
) -> None:
    json_document = document(analysis)
    frame = analysis.connections
    assert list(frame["mptcp.stream"]) == [c["index"] for c in json_document["connections"]]
    for row, connection in zip(frame.to_dict("records"), json_document["connections"], strict=True):
        assert (
            row["client_to_server.unique_octets"]
            == (connection["client_to_server"]["unique_octets"])
        )
        key = connection["client"]["key"]
        assert (None if pd.isna(row["client.key"]) else row["client.key"]) == (
            None if key is None else int(key, 16)
        )
    pairs = [
        (c["index"], s["tcp_stream"]) for c in json_document["connections"] for s in c["subflows"]
    ]
    subflows = analysis.subflows
    assert list(zip(subflows["mptcp.stream"], subflows["tcp.stream"], strict=True)) == pairs


def test_columns_do_not_depend_on_the_capture(root: Path) -> None:
    frames = [
        mptrace.analyze(next((root / "samples" / name).glob("*.pcap*")))
        for name in ("walkout", "fallback_syn")
    ]
    for name in ("connections", "subflows"):
        first, second = (getattr(analysis, name).dtypes for analysis in frames)
        assert first.equals(second)
        assert "object" not in set(map(str, first))
