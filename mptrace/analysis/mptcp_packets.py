"""The packets of a capture that carry an MPTCP option, found in columns, given one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dissector.constants import TcpOptionKind
from dissector.option_columns import walk_options
from mptrace.capture.decode import tcp_columns
from mptrace.capture.records import PacketRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mptrace.capture import Capture, Interface, RecordBatch


def mptcp_packet_records(capture: Capture) -> Iterator[PacketRecord]:
    """Every packet with an option of MPTCP's kind, malformed and cut ones included.

    In the order of frame numbers; memory stays bounded whatever the capture's size.
    """
    # Of several files, batches come file by file: what is complete up to a number may go out.
    waiting: list[PacketRecord] = []
    given, highest = 0, 0
    for batch in capture.batches():
        given += batch.frame_number.size
        if batch.frame_number.size:
            highest = max(highest, int(batch.frame_number[-1]))
        waiting += [
            _record(capture.interfaces, batch, row)
            for row in rows_with_mptcp(capture.interfaces, batch).tolist()
        ]
        if given == highest:
            yield from sorted(waiting, key=lambda record: record.frame_number)
            waiting = []
    yield from sorted(waiting, key=lambda record: record.frame_number)


def rows_with_mptcp(interfaces: Sequence[Interface], batch: RecordBatch) -> NDArray[np.int64]:
    """The rows of a batch whose packets carry an option of MPTCP's kind, ascending."""
    columns, _ = tcp_columns(interfaces, batch)
    options = walk_options(
        batch.buffer, columns.options_offset, columns.options_length, columns.options_captured
    )
    cut = np.flatnonzero(
        (options.cut_offset >= 0)
        & (options.cut_offset < columns.options_offset + columns.options_captured)
    )
    cut = cut[batch.buffer[options.cut_offset[cut]] == TcpOptionKind.MPTCP]
    found = (
        options.packet[options.kind == TcpOptionKind.MPTCP],
        options.malformed.packet[options.malformed.kind == TcpOptionKind.MPTCP],
        cut,
    )
    rows: NDArray[np.int64] = columns.record[np.unique(np.concatenate(found))]
    return rows


def _record(interfaces: Sequence[Interface], batch: RecordBatch, row: int) -> PacketRecord:
    start = int(batch.offset[row])
    end = start + int(batch.captured_length[row])
    return PacketRecord(
        frame_number=int(batch.frame_number[row]),
        octets=batch.buffer[start:end].tobytes(),
        wire_length=int(batch.wire_length[row]),
        time_ns=int(batch.time_ns[row]),
        interface=interfaces[int(batch.interface[row])],
        source=batch.source,
        file_offset=start + batch.buffer_offset,
    )
