"""A sample taken apart: its packets, and where in each stands what a repetition must change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.edits import Places
from dissector.constants import MptcpSubtype, TcpOptionKind
from dissector.option_columns import dss_columns, walk_options
from mptrace.analysis.pipeline import analyze_capture
from mptrace.capture import open_capture
from mptrace.capture.decode import tcp_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dissector.packet_columns import TcpColumns
    from mptrace.analysis.results import Analysis

    I64 = NDArray[np.int64]

_FIN_SYN_RST = 0x07
_ACK = 0x10


class UnusableSampleError(Exception):
    """The sample has something that a repetition does not know how to change."""


@dataclass(slots=True)
class FieldPlaces:
    """The places of every kind of field, named after what their column means."""

    address: Places = field(default_factory=lambda: Places(4))
    port: Places = field(default_factory=lambda: Places(2))
    identification: Places = field(default_factory=lambda: Places(2))
    seq: Places = field(default_factory=lambda: Places(4))
    """Column: the way that numbers them; also ACKs and SACK edges, of the opposite way."""
    subflow_seq: Places = field(default_factory=lambda: Places(4))
    timestamp: Places = field(default_factory=lambda: Places(4))
    data_seq: Places = field(default_factory=lambda: Places(8))
    """Column: the space; also DATA_ACKs, of the opposite space."""
    short_data_seq: Places = field(default_factory=lambda: Places(4))
    key: Places = field(default_factory=lambda: Places(8))
    """Column: 2 * connection + (1: the server)."""
    token: Places = field(default_factory=lambda: Places(4))
    nonce: Places = field(default_factory=lambda: Places(4))
    """Column: the way."""
    join_syn_ack_hmac: Places = field(default_factory=lambda: Places(8))
    join_ack_hmac: Places = field(default_factory=lambda: Places(20))
    address_hmac: Places = field(default_factory=lambda: Places(8))
    """Column: index into `Template.advertised`."""


@dataclass(frozen=True, slots=True)
class Advertised:
    """What the HMAC of an ADD_ADDR covers."""

    by_host: int
    address_id: int
    address: int
    """Index into ``addresses``."""
    port: int | None


@dataclass(slots=True)
class Template:
    """Packets of a sample; columns are (packets,), offsets count from the packet's first octet."""

    link_type: int
    version: int
    octets: list[bytes]
    wire_length: I64
    time_ns: I64
    network_offset: I64
    tcp_offset: I64
    segment_length: I64
    """TCP header and payload, on the wire."""
    way: I64
    """2 * subflow + (1: from its responder)."""
    space_of_way: I64
    """2 * connection + (1: from its server)."""
    seq: NDArray[np.uint32]
    payload_length: I64
    data_seq: NDArray[np.uint64]
    data_length: I64
    """Octets that the packet's DSS maps, without DATA_FIN; 0 where it maps none."""
    signalling: NDArray[np.bool_]
    """SYN, FIN, RST, DATA_FIN, or any MPTCP option but DSS."""
    initial_data_seqs: NDArray[np.uint64]
    """(spaces,)"""
    addresses: list[int]
    ports: list[int]
    """Those that nobody listens on."""
    advertised: list[Advertised] = field(default_factory=list)
    places: FieldPlaces = field(default_factory=FieldPlaces)
    mptcp_options: list[tuple[int, int, int]] = field(default_factory=list)
    """Packet, offset, octets."""

    def __len__(self) -> int:
        return len(self.octets)

    @property
    def joins(self) -> list[int]:
        """Subflows that joined."""
        return sorted({way >> 1 for way in self.places.nonce.column})

    def index_of_address(self, address: int) -> int:
        """Its index in ``addresses``, to which it is added if it is new."""
        if address not in self.addresses:
            self.addresses.append(address)
        return self.addresses.index(address)


