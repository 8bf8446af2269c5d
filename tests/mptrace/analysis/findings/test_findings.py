"""What holds of all findings: order, numbers, proof; and of what captures can't show."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dissector.options import AddAddress, MpExperimental, MpFastclose, NoOperation, TcpOption
from mptrace.analysis.findings.catalog import CATALOG
from mptrace.analysis.results import Analysis

if TYPE_CHECKING:
    from tests.mptrace.analysis.findings.conftest import Play

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
Analyze = Callable[[Path], Analysis]


def codes(analysis: Analysis) -> list[str]:
    return [finding.code for finding in analysis.findings]


def test_findings_are_in_order_and_prove_what_they_say(root: Path, analyzed: Analyze) -> None:
    kinds = {kind.code: kind for kind in CATALOG}
    seen = 0
    for path in sorted((root / "samples").glob("*/*.pcap*")):
        analysis = analyzed(path)
        about = [finding.connection for finding in analysis.findings]
        own = analysis.findings[about.count(None) :]  # those about the capture come first
        order = [(finding.connection or 0, finding.packets[0]) for finding in own]
        assert order == sorted(order)
        for finding in analysis.findings:
            seen += 1
            kind = kinds[finding.code]
            assert finding.severity == kind.severity
            assert finding.packets == tuple(sorted(set(finding.packets)))
            assert len(finding.packets) <= 100
            assert finding.packet_count >= len(finding.packets)
            assert finding.message.endswith(".")
            assert finding.message[0].isupper() or finding.message[0].isdigit()
            if finding.connection is not None:
                connection = analysis[finding.connection]
                assert finding.reference == kind.reference(connection.version)
                assert finding.packets
                assert connection.first_packet <= finding.packets[0]
                assert finding.packets[-1] <= connection.last_packet
                if finding.subflow is not None:
                    assert finding.subflow in range(len(connection.subflows))
    assert seen > 50


def test_a_flood_of_one_kind_is_folded(play: type[Play], analyzed: Analyze, tmp_path: Path) -> None:
    p = play()
    first = p.open()
    p.transfer(first)
    refused = []
    for _ in range(140):
        stream = p.stream("10.0.2.1")
        refused += [p.join_syn(stream), p.send(stream, 1, RST | ACK)]
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    found = [finding for finding in analysis.findings if finding.code == "join_refused"]
    assert len(found) == 26
    (rest,) = [finding for finding in found if finding.subflow is None]
    assert rest.message == "The same 115 times more, on 115 subflows."
    assert rest.packets == tuple(refused[50:150])
    assert rest.packet_count == 230


def test_a_repeated_thing_is_one_finding_that_counts(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first = p.open()
    sent = [p.send(first, 0, ACK, [MpExperimental(0, b"\x01")]) for _ in range(150)]
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    (finding,) = [f for f in analysis.findings if f.code == "option_experimental"]
    assert finding.packets == tuple(sent[:100])
    assert finding.packet_count == 150
    assert "150 experimental MPTCP options" in finding.message


def test_one_direction_makes_no_claims_about_the_other(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    """The server's packets are not in the capture: no stall, nothing unanswered, nothing lost."""
    p = play()
    first = p.stream()
    p.send(first, 0, SYN, p.capable())
    first.seq[1] += 1
    p.send(first, 0, ACK, p.capable(0x0123456789ABCDEF, 0xFEDCBA9876543210))
    p.data(first, 0, 5000)
    p.wait(2)
    p.join_syn(p.stream("10.0.2.1"))
    p.wait(2)
    p.data(first, 0, 5000)
    p.data_fin(first, 0)
    p.wait(2)
    p.data_ack(first, 0)
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    assert sorted(codes(analysis)) == ["connection_open", "one_side_only"]


