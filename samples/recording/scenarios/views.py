"""The same protocol seen through other captures: many connections, interfaces, snaplen, offload."""

from __future__ import annotations

from samples.recording.link import Path, Way
from samples.recording.packet_capture import CaptureSettings
from samples.recording.scenario import CLIENT, Scenario
from samples.recording.stage import AFTER_JOIN, Stage

REUSED_PORTS = (41001, 41002, 41003, 41004, 41005, 41006)


def _many(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        stage.transfer(
            500,
            1_000,
            connections=60,
            client_spread_s=0.03,
            **AFTER_JOIN,
        )


def _port_reuse(stage: Stage) -> None:
    stage.both(lambda host: host.sysctl("net.ipv4.tcp_tw_reuse", 1))
    with stage.recording():
        stage.transfer(
            3_000,
            3_000,
            connections=12,
            client_one_by_one=True,
            client_source="10.1.0.1",
            client_source_ports=REUSED_PORTS[:2],
            client_wait_for_end=True,
            server_expect=0,
            client_linger_s=0.1,
        )


def _fast_paths() -> list[Path]:
    return [
        Path("eth0", "eth0", Way(0.001, 400e6, queue_octets=2_000_000), Way(0.001, 400e6)),
        Path("eth1", "eth1", Way(0.002, 200e6, queue_octets=2_000_000), Way(0.002, 200e6)),
    ]


def _offload(stage: Stage) -> None:
    stage.client.run("ip mptcp endpoint add 10.2.0.1 dev eth1 id 1 subflow")
    with stage.recording():
        stage.transfer(300_000, 10_000, **AFTER_JOIN)


def _small(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        stage.transfer(80_000, 40_000, **AFTER_JOIN)


def _small_with_checksums(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    _small(stage)


def _late_capture(stage: Stage) -> None:
    stage.join_second_path()
    transfer = stage.start(100_000, 100_000, **AFTER_JOIN)
    stage.wait_for_octets(20_000, *(path.up for path in stage.paths))
    with stage.recording():
        stage.finish(transfer)


SCENARIOS = (
    Scenario(
        "many",
        "60 short connections that overlap, each with a second subflow",
        "60 connections; each with 500 octets up, 1000 down and two subflows",
        _many,
        captures=CLIENT,
        proof={"cl": {"MPCapableSYNTX": 60, "MPJoinSynTx": 60}},
    ),
    Scenario(
        "port_reuse",
        "twelve connections in turn from two client ports",
        "twelve connections, though there are only two 5-tuples",
        _port_reuse,
        captures=CLIENT,
        proof={"cl": {"MPCapableSYNTX": 12}},
    ),
    Scenario(
        "two_interfaces",
        "dumpcap on the client's two interfaces, one pcapng",
        "two interfaces by name, packets of both in one connection",
        _small,
        captures={"client": CaptureSettings(interfaces=("wlan0", "cell0"), pcapng=True)},
        proof={"sv": {"MPJoinAckRx": 1}},
    ),
    Scenario(
        "second_interface_only",
        "only the second path's interface was captured (Ethernet)",
        "a partial connection: its beginning is missing, keys unknown, HMACs not checked",
        _small,
        captures={"client": CaptureSettings(interfaces=("cell0",))},
        proof={"sv": {"MPJoinAckRx": 1}},
    ),
    Scenario(
        "late_capture",
        "the capture started in the middle of the transfer",
        "no handshake at all: partial, data by sequence numbers only",
        _late_capture,
        captures={"client": CaptureSettings(compression="gzip")},
    ),
    Scenario(
        "snaplen",
        "128 octets of each packet on the client, 96 on the server",
        "truncated packets; at 96 octets some options are cut: nothing is claimed of them",
        _small,
        captures={
            "client": CaptureSettings(snaplen=128),
            "server": CaptureSettings(snaplen=96),
        },
        proof={"sv": {"MPJoinAckRx": 1}},
    ),
    Scenario(
        "snaplen_checksum",
        "DSS checksums on, 128 octets of each packet",
        "checksums cannot be verified, and the analysis says so",
        _small_with_checksums,
        captures={"client": CaptureSettings(snaplen=128)},
        proof={"sv": {"MPJoinAckRx": 1}},
    ),
    Scenario(
        "offload",
        "the client's frames captured before segmentation (TSO), up to 64 KB each",
        "mappings of several segments; octets counted from the IP length",
        _offload,
        captures=CLIENT,
        paths=_fast_paths,
        offload=True,
        proof={"sv": {"MPJoinAckRx": 1}},
    ),
)
