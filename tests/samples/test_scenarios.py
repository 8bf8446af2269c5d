"""What is special about single samples: the one thing that each was recorded for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mptrace import Analysis
from mptrace.analysis.model import Connection

Only = Callable[[str], Connection]


@pytest.fixture
def only(capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]) -> Only:
    """The only connection of a capture."""

    def find(name: str) -> Connection:
        (connection,) = analysis_of(capture_of(name))
        return connection

    return find


def signals(connection: Connection, kind: str) -> list[tuple[str | None, int | None]]:
    return [(event.by, event.subflow) for event in connection.events if event.kind == kind]


@pytest.mark.parametrize("side", ["client", "server"])
def test_aggregate_shares_both_directions(only: Only, side: str) -> None:
    connection = only(f"aggregate/{side}")
    for way in ("client_to_server", "server_to_client"):
        shares = [getattr(subflow, way).contribution for subflow in connection.subflows]
        assert all(share > 0.1 for share in shares)
        assert sum(shares) == pytest.approx(1)
    assert connection.capture_point == side


def test_the_two_sides_of_a_capture_tell_the_same_story(only: Only) -> None:
    near, far = only("aggregate/client"), only("aggregate/server")
    assert (near.client, near.server) == (far.client, far.server)
    for way in ("client_to_server", "server_to_client"):
        for here, there in zip(near.subflows, far.subflows, strict=True):
            assert getattr(here, way).first_octets == getattr(there, way).first_octets
            assert getattr(here, way).payload_octets == getattr(there, way).payload_octets


def test_walkout_hands_over_to_the_backup(only: Only) -> None:
    connection = only("walkout/client")
    up = connection.client_to_server
    assert connection.subflows[1].client.backup
    assert up.reinjected_octets.total == connection.subflows[1].client_to_server.reinjected_octets
    assert up.reinjected_octets.useful > 0
    assert [(h.from_subflow, h.to_subflow, h.cause) for h in up.handovers] == [(0, 1, "stall")]
    assert all(stall.duration_s > 0.2 for stall in up.stalls)
    assert connection.subflows[0].end == "open"


@pytest.mark.parametrize("side", ["client", "server"])
def test_fade_stalls_the_sender(only: Only, side: str) -> None:
    connection = only(f"fade/{side}")
    assert connection.server_to_client.stalls
    assert not connection.client_to_server.stalls
    # What was lost on the way is a reinjection only where the lost copy was seen.
    assert (connection.server_to_client.reinjected_octets.total > 0) == (side == "server")


def test_fade_and_return_has_reinjections_of_every_kind(only: Only) -> None:
    reinjected = only("fade_and_return/client").client_to_server.reinjected_octets
    assert reinjected.spurious > 0
    assert reinjected.useful > 0
    assert reinjected.redundant > 0
    assert reinjected.spurious + reinjected.useful + reinjected.redundant == reinjected.total


def test_a_backup_that_is_never_needed_carries_nothing(only: Only) -> None:
    backup = only("backup_idle/client").subflows[1]
    assert backup.client.backup
    assert backup.client_to_server.payload_octets == 0
    assert backup.server_to_client.payload_octets == 0


def test_a_backup_takes_over(only: Only) -> None:
    connection = only("backup_takes_over/client")
    assert connection.subflows[1].client.backup
    assert connection.subflows[1].client_to_server.first_octets > 0
    assert connection.client_to_server.reinjected_octets.total > 0


def test_priority_changes_twice(only: Only) -> None:
    assert signals(only("priority/client"), "MP_PRIO") == [("client", 1), ("client", 1)]


def test_delays_of_paths_show_as_round_trips(only: Only) -> None:
    connection = only("slow_second_path/server")
    quick, slow = (subflow.server_to_client.rtt_s for subflow in connection.subflows)
    assert quick is not None
    assert slow is not None
    assert quick.min == pytest.approx(0.020, abs=0.010)
    assert slow.min == pytest.approx(0.300, abs=0.020)
    assert connection.subflows[1].third_ack_s == pytest.approx(0.300, abs=0.020)


def test_a_join_over_the_other_family(only: Only) -> None:
    assert [s.family for s in only("add_address_other_family/client").subflows] == [4, 6]
    assert [s.family for s in only("add_address_ipv6/client").subflows] == [6, 6]


def test_the_advertised_port_is_where_the_join_goes(only: Only) -> None:
    connection = only("add_address_port/server")
    assert [subflow.server.port for subflow in connection.subflows] == [5001, 5055]


@pytest.mark.parametrize("side", ["client", "server"])
def test_the_client_stays_the_client_when_the_server_joins(only: Only, side: str) -> None:
    connection = only(f"server_joins/{side}")
    assert [subflow.started_by for subflow in connection.subflows] == ["client", "server"]
    assert [subflow.client.address for subflow in connection.subflows] == ["10.1.0.1", "10.2.0.1"]
    assert connection.subflows[1].client.port == 5066


def test_addresses_are_taken_back(only: Only) -> None:
    assert signals(only("remove_address/client"), "REMOVE_ADDR") == [("client", 0)]
    assert signals(only("remove_address_server/server"), "REMOVE_ADDR") == [("server", 0)]


def test_fullmesh_has_four_subflows(only: Only) -> None:
    ends = {(s.client.address, s.server.address) for s in only("fullmesh/client").subflows}
    assert ends == {(c, s) for c in ("10.1.0.1", "10.2.0.1") for s in ("10.1.0.2", "10.2.0.2")}


def test_a_fastclose_is_its_senders(only: Only) -> None:
    assert {by for by, _ in signals(only("fastclose/client"), "MP_FASTCLOSE")} == {"client"}
    assert signals(only("fastclose_server/client"), "MP_FASTCLOSE") == [("server", 0)]


def test_keys_from_the_first_data_where_the_third_ack_is_lost(only: Only) -> None:
    connection = only("third_ack_lost/server")
    assert connection.client.key is not None
    assert connection.client.initial_dsn is not None


def test_a_connection_without_an_octet(only: Only) -> None:
    connection = only("no_data/client")
    for way in (connection.client_to_server, connection.server_to_client):
        assert (way.unique_octets, way.acked_octets, way.data_fin) == (0, 0, True)


def test_many_connections_with_two_subflows_each(
    capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]
) -> None:
    analysis = analysis_of(capture_of("many/client"))
    assert [len(connection.subflows) for connection in analysis] == [2] * 60
    assert len({connection.client.token for connection in analysis}) == 60


def test_ports_that_are_used_again(
    capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]
) -> None:
    analysis = analysis_of(capture_of("port_reuse/client"))
    assert len(analysis) == 12
    assert len({connection.subflows[0].client.port for connection in analysis}) == 2
    assert [connection.subflows[0].tcp_stream for connection in analysis] == list(range(12))


def test_interfaces_by_name(
    capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]
) -> None:
    summary = analysis_of(capture_of("two_interfaces/client")).capture
    assert summary.format == "pcapng"
    assert summary.interfaces == ("wlan0", "cell0")
    assert summary.link_types == ("ETHERNET",)


@pytest.mark.parametrize(
    ("name", "compression"),
    [
        ("late_capture/client", "gzip"),
        ("unequal/client", "zstd"),
        ("fullmesh/client", "lz4"),
        ("walkout/client", None),
    ],
)
def test_compressed_captures(
    name: str,
    compression: str | None,
    capture_of: Callable[[str], Any],
    analysis_of: Callable[[Any], Analysis],
) -> None:
    assert analysis_of(capture_of(name)).capture.compression == compression


def test_the_beginning_is_missing(only: Only) -> None:
    for name in ("late_capture/client", "second_interface_only/client"):
        connection = only(name)
        assert connection.client.key is None
        assert connection.server.key is None
        assert connection.version is None
        assert {s.hmac_valid.client for s in connection.subflows} == {None}


def test_frames_before_segmentation_count_by_their_ip_length(
    capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]
) -> None:
    packets = analysis_of(capture_of("offload/client")).packets
    assert packets["tcp.len"].max() > 10 * 1460
    assert packets["tcp.len"].max() < 65536


def test_packets_that_were_cut_are_counted(
    capture_of: Callable[[str], Any], analysis_of: Callable[[Any], Analysis]
) -> None:
    for name in ("snaplen/client", "snaplen/server", "snaplen_checksum/client"):
        summary = analysis_of(capture_of(name)).capture
        assert 0 < summary.truncated_packets < summary.packets
        assert summary.damage is None


def test_v0_addresses_have_no_hmac(only: Only) -> None:
    addresses = only("v0_add_address/client").addresses
    assert [(a.address_id, a.address, a.port) for a in addresses] == [
        (3, "10.9.3.2", None),
        (4, "10.9.4.2", 8080),
        (5, "fd00:9::2", None),
        (6, "fd00:9::6", 8081),
    ]
    assert {a.hmac_valid for a in addresses} == {None}
    assert [a.address_id for a in addresses if a.removed] == [4, 5]
    assert [a.address_id for a in addresses if a.joined] == [3]


def test_v0_reinjections_one_of_each_kind(only: Only) -> None:
    reinjected = only("v0_reinjection/client").client_to_server.reinjected_octets
    assert (reinjected.useful, reinjected.redundant, reinjected.spurious) == (4140, 2760, 1380)
