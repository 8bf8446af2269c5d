"""Fields of the record and of the link layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mptrace.analysis.filter.columns import Column
from mptrace.analysis.filter.field import Columns, Field
from mptrace.analysis.filter.field_types import FieldType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mptrace.analysis.filter.batch_headers import BatchHeaders

_ETHERNET: Final = 1
_LINUX_SLL: Final = 113
_LINUX_SLL2: Final = 276


def frame_fields() -> Iterator[Field]:
    """All fields of this module."""
    unsigned, time = FieldType.UNSIGNED, FieldType.TIME
    yield Field("frame", FieldType.OCTETS, "the whole packet, as captured", read=_frame)
    yield Field("frame.number", unsigned, "number of the packet, from 1", derive=_number)
    yield Field("frame.len", unsigned, "octets on the wire", read=_of_record("wire_length"))
    yield Field("frame.cap_len", unsigned, "octets captured", read=_of_record("captured_length"))
    yield Field("frame.time_epoch", time, "seconds since 1970", read=_of_record("time_ns"))
    epoch = ("frame.time_epoch",)
    yield Field(
        "frame.time", FieldType.ABSOLUTE_TIME, "when it was captured", derive=_time, needs=epoch
    )
    yield Field(
        "frame.time_relative", time, "seconds since the first packet", derive=_relative, needs=epoch
    )
    yield Field(
        "frame.time_delta", time, "seconds since the packet before", derive=_delta, needs=epoch
    )
    yield Field("_interface", unsigned, "", read=_of_record("interface"), hidden=True)
    yield Field(
        "frame.interface_id",
        unsigned,
        "interface of a pcapng file, from 0",
        derive=_interface_id,
        needs=("_interface",),
    )
    yield from _ethernet_fields()
    yield from _cooked_fields()


def _frame(headers: BatchHeaders) -> Column:
    batch = headers.batch
    return Column(headers.records, headers.octets(batch.offset, batch.captured_length))


def _of_record(attribute: str) -> Callable[[BatchHeaders], Column]:
    def read(headers: BatchHeaders) -> Column:
        return Column(headers.records, getattr(headers.batch, attribute).astype(np.int64))

    return read


def _number(columns: Columns) -> Column:
    row = np.arange(columns.packets)
    return Column(row, row + 1)


def _time(columns: Columns) -> Column:
    return columns.column("frame.time_epoch")


def _relative(columns: Columns) -> Column:
    epoch = columns.column("frame.time_epoch")
    return Column(epoch.row, epoch.value - epoch.value[:1])


def _delta(columns: Columns) -> Column:
    epoch = columns.column("frame.time_epoch")
    return Column(epoch.row, np.diff(epoch.value, prepend=epoch.value[:1]))


def _interface_id(columns: Columns) -> Column:
    found = columns.column("_interface")
    return found if columns.capture.format == "pcapng" else found.take(np.empty(0, np.int64))


def _ethernet_fields() -> Iterator[Field]:
    def read(*places: int) -> Callable[[BatchHeaders], Column]:
        def addresses(headers: BatchHeaders) -> Column:
            found = headers.link_headers(_ETHERNET, 14)
            value = [
                headers.numbers(found.offset, ">u2", at=at) << 32
                | headers.numbers(found.offset, ">u4", at=at + 2)
                for at in places
            ]
            return Column(np.tile(found.row, len(places)), np.concatenate(value))

        return addresses

    ethernet = FieldType.ETHERNET
    yield Field("eth", FieldType.PRESENCE, "an Ethernet frame", read=_present(_ETHERNET, 14))
    yield Field("eth.dst", ethernet, "destination", read=read(0), bits=48)
    yield Field("eth.src", ethernet, "source", read=read(6), bits=48)
    yield Field("eth.addr", ethernet, "source or destination", read=read(0, 6), bits=48)


def _present(link_type: int, octets: int) -> Callable[[BatchHeaders], Column]:
    def read(headers: BatchHeaders) -> Column:
        found = headers.link_headers(link_type, octets)
        return Column(found.row, found.row)

    return read


def _cooked_fields() -> Iterator[Field]:
    def read(*layouts: tuple[int, int, str, int]) -> Callable[[BatchHeaders], Column]:
        def numbers(headers: BatchHeaders) -> Column:
            rows, values = [], []
            for link_type, octets, kind, at in layouts:
                found = headers.link_headers(link_type, octets)
                rows.append(found.row)
                values.append(headers.numbers(found.offset, kind, at=at))
            return Column(np.concatenate(rows), np.concatenate(values))

        return numbers

    unsigned = FieldType.UNSIGNED
    yield Field(
        "sll",
        FieldType.PRESENCE,
        "a Linux cooked capture",
        read=read((_LINUX_SLL, 16, "u1", 0), (_LINUX_SLL2, 20, "u1", 0)),
    )
    yield Field(
        "sll.ifindex", unsigned, "interface index (v2)", read=read((_LINUX_SLL2, 20, ">u4", 4))
    )
    yield Field(
        "sll.pkttype",
        unsigned,
        "0 to us, 4 sent by us...",
        16,
        read=read((_LINUX_SLL, 16, ">u2", 0), (_LINUX_SLL2, 20, "u1", 10)),
    )
