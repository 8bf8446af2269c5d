"""From the start of one packet to its TCP header, layer by layer, for the packet that is shown.

The columns in ``dissector`` do this for a whole capture and keep only where it ends; here every
header on the way becomes a :class:`~dissector.field_tree.Field`. Each step reads one header and
says which protocol follows where. A packet that ends inside a header, or contradicts itself, ends
the walk with a field that says so: nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dissector.field_tree import Field
from mptrace.analysis.packets import header_fields as headers

if TYPE_CHECKING:
    from mptrace.analysis.packets.header_fields import Header

MAX_LAYERS: Final = 64
"""More headers than any sane packet has; the walk ends there."""


@dataclass(frozen=True, slots=True)
class Octets:
    """The octets of a packet that were captured, and how many it had."""

    captured: bytes
    wire_length: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One header, and what follows it."""

    fields: tuple[Field, ...]
    protocol: str | None = None
    """The next layer's, None where the walk ends."""
    offset: int = 0
    end: int | None = None
    """One past the last octet on the wire that belongs to what follows, where the header says."""


Step = Callable[[Octets, int], Layer]


def layer_field(header: Header, offset: int, length: int, summary: str, *fields: Field) -> Field:
    """The field of a whole layer."""
    return Field(header.name, header.title, None, summary, offset, length, fields)


def remark(name: str, label: str, text: str, offset: int, length: int = 0) -> Field:
    """A field that says something about the packet rather than showing octets of it."""
    return Field(name, label, None, text, offset, length)


def ends_inside(header: Header, octets: Octets, offset: int) -> Field:
    """What is shown of a header that is not all there."""
    there = max(len(octets.captured) - offset, 0)
    cut = octets.wire_length > len(octets.captured)
    why = "cut by the capture" if cut else "malformed: the packet ends"
    return layer_field(
        header,
        offset,
        there,
        f"{why} after {there} of at least {header.length} octets",
    )


def _plain(
    header: Header, follows: Callable[[Any, int, Octets], Layer], summary: Callable[[Any], str]
) -> Step:
    """A step over a header of fixed length."""

    def step(octets: Octets, offset: int) -> Layer:
        read = header.read(octets.captured, offset)
        if read is None:
            return Layer((ends_inside(header, octets, offset),))
        after = follows(read, offset + header.length, octets)
        shown = layer_field(
            header,
            offset,
            header.length,
            summary(read),
            *header.tree(read, offset),
        )
        return Layer((shown, *after.fields), after.protocol, after.offset, after.end)

    return step


_BY_ETHERTYPE: Final = {
    0x0800: "ipv4",
    0x86DD: "ipv6",
    0x8100: "vlan",
    0x88A8: "service_vlan",
    0x9100: "vlan",
    0x9200: "vlan",
    0x8847: "mpls",
    0x8848: "mpls",
    0x8864: "pppoe",
    0x6558: "ethernet",
    0x880B: "ppp",
}
_BY_PPP_PROTOCOL: Final = {0x0021: "ipv4", 0x0057: "ipv6", 0x0281: "mpls", 0x0283: "mpls"}
_BY_IP_PROTOCOL: Final = {
    0: "ipv6_hop_by_hop",
    4: "ipv4",
    6: "tcp",
    17: "udp",
    41: "ipv6",
    43: "ipv6_routing",
    44: "ipv6_fragment",
    47: "gre",
    51: "authentication",
    60: "ipv6_destination",
}
_BY_UDP_PORT: Final = {4789: "vxlan", 8472: "vxlan", 2152: "gtp_u"}


def _ethertype(attribute: str) -> Callable[[Any, int, Octets], Layer]:
    return lambda read, at, _: Layer((), _BY_ETHERTYPE.get(getattr(read, attribute)), at)


def _always(protocol: str) -> Callable[[Any, int, Octets], Layer]:
    return lambda _, at, __: Layer((), protocol, at)


def _protocol_named(attribute: str, names: dict[int, str]) -> Callable[[Any], str]:
    def summary(read: Any) -> str:
        number = getattr(read, attribute)
        return f"carries {names.get(number, f'0x{number:04x}')}"

    return summary


def _after_mpls(read: Any, offset: int, _: Octets) -> Layer:
    return Layer((), "raw_ip" if read.s else "mpls", offset)


def _raw_ip(octets: Octets, offset: int) -> Layer:
    version = octets.captured[offset] >> 4 if offset < len(octets.captured) else 0
    return Layer((), {4: "ipv4", 6: "ipv6"}.get(version), offset)


def _null(octets: Octets, offset: int) -> Layer:
    """Address family of the capturing host, in its own byte order: the version says enough."""
    family = octets.captured[offset : offset + 4]
    text = f"address family 0x{family.hex()}" if family else "empty"
    shown = remark("null", "Null/loopback", text, offset, len(family))
    return Layer((shown,), "raw_ip", offset + 4)


