"""TCP 5-tuples as numbers, found for a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dissector.packet_columns import TcpColumns
    from mptrace.analysis.columns.tables import I32, I64, U64, Bool, Numbers

_KEY_COLUMNS = 6
_ROOM_BITS = 2
"""So many times two as large as needed is the table of likely flows, that few share a place."""
_MULTIPLIERS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xFF51AFD7ED558CCD,
        0xC4CEB9FE1A85EC53,
    ],
    np.uint64,
)


def mixed(columns: tuple[U64, ...]) -> U64:
    """A 64-bit hash of rows of up to six uint64 columns; equal rows give equal hashes."""
    total = np.zeros(columns[0].size, np.uint64)
    for column, multiplier in zip(columns, _MULTIPLIERS, strict=False):
        total = (total ^ column) * multiplier
        total ^= total >> np.uint64(29)
    return total


@dataclass(frozen=True, slots=True)
class FlowEndpoints:
    """A flow's two ends, the numerically lower one first."""

    family: int
    low_address: str
    low_port: int
    high_address: str
    high_port: int


class FlowTable:
    """Numbers the 5-tuples of a capture in the order in which they appear.

    Both directions of a flow share its number. Hashes only make it fast: every row is compared
    with the whole key of the flow it is taken for.
    """

    def __init__(self) -> None:
        self._number: dict[tuple[int, ...], int] = {}
        self._keys = np.empty((0, _KEY_COLUMNS), np.uint64)
        self._hashes = np.empty(0, np.uint64)
        self._hash_owner = np.empty(0, np.int64)
        self._columns = np.ascontiguousarray(self._keys.T)
        self._likely = np.zeros(1, np.int64)
        """The flow that a hash of these highest bits is likely to be of."""

    def __len__(self) -> int:
        return len(self._number)

    def number(self, tcp: TcpColumns) -> tuple[I32, Bool]:
        """Flow number of each row, and whether the flow's lower endpoint sent it."""
        columns, hashes, from_low = _canonical(tcp)
        flow = self._known(columns, hashes)
        unknown = np.flatnonzero(flow < 0)
        if unknown.size:
            _, first = np.unique(hashes[unknown], return_index=True)
            self._add(columns, hashes, unknown[np.sort(first)])
            flow[unknown] = self._known(tuple(c[unknown] for c in columns), hashes[unknown])
            colliding = np.flatnonzero(flow < 0)
            if colliding.size:  # two 5-tuples with one hash: one by one
                self._add(columns, hashes, colliding)
                for row in colliding.tolist():
                    flow[row] = self._number[tuple(int(c[row]) for c in columns)]
        return flow.astype(np.int32), from_low

    def endpoints(self, flow: int) -> FlowEndpoints:
        """Addresses and ports of a flow."""
        low_high, low_low, high_high, high_low, ports, family = self._keys[flow].tolist()
        return FlowEndpoints(
            family,
            address_text(family, low_high, low_low),
            ports >> 16,
            address_text(family, high_high, high_low),
            ports & 0xFFFF,
        )

    def low_port_is_lower(self) -> Bool:
        """(flows,): whether the lower endpoint of each flow has the lower port number."""
        ports = self._keys[:, 4]
        lower: Bool = (ports >> np.uint64(16)) < (ports & np.uint64(0xFFFF))
        return lower

    def _known(self, columns: tuple[U64, ...], hashes: U64) -> I64:
        if not self._hashes.size:
            return np.full(hashes.size, -1)
        flow: I64 = self._likely[hashes >> np.uint64(65 - self._likely.size.bit_length())]
        others = np.flatnonzero(~self._is_key(flow, columns))
        if others.size:
            sought = hashes[others]
            at = np.minimum(np.searchsorted(self._hashes, sought), self._hashes.size - 1)
            found = self._hash_owner[at]
            same = self._is_key(found, tuple(column[others] for column in columns))
            flow[others] = np.where(same, found, -1)
        return flow

    def _is_key(self, flow: I64, columns: tuple[U64, ...]) -> Bool:
        """Whether each row has the whole key of the flow named for it."""
        same: Bool = np.ones(flow.size, np.bool_)
        for known, column in zip(self._columns, columns, strict=True):
            same &= known[flow] == column
        return same

    def _add(self, columns: tuple[U64, ...], hashes: U64, rows: Numbers) -> None:
        fresh, fresh_hashes = [], []
        for row in rows.tolist():
            key = tuple(int(c[row]) for c in columns)
            if key not in self._number:
                self._number[key] = len(self._number)
                fresh.append(key)
                fresh_hashes.append(hashes[row])
        if not fresh:
            return
        owner = np.arange(len(self._keys), len(self._number))
        self._keys = np.concatenate((self._keys, np.array(fresh, np.uint64)))
        all_hashes = np.concatenate((self._hashes, np.array(fresh_hashes, np.uint64)))
        all_owners = np.concatenate((self._hash_owner, owner))
        order = np.argsort(all_hashes, kind="stable")
        self._hashes, self._hash_owner = all_hashes[order], all_owners[order]
        self._columns = np.ascontiguousarray(self._keys.T)
        bits = max(_ROOM_BITS + len(self._keys).bit_length(), 1)
        self._likely = np.zeros(1 << bits, np.int64)
        self._likely[self._hashes >> np.uint64(64 - bits)] = self._hash_owner


def address_text(family: int, high: int, low: int) -> str:
    """An address as RFC 5952 writes it."""
    if family == 4:
        return str(IPv4Address(low))
    return str(IPv6Address(high << 64 | low))


def _canonical(tcp: TcpColumns) -> tuple[tuple[U64, ...], U64, Bool]:
    """The 5-tuple with the numerically lower endpoint first, its hash, who sent the segment."""
    source_port = tcp.source_port.astype(np.uint64)
    destination_port = tcp.destination_port.astype(np.uint64)
    from_low = tcp.source_low < tcp.destination_low
    same: NDArray[np.bool_] = tcp.source_low == tcp.destination_low
    only_ipv4 = bool((tcp.family == 4).all())
    if not only_ipv4:  # of IPv4 addresses the high halves are 0
        same_high = tcp.source_high == tcp.destination_high
        from_low = (tcp.source_high < tcp.destination_high) | (same_high & from_low)
        same &= same_high
    from_low |= same & (source_port <= destination_port)
    ports = np.where(
        from_low,
        source_port << np.uint64(16) | destination_port,
        destination_port << np.uint64(16) | source_port,
    )
    low_low = np.where(from_low, tcp.source_low, tcp.destination_low)
    high_low = np.where(from_low, tcp.destination_low, tcp.source_low)
    low_high, high_high = tcp.source_high, tcp.destination_high
    if not only_ipv4:
        low_high = np.where(from_low, tcp.source_high, tcp.destination_high)
        high_high = np.where(from_low, tcp.destination_high, tcp.source_high)
    family = tcp.family.astype(np.uint64)
    low, high = low_low, high_low
    if not only_ipv4:  # high halves of 0 change nothing, so that both ways give one hash
        low, high = low ^ low_high * _MULTIPLIERS[4], high ^ high_high * _MULTIPLIERS[5]
    hashes = mixed((low, high, ports | family << np.uint64(32)))
    return (low_high, low_low, high_high, high_low, ports, family), hashes, from_low
