"""Two paths that share, lose, fall silent, go away or wait."""

from __future__ import annotations

import time

from samples.recording.link import Path, Way
from samples.recording.packet_capture import CaptureSettings
from samples.recording.scenario import CLIENT, Scenario
from samples.recording.stage import AFTER_JOIN, Stage, two_paths

HEADERS_AT_CLIENT = {"client": CaptureSettings(snaplen=160)}
"""Headers and options are whole, payload is not: for what only counts octets."""
JOINED = {"cl": {"MPCapableSYNTX": 1, "MPJoinSynTx": 1}, "sv": {"MPJoinAckRx": 1}}


def _aggregate(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        stage.transfer(130_000, 65_000, **AFTER_JOIN)


def _lossy_paths() -> list[Path]:
    return [
        Path("wlan0", "eth0", Way(0.010, 6e6, loss=0.05), Way(0.010, 6e6, loss=0.03)),
        Path("cell0", "eth1", Way(0.030, 3e6, loss=0.04), Way(0.030, 3e6, loss=0.05)),
    ]


def _walkout(stage: Stage) -> None:
    stage.join_second_path("subflow backup")
    live = {**AFTER_JOIN, "client_octets_per_s": 120_000}
    with stage.recording():
        transfer = stage.start(240_000, 20_000, timeout_s=30, **live)
        stage.wait_for_octets(110_000, *(path.up for path in stage.paths))
        stage.paths[0].fall_silent()
        time.sleep(0.5)
        stage.client.run("ip link set wlan0 down")
        stage.finish(transfer)


def _fade(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        transfer = stage.start(20_000, 160_000, timeout_s=30, **AFTER_JOIN)
        stage.wait_for_octets(70_000, *(path.down for path in stage.paths))
        stage.paths[0].fall_silent()
        stage.finish(transfer)


def _fade_and_return(stage: Stage) -> None:
    stage.join_second_path()
    first = stage.paths[0]
    with stage.recording():
        transfer = stage.start(300_000, 10_000, timeout_s=30, **AFTER_JOIN)
        stage.wait_for_octets(80_000, first.up)
        first.fall_silent()
        time.sleep(1.5)
        first.up.silent = first.down.silent = False
        stage.finish(transfer)


def _thin_second() -> list[Path]:
    quick, thin = two_paths()
    thin.up.rate_bps = 0.8e6
    return [quick, thin]


def _slow_second() -> list[Path]:
    quick, slow = two_paths()
    quick.up.rate_bps = quick.down.rate_bps = 1.2e6
    slow.down.delay_s = slow.up.delay_s = 0.150
    return [quick, slow]


def _uneven_delays(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        # The slow path's handshake takes 0.75 s until both sides may send on it.
        settings = {**AFTER_JOIN, "client_pause_s": 1.2, "server_pause_s": 1.2}
        stage.transfer(160_000, 80_000, **settings)


def _backup_idle(stage: Stage) -> None:
    stage.join_second_path("subflow backup")
    with stage.recording():
        stage.transfer(80_000, 20_000, **AFTER_JOIN)


def _backup_takes_over(stage: Stage) -> None:
    stage.join_second_path("subflow backup")
    with stage.recording():
        transfer = stage.start(300_000, 20_000, timeout_s=30, **AFTER_JOIN)
        stage.wait_for_octets(100_000, stage.paths[0].up)
        stage.paths[0].fall_silent()
        stage.finish(transfer)


def _priority(stage: Stage) -> None:
    stage.join_second_path("subflow backup")
    ups = [path.up for path in stage.paths]
    with stage.recording():
        transfer = stage.start(420_000, 10_000, **AFTER_JOIN)
        stage.wait_for_octets(100_000, *ups)
        stage.client.run("ip mptcp endpoint change id 1 nobackup")
        stage.wait_for_octets(280_000, *ups)
        stage.client.run("ip mptcp endpoint change id 1 backup")
        stage.finish(transfer)


def _unequal(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        stage.transfer(8_000, 150_000, server_pause_s=0.2)


def _checksum(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    stage.join_second_path()
    with stage.recording():
        stage.transfer(100_000, 50_000, **AFTER_JOIN)


def _fullmesh(stage: Stage) -> None:
    stage.client.run("ip mptcp endpoint add 10.1.0.1 dev wlan0 id 2 subflow fullmesh")
    stage.client.run("ip mptcp endpoint add 10.2.0.1 dev cell0 id 1 subflow fullmesh")
    stage.advertise("10.2.0.2")
    with stage.recording():
        stage.transfer(140_000, 30_000, **{**AFTER_JOIN, "client_pause_s": 0.5})


SCENARIOS = (
    Scenario(
        "aggregate",
        "two subflows share a transfer in both directions",
        "two subflows that both carry first copies in both directions; ends with DATA_FIN",
        _aggregate,
        proof=JOINED,
    ),
    Scenario(
        "loss",
        "both paths lose 3-5 % of the packets",
        "TCP retransmissions, out-of-order packets at the receiver, every octet delivered",
        _aggregate,
        paths=_lossy_paths,
        proof={"cl": {"RetransSegs": 2}, "sv": {"RetransSegs": 1, "MPJoinAckRx": 1}},
    ),
    Scenario(
        "walkout",
        "a live stream leaves the WLAN: the path falls silent, then its interface goes down; the "
        "cellular path was a backup",
        "stalls, octets of the first subflow reinjected on the backup, a handover and its gap",
        _walkout,
        captures=CLIENT,
        proof={**JOINED, "cl": {"MPTCPRetrans": 1}},
    ),
    Scenario(
        "fade",
        "the first path falls silent while the server sends; no interface goes down",
        "a stall, reinjections by the server; the rest comes over the second subflow",
        _fade,
        proof={**JOINED, "sv": {"MPTCPRetrans": 1, "SubflowStale": 1}},
    ),
    Scenario(
        "fade_and_return",
        "the first path falls silent and comes back later",
        "reinjections whose first copies arrive after all: some of them redundant or spurious",
        _fade_and_return,
        captures=HEADERS_AT_CLIENT,
        paths=_thin_second,
        proof={**JOINED, "cl": {"MPTCPRetrans": 1}},
    ),
    Scenario(
        "slow_second_path",
        "the second path takes 150 ms each way, the first 10 ms",
        "a subflow RTT of 0.3 s beside a far shorter one; long out-of-order delays at the server",
        _uneven_delays,
        captures={"server": CaptureSettings(snaplen=160)},
        paths=_slow_second,
        proof=JOINED,
    ),
    Scenario(
        "backup_idle",
        "the second subflow is a backup that is never needed",
        "the join carries the B flag; its subflow carries no octet: idle though established",
        _backup_idle,
        captures=CLIENT,
        proof={"sv": {"MPJoinSynBackupRx": 1}},
    ),
    Scenario(
        "backup_takes_over",
        "the first path falls silent and the backup subflow carries the rest",
        "octets reinjected on the backup subflow, which carries all the rest",
        _backup_takes_over,
        captures=HEADERS_AT_CLIENT,
        proof={"sv": {"MPJoinSynBackupRx": 1}, "cl": {"MPTCPRetrans": 1}},
    ),
    Scenario(
        "priority",
        "a backup subflow is made regular and backup again while data flows",
        "two MP_PRIO of the client; the second subflow carries octets between them",
        _priority,
        captures=HEADERS_AT_CLIENT,
        proof={"cl": {"MPPrioTx": 2}, "sv": {"MPPrioRx": 2}},
    ),
    Scenario(
        "unequal",
        "8 kB one way, 150 kB the other",
        "figures of the two directions that differ by their sizes; capture near the client",
        _unequal,
        captures={"client": CaptureSettings(compression="zstd")},
        proof=JOINED,
    ),
    Scenario(
        "checksum",
        "DSS checksums on (nanosecond captures)",
        "checksum true; every verifiable mapping passes",
        _checksum,
        captures={
            "client": CaptureSettings(nanoseconds=True),
            "server": CaptureSettings(nanoseconds=True),
        },
        proof=JOINED,
    ),
    Scenario(
        "fullmesh",
        "both client addresses join both server addresses",
        "four subflows of one connection, one advertised address that was joined",
        _fullmesh,
        captures={"client": CaptureSettings(compression="lz4")},
        proof={"sv": {"MPJoinAckRx": 3}},
    ),
)
