"""Every packet of a capture as columns, and one packet's octets on demand."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.capture.decode import tcp_columns
from mptrace.capture.records import PacketRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dissector.packet_columns import TcpColumns
    from mptrace.capture import Capture, RecordBatch

_RECORD: Final = np.dtype(
    [
        ("time_ns", np.int64),
        ("file_offset", np.int64),
        ("captured_length", np.int32),
        ("wire_length", np.uint32),
        ("interface", np.int32),
        ("source", np.int32),
    ]
)
_TCP: Final = np.dtype(
    [
        ("source_high", np.uint64),
        ("source_low", np.uint64),
        ("destination_high", np.uint64),
        ("destination_low", np.uint64),
        ("seq", np.uint32),
        ("ack", np.uint32),
        ("payload_length", np.uint32),
        ("options_offset", np.uint32),
        ("source_port", np.uint16),
        ("destination_port", np.uint16),
        ("flags", np.uint16),
        ("window", np.uint16),
        ("options_length", np.uint8),
        ("options_captured", np.uint8),
        ("family", np.uint8),
    ]
)
_NO_TCP: Final = -1
_SAMPLE: Final = 1000
_ADDRESS_FIELDS: Final = ("source_high", "source_low", "destination_high", "destination_low")


@dataclass(frozen=True, slots=True)
class TcpHeader:
    """The TCP header of one packet, as its columns have it."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    seq: int
    ack: int
    flags: int
    window: int
    payload_length: int
    options_offset: int
    """From the packet's first octet."""
    options_length: int
    options_captured: int


class PacketTable:
    """The packets of a capture in frame order; row ``i`` is packet number ``i + 1``."""

    def __init__(
        self,
        capture: Capture,
        records: NDArray[np.void],
        tcp: NDArray[np.void],
        tcp_row: NDArray[np.int32],
    ) -> None:
        self._capture = capture
        self._records = records
        self._tcp = tcp
        self._tcp_row = tcp_row
        self.widest_address = _widest_address(tcp)
        """Characters of the longest TCP address among some that were looked at."""
        self.time_ns: NDArray[np.int64] = records["time_ns"]
        self.wire_length: NDArray[np.uint32] = records["wire_length"]

    def __len__(self) -> int:
        return int(self._records.size)

    @classmethod
    def read(cls, capture: Capture, progress: Callable[[int], None] | None = None) -> PacketTable:
        """Read all record headers and TCP headers, once."""
        records, numbers, tcp, tcp_numbers = [], [], [], []
        for batch in capture.batches(progress):
            columns, _ = tcp_columns(capture.interfaces, batch)
            records.append(_records(batch))
            numbers.append(batch.frame_number)
            tcp.append(_headers(batch, columns))
            tcp_numbers.append(batch.frame_number[columns.record])
        if not records:
            return cls(capture, np.empty(0, _RECORD), np.empty(0, _TCP), np.empty(0, np.int32))
        packets = np.concatenate(records)
        headers = np.concatenate(tcp)
        tcp_row = np.full(packets.size, _NO_TCP, np.int32)
        tcp_row[np.concatenate(tcp_numbers) - 1] = np.arange(headers.size, dtype=np.int32)
        if len(capture.paths) > 1:
            packets = packets[np.argsort(np.concatenate(numbers), kind="stable")]
        return cls(capture, packets, headers, tcp_row)

    def record(self, row: int) -> PacketRecord:
        """One packet with its octets; IndexError beyond the last row."""
        entry = self._records[row]
        source, offset = int(entry["source"]), int(entry["file_offset"])
        return PacketRecord(
            frame_number=row + 1,
            octets=self._capture.read(source, offset, int(entry["captured_length"])),
            wire_length=int(entry["wire_length"]),
            time_ns=int(entry["time_ns"]),
            interface=self._capture.interfaces[int(entry["interface"])],
            source=source,
            file_offset=offset,
        )

    def tcp(self, row: int) -> TcpHeader | None:
        """The TCP header of a packet; None where it has none."""
        at = int(self._tcp_row[row])
        if at == _NO_TCP:
            return None
        header = self._tcp[at]
        family = int(header["family"])
        return TcpHeader(
            source=_address(family, header["source_high"], header["source_low"]),
            destination=_address(family, header["destination_high"], header["destination_low"]),
            source_port=int(header["source_port"]),
            destination_port=int(header["destination_port"]),
            seq=int(header["seq"]),
            ack=int(header["ack"]),
            flags=int(header["flags"]),
            window=int(header["window"]),
            payload_length=int(header["payload_length"]),
            options_offset=int(header["options_offset"]),
            options_length=int(header["options_length"]),
            options_captured=int(header["options_captured"]),
        )

    def option_area(self, row: int, header: TcpHeader) -> bytes:
        """The captured octets of a packet's TCP options."""
        if not header.options_captured:
            return b""
        entry = self._records[row]
        start = int(entry["file_offset"]) + header.options_offset
        return self._capture.read(int(entry["source"]), start, header.options_captured)

    def extents(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, 3): source, file offset and captured length of each row."""
        entry = self._records[rows]
        columns = (entry["source"], entry["file_offset"], entry["captured_length"])
        return np.stack([column.astype(np.int64) for column in columns], axis=1)

    def read_octets(self, source: int, offset: int, length: int) -> bytes:
        """Octets of one of the capture's files."""
        return self._capture.read(source, offset, length)


def _records(batch: RecordBatch) -> NDArray[np.void]:
    entries = np.zeros(batch.offset.size, _RECORD)
    entries["time_ns"] = batch.time_ns
    entries["file_offset"] = batch.offset + batch.buffer_offset
    entries["captured_length"] = batch.captured_length
    entries["wire_length"] = batch.wire_length
    entries["interface"] = batch.interface
    entries["source"] = batch.source
    return entries


def _headers(batch: RecordBatch, columns: TcpColumns) -> NDArray[np.void]:
    headers = np.zeros(columns.record.size, _TCP)
    for name in _TCP.names or ():
        if name == "options_offset":
            headers[name] = columns.options_offset - batch.offset[columns.record]
        else:
            headers[name] = np.maximum(getattr(columns, name), 0)
    return headers


def _address(family: int, high: int, low: int) -> str:
    if family == 4:
        return str(IPv4Address(int(low)))
    return str(IPv6Address(int(high) << 64 | int(low)))


def _widest_address(tcp: NDArray[np.void]) -> int:
    """Of many packets a thousand are looked at, and both of their addresses."""
    sample = tcp[:: max(tcp.size // _SAMPLE, 1)][["family", *_ADDRESS_FIELDS]]
    found = {
        _address(family, *halves)
        for family, *numbers in np.unique(sample).tolist()
        for halves in (numbers[:2], numbers[2:])
    }
    return max(map(len, found), default=15)
