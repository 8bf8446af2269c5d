"""Which TCP stream is which subflow of which connection, in numbers for the data plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dissector.connection_state import ConnectionState
    from dissector.subflow import SubflowState
    from mptrace.analysis.columns.tables import I64, U64, Bool


@dataclass(slots=True)
class Membership:
    """Subflows, ordered by connection, then by their first packet."""

    connections: list[ConnectionState]
    """In order of their first packet."""
    subflows: list[list[SubflowState]]
    """Per connection."""
    subflow_of_stream: I64
    """(streams,): number over all connections; -1: not MPTCP."""
    connection_of_subflow: I64
    swapped: Bool
    """(subflows,): the connection's server is the stream's initiator."""

    @property
    def ways(self) -> int:
        """Two per subflow: 0 from the stream's initiator, 1 to it."""
        return 2 * self.connection_of_subflow.size

    @property
    def spaces(self) -> int:
        """Two per connection: 0 from client to server, 1 back."""
        return 2 * len(self.connections)

    def space_of_way(self) -> I64:
        """(ways,): the data sequence space whose octets a way carries."""
        way = np.arange(self.ways)
        direction = (way & 1) ^ self.swapped[way >> 1]
        result: I64 = 2 * self.connection_of_subflow[way >> 1] + direction
        return result

    def initial_data_seqs(self) -> tuple[U64, Bool]:
        """(spaces,): the IDSN of each space, and whether the handshake told it."""
        known: list[bool] = []
        values: list[int] = []
        for connection in self.connections:
            for host in (connection.client, connection.server):
                known.append(host.initial_data_seq is not None)
                values.append(host.initial_data_seq or 0)
        return np.array(values, np.uint64), np.array(known, np.bool_)


def number_members(
    connections: list[ConnectionState], first_row: NDArray[np.integer]
) -> Membership:
    """Number connections and subflows by their first packets.

    ``first_row`` is (streams,), the row of each stream's first segment.
    """

    def opening(subflow: SubflowState) -> int:
        return int(first_row[subflow.stream])

    groups = [
        (connection, sorted(connection.subflows, key=opening))
        for connection in connections
        if connection.subflows
    ]
    groups.sort(key=lambda group: opening(group[1][0]))
    subflow_of_stream = np.full(first_row.size, -1, np.int64)
    owners: list[int] = []
    swapped: list[bool] = []
    for index, (_, subflows) in enumerate(groups):
        for subflow in subflows:
            subflow_of_stream[subflow.stream] = len(owners)
            owners.append(index)
            swapped.append(not subflow.client_is_initiator)
    return Membership(
        [connection for connection, _ in groups],
        [subflows for _, subflows in groups],
        subflow_of_stream,
        np.array(owners, np.int64),
        np.array(swapped, np.bool_),
    )
