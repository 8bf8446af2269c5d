"""A plan carried out: packets copied, changed, their checksums computed, and written as pcap."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from bench.edits import Edit, PreparedEdit, Rows
from dissector.checksum import fold, slice_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.plan import Plan
    from bench.template import Template

_NANOSECOND_PCAP: Final = 0xA1B23C4D
_RECORD_HEADER: Final = 16
_ROWS_AT_ONCE: Final = 16384
_NO_OPERATION: Final = 1
_PROTOCOL_TCP: Final = 6
_NANO: Final = 1_000_000_000


class CaptureWriter:
    """Writes the packets of a plan.

    ``plain`` is bool[copies]: copies whose MPTCP options are overwritten with NOPs, so that they
    are plain TCP. ``snaplen`` cuts packets after their checksums were computed. The TCP checksum
    of a packet that the sample holds only in part is left as it is.
    """

    def __init__(
        self,
        template: Template,
        edits: list[Edit],
        plain: NDArray[np.bool_],
        snaplen: int | None = None,
    ) -> None:
        self._template = template
        self._edits = [PreparedEdit(edit, len(template)) for edit in edits]
        self._plain = plain
        self._snaplen = snaplen
        self._records = [bytes(_RECORD_HEADER) + octets for octets in template.octets]
        self._length = np.array([len(octets) for octets in template.octets])
        whole = template.tcp_offset + template.segment_length <= self._length
        self._whole = whole & (template.network_offset + 20 == template.tcp_offset)
        self._nop_packet, self._nop_offset = _octets_of(template.mptcp_options)
        self._nop_count = np.bincount(self._nop_packet, minlength=len(template))

    def write(self, plan: Plan, file: BinaryIO) -> None:
        """Write the whole capture."""
        file.write(
            struct.pack(
                "<IHHiIII",
                _NANOSECOND_PCAP,
                2,
                4,
                0,
                0,
                self._snaplen or 262144,
                self._template.link_type,
            )
        )
        for first in range(0, len(plan), _ROWS_AT_ONCE):
            self._write_rows(plan, slice(first, first + _ROWS_AT_ONCE), file)

    def _write_rows(self, plan: Plan, part: slice, file: BinaryIO) -> None:
        packet = plan.packet[part]
        joined = bytearray().join([self._records[number] for number in packet.tolist()])
        buffer = np.frombuffer(joined, np.uint8)
        length = self._length[packet] + _RECORD_HEADER
        start = np.cumsum(length) - length
        rows = Rows(buffer, start + _RECORD_HEADER, packet, plan.copy[part], plan.unit[part])
        for edit in self._edits:
            edit.apply(rows)
        self._overwrite_options(rows)
        self._checksums(rows)
        captured = self._length[packet]
        if self._snaplen is not None:
            captured = np.minimum(captured, self._snaplen)
        header = np.stack(
            (
                plan.time_ns[part] // _NANO,
                plan.time_ns[part] % _NANO,
                captured,
                self._template.wire_length[packet],
            ),
            axis=1,
        )
        octets = header.astype("<u4").view(np.uint8).reshape(-1, _RECORD_HEADER)
        buffer[start[:, None] + np.arange(_RECORD_HEADER)] = octets
        if self._snaplen is None:
            file.write(joined)
            return
        view = memoryview(joined)
        ends = start + _RECORD_HEADER + captured
        file.writelines(
            view[first:end] for first, end in zip(start.tolist(), ends.tolist(), strict=True)
        )

    def _overwrite_options(self, rows: Rows) -> None:
        plain = np.flatnonzero(self._plain[rows.copy])
        if not plain.size:
            return
        count = self._nop_count[rows.packet[plain]]
        first = (np.cumsum(self._nop_count) - self._nop_count)[rows.packet[plain]]
        which = np.repeat(np.arange(plain.size), count)
        within = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        place = rows.start[plain[which]] + self._nop_offset[first[which] + within]
        rows.buffer[place] = _NO_OPERATION

    def _checksums(self, rows: Rows) -> None:
        buffer, template = rows.buffer, self._template
        network = rows.start + template.network_offset[rows.packet]
        transport = rows.start + template.tcp_offset[rows.packet]
        length = template.segment_length[rows.packet]
        twenty = np.full(network.size, 20)
        _put(buffer, network + 10, np.zeros(network.size, np.uint16))
        _put(buffer, network + 10, ~slice_sums(buffer, network, twenty))
        whole = np.flatnonzero(self._whole[rows.packet])
        transport, network, length = transport[whole], network[whole], length[whole]
        _put(buffer, transport + 16, np.zeros(whole.size, np.uint16))
        total = slice_sums(buffer, transport, length).astype(np.uint64)
        total += slice_sums(buffer, network + 12, np.full(whole.size, 8))
        total += length.astype(np.uint64) + np.uint64(_PROTOCOL_TCP)
        _put(buffer, transport + 16, ~fold(total))


def _put(buffer: NDArray[np.uint8], place: NDArray[np.int64], value: NDArray[np.uint16]) -> None:
    buffer[place] = value >> 8
    buffer[place + 1] = value & 0xFF


def _octets_of(
    options: list[tuple[int, int, int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Packet and offset of every octet of these options."""
    pairs = [
        (packet, offset + octet) for packet, offset, length in options for octet in range(length)
    ]
    column = np.array(pairs, np.int64).reshape(-1, 2)
    return column[:, 0], column[:, 1]
