"""What a correct analysis says of each sample beyond octets: states, handshakes, causes, addresses.

Written down from what each scenario does on the wire, seen from the host that captured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mptrace import Analysis

AnalysisOf = Callable[[Any], Analysis]
CaptureOf = Callable[[str], Any]

FALLBACK = {
    "fallback_syn/client": "mp_capable_missing_in_syn_ack",
    "fallback_syn_ack/client": "mp_capable_missing_in_syn_ack",
    "fallback_syn_ack/server": "mp_capable_missing_in_third_ack",
    "fallback_third_ack/client": "dss_missing_on_first_data",
    "fallback_third_ack/server": "mp_capable_missing_in_third_ack",
    "fallback_first_data/client": "dss_missing_on_first_data",
    "fallback_first_data/server": "dss_missing_on_first_data",
    "fallback_server_data/client": "dss_missing_on_first_data",
    "plain_server/client": "mp_capable_missing_in_syn_ack",
    "syn_dropped/client": "mp_capable_missing_in_syn_retransmission",
    "first_data_rewritten/server": "dss_stopped",
    "mp_fail_single/server": "checksum_failure",
    "mp_fail_single_server/client": "checksum_failure",
    "v0_mp_fail/client": "checksum_failure",
    "v0_fallback/client": "infinite_mapping",
}
PARTIAL = {"late_capture/client", "second_interface_only/client"}
END = {
    "cut_off/client": "open",
    "fastclose/client": "fastclose",
    "fastclose/server": "fastclose",
    "fastclose_server/client": "fastclose",
    "mp_fail_single/server": "open",
    "snaplen/server": "open",  # the options that end the data are cut off
}
# handshake, HMAC of the client, HMAC of the server, end, code of the reset
JOIN: dict[str, tuple[str, bool | None, bool | None, str, int | None]] = {
    "join_refused/client": ("refused", None, None, "reset", None),
    "join_syn_stripped/client": ("option_removed", None, None, "reset", 1),
    "join_syn_ack_stripped/client": ("option_removed", None, None, "reset", 1),
    "join_syn_ack_stripped/server": ("refused", None, True, "reset", 1),
    "join_ack_stripped/client": ("refused", True, True, "reset", 1),
    "join_ack_stripped/server": ("option_removed", None, True, "reset", 1),
    "join_ack_hmac_wrong/client": ("refused", True, True, "reset", 1),
    "join_ack_hmac_wrong/server": ("refused", False, True, "reset", 1),
    "join_syn_ack_hmac_wrong/client": ("refused", None, False, "reset", 1),
    "join_syn_ack_hmac_wrong/server": ("refused", None, True, "reset", 1),
    "join_token_unknown/client": ("refused", None, None, "reset", 1),
    "join_unanswered/client": ("no_syn_ack", None, None, "open", None),
    "join_over_limit/server": ("refused", True, True, "reset", 3),
    "mp_fail_multi/client": ("complete", True, True, "reset", 6),
    "mp_fail_multi/server": ("complete", True, True, "reset", 6),
    "subflow_reset/server": ("complete", True, True, "reset", 0),
    "fastclose/client": ("complete", True, True, "reset", 0),
    "fastclose/server": ("complete", True, True, "reset", 0),
}
# by, address, port, HMAC, echoed, removed, joined
ADDRESS: dict[str, tuple[str, str, int | None, bool | None, bool, bool, bool]] = {
    "add_address/client": ("server", "10.2.0.2", None, True, True, False, True),
    "add_address/server": ("server", "10.2.0.2", None, True, True, False, True),
    "add_address_ipv6/client": ("server", "fd00:2::2", None, True, True, False, True),
    "add_address_other_family/client": ("server", "fd00:2::2", None, True, True, False, True),
    "add_address_port/server": ("server", "10.2.0.2", 5055, True, True, False, True),
    "add_address_not_echoed/client": ("server", "10.2.0.2", None, True, True, False, False),
    "add_address_not_echoed/server": ("server", "10.2.0.2", None, True, False, False, False),
    "add_address_lost/server": ("server", "10.2.0.2", None, True, False, False, False),
    "add_address_hmac_wrong/client": ("server", "10.2.0.2", None, False, False, False, False),
    "add_address_hmac_wrong/server": ("server", "10.2.0.2", None, True, False, False, False),
    "add_address_not_joined/client": ("server", "10.2.0.2", None, True, True, False, False),
    "join_refused/client": ("server", "10.2.0.2", None, True, True, False, False),
    "remove_address_server/server": ("server", "10.2.0.2", None, True, True, True, True),
    "server_joins/client": ("client", "10.2.0.1", 5066, True, True, False, True),
    "server_joins/server": ("client", "10.2.0.1", 5066, True, True, False, True),
    "fullmesh/client": ("server", "10.2.0.2", None, True, True, False, True),
}
CHECKSUMS = {
    "checksum",
    "snaplen_checksum",
    "mp_fail_multi",
    "mp_fail_single",
    "mp_fail_single_server",
    "first_data_rewritten",
    "v0_two_subflows",
    "v0_fallback",
    "v0_mp_fail",
}
NO_OPTION_OF_BOTH = {"fallback_syn", "fallback_syn_ack", "plain_server", "syn_dropped"}


def test_states_ends_and_causes(sample: Any, analysis_of: AnalysisOf) -> None:
    for connection in analysis_of(sample):
        if sample.id == "join_token_unknown/server" and connection.index == 1:
            assert connection.state == "partial"
            continue
        cause = FALLBACK.get(sample.id)
        expected = "fallback" if cause else "partial" if sample.id in PARTIAL else "established"
        assert connection.state == expected
        assert (connection.fallback.cause if connection.fallback else None) == cause
        assert connection.end == END.get(sample.id, "data_fin")
        if expected != "partial":
            assert connection.version == (0 if sample.name.startswith("v0_") else 1)


def test_checksums_are_in_use_where_they_were_negotiated(
    sample: Any, analysis_of: AnalysisOf
) -> None:
    for connection in analysis_of(sample):
        if connection.state == "partial" or sample.name in NO_OPTION_OF_BOTH:
            continue
        assert connection.checksum == (sample.name in CHECKSUMS)
        ways = (connection.client_to_server, connection.server_to_client)
        # Only the receiver's capture shows what a middlebox on the path did.
        wrong = sum(way.checksum_failures for way in ways)
        rewritten = {
            "mp_fail_multi/server",
            "mp_fail_single/server",
            "mp_fail_single_server/client",
            "first_data_rewritten/server",
            "v0_mp_fail/client",
        }
        assert wrong == (1 if sample.id in rewritten else 0)
        if sample.name == "snaplen_checksum":
            assert all(way.checksums_verified == 0 for way in ways)
            assert all(way.checksums_unverifiable > 0 for way in ways)
        elif connection.checksum:
            assert all(way.checksums_unverifiable == 0 for way in ways)
            assert sum(way.checksums_verified for way in ways) > 0


def test_handshakes_of_joins(sample: Any, analysis_of: AnalysisOf) -> None:
    if sample.name in {"second_interface_only", "late_capture", "snaplen"}:
        return  # a handshake that was not, or not wholly, captured
    usual = ("complete", True, True, "fin", None)
    for connection in analysis_of(sample):
        for subflow in connection.subflows[1:]:
            reset = subflow.reset_reason if subflow.end == "reset" else None
            assert subflow.kind == "join"
            assert (
                subflow.handshake,
                subflow.hmac_valid.client,
                subflow.hmac_valid.server,
                subflow.end,
                reset.code if reset else None,
            ) == JOIN.get(sample.id, usual)


def test_addresses(sample: Any, analysis_of: AnalysisOf) -> None:
    if sample.name == "v0_add_address":
        return
    analysis = analysis_of(sample)
    found = [
        (a.by, a.address, a.port, a.hmac_valid, a.echoed, a.removed, a.joined)
        for connection in analysis
        for a in connection.addresses
    ]
    assert found == ([ADDRESS[sample.id]] if sample.id in ADDRESS else [])


@pytest.mark.parametrize(
    "table", [FALLBACK, END, JOIN, ADDRESS], ids=["FALLBACK", "END", "JOIN", "ADDRESS"]
)
def test_every_line_of_the_tables_has_its_capture(
    table: dict[str, Any], capture_of: CaptureOf
) -> None:
    for name in table:
        assert capture_of(name).path.exists()
