"""One packet as the cells of a row: who, where, how long, and the information in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from dissector.option_codec import decode_options
from mptrace.analysis.packets.packet_tree import packet_tree
from mptrace.views.browsing.option_words import words
from mptrace.views.browsing.ordinary_rows import kinds
from mptrace.views.figures import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dissector.field_tree import Field
    from mptrace.views.browsing.packet_facts import PacketFacts
    from mptrace.views.browsing.packet_table import PacketTable, TcpHeader

COPY_MARKS: Final = {"retransmission": "t", "remapped": "m", "reinjection": "r"}
"""Marks of copies in the list, beside their colour."""
OUT_OF_ORDER_MARK: Final = "o"
FINDING_MARKS: Final = {"error": "!", "warning": "!", "note": "?"}
LEGEND: Final = (
    ("t", "TCP retransmission: the same octets again under the same subflow sequence number"),
    ("m", "remapped: the same octets again on the same subflow, under a new number"),
    ("r", "reinjection: octets that another subflow carried before"),
    ("o", "out of order: lower octets were still missing when it came"),
    ("!", "proof of an error or a warning (? of a note)"),
    ("*", "marked by you"),
)

_FLAG_NAMES: Final = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"), (0x08, "PSH"), (0x10, "ACK"))
_SYN, _FIN, _RST, _ACK = 0x02, 0x01, 0x04, 0x10
_CACHED: Final = 4096
_SOURCE_NAMES: Final = ("ip.src", "ipv6.src", "eth.src", "sll.src.eth")
_DESTINATION_NAMES: Final = ("ip.dst", "ipv6.dst", "eth.dst")


@dataclass(frozen=True, slots=True)
class PacketRow:
    """The cells of a packet, but for its time."""

    row: int
    number: int
    source: str
    destination: str
    connection: int | None
    subflow: int | None
    length: int
    info: str
    copy: str
    """What its payload is: first, retransmission, remapped, reinjection, or nothing."""
    out_of_order: bool
    severity: str
    """The worst severity of the findings that it proves, or nothing."""

    @property
    def words(self) -> str:
        """What a search looks at."""
        return f"{self.source} {self.destination} {self.info}"

    @property
    def marks(self) -> str:
        """Three characters: class of copy, order, finding."""
        return (
            COPY_MARKS.get(self.copy, " ")
            + (OUT_OF_ORDER_MARK if self.out_of_order else " ")
            + FINDING_MARKS.get(self.severity, " ")
        )


class PacketRows:
    """Makes rows on demand and keeps the latest."""

    def __init__(self, packets: PacketTable, facts: PacketFacts) -> None:
        self._packets = packets
        self._facts = facts
        self.row = lru_cache(maxsize=_CACHED)(self.made)
        """A row, from the latest ones where it is among them."""

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """(packets,): rows with equal numbers differ in digits only; see `ordinary_rows`."""
        return kinds(self._facts, len(self._packets))

    def made(self, row: int) -> PacketRow:
        """Make a row, without keeping it: for going through many."""
        header = self._packets.tcp(row)
        if header is None:
            source, destination, info = self._without_tcp(row)
        else:
            source, destination = header.source, header.destination
            info = self._info(row, header)
        severities = {finding.severity for finding in self._facts.findings(row)}
        worst = next((s for s in ("error", "warning", "note") if s in severities), "")
        return PacketRow(
            row=row,
            number=row + 1,
            source=source,
            destination=destination,
            connection=self._facts.get(row, "mptcp.stream"),
            subflow=self._facts.get(row, "mptrace.subflow"),
            length=int(self._packets.wire_length[row]),
            info=info,
            copy=self._facts.get(row, "mptrace.copy") or "",
            out_of_order=bool(self._facts.get(row, "mptrace.out_of_order_octets")),
            severity=worst,
        )

    def _info(self, row: int, header: TcpHeader) -> str:
        parts = [_flag_words(header.flags)]
        area = self._packets.option_area(row, header)
        options = decode_options(area, declared_length=header.options_length)
        parts += words(options)
        parts.append(self._data(row, header))
        body = " ".join(part for part in parts if part)
        if not self._facts.has(row):
            ports = f"{header.source_port} → {header.destination_port}"
            body = f"{ports} [{_all_flags(header.flags)}] seq {header.seq} ack {header.ack}"
            body += f" win {header.window} len {header.payload_length}"
        remark = copy_words(self._facts, row)
        if not remark and self._facts.get(row, "mptrace.out_of_order_octets"):
            remark = "out of order"
        return f"[{remark[0].upper()}{remark[1:]}] {body}" if remark else body

    def _data(self, row: int, header: TcpHeader) -> str:
        """The DSS, and the place of the payload on the data axis."""
        get = self._facts.get
        ack = get(row, "mptcp.ack")
        length = get(row, "tcp.options.mptcp.datalvllen")
        parts = []
        if header.payload_length and get(row, "mptcp.dsn") is not None:
            start = get(row, "mptcp.dsn")
            octets = _mapped_octets(self._facts, row)
            parts.append(f"dsn {start}..{start + max(octets, 1) - 1}")
            if length is not None and length != octets:
                parts.append(f"mapping of {length}" if length else "infinite mapping")
        elif header.payload_length and self._facts.has(row):
            parts.append(f"{header.payload_length} octets without a mapping")
        elif length is not None and get(row, "mptcp.dsn") is not None:
            parts.append(f"dsn {get(row, 'mptcp.dsn')}")
        if get(row, "mptrace.data_fin"):
            parts.append("DATA_FIN")
        if ack is not None:
            parts.append(f"ack {ack}")
        if not parts:
            return ""
        signalled = length is not None or ack is not None
        return ("DSS " if signalled else "data ") + " ".join(parts)

    def _without_tcp(self, row: int) -> tuple[str, str, str]:
        """Source, destination and words of a packet without TCP, from its dissection."""
        tree = packet_tree(self._packets.record(row))
        source, destination = "", ""
        for layer in tree.layers:
            source = _value_of(layer, _SOURCE_NAMES) or source
            destination = _value_of(layer, _DESTINATION_NAMES) or destination
        if not tree.layers:
            return source, destination, f"link type {tree.link_type} is not decoded"
        last = tree.layers[-1]
        text = f"{last.label}: {last.text}" if last.text else last.label
        return source, destination, printable(text)


def copy_words(facts: PacketFacts, row: int) -> str:
    """What a packet repeats, in words: ``reinjection of 812, spurious``; nothing: it is new."""
    kind = facts.get(row, "mptrace.copy")
    if kind not in COPY_MARKS:
        return ""
    earlier = facts.get(row, "mptrace.repeats")
    of = "" if earlier is None else f" of {earlier}"
    if kind == "remapped":
        return f"remapped, repeats {earlier}" if earlier is not None else "remapped"
    worth = facts.get(row, "mptrace.reinjection") if kind == "reinjection" else None
    return f"{kind}{of}" + (f", {worth}" if worth else "")


def _mapped_octets(facts: PacketFacts, row: int) -> int:
    names = ("first", "retransmitted", "remapped", "reinjected")
    return sum(int(facts.get(row, f"mptrace.{name}_octets")) for name in names)


def _flag_words(flags: int) -> str:
    """SYN, FIN and RST with their ACK; a bare ACK says nothing worth the space."""
    if flags & _SYN:
        return "SYN/ACK" if flags & _ACK else "SYN"
    if flags & _RST:
        return "RST"
    return "FIN" if flags & _FIN else ""


def _all_flags(flags: int) -> str:
    return ", ".join(name for bit, name in _FLAG_NAMES if flags & bit) or "none"


def _value_of(layer: Field, names: tuple[str, ...]) -> str:
    for name in names:
        found: Any = next((child for child in layer.children if child.name == name), None)
        if found is not None:
            return printable(found.text)
    return ""
