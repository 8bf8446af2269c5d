"""ADD_ADDR and REMOVE_ADDR."""

from __future__ import annotations

from samples.recording.middlebox import corrupt_add_address, drop, remove_add_address_echo
from samples.recording.packet_capture import CaptureSettings
from samples.recording.scenario import BOTH, CLIENT, SERVER, Scenario
from samples.recording.segment import ADD_ADDR
from samples.recording.stage import AFTER_JOIN, Stage


def _add_address(stage: Stage) -> None:
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(60_000, 30_000, **AFTER_JOIN)


def _add_address_ipv6(stage: Stage) -> None:
    stage.advertise("fd00:2::2")
    with stage.recording():
        stage.transfer(60_000, 30_000, address="fd00:1::2", **AFTER_JOIN)


def _add_address_other_family(stage: Stage) -> None:
    stage.advertise("fd00:2::2")
    with stage.recording():
        stage.transfer(40_000, 40_000, address="::ffff:10.1.0.2", **AFTER_JOIN)


def _add_address_with_port(stage: Stage) -> None:
    stage.advertise("10.2.0.2", extra="port 5055")
    with stage.recording():
        stage.transfer(40_000, 40_000, **AFTER_JOIN)


def _never_echoed(stage: Stage) -> None:
    stage.sysctl("add_addr_timeout", 1)
    stage.paths[0].up.middleboxes.append(remove_add_address_echo())
    stage.paths[1].up.middleboxes.append(remove_add_address_echo())
    stage.client.run("ip mptcp limits set subflows 0 add_addr_accepted 0")
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(20_000, 20_000, client_pause_s=4.0, server_pause_s=0.3)


def _lost_on_the_way(stage: Stage) -> None:
    stage.sysctl("add_addr_timeout", 1)
    stage.paths[0].down.middleboxes.append(drop(lambda segment: bool(segment.mptcp(ADD_ADDR))))
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(20_000, 20_000, client_pause_s=2.0, server_pause_s=0.3)


def _hmac_wrong(stage: Stage) -> None:
    stage.sysctl("add_addr_timeout", 1)
    stage.paths[0].down.middleboxes.append(corrupt_add_address(-1))
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(20_000, 20_000, client_pause_s=2.0, server_pause_s=0.3)


def _never_joined(stage: Stage) -> None:
    stage.client.run("ip mptcp limits set subflows 0 add_addr_accepted 0")
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(40_000, 40_000, **AFTER_JOIN)


def _refused(stage: Stage) -> None:
    stage.server.run("iptables -A INPUT -p tcp -d 10.2.0.2 -j REJECT --reject-with tcp-reset")
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(40_000, 20_000, **AFTER_JOIN)


def _remove_address(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        transfer = stage.start(150_000, 20_000, **AFTER_JOIN)
        stage.wait_for_octets(60_000, *(path.up for path in stage.paths))
        stage.client.run("ip mptcp endpoint delete id 1")
        stage.finish(transfer)


def _server_removes(stage: Stage) -> None:
    stage.advertise("10.2.0.2")
    with stage.recording():
        transfer = stage.start(20_000, 200_000, **AFTER_JOIN)
        stage.wait_for_octets(90_000, *(path.down for path in stage.paths))
        stage.server.run("ip mptcp endpoint delete id 7")
        stage.finish(transfer)


def _server_joins(stage: Stage) -> None:
    stage.client.run("ip mptcp endpoint add 10.2.0.1 dev cell0 id 3 signal port 5066")
    with stage.recording():
        stage.transfer(30_000, 50_000, **AFTER_JOIN)


SCENARIOS = (
    Scenario(
        "add_address",
        "the server advertises an IPv4 address and the client joins it",
        "one address by the server: HMAC valid, echoed, joined",
        _add_address,
        proof={"cl": {"AddAddr": 1, "EchoAddTx": 1, "MPJoinSynTx": 1}, "sv": {"EchoAdd": 1}},
    ),
    Scenario(
        "add_address_ipv6",
        "the same over IPv6",
        "both subflows of family 6; the HMAC covers the IPv6 address",
        _add_address_ipv6,
        captures=CLIENT,
        proof={"cl": {"AddAddr": 1, "EchoAddTx": 1, "MPJoinSynTx": 1}, "sv": {"EchoAdd": 1}},
    ),
    Scenario(
        "add_address_other_family",
        "a connection over IPv4 joined over IPv6",
        "subflow 0 of family 4, subflow 1 of family 6",
        _add_address_other_family,
        captures=CLIENT,
        proof={"cl": {"AddAddr": 1, "MPJoinSynTx": 1}, "sv": {"MPJoinAckRx": 1}},
    ),
    Scenario(
        "add_address_port",
        "the server advertises an address with a port of its own",
        "the address has port 5055; the second subflow goes to that port",
        _add_address_with_port,
        captures=SERVER,
        proof={"cl": {"PortAdd": 1}, "sv": {"MPJoinPortSynRx": 1, "MPJoinPortAckRx": 1}},
    ),
    Scenario(
        "add_address_not_echoed",
        "a middlebox removes the echo: the server advertises again and again",
        "several ADD_ADDR, not echoed as seen by the server; the client's capture shows the echo",
        _never_echoed,
        captures=BOTH,
        proof={"sv": {"AddAddrTx": 3}, "cl": {"EchoAddTx": 1}},
    ),
    Scenario(
        "add_address_lost",
        "every packet with ADD_ADDR is lost: the client never hears of the address",
        "advertised, never echoed, never joined",
        _lost_on_the_way,
        captures=SERVER,
        proof={"sv": {"AddAddrTx": 2}},
    ),
    Scenario(
        "add_address_hmac_wrong",
        "a middlebox corrupts the HMAC of ADD_ADDR: the client ignores it",
        "client's capture: HMAC wrong, not echoed; server's: HMAC valid, not echoed",
        _hmac_wrong,
        proof={"sv": {"AddAddrTx": 1}},
    ),
    Scenario(
        "add_address_not_joined",
        "the client accepts no further subflow",
        "the address is echoed and never joined",
        _never_joined,
        captures=CLIENT,
        proof={"cl": {"AddAddr": 1}},
    ),
    Scenario(
        "join_refused",
        "the advertised address refuses the join (RST by a firewall)",
        "a second subflow whose handshake was refused; not a fallback",
        _refused,
        captures=CLIENT,
        proof={"cl": {"AddAddr": 1, "MPJoinSynTx": 1}},
    ),
    Scenario(
        "remove_address",
        "the client removes its second address in the middle",
        "REMOVE_ADDR by the client; the second subflow ends early, its octets are reinjected",
        _remove_address,
        captures=CLIENT,
        proof={"cl": {"RmAddrTx": 1}, "sv": {"RmAddr": 1}},
    ),
    Scenario(
        "remove_address_server",
        "the server withdraws the address that it had advertised",
        "address by the server: echoed, joined, removed",
        _server_removes,
        captures={"server": CaptureSettings(snaplen=160)},
        proof={"sv": {"RmAddrTx": 1}, "cl": {"RmAddr": 1}},
    ),
    Scenario(
        "server_joins",
        "the client advertises an address and the server joins it",
        "the second subflow is started by the server; the client stays the client",
        _server_joins,
        proof={"sv": {"MPJoinSynTx": 1}, "cl": {"MPJoinAckRx": 1}},
    ),
)
