"""A transfer through namespaces, recorded now: analysis, applications and kernel must agree."""

from __future__ import annotations

import hashlib
import subprocess
from typing import Any

import pytest

from mptrace.capture import open_capture

pytestmark = pytest.mark.live

SIDES = ("client", "server")
OTHER = {"client": "server", "server": "client"}
WAY = {"client": "client_to_server", "server": "server_to_client"}


@pytest.mark.parametrize("near", SIDES)
def test_octets_are_the_applications(live_transfer: Any, near: str) -> None:
    (connection,) = getattr(live_transfer, near)
    assert (connection.state, connection.end, connection.version) == ("established", "data_fin", 1)
    for sender in SIDES:
        way = getattr(connection, WAY[sender])
        sent = live_transfer.apps[sender]["sent"]
        assert sent == len(live_transfer.streams[sender])
        assert (way.unique_octets, way.acked_octets, way.missing_octets) == (sent, sent, 0)
        assert live_transfer.apps[OTHER[sender]]["got"] == sent


@pytest.mark.parametrize("near", SIDES)
def test_every_payload_is_the_part_of_the_stream_that_its_number_says(
    live_transfer: Any, near: str
) -> None:
    analysis = getattr(live_transfer, near)
    packets = analysis.packets[analysis.packets["tcp.len"] > 0]
    found = {sender: bytearray(len(live_transfer.streams[sender])) for sender in SIDES}
    columns = ["frame.number", "mptrace.direction", "mptcp.dsn", "tcp.len"]
    with open_capture(live_transfer.paths[near]) as capture:
        for frame, direction, data_seq, length in packets[columns].itertuples(index=False):
            octets = capture.packet(frame).octets[-length:]
            sender = "client" if direction == WAY["client"] else "server"
            found[sender][data_seq - 1 : data_seq - 1 + length] = octets
            stream = live_transfer.streams[sender]
            assert octets == stream[data_seq - 1 : data_seq - 1 + length]
    for sender in SIDES:
        read = live_transfer.apps[OTHER[sender]]["got_sha"]
        assert hashlib.sha256(found[sender]).hexdigest() == read


@pytest.mark.parametrize("near", SIDES)
def test_tokens_and_numbers_are_the_sockets(live_transfer: Any, near: str) -> None:
    (connection,) = getattr(live_transfer, near)
    for side in SIDES:
        info = live_transfer.apps[side]["info"]
        host = getattr(connection, side)
        assert info["token"] == f"0x{host.token:08x}"
        end = host.initial_dsn + 1 + getattr(connection, WAY[side]).unique_octets + 1
        assert info["write_seq"] == info["snd_una"] == f"0x{end % 2**64:016x}"
        assert info["rcv_nxt"] == live_transfer.apps[OTHER[side]]["info"]["write_seq"]


def test_the_join_and_its_address(live_transfer: Any) -> None:
    for near in SIDES:
        (connection,) = getattr(live_transfer, near)
        (address,) = connection.addresses
        assert (address.by, address.address, address.address_id) == ("server", "10.2.0.2", 7)
        assert (address.hmac_valid, address.echoed, address.joined) == (True, True, True)
        first, second = connection.subflows
        assert (first.kind, second.kind) == ("initial", "join")
        assert second.server.address == "10.2.0.2"
        assert (second.hmac_valid.client, second.hmac_valid.server) == (True, True)
        assert connection.capture_point == near
    client, server = live_transfer.counters["client"], live_transfer.counters["server"]
    assert (client["MPJoinSynTx"], server["MPJoinAckRx"]) == (1, 1)
    assert (client["AddAddr"], client["EchoAddTx"]) == (1, 1)
    assert (server["AddAddrTx"], server["EchoAdd"]) == (1, 1)


def test_the_receivers_queue(live_transfer: Any) -> None:
    """Nothing is lost on these paths: what was out of order is what Linux queued."""
    for near, sender in (("client", "server"), ("server", "client")):
        (connection,) = getattr(live_transfer, near)
        queued = live_transfer.counters[near].get("OFOQueue", 0)
        retransmitted = getattr(connection, WAY[sender]).retransmitted_octets
        if retransmitted == 0:  # a machine too busy may still make TCP repeat itself
            assert getattr(connection, WAY[sender]).out_of_order_packets == queued


def test_nothing_is_left_behind(live_transfer: Any) -> None:
    listed = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in listed.splitlines() if line}
    assert not names & live_transfer.hosts
    assert not [line for line in links.splitlines() if line.startswith(live_transfer.devices)]
