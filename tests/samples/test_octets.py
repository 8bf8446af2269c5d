"""What the analysis says of octets, held to what the two applications sent and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mptrace import Analysis

AnalysisOf = Callable[[Any], Analysis]


def test_every_octet_of_the_applications_is_found_once(
    finished: Any, analysis_of: AnalysisOf
) -> None:
    clients, servers = finished.applications("client"), finished.applications("server")
    analysis = analysis_of(finished)
    if finished.id == "fallback_syn/server":  # plain TCP from the first packet that it saw
        assert len(analysis) == 0
        assert analysis.plain_tcp_streams == 1
        return
    connections = [connection for connection in analysis if connection.state != "partial"]
    assert len(connections) == len(clients)
    for connection, client, server in zip(connections, clients, servers, strict=True):
        up, down = connection.client_to_server, connection.server_to_client
        assert (up.unique_octets, up.acked_octets, up.missing_octets) == (
            client["sent"],
            server["got"],
            0,
        )
        assert (down.unique_octets, down.acked_octets, down.missing_octets) == (
            server["sent"],
            client["got"],
            0,
        )
        assert up.unmapped_octets == down.unmapped_octets == 0


def test_octets_of_a_connection_that_was_given_up_lie_in_between(
    broken_off: Any, analysis_of: AnalysisOf
) -> None:
    (connection,) = analysis_of(broken_off)
    for direction, sender, reader in (
        (connection.client_to_server, "client", "server"),
        (connection.server_to_client, "server", "client"),
    ):
        (sent,) = broken_off.applications(sender)
        (read,) = broken_off.applications(reader)
        # Sent to the kernel is not sent on the wire, and what was read need not have been
        # acknowledged when the connection broke.
        assert read["got"] <= direction.unique_octets <= sent["sent"]
        assert direction.acked_octets <= direction.unique_octets
        assert direction.missing_octets == 0
    if connection.state == "fallback":  # its server read what the client believes to be lost
        return
    assert connection.client_to_server.acked_octets < max(
        app["sent"] for app in broken_off.truth["apps"]
    )


def test_a_partial_capture_claims_no_more_than_was_sent(
    partial: Any, analysis_of: AnalysisOf
) -> None:
    (connection,) = analysis_of(partial)
    (client,), (server,) = partial.applications("client"), partial.applications("server")
    for direction, sent in (
        (connection.client_to_server, client["sent"]),
        (connection.server_to_client, server["sent"]),
    ):
        assert direction.unique_octets < sent
        assert direction.missing_octets > 0
        # Where the option with the DATA_FIN is cut off, its number looks like an octet's.
        assert direction.unique_octets + direction.missing_octets <= sent + 1
        assert direction.acked_octets <= sent + 1


def test_octets_of_subflows_add_up(sample: Any, analysis_of: AnalysisOf) -> None:
    for connection in analysis_of(sample):
        for name in ("client_to_server", "server_to_client"):
            whole = getattr(connection, name)
            parts = [getattr(subflow, name) for subflow in connection.subflows]
            assert sum(part.first_octets for part in parts) == whole.unique_octets
            assert sum(part.payload_octets for part in parts) == (
                whole.unique_octets
                + whole.retransmitted_octets
                + whole.remapped_octets
                + whole.reinjected_octets.total
                + whole.unmapped_octets
            )


def test_tokens_and_data_sequence_numbers_are_the_kernels_own(
    recorded: Any, analysis_of: AnalysisOf
) -> None:
    """MPTCP_INFO of the sockets: its write_seq is where the DATA_FIN left the sequence space."""
    told = {app["info"]["token"]: app for app in recorded.truth["apps"] if app["info"]}
    established = [
        connection
        for connection in analysis_of(recorded)
        if connection.state == "established" and connection.end == "data_fin"
    ]
    for connection in established:
        for host, direction in (
            (connection.client, connection.client_to_server),
            (connection.server, connection.server_to_client),
        ):
            assert host.initial_dsn is not None
            # IDSN + 1 is the first octet; the DATA_FIN takes one number behind the last.
            end = host.initial_dsn + 1 + direction.unique_octets + direction.data_fin
            info = told[f"0x{host.token:08x}"]["info"]
            assert info["write_seq"] == f"0x{end % 2**64:016x}"
