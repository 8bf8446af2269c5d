"""JOINs that fail, each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.recording.middlebox import (
    Middlebox,
    after_syn,
    any_segment,
    corrupt_option,
    drop,
    remove_join,
    syn,
    syn_ack,
)
from samples.recording.scenario import BOTH, CLIENT, SERVER, Scenario
from samples.recording.segment import MP_JOIN

if TYPE_CHECKING:
    from samples.recording.stage import Stage


def _join_through(stage: Stage, up: Middlebox | None, down: Middlebox | None) -> None:
    second = stage.paths[1]
    second.up.middleboxes += [up] if up else []
    second.down.middleboxes += [down] if down else []
    stage.join_second_path()
    with stage.recording():
        stage.transfer(12_000, 6_000, client_pause_s=0.4, server_pause_s=0.1)


def _removed_from_syn(stage: Stage) -> None:
    _join_through(stage, remove_join(syn), None)


def _removed_from_syn_ack(stage: Stage) -> None:
    _join_through(stage, None, remove_join(syn_ack))


def _removed_from_ack(stage: Stage) -> None:
    _join_through(stage, remove_join(after_syn), None)


def _hmac_wrong_in_ack(stage: Stage) -> None:
    _join_through(stage, corrupt_option(MP_JOIN, -1, after_syn), None)


def _hmac_wrong_in_syn_ack(stage: Stage) -> None:
    _join_through(stage, None, corrupt_option(MP_JOIN, 4, syn_ack))


def _token_unknown(stage: Stage) -> None:
    _join_through(stage, corrupt_option(MP_JOIN, 4, syn), None)


def _unanswered(stage: Stage) -> None:
    _join_through(stage, drop(any_segment), None)


def _over_limit(stage: Stage) -> None:
    stage.server.run("ip mptcp limits set subflows 0 add_addr_accepted 0")
    _join_through(stage, None, None)


SCENARIOS = (
    Scenario(
        "join_syn_stripped",
        "a middlebox removes MP_JOIN from the SYN",
        "server's capture: a plain TCP stream; client's: a join answered without the option",
        _removed_from_syn,
        captures=BOTH,
        proof={"cl": {"MPJoinSynTx": 1}},
    ),
    Scenario(
        "join_syn_ack_stripped",
        "a middlebox removes MP_JOIN from the SYN/ACK",
        "client's capture: handshake option_removed, the client resets the subflow",
        _removed_from_syn_ack,
        captures=BOTH,
        proof={"cl": {"MPJoinSynTx": 1}, "sv": {"MPJoinSynRx": 1}},
    ),
    Scenario(
        "join_ack_stripped",
        "a middlebox removes MP_JOIN from the third ACK",
        "server's capture: no third ACK with its HMAC; no octet on the second subflow",
        _removed_from_ack,
        captures=BOTH,
        proof={"cl": {"MPJoinSynAckRx": 1}, "sv": {"MPJoinSynRx": 1}},
    ),
    Scenario(
        "join_ack_hmac_wrong",
        "a middlebox corrupts the client's HMAC in the third ACK",
        "server's capture: HMAC of the client wrong, subflow reset; client's: HMAC right",
        _hmac_wrong_in_ack,
        captures=BOTH,
        proof={"sv": {"MPJoinAckHMacFailure": 1}},
    ),
    Scenario(
        "join_syn_ack_hmac_wrong",
        "a middlebox corrupts the server's HMAC in the SYN/ACK",
        "client's capture: HMAC of the server wrong, subflow reset by the client",
        _hmac_wrong_in_syn_ack,
        captures=BOTH,
        proof={"cl": {"MPJoinSynAckHMacFailure": 1}},
    ),
    Scenario(
        "join_token_unknown",
        "a middlebox corrupts the token in the JOIN's SYN",
        "server's capture: a join that no key explains, refused by RST",
        _token_unknown,
        captures=BOTH,
        proof={"sv": {"MPJoinNoTokenFound": 1}},
    ),
    Scenario(
        "join_unanswered",
        "the second path swallows the JOIN's SYN",
        "a second subflow without SYN/ACK",
        _unanswered,
        captures=CLIENT,
        proof={"cl": {"MPJoinSynTx": 1}},
    ),
    Scenario(
        "join_over_limit",
        "the server allows no further subflow",
        "the join is refused by the server (MP_TCPRST where the kernel sends it)",
        _over_limit,
        captures=SERVER,
        proof={"cl": {"MPJoinSynTx": 1}, "sv": {"MPJoinSynRx": 1}},
    ),
)
