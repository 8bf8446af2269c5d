"""One packet as a tree of fields with the place of each: what ``mptrace dissect`` shows.

The layers up to TCP are read by dpkt's layouts (``packet_layers``), TCP options by the protocol
core. Where the walk knows no way to TCP but the columns that the analysis reads do (802.11, say),
they tell where TCP is, and what lies before is shown as one stretch of octets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from dissector import keys
from dissector.constants import MPTCP_VERSION_0, MPTCP_VERSION_1, TcpOptionKind
from dissector.field_tree import Field, option_tree
from dissector.option_codec import decode_options
from dissector.options import (
    CutOption,
    MalformedOption,
    MpCapable,
    MptcpOption,
    TcpOption,
)
from mptrace.analysis.packets.header_fields import TCP, tcp_flag_names
from mptrace.analysis.packets.packet_layers import (
    LINK_PROTOCOLS,
    MAX_LAYERS,
    STEPS,
    Octets,
    ends_inside,
    layer_field,
    remark,
)

if TYPE_CHECKING:
    from mptrace.capture.records import PacketRecord

_NAMED_VERSIONS: Final = (MPTCP_VERSION_0, MPTCP_VERSION_1)


@dataclass(frozen=True, slots=True)
class PacketTree:
    """One packet: where it stands in the capture, and its layers from the link to TCP."""

    frame_number: int
    time_ns: int
    """Nanoseconds since 1970-01-01 UTC."""
    captured_length: int
    wire_length: int
    interface: str | None
    link_type: str
    layers: tuple[Field, ...]
    """Outermost first; offsets count octets from the start of the packet."""
    options: tuple[TcpOption, ...]
    """The TCP options, () where the packet has none or no TCP header was found."""

    @property
    def has_mptcp(self) -> bool:
        """Whether an option of MPTCP's kind is there, be it malformed or cut."""
        return any(is_mptcp(option) for option in self.options)


def is_mptcp(option: TcpOption) -> bool:
    """Whether an option is of MPTCP's kind, be it malformed or cut."""
    if isinstance(option, MalformedOption | CutOption):
        return option.kind == TcpOptionKind.MPTCP
    return isinstance(option, MptcpOption)


def packet_tree(record: PacketRecord) -> PacketTree:
    """Dissect one packet; whatever its octets are, nothing raises."""
    octets = Octets(record.octets, max(record.wire_length, len(record.octets)))
    layers, tcp_offset, end = _walk(octets, record.interface.link_type)
    if tcp_offset is None and (found := _columns_find_tcp(record)) is not None:
        tcp_offset, end = found
        shown = layers[-1].offset + layers[-1].length if layers else 0
        text = "not shown field by field"
        layers = (*layers, remark("data", "Headers below TCP", text, shown, tcp_offset - shown))
    options: tuple[TcpOption, ...] = ()
    if tcp_offset is not None:
        tcp, options = _tcp(octets, tcp_offset, end)
        layers = (*layers, *tcp, *_trailer(octets, end))
    return PacketTree(
        frame_number=record.frame_number,
        time_ns=record.time_ns,
        captured_length=len(record.octets),
        wire_length=record.wire_length,
        interface=record.interface.name,
        link_type=record.interface.link_type_name,
        layers=layers,
        options=options,
    )


def _walk(octets: Octets, link_type: int) -> tuple[tuple[Field, ...], int | None, int]:
    """The layers below TCP, where TCP begins (None: nowhere) and where its packet ends."""
    layers: list[Field] = []
    protocol, offset, end = LINK_PROTOCOLS.get(link_type), 0, octets.wire_length
    for _ in range(MAX_LAYERS):
        if protocol == "tcp":
            return tuple(layers), offset, end
        step = STEPS.get(protocol) if protocol is not None else None
        if step is None:
            break
        layer = step(octets, offset)
        layers += layer.fields
        protocol, offset = layer.protocol, layer.offset
        if layer.end is not None:
            end = min(end, layer.end)
    return tuple(layers), None, end


