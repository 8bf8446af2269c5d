"""The packets of a capture that carry an MPTCP option, found in columns, given one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dissector.constants import TcpOptionKind
from dissector.option_columns import walk_options
from mptrace.capture.decode import tcp_columns
from mptrace.capture.records import PacketRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from mptrace.capture import Capture, Interface, RecordBatch

    _RowsOf = Callable[[Sequence[Interface], RecordBatch], NDArray[np.int64]]


def mptcp_packet_records(capture: Capture) -> Iterator[PacketRecord]:
    """Every packet with an option of MPTCP's kind, malformed and cut ones included.

    In the order of frame numbers; memory stays bounded whatever the capture's size.
    """
    return _chosen_records(capture, rows_with_mptcp)


def all_packet_records(capture: Capture) -> Iterator[PacketRecord]:
    """Every packet, in the same order and within the same memory."""
    return _chosen_records(capture, lambda _, batch: np.arange(batch.frame_number.size))


def passing_packet_records(capture: Capture, passes: NDArray[np.bool_]) -> Iterator[PacketRecord]:
    """The packets that a filter lets through; ``passes`` is (packets,), packet 1 first."""
    return _chosen_records(capture, lambda _, batch: np.flatnonzero(passes[batch.frame_number - 1]))


def _chosen_records(capture: Capture, rows_of: _RowsOf) -> Iterator[PacketRecord]:
    # Of several files, batches come file by file: what is complete up to a number may go out.
    waiting: list[tuple[RecordBatch, NDArray[np.int64]]] = []
    given, highest = 0, 0
    for batch in capture.batches():
        given += batch.frame_number.size
        if batch.frame_number.size:
            highest = max(highest, int(batch.frame_number[-1]))
        waiting.append((batch, rows_of(capture.interfaces, batch)))
        if given == highest:
            yield from _in_frame_order(capture, waiting)
            waiting = []
    yield from _in_frame_order(capture, waiting)


def _in_frame_order(
    capture: Capture, chosen: list[tuple[RecordBatch, NDArray[np.int64]]]
) -> Iterator[PacketRecord]:
    """The chosen rows of some batches as records, made one at a time."""
    if not chosen:
        return
    numbers = np.concatenate([batch.frame_number[rows] for batch, rows in chosen])
    source = np.repeat(np.arange(len(chosen)), [rows.size for _, rows in chosen])
    row = np.concatenate([rows for _, rows in chosen])
    for place in np.argsort(numbers, kind="stable").tolist():
        batch = chosen[source[place]][0]
        yield _record(capture.interfaces, batch, int(row[place]))


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
