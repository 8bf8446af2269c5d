"""What a detail pane shows of the headers below the TCP options: dpkt's layouts, named.

dpkt knows where each field of these headers stands and reads it; what it does not know (Wireshark's
field names, labels, how a value reads) is in the tables here. Headers that dpkt lacks are written
in its own notation.
"""

from __future__ import annotations

import struct
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, NamedTuple

import dpkt

from dissector.field_tree import Field

if TYPE_CHECKING:
    from collections.abc import Callable


class _Vxlan(dpkt.Packet):  # type: ignore[misc]
    """VXLAN (RFC 7348 section 5)."""

    __hdr__ = (
        ("flags", "H", 0x0800),
        ("group", "H", 0),
        ("vni", "3s", b""),
        ("_last", "B", 0),
    )


class _GtpU(dpkt.Packet):  # type: ignore[misc]
    """GTPv1-U's fixed header (3GPP TS 29.281 section 5.1)."""

    __hdr__ = (("flags", "B", 0x30), ("type", "B", 255), ("len", "H", 0), ("teid", "I", 0))


class _PppProtocol(dpkt.Packet):  # type: ignore[misc]
    """A PPP protocol number of two octets (RFC 1661 section 2)."""

    __hdr__ = (("p", "H", 0x21),)


class _PppAddress(dpkt.Packet):  # type: ignore[misc]
    """Address and control in HDLC-like framing (RFC 1662 section 3.1)."""

    __hdr__ = (("addr", "B", 0xFF), ("cntrl", "B", 3))


class HeaderField(NamedTuple):
    """One field of a header: dpkt's attribute, Wireshark's name, label, how a value reads."""

    attribute: str
    name: str
    label: str
    show: Callable[[Any], str] = str
    unit: int = 1
    """Octets that the number counts in, where it counts words."""
    length_in: str = ""
    """The attribute that says how many of the field's octets are used."""


class Header(NamedTuple):
    """One header of a fixed length: the dpkt class that reads it and what is shown of it."""

    packet: Any
    name: str
    title: str
    fields: tuple[HeaderField, ...]

    @property
    def length(self) -> int:
        """Octets."""
        return int(self.packet.__hdr_len__)

    def read(self, octets: bytes, offset: int) -> Any:
        """The header at an offset, as dpkt's object; None where the octets end inside it."""
        if len(octets) - offset < self.length:
            return None
        header = self.packet()
        # Only the header: the class's own unpack would go on to decode the payload.
        dpkt.Packet.unpack(header, octets[offset : offset + self.length])
        return header

    def tree(self, header: Any, offset: int) -> tuple[Field, ...]:
        """The fields of a header that was read at an offset."""
        places = _field_places(self.packet)
        fields = []
        for attribute, name, label, show, unit, length_in in self.fields:
            start, length, bits = places[attribute]
            value = getattr(header, attribute)
            value = value if unit == 1 else value * unit
            if length_in:
                length = min(getattr(header, length_in), length)
                value = value[:length]
                if not length:
                    continue
            fields.append(
                Field(
                    name=name,
                    label=label,
                    value=value,
                    text=show(value),
                    offset=offset + start,
                    length=length,
                    bits=bits,
                    unit=unit,
                )
            )
        return tuple(fields)


class _Place(NamedTuple):
    offset: int
    length: int
    bits: tuple[int, int] | None
    """First bit and how many, of a field that is not made of whole octets."""


@cache
def _field_places(packet: Any) -> dict[str, _Place]:
    """Where each field of a dpkt header stands, from the header's first octet."""
    places: dict[str, _Place] = {}
    bit_fields = getattr(packet, "__bit_fields__", {})
    at = 0
    for attribute, code, _ in packet.__hdr__:
        length = struct.calcsize("=" + code)
        places[attribute] = _Place(at, length, None)
        bits = 0
        for part, width in bit_fields.get(attribute, ()):
            first, last = bits // 8, (bits + width - 1) // 8
            whole = bits % 8 == 0 and width % 8 == 0
            places[part] = _Place(
                at + first, last - first + 1, None if whole else (bits % 8, width)
            )
            bits += width
        at += length
    return places


