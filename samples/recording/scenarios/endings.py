"""Ends other than DATA_FIN on every subflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.recording.middlebox import drop
from samples.recording.scenario import BOTH, CLIENT, SERVER, Scenario
from samples.recording.stage import AFTER_JOIN, Stage

if TYPE_CHECKING:
    from samples.recording.segment import Segment


def _fastclose(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        stage.transfer(60_000, 120_000, client_abort_after=40_000, **AFTER_JOIN)


def _fastclose_server(stage: Stage) -> None:
    with stage.recording():
        stage.transfer(150_000, 10_000, server_abort_after=60_000)


def _subflow_killed(stage: Stage) -> None:
    stage.join_second_path()
    with stage.recording():
        transfer = stage.start(130_000, 10_000, **AFTER_JOIN)
        stage.wait_for_octets(50_000, *(path.up for path in stage.paths))
        stage.client.run("ss -K src 10.2.0.1")
        stage.finish(transfer)


def _cut_off(stage: Stage) -> None:
    with stage.recording():
        transfer = stage.start(150_000, 20_000, timeout_s=3)
        stage.wait_for_octets(60_000, stage.paths[0].up)
        stage.paths[0].fall_silent()
        stage.finish(transfer)


def _third_ack_lost(stage: Stage) -> None:
    lost = 0

    def third_ack(segment: Segment) -> bool:
        nonlocal lost
        if segment.flags & 0x02 or lost:
            return False
        lost += 1
        return True

    stage.paths[0].up.middleboxes.append(drop(third_ack))
    with stage.recording():
        stage.transfer(10_000, 10_000)


def _server_speaks_first(stage: Stage) -> None:
    with stage.recording():
        stage.transfer(20_000, 40_000, client_wait_for_end=True, server_expect=0)


def _no_data(stage: Stage) -> None:
    with stage.recording():
        stage.transfer(0, 0, client_pause_s=0.1, server_pause_s=0.1)


SCENARIOS = (
    Scenario(
        "fastclose",
        "the client aborts a connection with two subflows",
        "end fastclose, MP_FASTCLOSE by the client",
        _fastclose,
        captures=BOTH,
        proof={"cl": {"MPFastcloseTx": 1}, "sv": {"MPFastcloseRx": 1}},
        complete=False,
    ),
    Scenario(
        "fastclose_server",
        "the server aborts a connection with one subflow",
        "end fastclose, MP_FASTCLOSE by the server",
        _fastclose_server,
        captures=CLIENT,
        proof={"sv": {"MPFastcloseTx": 1}, "cl": {"MPFastcloseRx": 1}},
        complete=False,
    ),
    Scenario(
        "subflow_reset",
        "the client's second subflow is killed (ss -K) in the middle",
        "the second subflow ends with a reset, with the reason in MP_TCPRST; the first carries on",
        _subflow_killed,
        captures=SERVER,
        proof={"sv": {"MPRstRx": 1}},
    ),
    Scenario(
        "cut_off",
        "the only path falls silent and both sides give up",
        "end open or reset: no DATA_FIN acknowledged, octets outstanding",
        _cut_off,
        captures=CLIENT,
        complete=False,
    ),
    Scenario(
        "third_ack_lost",
        "the third ACK is lost; the first data carries both keys",
        "established: keys from the first data (MP_CAPABLE with data length)",
        _third_ack_lost,
        captures=SERVER,
        proof={"sv": {"MPCapableACKRX": 1}},
    ),
    Scenario(
        "server_speaks_first",
        "the client sends only after the server has ended its stream",
        "keys from the third ACK; the server's direction ends long before the client's",
        _server_speaks_first,
        captures=CLIENT,
        proof={"sv": {"MPCapableACKRX": 1}},
    ),
    Scenario(
        "no_data",
        "a connection without a single octet",
        "established, no octets, DATA_FIN both ways",
        _no_data,
        captures=CLIENT,
        proof={"sv": {"MPCapableACKRX": 1}},
    ),
)