def test_answers_that_may_still_come_are_not_missed(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    for seconds, missed in ((0.1, False), (0.5, True)):
        p = play()
        first = p.open()
        p.transfer(first)
        p.send(first, 1, ACK, [AddAddress(1, 7, ip_address("10.0.7.1"), None, False, bytes(8))])
        p.send(first, 1, ACK, [p.advertisement(8, "10.0.8.1")])
        p.wait(seconds)
        p.transfer(first)
        analysis = analyzed(p.write(tmp_path / f"{seconds}.pcap"))
        assert ("add_addr_not_echoed" in codes(analysis)) is missed
        # what the receiver must ignore has no echo to be missed
        (wrong,) = [f for f in analysis.findings if f.code == "add_addr_hmac_wrong"]
        assert "10.0.7.1" in wrong.message
        assert "10.0.8.1" not in wrong.message


def test_malformed_options_on_other_streams_are_told(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    p.transfer(p.open())
    plain = p.stream("10.0.5.1")
    p.send(plain, 0, SYN)
    p.send(plain, 1, SYN | ACK)
    packet = p.send(plain, 0, ACK, b"\x1e\x05\x70\x00\x00\x01\x01\x01", b"hello")
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    (finding,) = [f for f in analysis.findings if f.code == "option_malformed"]
    assert finding.connection is None
    assert finding.packets == (packet,)


@pytest.mark.parametrize("late", [False, True])
def test_a_reset_that_belongs_to_the_end_is_none_to_report(
    late: bool, play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first, second = p.open(), p.join()
    p.transfer(first)
    p.transfer(second)
    if late:
        p.end_data(first)
    p.send(second, 1, RST | ACK)
    if not late:
        p.end_data(first)
    p.fins(first)
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    assert ("subflow_reset" in codes(analysis)) is not late


def test_the_idle_backup_is_none_to_report(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    for backup in (False, True):
        p = play()
        first, second = p.open(), p.join(backup=backup)
        p.transfer(first, 60_000)
        p.close(first, second)
        analysis = analyzed(p.write(tmp_path / f"{backup}.pcap"))
        assert codes(analysis) == ([] if backup else ["subflow_idle"])


def test_the_end_of_the_capture_is_no_missing_answer(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first = p.open()
    p.transfer(first)
    p.data_fin(first, 0)
    p.data(first, 1)
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    assert codes(analysis) == ["connection_open"]


def test_who_closed_a_subflow_is_not_silent_on_it(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first, second = p.open(), p.join()
    p.transfer(second)
    p.send(second, 0, FIN | ACK)
    p.wait(1)
    p.transfer(first)
    p.close(first)
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    (finding,) = [f for f in analysis.findings if f.code == "subflow_silent"]
    assert "nothing more comes from the server" in finding.message


def test_gaps_are_counted(play: type[Play], analyzed: Analyze, tmp_path: Path) -> None:
    p = play()
    first = p.open()
    for lost in (1000, 500):
        p.transfer(first)
        first.seq[0] += lost
        first.mapped[0] += lost
        p.next_data[0] += lost
    p.transfer(first)
    p.close(first)
    (finding,) = analyzed(p.write(tmp_path / "capture.pcap")).findings
    assert finding.message.startswith("1,500 octets of 10,500 from client to server")
    assert "2 gaps" in finding.message


def test_data_that_crosses_an_abort_makes_no_handover(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first, second = p.open(), p.join()
    p.transfer(first)
    p.data(second, 1)
    p.send(second, 0, RST | ACK, [MpFastclose(0xFEDCBA9876543210)])
    p.data(first, 1)
    analysis = analyzed(p.write(tmp_path / "capture.pcap"))
    assert codes(analysis) == ["fastclose"]


def test_cut_options_are_the_only_thing_said_of_what_they_hide(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    """The DATA_ACKs and the end may all be there, behind the 48 octets that were captured."""
    p = play()
    first = p.open()
    p.transfer(first)
    p.wait(2)
    p.transfer(first)
    p.end_data(first)
    p.wait(2)
    p.fins(first)
    analysis = analyzed(p.write(tmp_path / "capture.pcap", snaplen=48))
    assert codes(analysis) == ["packets_truncated", "options_truncated"]


def test_data_acks_that_were_cut_off_make_no_stall(
    play: type[Play], analyzed: Analyze, tmp_path: Path
) -> None:
    p = play()
    first = p.open()
    for _ in range(3):
        p.data(first, 0)
        p.wait(1)
        padding: list[TcpOption] = [NoOperation()] * 12
        p.send(first, 1, ACK, [*padding, p.signal(1)])
    whole = analyzed(p.write(tmp_path / "whole.pcap"))
    assert codes(whole) == ["connection_open"]
    cut = analyzed(p.write(tmp_path / "cut.pcap", snaplen=60))
    assert cut[0].client_to_server.unique_octets == 3000
    assert codes(cut) == ["packets_truncated", "options_truncated"]
