"""Data in the SYN (TCP Fast Open): outside of the data sequence space, if the server takes it.

What is written here is what two Linux hosts do (RFC 8684 appendix B.2): subflow sequence numbers
begin behind the data of the SYN, and data sequence numbers do not count it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mptrace.analysis import Analysis

if TYPE_CHECKING:
    from tests.mptrace.analysis.findings.conftest import Play

SYN, ACK = 0x02, 0x10
CLIENT_KEY, SERVER_KEY = 0x0123456789ABCDEF, 0xFEDCBA9876543210


def opened(p: Play, *, taken: int) -> None:
    """A handshake with 500 octets in the SYN, of which the server takes some, and a transfer."""
    first = p.stream()
    p.send(first, 0, SYN, p.capable(), bytes(500))
    first.seq[0] -= 500 - taken
    p.send(first, 1, SYN | ACK, p.capable(SERVER_KEY))
    p.send(first, 0, ACK, p.capable(CLIENT_KEY, SERVER_KEY))
    p.transfer(first, 2000)
    p.close(first)


def test_taken(play: type[Play], analyzed: Callable[[Path], Analysis], tmp_path: Path) -> None:
    written = play()
    opened(written, taken=500)
    analysis = analyzed(written.write(tmp_path / "capture.pcap"))
    (connection,) = analysis
    way = connection.client_to_server
    assert (way.unique_octets, way.acked_octets, way.missing_octets) == (2000, 2000, 0)
    assert (way.unmapped_octets, way.payload_octets) == (500, 2500)
    packets = analysis.packets
    sent = packets[(packets["tcp.len"] > 0) & (packets["mptrace.direction"] == "client_to_server")]
    assert sent["mptcp.dsn"].dropna().tolist()[0] == 1
    assert [finding.code for finding in analysis.findings] == ["fast_open_data"]


def test_not_taken(play: type[Play], analyzed: Callable[[Path], Analysis], tmp_path: Path) -> None:
    written = play()
    opened(written, taken=0)
    analysis = analyzed(written.write(tmp_path / "capture.pcap"))
    (connection,) = analysis
    way = connection.client_to_server
    assert (way.unique_octets, way.acked_octets, way.unmapped_octets) == (2000, 2000, 0)
    assert way.retransmitted_octets == 500, "the data of the SYN is sent again"
    assert not analysis.findings