def read_template(path: Path) -> Template:
    """Read a sample of MPTCP connections over IPv4 that were captured from their beginning.

    Raises UnusableSampleError where it is something else.
    """
    with open_capture(path) as capture:
        analysis = analyze_capture(capture)
        batches = list(capture.batches())
        if len(batches) != 1 or len(capture.interfaces) != 1 or not len(analysis):
            raise UnusableSampleError(f"{path}: not a small capture of MPTCP on one interface")
        (batch,) = batches
        tcp, _ = tcp_columns(capture.interfaces, batch)
    membership = analysis.evidence.plane.membership
    version = _version(analysis, path)
    way = _way_of_frames(analysis, batch.offset.size)[tcp.record]
    if (way < 0).any() or (tcp.family != 4).any():
        raise UnusableSampleError(f"{path}: not all of it is MPTCP over IPv4")
    start = batch.offset[tcp.record]
    rows = walk_options(batch.buffer, tcp.options_offset, tcp.options_length, tcp.options_captured)
    if rows.status.any():
        raise UnusableSampleError(f"{path}: some options are malformed or cut")
    dss = dss_columns(batch.buffer, rows)
    data_seq = np.zeros(start.size, np.uint64)
    data_length = np.zeros(start.size, np.int64)
    data_seq[dss.packet] = dss.data_seq
    data_length[dss.packet] = dss.data_length.astype(np.int64) - dss.data_fin
    signalling = (tcp.flags & _FIN_SYN_RST) != 0
    signalling[dss.packet[dss.data_fin]] = True
    listening = set(tcp.destination_port[(tcp.flags & (_ACK | 2)) == 2].tolist())
    ports = set(tcp.source_port.tolist()) | set(tcp.destination_port.tolist())
    template = Template(
        link_type=capture.interfaces[0].link_type,
        version=version,
        octets=[
            batch.buffer[first : first + length].tobytes()
            for first, length in zip(
                start.tolist(), batch.captured_length[tcp.record].tolist(), strict=True
            )
        ],
        wire_length=batch.wire_length[tcp.record],
        time_ns=np.maximum.accumulate(batch.time_ns[tcp.record]),
        network_offset=_network_offsets(batch.buffer, tcp) - start,
        tcp_offset=tcp.tcp_offset - start,
        segment_length=tcp.header_length + tcp.payload_length,
        way=way,
        space_of_way=membership.space_of_way(),
        seq=tcp.seq,
        payload_length=tcp.payload_length,
        data_seq=data_seq,
        data_length=data_length,
        signalling=signalling,
        initial_data_seqs=membership.initial_data_seqs()[0],
        addresses=sorted({*tcp.source_low.tolist(), *tcp.destination_low.tolist()}),
        ports=sorted(ports - listening),
    )
    _find_headers(template, tcp)
    for packet, offset, kind, length in zip(
        rows.packet.tolist(),
        (rows.offset - start[rows.packet]).tolist(),
        rows.kind.tolist(),
        rows.length.tolist(),
        strict=True,
    ):
        _find_option(template, packet, offset, kind, length)
    return template


def _version(analysis: Analysis, path: Path) -> int:
    versions = {connection.version for connection in analysis}
    if len(versions) != 1 or None in versions:
        raise UnusableSampleError(f"{path}: connections of more than one version, or of none")
    for connection in analysis:
        if connection.client.key is None or connection.server.key is None:
            raise UnusableSampleError(f"{path}: a key was not captured")
        if connection.checksum:
            raise UnusableSampleError(f"{path}: DSS checksums are in use")
    return int(next(iter(versions)) or 0)


def _way_of_frames(analysis: Analysis, frames: int) -> I64:
    """(frames,): the way of each frame, from frame 1; -1 where it is of no MPTCP connection."""
    subflows = analysis.evidence.plane.subflows
    way = np.full(frames, -1)
    way[subflows.segments.frame_number - 1] = subflows.way
    return way


def _network_offsets(buffer: NDArray[np.uint8], tcp: TcpColumns) -> I64:
    """Where the IPv4 headers begin: 20 octets before TCP, as no sample has IP options."""
    offset: I64 = tcp.tcp_offset - 20
    if (buffer[offset] != 0x45).any():
        raise UnusableSampleError("an IPv4 header with options")
    return offset


def _find_headers(template: Template, tcp: TcpColumns) -> None:
    places = template.places
    port_column = {port: column for column, port in enumerate(template.ports)}
    for packet, (network, transport, flags) in enumerate(
        zip(
            template.network_offset.tolist(),
            template.tcp_offset.tolist(),
            tcp.flags.tolist(),
            strict=True,
        )
    ):
        way = int(template.way[packet])
        places.identification.add(packet, network + 4, way)
        for address, offset in (
            (int(tcp.source_low[packet]), 12),
            (int(tcp.destination_low[packet]), 16),
        ):
            places.address.add(packet, network + offset, template.index_of_address(address))
        for port, offset in (
            (int(tcp.source_port[packet]), 0),
            (int(tcp.destination_port[packet]), 2),
        ):
            if port in port_column:
                places.port.add(packet, transport + offset, port_column[port])
        places.seq.add(packet, transport + 4, way)
        if flags & _ACK:
            places.seq.add(packet, transport + 8, way ^ 1)