def _mac(octets: bytes) -> str:
    return octets.hex(":")


def _ipv4(octets: bytes) -> str:
    return str(IPv4Address(octets))


def _ipv6(octets: bytes) -> str:
    return str(IPv6Address(octets))


def _hexadecimal(digits: int) -> Callable[[int], str]:
    return lambda value: f"0x{value:0{digits}x}"


def _named(names: dict[int, str], digits: int = 0) -> Callable[[int], str]:
    def show(value: int) -> str:
        number = f"0x{value:0{digits}x}" if digits else str(value)
        name = names.get(value)
        return f"{name} ({number})" if name else number

    return show


def _octets(value: int) -> str:
    return f"{value} octets"


def _flag(value: int) -> str:
    return "set" if value else "not set"


ETHERTYPE_NAMES = {
    0x0800: "IPv4",
    0x0806: "ARP",
    0x6558: "Transparent Ethernet bridging",
    0x8100: "802.1Q VLAN",
    0x86DD: "IPv6",
    0x8847: "MPLS",
    0x8848: "MPLS multicast",
    0x8863: "PPPoE discovery",
    0x8864: "PPPoE session",
    0x880B: "PPP",
    0x88A8: "802.1ad VLAN",
    0x9100: "VLAN (QinQ)",
}
IP_PROTOCOL_NAMES = {
    0: "hop-by-hop options",
    1: "ICMP",
    4: "IPv4",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    43: "routing header",
    44: "fragment header",
    47: "GRE",
    50: "ESP",
    51: "authentication header",
    58: "ICMPv6",
    59: "no next header",
    60: "destination options",
    135: "mobility header",
}
_PACKET_TYPES = {
    0: "to us",
    1: "broadcast",
    2: "multicast",
    3: "to another host",
    4: "sent by us",
}
_TCP_FLAG_NAMES = (
    (0x100, "AE"),
    (0x080, "CWR"),
    (0x040, "ECE"),
    (0x020, "URG"),
    (0x010, "ACK"),
    (0x008, "PSH"),
    (0x004, "RST"),
    (0x002, "SYN"),
    (0x001, "FIN"),
)


def tcp_flag_names(flags: int) -> str:
    """The names of the flags that are set, most significant first."""
    return ", ".join(name for bit, name in reversed(_TCP_FLAG_NAMES) if flags & bit) or "none"


def _tcp_flags(flags: int) -> str:
    return f"0x{flags:03x} ({tcp_flag_names(flags)})"


_ethertype = _named(ETHERTYPE_NAMES, 4)
_ip_protocol = _named(IP_PROTOCOL_NAMES)
_ppp_protocol = _named({0x0021: "IPv4", 0x0057: "IPv6"}, 4)

