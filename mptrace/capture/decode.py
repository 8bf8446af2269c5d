"""Packet records to TCP columns: the way from a capture into the dissector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dissector.frame_columns import Layers
from dissector.packet_columns import TcpColumns
from dissector.packet_columns import tcp_columns as columns_of_layers
from mptrace.capture.link_types import network_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.capture.records import Interface, RecordBatch


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What became of the packets of a batch.

    ``packets`` is the sum of ``tcp``, ``ip_fragments``, ``unreadable`` and ``non_tcp``.
    """

    packets: int
    tcp: int
    ip_fragments: int
    """Fragments of IP packets: the TCP header, if there is one, speaks of more than the packet."""
    unreadable: int
    """Link type not supported, headers cut or contradictory, frames encrypted."""
    non_tcp: int
    truncated: int
    """Captured shorter than they were on the wire; whatever else they are."""


def link_layers(interfaces: Sequence[Interface], batch: RecordBatch) -> Layers:
    """The first layer of each packet of a batch behind its link header, each by its link type."""
    record = np.arange(batch.offset.size)
    interface = batch.interface
    one = interface.size and int(interface.min()) == int(interface.max())
    used = [int(interface[0])] if one else np.unique(interface).tolist()
    link_types = {interfaces[number].link_type for number in used}
    rows_of_type: list[tuple[int, Any]]
    if len(link_types) <= 1:
        rows_of_type = [(link_type, slice(None)) for link_type in link_types]
    else:
        link_type_of = np.array([interface.link_type for interface in interfaces])[batch.interface]
        rows_of_type = [(link_type, link_type_of == link_type) for link_type in link_types]
    layers = Layers.joined(
        [
            network_layers(
                link_type,
                batch.buffer,
                record[rows],
                batch.offset[rows],
                batch.captured_length[rows],
                batch.wire_length[rows],
            )
            for link_type, rows in rows_of_type
        ]
    )
    # Joined one link type after the other; whoever reads on wants the order of the capture.
    return layers if len(link_types) <= 1 else layers.take(np.argsort(layers.record))


def tcp_columns(
    interfaces: Sequence[Interface], batch: RecordBatch
) -> tuple[TcpColumns, BatchCounts]:
    """The TCP segments of a batch; ``TcpColumns.record`` is the row within the batch."""
    columns, counts = columns_of_layers(batch.buffer, link_layers(interfaces, batch))
    return columns, BatchCounts(
        packets=batch.offset.size,
        tcp=columns.record.size,
        ip_fragments=counts.ip_fragments,
        unreadable=counts.unreadable,
        non_tcp=counts.non_tcp,
        truncated=int(np.count_nonzero(batch.captured_length < batch.wire_length)),
    )