def _find_option(template: Template, packet: int, offset: int, kind: int, length: int) -> None:
    way = int(template.way[packet])
    if kind == TcpOptionKind.TIMESTAMPS:
        template.places.timestamp.add(packet, offset + 2, 0)
        if any(template.octets[packet][offset + 6 : offset + 10]):
            template.places.timestamp.add(packet, offset + 6, 0)
    elif kind == TcpOptionKind.SACK:
        for edge in range(offset + 2, offset + length, 4):
            template.places.seq.add(packet, edge, way ^ 1)
    elif kind == TcpOptionKind.MPTCP:
        template.mptcp_options.append((packet, offset, length))
        subtype = template.octets[packet][offset + 2] >> 4
        if subtype == MptcpSubtype.DSS:
            _find_dss(template, packet, offset)
        else:
            template.signalling[packet] = True
            _find_signalling(template, packet, offset, length, subtype)


def _find_dss(template: Template, packet: int, offset: int) -> None:
    """RFC 8684 section 3.3: flags F, m, M, a, A; then DATA_ACK, DSN, subflow number, length."""
    flags = template.octets[packet][offset + 3]
    way = int(template.way[packet])
    space = int(template.space_of_way[way])
    places = template.places
    at = offset + 4
    for present, whole, column in (
        (flags & 0x01, flags & 0x02, space ^ 1),
        (flags & 0x04, flags & 0x08, space),
    ):
        if present:
            (places.data_seq if whole else places.short_data_seq).add(packet, at, column)
            at += 8 if whole else 4
    # A DATA_FIN without data has subflow sequence number 0, and keeps it.
    if flags & 0x04 and any(template.octets[packet][at : at + 4]):
        places.subflow_seq.add(packet, at, way)


def _find_signalling(
    template: Template, packet: int, offset: int, length: int, subtype: int
) -> None:
    way = int(template.way[packet])
    host = int(template.space_of_way[way])
    places = template.places
    if subtype == MptcpSubtype.MP_CAPABLE:
        if length >= 12:
            places.key.add(packet, offset + 4, host)
        if length >= 20:
            places.key.add(packet, offset + 12, host ^ 1)
    elif subtype == MptcpSubtype.MP_JOIN and length == 12:
        places.token.add(packet, offset + 4, host ^ 1)
        places.nonce.add(packet, offset + 8, way)
    elif subtype == MptcpSubtype.MP_JOIN and length == 16:
        places.join_syn_ack_hmac.add(packet, offset + 4, way)
        places.nonce.add(packet, offset + 12, way)
    elif subtype == MptcpSubtype.MP_JOIN:
        places.join_ack_hmac.add(packet, offset + 4, way)
    elif subtype == MptcpSubtype.ADD_ADDR and length in (8, 10, 16, 18):
        _find_advertised(template, packet, offset, length, host)
    elif subtype == MptcpSubtype.MP_FASTCLOSE:
        places.key.add(packet, offset + 4, host ^ 1)
    elif subtype not in (
        MptcpSubtype.REMOVE_ADDR,
        MptcpSubtype.MP_PRIO,
        MptcpSubtype.MP_TCPRST,
    ):
        raise UnusableSampleError(f"an option of subtype {subtype} and {length} octets")


def _find_advertised(template: Template, packet: int, offset: int, length: int, host: int) -> None:
    """RFC 8684 section 3.4.1: ADD_ADDR of an IPv4 address."""
    octets = template.octets[packet][offset : offset + length]
    address = template.index_of_address(int.from_bytes(octets[4:8]))
    template.places.address.add(packet, offset + 4, address)
    if length >= 16:
        port = int.from_bytes(octets[8:10]) if length == 18 else None
        column = len(template.advertised)
        template.advertised.append(Advertised(host, octets[3], address, port))
        template.places.address_hmac.add(packet, offset + length - 8, column)


__all__ = ["Advertised", "FieldPlaces", "Template", "UnusableSampleError", "read_template"]
