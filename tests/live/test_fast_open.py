"""Data in the SYN, between two real hosts: outside of the data sequence space."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.live

SIDES = ("client", "server")


@pytest.mark.parametrize("near", SIDES)
def test_data_of_the_syn_is_beside_the_data(fast_open_transfer: Any, near: str) -> None:
    analysis = getattr(fast_open_transfer, near)
    (connection,) = analysis
    client, server = fast_open_transfer.apps["client"], fast_open_transfer.apps["server"]
    (finding,) = [f for f in analysis.findings if f.code == "fast_open_data"]
    assert finding.packets == (1,)
    assert "500 octets" in finding.message
    way = connection.client_to_server
    assert way.unmapped_octets == 500
    assert way.payload_octets - way.retransmitted_octets == client["sent"] == server["got"]
    assert (way.unique_octets, way.acked_octets) == (client["sent"] - 500, client["sent"] - 500)
    assert connection.server_to_client.unique_octets == server["sent"] == client["got"]
    assert (connection.state, connection.end) == ("established", "data_fin")


@pytest.mark.parametrize("near", SIDES)
def test_numbers_are_the_sockets(fast_open_transfer: Any, near: str) -> None:
    (connection,) = getattr(fast_open_transfer, near)
    info = fast_open_transfer.apps["client"]["info"]
    end = connection.client.initial_dsn + 1 + connection.client_to_server.unique_octets + 1
    assert info["snd_una"] == f"0x{end % 2**64:016x}"
    assert fast_open_transfer.apps["server"]["info"]["rcv_nxt"] == info["write_seq"]
