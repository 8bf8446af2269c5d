"""Analyses made by hand: what the views show does not depend on what the analysis finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from mptrace.analysis.model import (
    AdvertisedAddress,
    CaptureSummary,
    Connection,
    ConnectionDirection,
    Damage,
    Distribution,
    Endpoint,
    Event,
    Fallback,
    Finding,
    Handover,
    HmacValidity,
    Host,
    ReinjectedOctets,
    ResetReason,
    Stall,
    Subflow,
    SubflowDirection,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


@dataclass
class MadeAnalysis:
    """A finished analysis that no capture was read for."""

    capture: CaptureSummary
    connection_list: tuple[Connection, ...]
    findings: tuple[Finding, ...]
    plain_tcp_streams: int = 0

    @property
    def packets(self) -> pd.DataFrame:
        return self._frame(0)

    @property
    def mappings(self) -> pd.DataFrame:
        return self._frame(2**64 - 1)

    @property
    def subflows(self) -> pd.DataFrame:
        return self._frame(1)

    @property
    def connections(self) -> pd.DataFrame:
        return self._frame(2)

    def _frame(self, number: int) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        indices = [connection.index for connection in self.connection_list]
        numbers = np.full(len(indices), number, dtype=np.uint64)
        masked = pd.array([2**53 + 1] + [None] * (len(indices) - 1), dtype="UInt64")
        return pd.DataFrame(
            {"mptcp.stream": indices, "number": numbers, "mptcp.dsn": masked[: len(indices)]}
        )


def made_capture(**changes: Any) -> CaptureSummary:
    capture = CaptureSummary(
        path="walkout/client.pcap",
        format="pcap",
        link_types=("LINUX_SLL2",),
        packets=1986,
        tcp_packets=1986,
        mptcp_packets=1985,
        first_time_ns=1_763_633_462_123_456_789,
        duration_s=3.711704,
        truncated_packets=0,
        capture_duplicates=0,
        damage=None,
    )
    return replace(capture, **changes)


def made_subflow(index: int, *, family: int = 4, **changes: Any) -> Subflow:
    def direction(octets: int, share: float | None) -> SubflowDirection:
        return SubflowDirection(
            packets=609,
            payload_octets=octets,
            first_octets=octets - 1400 if octets else 0,
            retransmitted_octets=1400 if octets else 0,
            remapped_octets=0,
            reinjected_octets=35_000 if octets and index else 0,
            unmapped_octets=0,
            contribution=share,
            rtt_s=Distribution(300, 0.0201, 0.0213, 0.0401, 0.12) if octets else None,
            delivered_contribution=share,
            throughput_bps=3_250_000.0,
            max_flight_octets=65_000,
            bursts=12,
        )

    ends = (
        ("10.1.0.1", "10.1.0.2")
        if family == 4
        else ("2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8:1234:5678:9abc:def0:1234:1")
    )
    subflow = Subflow(
        index=index,
        tcp_stream=index,
        kind="join" if index else "initial",
        family=6 if family == 6 else 4,
        client=Endpoint(ends[0], 37_736 + index, 0, index > 0),
        server=Endpoint(ends[1], 5001, 0, False),
        started_by="client",
        handshake="complete",
        hmac_valid=HmacValidity(True if index else None, True if index else None),
        start_s=0.104807 * index,
        duration_s=3.6,
        handshake_s=0.020534,
        third_ack_s=0.020601,
        join_delay_s=0.104807 if index else None,
        end="fin",
        reset_by=None,
        reset_reason=None,
        first_packet=1 + 20 * index,
        last_packet=1986,
        client_to_server=direction(768_000, 0.4882),
        server_to_client=direction(0, None),
    )
    return replace(subflow, **changes)


def made_connection(index: int = 0, *, family: int = 4, **changes: Any) -> Connection:
    forth = ConnectionDirection(
        unique_octets=1_500_000,
        acked_octets=1_500_000,
        missing_octets=0,
        retransmitted_octets=2800,
        remapped_octets=0,
        reinjected_octets=ReinjectedOctets(35_000, 4_000, 30_000, 1_000),
        out_of_order_packets=394,
        out_of_order_octets=551_600,
        goodput_bps=3_251_234.5,
        throughput_bps=3_400_000.0,
        data_fin=True,
        checksum_failures=0,
        max_data_flight_octets=131_072,
        data_rtt_s=Distribution(700, 0.0203, 0.0451, 0.3121, 0.8),
        payload_octets=1_537_800,
        out_of_order_delay_s=Distribution(394, 0.0001, 0.02, 0.2, 0.4),
        out_of_order_max_extent_octets=70_000,
        data_fin_acked=True,
        mappings=1100,
        mappings_by_subflow_count=(1075, 25),
        data_ack_octets=Distribution(600, 1.0, 1400.0, 2800.0, 65_000.0),
        stalls=(Stall(1.1477, 0.412, 65_000, 909, 960, 0),),
        handovers=(Handover(1.1477, 0.412, 0, 1, 909, 960, "stall"),),
    )
    back = ConnectionDirection(
        unique_octets=0,
        acked_octets=0,
        missing_octets=0,
        retransmitted_octets=0,
        remapped_octets=0,
        reinjected_octets=ReinjectedOctets(0, 0, 0, 0),
        out_of_order_packets=0,
        out_of_order_octets=0,
        goodput_bps=None,
        throughput_bps=None,
        data_fin=False,
        checksum_failures=0,
        max_data_flight_octets=0,
        data_rtt_s=None,
    )
    connection = Connection(
        index=index,
        version=1,
        state="established",
        start_s=0.0,
        duration_s=3.711704,
        end="data_fin",
        client=Host(0x0123456789ABCDEF, 0x00C0FFEE, 2**63 + 1),
        server=Host(1, 0xDEADBEEF, 2**64 - 1),
        checksum=False,
        fallback=None,
        addresses=(),
        subflows=(made_subflow(0, family=family), made_subflow(1, family=family)),
        client_to_server=forth,
        server_to_client=back,
        capture_point="client",
        first_packet=1,
        last_packet=1986,
        packets=1986,
        mptcp_packets=1985,
        events=(Event(0.0, 1, "MP_CAPABLE", 0, "client", "MP_CAPABLE v1, flags H"),),
    )
    return replace(connection, **changes)


def made_finding(code: str = "handover", severity: str = "warning", **changes: Any) -> Finding:
    finding = Finding(
        code=code,
        severity="error" if severity == "error" else "note" if severity == "note" else "warning",
        connection=0,
        subflow=0,
        packets=(909, 960),
        message="New data moved from subflow 0 to subflow 1 after a gap of 412 ms.",
        reference="RFC 8684 section 3.3.6",
        packet_count=2,
    )
    return replace(finding, **changes)


def made_rich_analysis() -> MadeAnalysis:
    """Return an analysis in which nearly every row and word of the views appears."""
    odd = made_connection(
        1,
        family=6,
        version=None,
        state="fallback",
        fallback=Fallback("MP_CAPABLE missing from the SYN/ACK", 12),
        checksum=True,
        end="reset",
        client=Host(None, None, None),
        capture_point="between",
        addresses=(
            AdvertisedAddress("server", 2, "10.9.0.2", None, False, False, False, 40),
            AdvertisedAddress("client", 3, "2001:db8::3", 4000, None, True, True, 41, joined=True),
        ),
        subflows=(
            made_subflow(
                0,
                family=6,
                end="reset",
                reset_by="server",
                reset_reason=ResetReason(3, "too much outstanding data", False),
            ),
            made_subflow(
                1,
                family=6,
                handshake="refused",
                end="open",
                started_by="server",
                hmac_valid=HmacValidity(False, None),
            ),
        ),
    )
    return MadeAnalysis(
        capture=made_capture(
            damage=Damage(123_456, "record of 4,294,967,295 octets"),
            truncated_packets=3,
            capture_duplicates=2,
            ip_fragments=1,
            unreadable_packets=4,
            interfaces=("eth0", "wlan0"),
            compression="gzip",
        ),
        connection_list=(made_connection(), odd),
        findings=(
            made_finding(),
            made_finding("hmac_wrong", "error", connection=1, packets=tuple(range(1, 101)),
                         packet_count=250, message="The HMAC in the MP_JOIN SYN/ACK is wrong."),
            made_finding("cut", "note", connection=None, packets=(), packet_count=0,
                         reference="", message="Three packets are cut."),
        ),
        plain_tcp_streams=2,
    )  # fmt: skip


@pytest.fixture
def plain() -> MadeAnalysis:
    """One connection with one finding."""
    return MadeAnalysis(made_capture(), (made_connection(),), (made_finding(),))


@pytest.fixture
def rich_analysis() -> MadeAnalysis:
    return made_rich_analysis()


@pytest.fixture
def many() -> Callable[[int], MadeAnalysis]:
    """Make an analysis of so many connections, each third with a finding."""

    def make(number: int) -> MadeAnalysis:
        connections = tuple(made_connection(index) for index in range(number))
        findings = tuple(made_finding(connection=index) for index in range(0, number, 3))
        return MadeAnalysis(made_capture(), connections, findings)

    return make
