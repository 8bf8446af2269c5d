"""The JSON: the contract with other programs, held to its schema and to the model."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from mptrace.analysis import model
from mptrace.views import json as json_view
from mptrace.views import schema

Many = Callable[[int], Any]

# Which definition of the schema describes which dataclass of the model.
DEFINITIONS: dict[str, type] = {
    "capture": model.CaptureSummary,
    "damage": model.Damage,
    "host": model.Host,
    "fallback": model.Fallback,
    "address": model.AdvertisedAddress,
    "endpoint": model.Endpoint,
    "hmac_validity": model.HmacValidity,
    "reset_reason": model.ResetReason,
    "distribution": model.Distribution,
    "subflow": model.Subflow,
    "subflow_direction": model.SubflowDirection,
    "reinjected": model.ReinjectedOctets,
    "stall": model.Stall,
    "handover": model.Handover,
    "connection_direction": model.ConnectionDirection,
    "event": model.Event,
    "connection": model.Connection,
    "finding": model.Finding,
}
CONTRACT = {
    "capture": "path format link_types packets tcp_packets mptcp_packets first_time duration_s "
    "truncated_packets capture_duplicates damage",
    "damage": "offset reason",
    "connection": "index version state start_s duration_s end client server checksum fallback "
    "addresses subflows client_to_server server_to_client",
    "host": "key token initial_dsn",
    "fallback": "cause packet",
    "address": "by address_id address port hmac_valid echoed removed packet",
    "subflow": "index tcp_stream kind family client server handshake hmac_valid start_s "
    "handshake_s join_delay_s end reset_reason client_to_server server_to_client",
    "endpoint": "address port address_id backup",
    "reset_reason": "code name transient",
    "subflow_direction": "packets payload_octets first_octets retransmitted_octets "
    "remapped_octets reinjected_octets unmapped_octets contribution rtt_s",
    "distribution": "samples min median p95 max",
    "connection_direction": "unique_octets acked_octets missing_octets retransmitted_octets "
    "remapped_octets reinjected_octets out_of_order_packets out_of_order_octets goodput_bps "
    "throughput_bps data_fin checksum_failures max_data_flight_octets data_rtt_s",
    "reinjected": "total spurious useful redundant",
    "finding": "code severity connection subflow packets message reference",
}


@pytest.fixture(scope="module")
def shape() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(schema.text())
    return value


def test_the_schema_is_a_schema(shape: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(shape)


def test_documents_are_valid(
    shape: dict[str, Any], plain: Any, rich_analysis: Any, many: Many
) -> None:
    validator = jsonschema.Draft202012Validator(shape)
    for reading in (plain, rich_analysis, many(0), many(5)):
        validator.validate(json_view.document(reading))


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_schema_has_the_keys_of_the_model(shape: dict[str, Any], name: str) -> None:
    kind = DEFINITIONS[name]
    fields = [field.name for field in dataclasses.fields(kind)]
    if kind is model.CaptureSummary:
        fields[fields.index("first_time_ns")] = "first_time"
    definition = shape["$defs"][name]
    assert list(definition["properties"]) == fields
    assert definition["required"] == fields


def test_the_schema_describes_every_key(shape: dict[str, Any]) -> None:
    for definition in (shape, *shape["$defs"].values()):
        for key, value in definition["properties"].items():
            assert value["description"].endswith("."), key


@pytest.mark.parametrize("name", DEFINITIONS)
def test_words_and_absence_are_those_of_the_model(shape: dict[str, Any], name: str) -> None:
    kind = DEFINITIONS[name]
    hints = typing.get_type_hints(kind)
    properties = shape["$defs"][name]["properties"]
    for field in dataclasses.fields(kind):
        key = "first_time" if field.name == "first_time_ns" else field.name
        hint = hints[field.name]
        described = json.dumps(properties[key])
        if typing.get_origin(hint) is types.UnionType or typing.get_origin(hint) is typing.Union:
            assert ("null" in described) == (type(None) in typing.get_args(hint)), key
        for literal in _literals(hint):
            assert literal in properties[key]["enum"], key


def _literals(hint: Any) -> list[Any]:
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return [word for part in typing.get_args(hint) for word in _literals(part)]
    return []


def test_the_contract_is_kept(shape: dict[str, Any]) -> None:
    assert shape["required"] == [
        "schema_version", "capture", "plain_tcp_streams", "connections", "findings",
    ]  # fmt: skip
    for name, keys in CONTRACT.items():
        assert set(keys.split()) <= set(shape["$defs"][name]["required"]), name


def test_wide_numbers_are_hexadecimal_and_times_exact(plain: Any) -> None:
    document = json_view.document(plain)
    assert document["connections"][0]["client"] == {
        "key": "0x0123456789abcdef",
        "token": "0x00c0ffee",
        "initial_dsn": "0x8000000000000001",
    }
    assert document["capture"]["first_time"] == "2025-11-20T10:11:02.123456789Z"
    assert "first_time_ns" not in document["capture"]


def test_absent_is_null(rich_analysis: Any) -> None:
    odd = json_view.document(rich_analysis)["connections"][1]
    assert odd["client"] == {"key": None, "token": None, "initial_dsn": None}
    assert odd["version"] is None
    assert odd["server_to_client"]["data_rtt_s"] is None


def test_a_line_for_each_connection_and_finding(many: Many) -> None:
    lines = "".join(json_view.chunks(many(6))).splitlines()
    assert sum(line.startswith('  {"index": ') for line in lines) == 6
    assert sum(line.startswith('  {"code": ') for line in lines) == 2


def test_what_is_not_a_number_is_refused(plain: Any) -> None:
    (connection,) = plain.connection_list
    reading = replace(plain, connection_list=(replace(connection, start_s=float("nan")),))
    with pytest.raises(ValueError, match="JSON"):
        list(json_view.chunks(reading))


def test_strangers_are_refused(plain: Any) -> None:
    with pytest.raises(TypeError, match="has no place"):
        list(json_view.chunks(replace(plain, findings=(object(),))))


def test_thousands_of_connections_come_in_small_pieces(many: Many) -> None:
    """However many connections there are, no piece holds more than one of them."""
    pieces = list(json_view.chunks(many(3_000)))
    assert sum(map(len, pieces)) > 3_000_000
    assert max(map(len, pieces)) < 20_000
