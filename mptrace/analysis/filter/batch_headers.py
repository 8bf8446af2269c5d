"""The headers of one batch of packets, decoded when a field first asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dissector.frame_columns import IPV4, IPV6, Layers, resolve_frames
from dissector.network_columns import ipv4_layers, ipv6_layers
from dissector.octet_windows import words
from dissector.option_columns import OptionRows, walk_options
from dissector.packet_columns import MAX_ENCAPSULATION
from dissector.tunnel_columns import tunnelled_layers
from mptrace.capture.decode import link_layers, tcp_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from dissector.packet_columns import TcpColumns
    from mptrace.analysis.columns.flows import FlowTable
    from mptrace.analysis.columns.tables import I32, I64, U8, Bool
    from mptrace.capture import Interface, RecordBatch

TCP: Final = 6
UDP: Final = 17


@dataclass(frozen=True, slots=True)
class HeaderPlaces:
    """Where the headers of one protocol begin: rows of the batch, offsets in its buffer."""

    row: I64
    offset: I64

    @classmethod
    def joined(cls, parts: list[HeaderPlaces]) -> HeaderPlaces:
        """All of several parts."""
        nothing = np.empty(0, np.int64)
        return cls(
            np.concatenate([nothing, *(part.row for part in parts)]),
            np.concatenate([nothing, *(part.offset for part in parts)]),
        )


@dataclass(frozen=True, slots=True)
class Networks:
    """Every IP header of a batch, outer and inner, and what they carry beside TCP."""

    ipv4: HeaderPlaces
    ipv6: HeaderPlaces
    others: Layers
    """Payload of other protocols; ``protocol`` is the IP protocol number."""


class BatchHeaders:
    """One batch, with the parts that fields read from."""

    def __init__(
        self, interfaces: Sequence[Interface], batch: RecordBatch, flows: FlowTable
    ) -> None:
        self.batch = batch
        self.flows = flows
        self.interfaces = interfaces

    @property
    def buffer(self) -> U8:
        """The octets that all offsets point into."""
        return self.batch.buffer

    @cached_property
    def records(self) -> I64:
        """Every row of the batch."""
        return np.arange(self.batch.offset.size)

    @cached_property
    def link_type(self) -> I64:
        """Link type of each row."""
        known = np.array([interface.link_type for interface in self.interfaces], np.int64)
        result: I64 = known[self.batch.interface]
        return result

    def link_headers(self, link_type: int, octets: int) -> HeaderPlaces:
        """The rows of a link type whose first ``octets`` octets were captured."""
        rows = np.flatnonzero(
            (self.link_type == link_type) & (self.batch.captured_length >= octets)
        )
        return HeaderPlaces(rows, self.batch.offset[rows])

    @cached_property
    def tcp(self) -> TcpColumns:
        """TCP segments of the innermost IP packets."""
        return tcp_columns(self.interfaces, self.batch)[0]

    @cached_property
    def flow_numbers(self) -> tuple[I32, Bool]:
        """Per row of `tcp`: the number of its 5-tuple, and whether its lower end sent it."""
        return self.flows.number(self.tcp)

    @cached_property
    def options(self) -> OptionRows:
        """The options of the TCP segments; ``packet`` is a row of `tcp`."""
        tcp = self.tcp
        return walk_options(
            self.buffer, tcp.options_offset, tcp.options_length, tcp.options_captured
        )

    @cached_property
    def networks(self) -> Networks:
        """All IP headers."""
        layers = link_layers(self.interfaces, self.batch)
        found: dict[int, list[HeaderPlaces]] = {IPV4: [], IPV6: []}
        others: list[Layers] = []
        for level in range(MAX_ENCAPSULATION + 1):
            layers = resolve_frames(self.buffer, layers)
            following = [
                self._read(found[protocol], layers.take(layers.protocol == protocol), level)
                for protocol in (IPV4, IPV6)
            ]
            carried = Layers.joined(following)
            if not carried.record.size:
                break
            others.append(carried)
            layers = tunnelled_layers(self.buffer, carried)
            if not layers.record.size:
                break
        return Networks(
            HeaderPlaces.joined(found[IPV4]),
            HeaderPlaces.joined(found[IPV6]),
            Layers.joined(others),
        )

    def _read(self, found: list[HeaderPlaces], layers: Layers, level: int) -> Layers:
        """Note the IP headers at ``layers``; return what they carry that is not TCP."""
        if not layers.record.size:
            return layers
        is_ipv4 = int(layers.protocol[0]) == IPV4
        least, protocol_at = (20, 9) if is_ipv4 else (40, 6)
        first = self.numbers(layers.offset, "u1")
        whole = (first >> 4 == (4 if is_ipv4 else 6)) & (
            layers.offset + least <= layers.captured_end
        )
        if is_ipv4:
            whole &= first & 0x0F >= 5
        layers = layers.take(whole)
        found.append(HeaderPlaces(layers.record, layers.offset))
        not_tcp = self.numbers(layers.offset, "u1", at=protocol_at) != TCP
        if not not_tcp.any():
            return layers.take(not_tcp)
        read = ipv4_layers if is_ipv4 else ipv6_layers
        return read(self.buffer, layers.take(not_tcp), level).others

    def payload_of(self, protocol: int, octets: int = 0) -> HeaderPlaces:
        """Where the payload of an IP protocol begins, if ``octets`` octets of it were captured."""
        others = self.networks.others
        rows = (others.protocol == protocol) & (others.offset + octets <= others.captured_end)
        return HeaderPlaces(others.record[rows], others.offset[rows])

    def numbers(self, offset: I64, kind: DTypeLike, *, at: int = 0) -> I64:
        """Numbers in the buffer, ``at`` octets behind each offset."""
        return words(self.buffer, offset, kind, at=at)

    def octets(self, offset: I64, length: I64) -> NDArray[Any]:
        """A column's values for octets of the buffer."""
        source = np.full(offset.size, self.batch.source)
        return np.stack((source, offset + self.batch.buffer_offset, length), axis=1)