def _ppp(octets: Octets, offset: int) -> Layer:
    """With or without address and control; the protocol number may have one octet (RFC 1661)."""
    fields: tuple[Field, ...] = ()
    if octets.captured[offset : offset + 2] == b"\xff\x03":
        framing = headers.PPP_ADDRESS
        read = framing.read(octets.captured, offset)
        fields = (layer_field(framing, offset, framing.length, "", *framing.tree(read, offset)),)
        offset += framing.length
    first = octets.captured[offset : offset + 1]
    if first and first[0] & 1:
        number, length = first[0], 1
        children: tuple[Field, ...] = (
            Field(
                name="ppp.protocol",
                label="Protocol",
                value=number,
                text=f"0x{number:02x} (compressed)",
                offset=offset,
                length=1,
            ),
        )
    else:
        read = headers.PPP.read(octets.captured, offset)
        if read is None:
            return Layer((*fields, ends_inside(headers.PPP, octets, offset)))
        number, length = read.p, headers.PPP.length
        children = headers.PPP.tree(read, offset)
    shown = layer_field(headers.PPP, offset, length, "", *children)
    return Layer((*fields, shown), _BY_PPP_PROTOCOL.get(number), offset + length)


def _ipv4(octets: Octets, offset: int) -> Layer:
    header = headers.IPV4
    read = header.read(octets.captured, offset)
    if read is None:
        return Layer((ends_inside(header, octets, offset),))
    fields = header.tree(read, offset)
    summary = f"{_text_of(fields, 'ip.src')} to {_text_of(fields, 'ip.dst')}"
    length = read.hl * 4
    if read.v != 4 or length < header.length:
        why = f"malformed: version {read.v}, header length {length}"
        return Layer((layer_field(header, offset, header.length, why, *fields),))
    if length > header.length:
        options = octets.captured[offset + header.length : offset + length]
        text = options.hex(" ") or "not captured"
        fields = (*fields, remark("ip.options", "Options", text, offset + 20, len(options)))
    # Segmentation offload leaves the length 0 where 16 bits do not hold it.
    end = offset + read.len if read.len else octets.wire_length
    if end < offset + length:
        why = f"malformed: total length {read.len} is less than the header's {length}"
        return Layer((layer_field(header, offset, header.length, why, *fields),))
    shown = layer_field(header, offset, length, summary, *fields)
    if read.mf or read.offset:
        text = "one fragment of a packet; fragments are not put together"
        return Layer((shown, remark("ip.fragment", "IPv4 fragment", text, offset + length)))
    protocol = _BY_IP_PROTOCOL.get(read.p)
    if protocol is not None and protocol.startswith("ipv6_"):
        protocol = None  # extension headers exist behind IPv6 only
    return Layer((shown,), protocol, offset + length, end)


def _ipv6(octets: Octets, offset: int) -> Layer:
    header = headers.IPV6
    read = header.read(octets.captured, offset)
    if read is None:
        return Layer((ends_inside(header, octets, offset),))
    fields = header.tree(read, offset)
    summary = f"{_text_of(fields, 'ipv6.src')} to {_text_of(fields, 'ipv6.dst')}"
    if read.v != 6:
        summary = f"malformed: version {read.v}"
        return Layer((layer_field(header, offset, header.length, summary, *fields),))
    after = offset + header.length
    end = after + read.plen if read.plen else octets.wire_length
    shown = layer_field(header, offset, header.length, summary, *fields)
    return Layer((shown,), _BY_IP_PROTOCOL.get(read.nxt), after, end)


def _variable_extension(header: Header, unit: int, extra_units: int) -> Step:
    """IPv6 extension headers whose second octet is their length (RFC 8200, RFC 4302)."""

    def step(octets: Octets, offset: int) -> Layer:
        read = header.read(octets.captured, offset)
        if read is None:
            return Layer((ends_inside(header, octets, offset),))
        length = (read.len + extra_units) * unit
        shown = layer_field(header, offset, length, f"{length} octets", *header.tree(read, offset))
        return Layer((shown,), _BY_IP_PROTOCOL.get(read.nxt), offset + length)

    return step


def _after_ipv6_fragment(read: Any, offset: int, _: Octets) -> Layer:
    if read.frag_off or read.m_flag:
        text = "one fragment of a packet; fragments are not put together"
        return Layer((remark("ipv6.fragment", "IPv6 fragment", text, offset),))
    return Layer((), _BY_IP_PROTOCOL.get(read.nxt), offset)


def _after_udp(read: Any, offset: int, _: Octets) -> Layer:
    protocol = _BY_UDP_PORT.get(read.dport) or _BY_UDP_PORT.get(read.sport)
    return Layer((), protocol, offset)


