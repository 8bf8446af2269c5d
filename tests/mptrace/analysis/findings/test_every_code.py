"""Each code of the catalog has a capture that triggers it, by the right packets, and one that does
not; recorded where the kernel and middleboxes do it, written packet by packet where they don't."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dissector.options import MpCapable, MpExperimental, MpFastclose, MpJoinAck, UnknownMptcpOption
from mptrace.analysis.findings.catalog import CATALOG
from mptrace.analysis.model import Finding
from mptrace.analysis.results import Analysis

if TYPE_CHECKING:
    from tests.mptrace.analysis.findings.conftest import Play, Told

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
CLIENT_KEY, SERVER_KEY = 0x0123456789ABCDEF, 0xFEDCBA9876543210

Analyze = Callable[[Path], Analysis]
Packets = tuple[int, ...]


# --- captures written for one code each: the function's name is the code, what it returns are the
# --- packets that prove it


def key_changed(p: Play) -> Packets:
    stream = p.stream()
    p.send(stream, 0, SYN, p.capable())
    p.send(stream, 1, SYN | ACK, p.capable(SERVER_KEY))
    stream.seq[1] -= 1
    again = p.send(stream, 1, SYN | ACK, p.capable(SERVER_KEY + 1))
    p.send(stream, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    p.transfer(stream)
    p.close(stream)
    return (again,)


def version_lowered(p: Play) -> Packets:
    stream = p.stream()
    p.send(stream, 0, SYN, p.capable())
    p.version = 0
    answer = p.send(stream, 1, SYN | ACK, p.capable(SERVER_KEY))
    p.send(stream, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    return (answer,)


def version_raised(p: Play) -> Packets:
    stream = p.stream()
    p.send(stream, 0, SYN, p.capable(CLIENT_KEY, version=0))
    answer = p.send(stream, 1, SYN | ACK, p.capable(SERVER_KEY))
    p.send(stream, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    return (answer,)


def version_unknown(p: Play) -> Packets:
    return (p.send(p.stream(), 0, SYN, [UnknownMptcpOption(0, 7, b"\x01")]),)


def connection_unanswered(p: Play) -> Packets:
    stream = p.stream()
    first = p.send(stream, 0, SYN, p.capable())
    for seconds in (1, 2):
        p.wait(seconds)
        stream.seq[0] -= 1
        p.send(stream, 0, SYN, p.capable())
    return (first,)


def connection_refused(p: Play) -> Packets:
    stream = p.stream()
    syn = p.send(stream, 0, SYN, p.capable())
    return syn, p.send(stream, 1, RST | ACK)


def handshake_incomplete(p: Play) -> Packets:
    stream = p.stream()
    syn = p.send(stream, 0, SYN, p.capable())
    return syn, p.send(stream, 1, SYN | ACK, p.capable(SERVER_KEY))


def one_side_only(p: Play) -> Packets:
    stream = p.stream()
    first = p.send(stream, 0, SYN, p.capable())
    stream.seq[1] += 1
    p.send(stream, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    return first, p.data(stream, 0, 5000)


def join_third_ack_missing(p: Play) -> Packets:
    first, second = p.open(), p.stream("10.0.2.1")
    p.transfer(first)
    syn, answer = p.join_syn(second), p.join_syn_ack(second)
    p.wait(3)
    p.transfer(first)
    p.close(first)
    return syn, answer


def join_unfinished(p: Play) -> Packets:
    first, second = p.open(), p.stream("10.0.2.1")
    p.transfer(first)
    syn = p.join_syn(second)
    p.wait(0.1)
    p.transfer(first)
    return (syn,)


def join_by_other_hash(p: Play) -> Packets:
    first, second = p.open(), p.stream("10.0.2.1")
    p.transfer(first)
    return (p.join_syn(second, version=0),)


def join_after_close(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    p.end_data(first)
    syn = p.join_syn(p.stream("10.0.2.1"))
    p.fins(first)
    return (syn,)


def join_denied_address(p: Play) -> Packets:
    p.flags |= 0x20
    p.transfer(p.open())
    return (p.join_syn(p.stream("10.0.2.1")),)


def add_addr_echo_unmatched(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.echo(first, 1, "10.0.3.1", 3),)


def unmapped_data(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    packet = p.send(first, 0, ACK, b"", bytes(700))
    first.mapped[0] += 700
    p.transfer(first)
    p.close(first)
    return (packet,)


def mapping_not_captured(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    first.seq[0] += 500  # a packet that the capture lost, and with it the mapping of what follows
    packet = p.send(first, 0, ACK, b"", bytes(700))
    first.mapped[0] += 1200
    p.transfer(first)
    return (packet,)


def fast_open_data(p: Play) -> Packets:
    first = p.stream()
    syn = p.send(first, 0, SYN, p.capable(), bytes(500))
    p.send(first, 1, SYN | ACK, p.capable(SERVER_KEY))
    p.send(first, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    p.transfer(first)
    p.close(first)
    return (syn,)


def mapping_conflict(p: Play) -> Packets:
    first = p.open()
    p.transfer(first, 2000)
    p.next_data[0] += 3000
    option = p.mapping(0, p.next_data[0], 1, 1000)
    return (p.send(first, 0, ACK, [option]),)


def dsn_implausible(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    option = p.mapping(0, p.next_data[0] + (1 << 60), first.mapped[0], 1000)
    return (p.send(first, 0, ACK, [option], bytes(1000)),)


def data_fin_missing(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return tuple(p.send(first, side, FIN | ACK, [p.signal(side)]) for side in (0, 1))


def data_fin_unacknowledged(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    fin = p.data_fin(first, 0)
    p.wait(1)
    p.next_data[0] -= 1
    p.data_ack(first, 1)
    return (fin,)


def data_fin_contradicted(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    fin = p.data_fin(first, 0)
    later = p.data_fin(first, 0, p.next_data[0] + 5000)
    return fin, later


def connection_reset(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    p.data(first, 0, 2000)
    return (p.send(first, 1, RST | ACK),)


def fastclose_key_wrong(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.send(first, 1, ACK, [MpFastclose(CLIENT_KEY ^ 1)]),)


def handover(p: Play) -> Packets:
    first, second = p.open(), p.join()
    p.transfer(first)
    p.transfer(second)
    lost = p.next_data[0]
    last = p.data(first, 0)
    p.wait(1)
    p.again(second, 0, lost)
    p.data_ack(second, 1)
    onto = p.data(second, 0)
    p.data_ack(second, 1)
    p.close(second)
    return last, onto


def stall(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    sent = p.data(first, 0, 2000)
    p.wait(2)
    answer = p.data_ack(first, 1)
    p.close(first)
    return sent - 1, answer


def subflow_idle(p: Play) -> Packets:
    first, second = p.open(), p.stream("10.0.2.1")
    p.join_syn(second)
    p.join_syn_ack(second)
    hmac = _join_ack()
    joined = p.send(second, 0, ACK, [hmac])
    p.data_ack(second, 1)
    p.transfer(first, 60_000)
    p.close(first, second)
    return (joined,)


def spurious_reinjection(p: Play) -> Packets:
    first, second = p.open(), p.join()
    p.transfer(second)
    done = p.next_data[0]
    p.transfer(first, 1000)
    packet = p.again(second, 0, done)
    p.data_ack(second, 1)
    p.close(first, second)
    return (packet,)


def missing_octets(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    first.seq[0] += 1000  # captured by nobody
    first.mapped[0] += 1000
    p.next_data[0] += 1000
    packet = p.data_ack(first, 1)
    p.transfer(first)
    p.close(first)
    return (packet,)


def option_malformed(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.send(first, 1, ACK, b"\x1e\x05\x70\x00\x00\x01\x01\x01"),)


def option_unknown(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.send(first, 0, ACK, [UnknownMptcpOption(0xC, 0, b"\x01")]),)


def option_experimental(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.send(first, 0, ACK, [MpExperimental(0, b"\x01")]),)


def option_out_of_place(p: Play) -> Packets:
    first = p.open()
    p.transfer(first)
    return (p.send(first, 1, ACK, [MpCapable(1, 1, SERVER_KEY, CLIENT_KEY)]),)


def capture_damaged(p: Play) -> Packets:
    p.transfer(p.open())
    return ()


def capture_duplicates(p: Play) -> Packets:
    p.transfer(p.open())
    p.records.append(p.records[-1])
    return ()


def ip_fragments(p: Play) -> Packets:
    p.transfer(p.open())
    fragment = bytearray(p.records[-1][1])
    fragment[6:8] = struct.pack(">H", 0x2000 | 100)
    p.record(bytes(fragment))
    return ()


def packets_unreadable(p: Play) -> Packets:
    p.transfer(p.open())
    p.record(b"\x45\x00\x00")
    return ()


MADE = {
    scenario.__name__: scenario
    for scenario in (
        key_changed, version_lowered, version_raised, version_unknown, connection_unanswered,
        connection_refused, handshake_incomplete, one_side_only, join_third_ack_missing,
        join_unfinished, join_by_other_hash, join_after_close, join_denied_address,
        add_addr_echo_unmatched, unmapped_data, mapping_not_captured, fast_open_data,
        mapping_conflict,
        dsn_implausible, data_fin_missing, data_fin_unacknowledged, data_fin_contradicted,
        connection_reset, fastclose_key_wrong, handover, stall, subflow_idle,
        spurious_reinjection, missing_octets,
        option_malformed, option_unknown, option_experimental, option_out_of_place,
        capture_damaged, capture_duplicates, ip_fragments, packets_unreadable,
    )
}  # fmt: skip


def _join_ack() -> MpJoinAck:
    from dissector import keys

    return MpJoinAck(keys.join_ack_hmac(CLIENT_KEY, SERVER_KEY, 111, 222, 1))


# --- recorded samples: the subflow that a finding is about, and what its packets are in dpkt's
# --- words (more packets than are named here may follow)

RECORDED: dict[str, tuple[str, int | None, list[str]]] = {
    "key_echoed_wrongly": ("key_echoed_wrongly/server", 0, ["ACK MP_CAPABLE"]),
    "connection_partial": ("late_capture/client", None, ["ACK DSS data"]),
    "fallback_syn_ack": ("plain_server/client", 0, ["SYN/ACK"]),
    "fallback_syn_retransmission": (
        "syn_dropped/client", 0, ["SYN MP_CAPABLE", "SYN", "SYN/ACK"]),
    "fallback_third_ack": ("fallback_syn_ack/server", 0, ["SYN/ACK MP_CAPABLE", "ACK"]),
    "fallback_first_data": ("fallback_third_ack/client", 0, ["ACK data"]),
    "fallback_dss_stopped": ("first_data_rewritten/server", 0, ["FIN"]),
    "fallback_checksum": ("mp_fail_single/server", 0, ["ACK DSS MP_FAIL", "ACK DSS MP_FAIL"]),
    "fallback_infinite_mapping": ("v0_fallback/client", 0, ["ACK DSS data"]),
    "join_unanswered": ("join_unanswered/client", 1, ["SYN MP_JOIN"]),
    "join_refused": ("join_refused/client", 1, ["SYN MP_JOIN", "RST"]),
    "join_prohibited": ("join_over_limit/server", 1, ["SYN MP_JOIN", "RST MP_TCPRST"]),
    "join_option_removed": (
        "join_syn_ack_stripped/client", 1, ["SYN MP_JOIN", "SYN/ACK", "RST MP_TCPRST"]),
    "join_hmac_wrong": ("join_ack_hmac_wrong/server", 1, ["ACK MP_JOIN", "RST MP_TCPRST"]),
    "join_token_unknown": ("join_token_unknown/server", 0, ["SYN MP_JOIN", "RST MP_TCPRST"]),
    "handshake_stripped": (
        "join_syn_stripped/server", None, ["SYN", "SYN/ACK", "RST MP_TCPRST"]),
    "add_addr_hmac_wrong": ("add_address_hmac_wrong/client", None, ["ACK ADD_ADDR"]),
    "add_addr_not_echoed": ("add_address_lost/server", None, ["ACK ADD_ADDR"]),
    "add_addr_not_joined": ("add_address_not_joined/client", None, ["ACK ADD_ADDR"]),
    "address_removed": ("remove_address/client", 1, ["ACK DSS REMOVE_ADDR"]),
    "priority_changed": ("priority/client", 1, ["ACK DSS MP_PRIO", "ACK DSS MP_PRIO"]),
    "checksum_wrong": ("mp_fail_multi/server", 1, ["ACK DSS data"]),
    "mp_fail": ("mp_fail_multi/client", 1, ["RST MP_FAIL MP_TCPRST"]),
    "connection_open": ("cut_off/client", None, ["ACK DSS data"]),
    "subflow_reset": ("subflow_reset/server", 1, ["RST MP_TCPRST"]),
    "fastclose": ("fastclose_server/client", None, ["RST MP_FASTCLOSE MP_TCPRST"]),
    "subflow_silent": ("cut_off/client", 0, ["ACK DSS data", "ACK DSS"]),
    "packets_truncated": ("snaplen/client", None, []),
    "options_truncated": ("snaplen/server", None, ["ACK DSS", "ACK DSS", "ACK DSS"]),
    "checksums_unverifiable": ("snaplen_checksum/client", None, ["ACK DSS data"]),
}  # fmt: skip

# --- captures in which the thing is nearly there, or there for a reason that is none to report

QUIET: dict[str, str] = {
    "key_echoed_wrongly": "third_ack_lost/server",  # the keys come again with the first data
    "key_changed": "port_reuse/client",  # another connection on the same ports
    "version_lowered": "aggregate/client",
    "version_raised": "v0_two_subflows/client",
    "version_unknown": "v0_two_subflows/client",
    "connection_unanswered": "syn_dropped/client",  # answered in the end
    "connection_refused": "fastclose_server/client",  # a RST, but after the handshake
    "handshake_incomplete": "third_ack_lost/server",
    "connection_partial": "join_token_unknown/server",  # a join that nobody took
    "one_side_only": "join_unanswered/client",
    "fallback_syn_ack": "fallback_syn_ack/server",  # here the SYN/ACK still has the option
    "fallback_syn_retransmission": "plain_server/client",
    "fallback_third_ack": "third_ack_lost/server",
    "fallback_first_data": "server_speaks_first/client",
    "fallback_dss_stopped": "subflow_reset/server",
    "fallback_checksum": "mp_fail_multi/server",  # another subflow was left
    "fallback_infinite_mapping": "mp_fail_single/server",  # MP_FAIL asked for it
    "join_unanswered": "join_refused/client",
    "join_refused": "join_unanswered/client",
    "join_prohibited": "join_refused/client",
    "join_option_removed": "join_syn_ack_stripped/server",  # removed behind this capture point
    "join_hmac_wrong": "join_ack_hmac_wrong/client",  # changed behind this capture point
    "join_token_unknown": "second_interface_only/client",  # not captured, but it did succeed
    "join_third_ack_missing": "join_unanswered/client",
    "join_unfinished": "join_refused/client",
    "join_by_other_hash": "v0_two_subflows/client",
    "join_after_close": "server_joins/client",
    "join_denied_address": "add_address/client",
    "handshake_stripped": "fallback_syn/server",  # plain TCP that both hosts take for plain TCP
    "add_addr_hmac_wrong": "add_address_hmac_wrong/server",  # still right at its sender
    "add_addr_not_echoed": "v0_add_address/client",  # v0 has no echo
    "add_addr_not_joined": "join_refused/client",  # tried and refused
    "add_addr_echo_unmatched": "add_address/server",
    "address_removed": "subflow_reset/server",
    "priority_changed": "backup_idle/client",  # a backup from its beginning
    "checksum_wrong": "snaplen_checksum/client",  # can't be verified
    "mp_fail": "checksum/client",
    "unmapped_data": "snaplen/server",  # the mappings were cut off by the capture
    "mapping_not_captured": "fallback_first_data/client",  # plain TCP has no mappings
    "fast_open_data": "fallback_first_data/client",  # no data comes before the third ACK
    "mapping_conflict": "remove_address/client",  # remapped under new subflow numbers
    "dsn_implausible": "late_capture/client",
    "data_fin_missing": "fallback_third_ack/client",  # plain TCP ends with FINs
    "data_fin_unacknowledged": "no_data/client",
    "data_fin_contradicted": "aggregate/server",  # the same DATA_FIN on both subflows
    "connection_open": "walkout/client",  # one subflow was never closed, the connection was
    "subflow_reset": "remove_address_server/server",  # the address was removed before
    "connection_reset": "fastclose/client",
    "fastclose": "subflow_reset/server",
    "fastclose_key_wrong": "fastclose/client",
    "handover": "aggregate/client",  # both carry data in turns
    "stall": "unequal/client",
    "subflow_silent": "backup_idle/client",
    "subflow_idle": "backup_idle/client",  # backups are there to be idle
    "spurious_reinjection": "loss/client",
    "missing_octets": "fastclose/client",  # lost on the way, and acknowledged by nobody
    "option_malformed": "fullmesh/client",
    "option_unknown": "fullmesh/client",
    "option_experimental": "fullmesh/client",
    "option_out_of_place": "third_ack_lost/server",
    "capture_damaged": "late_capture/client",
    "packets_truncated": "offload/client",
    "options_truncated": "snaplen/client",  # cut behind the options
    "checksums_unverifiable": "checksum/server",
    "ip_fragments": "offload/client",
    "capture_duplicates": "two_interfaces/client",
    "packets_unreadable": "two_interfaces/client",
}

SILENT = ("aggregate/client", "aggregate/server", "add_address_ipv6/client", "backup_idle/client",
          "checksum/client", "fullmesh/client", "loss/client", "many/client", "no_data/client",
          "offload/client", "server_joins/server", "two_interfaces/client", "unequal/client",
          "v0_two_subflows/client")  # fmt: skip


def finding_of(analysis: Analysis, code: str) -> Finding:
    """Return the one finding of this code."""
    (found,) = [finding for finding in analysis.findings if finding.code == code]
    return found


@pytest.mark.parametrize("code", MADE)
def test_a_written_capture_triggers(
    code: str, play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    written = play()
    packets = MADE[code](written)
    cut = 5 if code == "capture_damaged" else 0
    analysis = analyzed(written.write(tmp_path / "capture.pcap", cut=cut))
    finding = finding_of(analysis, code)
    assert finding.packets == packets


@pytest.mark.parametrize("code", RECORDED)
def test_a_recorded_capture_triggers(
    code: str, sample: Callable[[str], Path], analyzed: Analyze, told: Callable[[Path], Told]
) -> None:
    name, subflow, words = RECORDED[code]
    path = sample(name)
    finding = finding_of(analyzed(path), code)
    assert finding.subflow == subflow
    assert told(path).words(finding.packets[: len(words)]) == words
    assert finding.packet_count >= len(finding.packets) >= len(words)


@pytest.mark.parametrize("code", QUIET)
def test_a_capture_that_is_nearly_so_does_not(
    code: str, sample: Callable[[str], Path], analyzed: Analyze
) -> None:
    codes = {finding.code for finding in analyzed(sample(QUIET[code])).findings}
    assert code not in codes


@pytest.mark.parametrize("name", SILENT)
def test_what_is_normal_makes_no_finding(
    name: str, sample: Callable[[str], Path], analyzed: Analyze
) -> None:
    assert analyzed(sample(name)).findings == ()


def test_every_code_has_both() -> None:
    codes = {kind.code for kind in CATALOG}
    assert codes == {*MADE, *RECORDED}
    assert codes == set(QUIET)
    assert not set(MADE) & set(RECORDED)
