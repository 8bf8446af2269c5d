"""Every column of the DataFrames: name, dtype, unit and meaning, stated once.

Names are Wireshark's where it has a field of that meaning (its absolute values end in ``_raw``,
relative ones count from the handshake); what only this analysis knows begins with ``mptrace.``.
Nullable integers are pandas' masked ones (``Int64``, ``UInt64``), so that 64-bit numbers with
absent values never become floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a DataFrame."""

    name: str
    dtype: str
    """As pandas prints it."""
    meaning: str
    """In words, unit included."""


_TIME = "datetime64[ns, UTC]"

PACKETS: Final = (
    Column("frame.number", "int64", "number of the packet in the capture, from 1"),
    Column("frame.time", _TIME, "when it was captured"),
    Column("frame.time_relative", "float64", "seconds since the capture's first packet"),
    Column("frame.len", "int64", "octets of the packet on the wire"),
    Column("tcp.stream", "int64", "TCP connection, as Wireshark numbers it"),
    Column("mptcp.stream", "int64", "MPTCP connection, from 0 in order of the first packet"),
    Column("mptrace.subflow", "int64", "subflow within the connection, from 0"),
    Column("mptrace.direction", "category", "client_to_server or server_to_client"),
    Column("ip.src", "category", "source address, IPv4 or IPv6"),
    Column("ip.dst", "category", "destination address, IPv4 or IPv6"),
    Column("tcp.srcport", "int64", "source port"),
    Column("tcp.dstport", "int64", "destination port"),
    Column("tcp.flags", "int64", "TCP flags, as a number (SYN 2, ACK 16...)"),
    Column("tcp.seq_raw", "int64", "TCP sequence number on the wire"),
    Column("tcp.seq", "int64", "the same, relative to the subflow's SYN (subflow sequence number)"),
    Column("tcp.ack_raw", "Int64", "TCP acknowledgement number on the wire"),
    Column("tcp.ack", "Int64", "the same, relative to the peer's SYN"),
    Column("tcp.window_size_value", "int64", "receive window on the wire, before scaling"),
    Column("tcp.window_size", "Int64", "receive window in octets; absent where its scale is not"
           " in the capture"),
    Column("tcp.len", "int64", "octets of payload"),
    Column("tcp.options.mptcp.subtype", "category", "MPTCP option subtypes in the packet, numbers"
           " separated by commas as tshark prints them"),
    Column("mptrace.options", "category", "the same by name: DSS, MP_JOIN..."),
    Column("tcp.options.mptcp.rawdataseqno", "UInt64", "DSN of the packet's DSS as on the wire,"
           " 4 or 8 octets"),
    Column("mptcp.rawdsn64", "UInt64", "64-bit data sequence number of the packet's first mapped"
           " payload octet, or of the mapping in its DSS where it has no payload"),
    Column("mptcp.dsn", "Int64", "the same, relative: the connection's first octet is 1"),
    Column("tcp.options.mptcp.subflowseqno", "UInt64", "subflow sequence number in the DSS"),
    Column("tcp.options.mptcp.datalvllen", "UInt64", "data-level length in the DSS, octets"),
    Column("tcp.options.mptcp.rawdataack", "UInt64", "DATA_ACK as on the wire, 4 or 8 octets"),
    Column("mptrace.data_ack64", "UInt64", "DATA_ACK, expanded to 64 bits"),
    Column("mptcp.ack", "Int64", "the same, relative: 1 acknowledges nothing yet"),
    Column("mptrace.data_fin", "bool", "whether the DSS carries a DATA_FIN"),
    Column("mptcp.related_mapping", "Int64", "packet that announced the mapping of the payload"),
    Column("mptrace.copy", "category", "what the payload is: first, retransmission, remapped,"
           " reinjection; of several the last in this order; absent without mapped payload"),
    Column("mptrace.first_octets", "int64", "octets that had not been seen before"),
    Column("mptrace.retransmitted_octets", "int64", "octets that the subflow repeats"),
    Column("mptrace.remapped_octets", "int64", "octets that the subflow sends again under new"
           " subflow sequence numbers"),
    Column("mptrace.reinjected_octets", "int64", "octets that another subflow had carried before"),
    Column("mptrace.unmapped_octets", "int64", "payload octets that no mapping covers"),
    Column("mptrace.repeats", "Int64", "packet of the latest earlier copy of what is repeated"),
    Column("mptcp.reinjection_of", "Int64", "the same, where the payload is a reinjection"),
    Column("mptcp.reinjected_in", "Int64", "first packet that reinjects octets of this one on"
           " another subflow"),
    Column("mptrace.reinjection", "category", "worth of a reinjection: spurious, useful or"
           " redundant; of several the last in this order"),
    Column("mptrace.out_of_order_octets", "int64", "octets that came before lower data"),
    Column("mptrace.out_of_order_extent", "int64", "octets that were missing below them"),
    Column("mptrace.gap_filled_in", "Int64", "packet that filled the gap below them"),
    Column("mptrace.acked_in", "Int64", "packet whose TCP ACK first covers the payload"),
    Column("mptrace.rtt", "float64", "seconds until then, where it is an RTT sample of the"
           " subflow, else NaN"),
    Column("mptrace.data_acked_in", "Int64", "packet whose DATA_ACK first covers the payload"),
    Column("mptrace.data_rtt", "float64", "seconds from the packet to the DATA_ACK, where it is a"
           " data RTT sample, else NaN"),
    Column("mptrace.flight", "Int64", "octets in flight on the subflow once this packet is sent"),
    Column("mptrace.data_flight", "Int64", "octets of data in flight once this packet is sent"),
)  # fmt: skip

MAPPINGS: Final = (
    Column("mptcp.stream", "int64", "MPTCP connection"),
    Column("tcp.stream", "int64", "TCP connection"),
    Column("mptrace.subflow", "int64", "subflow within the connection"),
    Column("mptrace.direction", "category", "client_to_server or server_to_client"),
    Column("frame.number", "int64", "packet that announced it first"),
    Column("frame.time_relative", "float64", "seconds since the capture's first packet"),
    Column("mptcp.rawdsn64", "uint64", "64-bit data sequence number of its first octet"),
    Column("mptcp.dsn", "int64", "the same, relative: the connection's first octet is 1"),
    Column("mptrace.subflow_seq", "int64", "relative subflow sequence number of its first octet"),
    Column("mptrace.length", "int64", "octets of data that it maps, without a DATA_FIN"),
    Column("mptrace.data_fin", "bool", "whether its DSS carries a DATA_FIN"),
    Column("tcp.options.mptcp.checksum", "UInt64", "DSS checksum; absent where not in use"),
    Column("mptrace.checksum", "category", "absent, valid, invalid or unverifiable"),
    Column("mptrace.announced", "int64", "packets that carry it"),
    Column("mptrace.conflicting", "bool", "contradicts an earlier mapping of the same octets"),
)  # fmt: skip