def _after_gre(read: Any, offset: int, octets: Octets) -> Layer:
    """RFC 2784 and RFC 2890: checksum, key and sequence number are there when flagged."""
    if read.flags & 0x0007:
        text = f"version {read.flags & 7} is not followed"
        return Layer((remark("gre.version", "GRE", text, offset),))
    optional = sum(4 for bit in (0x8000, 0x2000, 0x1000) if read.flags & bit)
    fields: tuple[Field, ...] = ()
    if optional:
        text = octets.captured[offset : offset + optional].hex(" ")
        fields = (remark("gre.optional", "GRE optional fields", text, offset, optional),)
    return Layer(fields, _BY_ETHERTYPE.get(read.p), offset + optional)


def _after_gtp_u(read: Any, offset: int, octets: Octets) -> Layer:
    """3GPP TS 29.281 section 5: four more octets with any of E, S, PN; then extensions."""
    if read.flags >> 5 != 1 or read.type != 255:
        return Layer(())
    if not read.flags & 0x07:
        return Layer((), "raw_ip", offset)
    start, captured = offset, octets.captured
    following = captured[offset + 3] if offset + 3 < len(captured) else 0
    offset += 4
    while following and read.flags & 0x04 and offset < len(captured):
        length = captured[offset] * 4
        if not length or offset + length > len(captured):
            text = "malformed: an extension header's length is 0 or beyond the packet"
            return Layer((remark("gtp.ext_hdr", "GTP extension header", text, offset),))
        following = captured[offset + length - 1]
        offset += length
    text = captured[start:offset].hex(" ")
    shown = remark("gtp.optional", "GTP optional fields", text, start, offset - start)
    return Layer((shown,), "raw_ip", offset)


def _text_of(fields: tuple[Field, ...], name: str) -> str:
    return next(field.text for field in fields if field.name == name)


STEPS: Final[dict[str, Step]] = {
    "ethernet": _plain(
        headers.ETHERNET, _ethertype("type"), _protocol_named("type", headers.ETHERTYPE_NAMES)
    ),
    "vlan": _plain(headers.VLAN, _ethertype("type"), lambda read: f"ID {read.id}"),
    "service_vlan": _plain(headers.SERVICE_VLAN, _ethertype("type"), lambda read: f"ID {read.id}"),
    "sll": _plain(
        headers.SLL, _ethertype("ethtype"), _protocol_named("ethtype", headers.ETHERTYPE_NAMES)
    ),
    "sll2": _plain(
        headers.SLL2, _ethertype("ethtype"), _protocol_named("ethtype", headers.ETHERTYPE_NAMES)
    ),
    "mpls": _plain(headers.MPLS, _after_mpls, lambda read: f"label {read.val}"),
    "pppoe": _plain(
        headers.PPPOE,
        _always("ppp"),
        lambda read: f"session 0x{read.session:04x}",
    ),
    "ppp": _ppp,
    "null": _null,
    "raw_ip": _raw_ip,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ipv6_hop_by_hop": _variable_extension(headers.IPV6_HOP_BY_HOP, unit=8, extra_units=1),
    "ipv6_routing": _variable_extension(headers.IPV6_ROUTING, unit=8, extra_units=1),
    "ipv6_destination": _variable_extension(headers.IPV6_DESTINATION, unit=8, extra_units=1),
    "authentication": _variable_extension(headers.AUTHENTICATION, unit=4, extra_units=2),
    "ipv6_fragment": _plain(
        headers.IPV6_FRAGMENT, _after_ipv6_fragment, lambda read: f"identification 0x{read.id:08x}"
    ),
    "udp": _plain(headers.UDP, _after_udp, lambda read: f"port {read.sport} to {read.dport}"),
    "vxlan": _plain(
        headers.VXLAN,
        _always("ethernet"),
        lambda read: f"network {int.from_bytes(read.vni)}",
    ),
    "gtp_u": _plain(headers.GTP_U, _after_gtp_u, lambda read: f"tunnel 0x{read.teid:08x}"),
    "gre": _plain(headers.GRE, _after_gre, _protocol_named("p", headers.ETHERTYPE_NAMES)),
}
"""How to read each protocol; ``tcp`` has no step: it is where the walk arrives."""

LINK_PROTOCOLS: Final = {
    0: "null",
    1: "ethernet",
    9: "ppp",
    12: "raw_ip",
    14: "raw_ip",
    50: "ppp",
    51: "pppoe",
    101: "raw_ip",
    108: "null",
    113: "sll",
    228: "ipv4",
    229: "ipv6",
    276: "sll2",
}
"""Link types whose headers are shown field by field, and the protocol that they begin with."""