ETHERNET = Header(
    dpkt.ethernet.Ethernet,
    "eth",
    "Ethernet",
    (
        HeaderField("dst", "eth.dst", "Destination", _mac),
        HeaderField("src", "eth.src", "Source", _mac),
        HeaderField("type", "eth.type", "Type", _ethertype),
    ),
)
VLAN = Header(
    dpkt.ethernet.VLANtag8021Q,
    "vlan",
    "Virtual LAN",
    (
        HeaderField("pri", "vlan.priority", "Priority"),
        HeaderField("cfi", "vlan.dei", "Drop eligible", _flag),
        HeaderField("id", "vlan.id", "ID"),
        HeaderField("type", "vlan.etype", "Type", _ethertype),
    ),
)
SERVICE_VLAN = Header(
    dpkt.ethernet.VLANtag8021Q,
    "ieee8021ad",
    "Service VLAN (802.1ad)",
    (
        HeaderField("pri", "ieee8021ad.priority", "Priority"),
        HeaderField("cfi", "ieee8021ad.dei", "Drop eligible", _flag),
        HeaderField("id", "ieee8021ad.id", "ID"),
        HeaderField("type", "ieee8021ah.etype", "Type", _ethertype),
    ),
)
MPLS = Header(
    dpkt.ethernet.MPLSlabel,
    "mpls",
    "MPLS label",
    (
        HeaderField("val", "mpls.label", "Label"),
        HeaderField("exp", "mpls.exp", "Traffic class"),
        HeaderField("s", "mpls.bottom", "Bottom of stack", _flag),
        HeaderField("ttl", "mpls.ttl", "Time to live"),
    ),
)
SLL = Header(
    dpkt.sll.SLL,
    "sll",
    "Linux cooked capture v1",
    (
        HeaderField("type", "sll.pkttype", "Packet type", _named(_PACKET_TYPES)),
        HeaderField("hrd", "sll.hatype", "Link-layer address type"),
        HeaderField("hlen", "sll.halen", "Link-layer address length"),
        HeaderField("hdr", "sll.src.eth", "Source", _mac, length_in="hlen"),
        HeaderField("ethtype", "sll.etype", "Protocol", _ethertype),
    ),
)
SLL2 = Header(
    dpkt.sll2.SLL2,
    "sll",
    "Linux cooked capture v2",
    (
        HeaderField("ethtype", "sll.etype", "Protocol", _ethertype),
        HeaderField("intindex", "sll.ifindex", "Interface index"),
        HeaderField("hrd", "sll.hatype", "Link-layer address type"),
        HeaderField("type", "sll.pkttype", "Packet type", _named(_PACKET_TYPES)),
        HeaderField("hlen", "sll.halen", "Link-layer address length"),
        HeaderField("hdr", "sll.src.eth", "Source", _mac, length_in="hlen"),
    ),
)
PPP_ADDRESS = Header(
    _PppAddress,
    "ppp",
    "Point-to-point framing",
    (
        HeaderField("addr", "ppp.address", "Address", _hexadecimal(2)),
        HeaderField("cntrl", "ppp.control", "Control", _hexadecimal(2)),
    ),
)
PPP = Header(
    _PppProtocol,
    "ppp",
    "Point-to-point protocol",
    (HeaderField("p", "ppp.protocol", "Protocol", _ppp_protocol),),
)
PPPOE = Header(
    dpkt.pppoe.PPPoE,
    "pppoe",
    "PPP over Ethernet",
    (
        HeaderField("v", "pppoe.version", "Version"),
        HeaderField("type", "pppoe.type", "Type"),
        HeaderField("code", "pppoe.code", "Code", _hexadecimal(2)),
        HeaderField("session", "pppoe.session_id", "Session ID", _hexadecimal(4)),
        HeaderField("len", "pppoe.payload_length", "Payload length"),
    ),
)
IPV4 = Header(
    dpkt.ip.IP,
    "ip",
    "Internet Protocol version 4",
    (
        HeaderField("v", "ip.version", "Version"),
        HeaderField("hl", "ip.hdr_len", "Header length", _octets, 4),
        HeaderField("tos", "ip.dsfield", "Differentiated services", _hexadecimal(2)),
        HeaderField("len", "ip.len", "Total length"),
        HeaderField("id", "ip.id", "Identification", _hexadecimal(4)),
        HeaderField("df", "ip.flags.df", "Don't fragment", _flag),
        HeaderField("mf", "ip.flags.mf", "More fragments", _flag),
        HeaderField("offset", "ip.frag_offset", "Fragment offset", str, 8),
        HeaderField("ttl", "ip.ttl", "Time to live"),
        HeaderField("p", "ip.proto", "Protocol", _ip_protocol),
        HeaderField("sum", "ip.checksum", "Header checksum", _hexadecimal(4)),
        HeaderField("src", "ip.src", "Source", _ipv4),
        HeaderField("dst", "ip.dst", "Destination", _ipv4),
    ),
)
IPV6 = Header(
    dpkt.ip6.IP6,
    "ipv6",
    "Internet Protocol version 6",
    (
        HeaderField("v", "ipv6.version", "Version"),
        HeaderField("fc", "ipv6.tclass", "Traffic class", _hexadecimal(2)),
        HeaderField("flow", "ipv6.flow", "Flow label", _hexadecimal(5)),
        HeaderField("plen", "ipv6.plen", "Payload length"),
        HeaderField("nxt", "ipv6.nxt", "Next header", _ip_protocol),
        HeaderField("hlim", "ipv6.hlim", "Hop limit"),
        HeaderField("src", "ipv6.src", "Source", _ipv6),
        HeaderField("dst", "ipv6.dst", "Destination", _ipv6),
    ),
)


