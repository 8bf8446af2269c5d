"""Connections that go on as plain TCP, each for another reason."""

from __future__ import annotations

from samples.recording.middlebox import (
    after_syn,
    corrupt_option,
    drop,
    remove_capable,
    remove_option,
    rewrite_payload,
    syn,
    syn_ack,
)
from samples.recording.scenario import BOTH, CLIENT, SERVER, Scenario
from samples.recording.segment import MP_CAPABLE, Segment
from samples.recording.stage import AFTER_JOIN, Stage


def _plain(stage: Stage) -> None:
    with stage.recording():
        stage.transfer(20_000, 10_000)


def _removed_from_syn(stage: Stage) -> None:
    stage.paths[0].up.middleboxes.append(remove_capable(syn))
    _plain(stage)


def _removed_from_syn_ack(stage: Stage) -> None:
    stage.paths[0].down.middleboxes.append(remove_capable(syn_ack))
    _plain(stage)


def _removed_from_third_ack(stage: Stage) -> None:
    stage.paths[0].up.middleboxes.append(remove_capable(after_syn))
    _plain(stage)


def _removed_after_handshake(stage: Stage) -> None:
    def behind_third_ack(segment: Segment) -> bool:
        return after_syn(segment) and segment.payload_octets > 0

    stage.paths[0].up.middleboxes.append(remove_option((), behind_third_ack))
    stage.paths[0].down.middleboxes.append(remove_option((), after_syn))
    _plain(stage)


def _server_data_stripped(stage: Stage) -> None:
    stage.paths[0].down.middleboxes.append(remove_option((), after_syn))
    _plain(stage)


def _plain_server(stage: Stage) -> None:
    with stage.recording():
        stage.transfer(20_000, 10_000, server_mptcp=False)


def _syn_dropped(stage: Stage) -> None:
    def with_option(segment: Segment) -> bool:
        return segment.is_syn and bool(segment.mptcp(MP_CAPABLE))

    stage.paths[0].up.middleboxes.append(drop(with_option))
    with stage.recording():
        stage.transfer(20_000, 20_000, timeout_s=30)


def _key_echoed_wrongly(stage: Stage) -> None:
    stage.paths[0].up.middleboxes.append(corrupt_option(MP_CAPABLE, 14, after_syn))
    _plain(stage)


def _mp_fail_single(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    stage.paths[0].up.middleboxes.append(rewrite_payload(40_000))
    with stage.recording():
        stage.transfer(140_000, 1_000, timeout_s=6)


def _mp_fail_both_ways(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    stage.paths[0].down.middleboxes.append(rewrite_payload(40_000))
    with stage.recording():
        stage.transfer(1_000, 100_000, timeout_s=6)


def _first_data_rewritten(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    stage.paths[0].up.middleboxes.append(rewrite_payload(0))
    with stage.recording():
        stage.transfer(8_000, 4_000, timeout_s=2)


def _mp_fail_multi(stage: Stage) -> None:
    stage.sysctl("checksum_enabled", 1)
    stage.join_second_path()
    stage.paths[1].up.middleboxes.append(rewrite_payload(20_000))
    with stage.recording():
        stage.transfer(120_000, 1_000, **AFTER_JOIN)


SCENARIOS = (
    Scenario(
        "fallback_syn",
        "a middlebox removes MP_CAPABLE from the SYN",
        "client's capture: fallback, MP_CAPABLE missing from the SYN/ACK; server's: plain TCP",
        _removed_from_syn,
        captures=BOTH,
        proof={"cl": {"MPCapableFallbackSYNACK": 1}},
    ),
    Scenario(
        "fallback_syn_ack",
        "a middlebox removes MP_CAPABLE from the SYN/ACK",
        "server's capture: option sent in the SYN/ACK, missing from the third ACK",
        _removed_from_syn_ack,
        captures=BOTH,
        proof={"cl": {"MPCapableFallbackSYNACK": 1}, "sv": {"MPCapableFallbackACK": 1}},
    ),
    Scenario(
        "fallback_third_ack",
        "a middlebox removes MP_CAPABLE from the third ACK and the first data",
        "server's capture: MP_CAPABLE missing from the third ACK",
        _removed_from_third_ack,
        captures=BOTH,
        proof={"sv": {"MPCapableFallbackACK": 1}},
    ),
    Scenario(
        "fallback_first_data",
        "a middlebox removes every MPTCP option behind the handshake",
        "DSS missing on the first data; all octets are delivered as plain TCP",
        _removed_after_handshake,
        captures=BOTH,
        proof={"sv": {"MPCapableACKRX": 1}},
    ),
    Scenario(
        "fallback_server_data",
        "a middlebox removes every MPTCP option of the server behind the SYN/ACK",
        "client's capture: the server's first data has no DSS",
        _server_data_stripped,
        captures=CLIENT,
        proof={"sv": {"MPCapableACKRX": 1}},
        complete=False,
    ),
    Scenario(
        "plain_server",
        "the server has no MPTCP",
        "fallback, MP_CAPABLE missing from the SYN/ACK",
        _plain_server,
        captures=CLIENT,
        proof={"cl": {"MPCapableFallbackSYNACK": 1}},
    ),
    Scenario(
        "syn_dropped",
        "a firewall drops SYNs with MP_CAPABLE; the client gives MPTCP up after two of them",
        "SYNs repeated with the option, then one without: the stream goes on as plain TCP",
        _syn_dropped,
        captures=CLIENT,
        proof={"cl": {"MPCapableSYNTXDrop": 1}},
    ),
    Scenario(
        "key_echoed_wrongly",
        "a middlebox changes the server's key in the third ACK",
        "server's capture: the key in the third ACK is not the one of the SYN/ACK",
        _key_echoed_wrongly,
        captures=SERVER,
        complete=False,
    ),
    Scenario(
        "mp_fail_single",
        "a middlebox rewrites an octet under DSS checksums, one subflow, client sends",
        "checksum failure, MP_FAIL by the server, infinite mapping by the client: fallback",
        _mp_fail_single,
        captures=SERVER,
        proof={"sv": {"DataCsumErr": 1, "MPFailTx": 1}, "cl": {"MPFailRx": 1}},
        complete=False,
    ),
    Scenario(
        "mp_fail_single_server",
        "the same with the server sending",
        "checksum failure, MP_FAIL by the client, infinite mapping by the server",
        _mp_fail_both_ways,
        captures=CLIENT,
        proof={"cl": {"DataCsumErr": 1, "MPFailTx": 1}, "sv": {"MPFailRx": 1}},
        complete=False,
    ),
    Scenario(
        "first_data_rewritten",
        "a middlebox rewrites an octet of the very first mapping under DSS checksums",
        "checksum failure of the first mapping; the server goes on without MPTCP and without "
        "MP_FAIL, the client's octets stay without DATA_ACK",
        _first_data_rewritten,
        captures=SERVER,
        proof={"sv": {"DataCsumErr": 1}},
        complete=False,
    ),
    Scenario(
        "mp_fail_multi",
        "a middlebox rewrites an octet on one of two subflows",
        "checksum failure, MP_FAIL and MP_TCPRST (middlebox interference) on that subflow; "
        "its octets are reinjected on the other",
        _mp_fail_multi,
        captures=BOTH,
        proof={"sv": {"DataCsumErr": 1, "MPFailTx": 1, "MPRstTx": 1}},
    ),
)