def _trailer(octets: Octets, end: int) -> tuple[Field, ...]:
    """What a link adds behind the IP packet: padding of short frames, checksums."""
    length = octets.wire_length - end
    if length <= 0:
        return ()
    text = f"{length} octets behind the IP packet"
    return (remark("frame.trailer", "Trailer", text, end, length),)


def _columns_find_tcp(record: PacketRecord) -> tuple[int, int] | None:
    """Where the columns of the analysis find TCP in this packet, and where its payload ends."""
    import numpy as np

    from mptrace.capture.decode import tcp_columns
    from mptrace.capture.records import RecordBatch

    one = np.ones(1, np.int64)
    batch = RecordBatch(
        source=0,
        buffer=np.frombuffer(record.octets, np.uint8),
        buffer_offset=0,
        frame_number=one * record.frame_number,
        offset=one * 0,
        captured_length=one * len(record.octets),
        wire_length=one * record.wire_length,
        time_ns=one * record.time_ns,
        interface=np.zeros(1, np.int32),
    )
    columns, _ = tcp_columns([record.interface], batch)
    if not columns.record.size:
        return None
    end = int(columns.payload_offset[0] + columns.payload_length[0])
    return int(columns.tcp_offset[0]), end


def _tcp(octets: Octets, offset: int, end: int) -> tuple[tuple[Field, ...], tuple[TcpOption, ...]]:
    """The TCP header with its options, and a line for the payload."""
    read = TCP.read(octets.captured, offset)
    if read is None:
        return (ends_inside(TCP, octets, offset),), ()
    fields = TCP.tree(read, offset)
    ports = f"port {read.sport} to {read.dport}, {tcp_flag_names(read.flags)}"
    length = read.off * 4
    if length < TCP.length:
        why = f"malformed: header length {length} is less than {TCP.length}"
        return (layer_field(TCP, offset, TCP.length, why, *fields),), ()
    first, after = offset + TCP.length, offset + length
    area = octets.captured[first : min(after, len(octets.captured))]
    options = decode_options(area, declared_length=length - TCP.length)
    payload_length = end - after
    remarks: tuple[Field, ...] = ()
    if payload_length < 0:
        remarks = (
            remark(
                "tcp.hdr_len",
                "Malformed",
                f"the header is {length} octets long, the packet ends after {end - offset}",
                offset + 12,
                1,
            ),
        )
    if options:
        shown = Field(
            "tcp.options",
            "Options",
            None,
            f"{length - TCP.length} octets",
            first,
            length - TCP.length,
            tuple(_option(option, first) for option in options),
        )
        fields = (*fields, shown)
    tcp = layer_field(
        TCP,
        offset,
        length,
        f"{ports}, {max(payload_length, 0)} octets of payload",
        *fields,
        *remarks,
    )
    if payload_length <= 0:
        return (tcp,), options
    captured = min(max(len(octets.captured) - after, 0), payload_length)
    cut = "" if captured == payload_length else f", {captured} of them captured"
    text = f"{payload_length} octets{cut}"
    return (tcp, remark("tcp.payload", "TCP payload", text, after, payload_length)), options


def _option(option: TcpOption, base: int) -> Field:
    """An option's tree, and for MP_CAPABLE what its keys stand for."""
    tree = option_tree(option, base)
    if not isinstance(option, MpCapable) or option.version not in _NAMED_VERSIONS:
        return tree
    derived = []
    for side, key in (("sender", option.sender_key), ("receiver", option.receiver_key)):
        if key is None:
            continue
        token = keys.token(key, option.version)
        first = keys.initial_data_seq(key, option.version)
        derived += [
            _derived("mptcp.expected_token", f"Token of the {side}'s key", token, 8, tree),
            _derived(
                "mptcp.expected_idsn",
                f"Initial data sequence number of the {side}'s key",
                first,
                16,
                tree,
            ),
        ]
    return replace(tree, children=(*tree.children, *derived))


def _derived(name: str, label: str, value: int, digits: int, option: Field) -> Field:
    """A field that no octet holds: computed from others."""
    return Field(name, label, value, f"0x{value:0{digits}x}", option.offset, 0)