def _ipv6_extension(name: str, title: str) -> Header:
    return Header(
        dpkt.ip6.IP6OptsHeader,
        name,
        title,
        (
            HeaderField("nxt", f"{name}.nxt", "Next header", _ip_protocol),
            HeaderField("len", f"{name}.len", "Length in units of 8 octets, less the first"),
        ),
    )


IPV6_HOP_BY_HOP = _ipv6_extension("ipv6.hopopts", "IPv6 hop-by-hop options")
IPV6_ROUTING = _ipv6_extension("ipv6.routing", "IPv6 routing header")
IPV6_DESTINATION = _ipv6_extension("ipv6.dstopts", "IPv6 destination options")
AUTHENTICATION = Header(
    dpkt.ah.AH,
    "ah",
    "Authentication header",
    (
        HeaderField("nxt", "ah.next_header", "Next header", _ip_protocol),
        HeaderField("len", "ah.length", "Length in units of 4 octets, less two"),
        HeaderField("spi", "ah.spi", "Security parameters index", _hexadecimal(8)),
        HeaderField("seq", "ah.sequence", "Sequence number"),
    ),
)
IPV6_FRAGMENT = Header(
    dpkt.ip6.IP6FragmentHeader,
    "ipv6.fraghdr",
    "IPv6 fragment header",
    (
        HeaderField("nxt", "ipv6.fraghdr.nxt", "Next header", _ip_protocol),
        HeaderField("frag_off", "ipv6.fraghdr.offset", "Fragment offset", str, 8),
        HeaderField("m_flag", "ipv6.fraghdr.more", "More fragments", _flag),
        HeaderField("id", "ipv6.fraghdr.ident", "Identification", _hexadecimal(8)),
    ),
)
GRE = Header(
    dpkt.gre.GRE,
    "gre",
    "Generic routing encapsulation",
    (
        HeaderField("flags", "gre.flags_and_version", "Flags and version", _hexadecimal(4)),
        HeaderField("p", "gre.proto", "Protocol", _ethertype),
    ),
)
UDP = Header(
    dpkt.udp.UDP,
    "udp",
    "User datagram protocol",
    (
        HeaderField("sport", "udp.srcport", "Source port"),
        HeaderField("dport", "udp.dstport", "Destination port"),
        HeaderField("ulen", "udp.length", "Length"),
        HeaderField("sum", "udp.checksum", "Checksum", _hexadecimal(4)),
    ),
)
VXLAN = Header(
    _Vxlan,
    "vxlan",
    "Virtual extensible LAN",
    (
        HeaderField("flags", "vxlan.flags", "Flags", _hexadecimal(4)),
        HeaderField("vni", "vxlan.vni", "Network identifier", lambda o: str(int.from_bytes(o))),
    ),
)
GTP_U = Header(
    _GtpU,
    "gtp",
    "GPRS tunnelling protocol, user plane",
    (
        HeaderField("flags", "gtp.flags", "Flags", _hexadecimal(2)),
        HeaderField("type", "gtp.message", "Message type", _named({255: "T-PDU"})),
        HeaderField("len", "gtp.length", "Length"),
        HeaderField("teid", "gtp.teid", "Tunnel endpoint", _hexadecimal(8)),
    ),
)
TCP = Header(
    dpkt.tcp.TCP,
    "tcp",
    "Transmission control protocol",
    (
        HeaderField("sport", "tcp.srcport", "Source port"),
        HeaderField("dport", "tcp.dstport", "Destination port"),
        HeaderField("seq", "tcp.seq_raw", "Sequence number"),
        HeaderField("ack", "tcp.ack_raw", "Acknowledgment number"),
        HeaderField("off", "tcp.hdr_len", "Header length", _octets, 4),
        HeaderField("flags", "tcp.flags", "Flags", _tcp_flags),
        HeaderField("win", "tcp.window_size_value", "Window"),
        HeaderField("sum", "tcp.checksum", "Checksum", _hexadecimal(4)),
        HeaderField("urp", "tcp.urgent_pointer", "Urgent pointer"),
    ),
)
