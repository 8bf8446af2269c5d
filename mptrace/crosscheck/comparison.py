"""Every MPTCP option of a capture as tshark decodes it, beside our own decode."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from mptrace.analysis.packets.mptcp_packets import mptcp_packet_records
from mptrace.analysis.packets.packet_tree import packet_tree
from mptrace.capture import PacketRecord, open_capture
from mptrace.crosscheck.difference import Difference, FieldValue
from mptrace.crosscheck.known_differences import explanation
from mptrace.crosscheck.tshark import WiresharkPacket, wireshark_packets

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterable, Iterator

    from dissector.field_tree import Field

OPTION_FILTER: Final = "tcp.option_kind == 30"
"""Packets with an MPTCP option, malformed ones included."""

_OPTION: Final = "tcp.options.mptcp"
_THEIR_OPTION: Final = "mptcp"
_GAVE_UP: Final = "_ws.malformed"
_COMPARED: Final = ("tcp.option_kind", "tcp.option_len")


_Fields = dict[str, list[FieldValue]]


def differences(path: str | os.PathLike[str]) -> Iterator[Difference]:
    """What tshark and we say otherwise about the MPTCP options of a capture.

    Both are read side by side, packet by packet: memory stays bounded.

    Raises:
        CrosscheckError: there is no tshark, or it reads nothing of the capture.
        CaptureError: we read nothing of the capture.
    """
    with open_capture(path) as capture:
        packets: Generator[WiresharkPacket] = wireshark_packets(
            path, OPTION_FILTER, f"tcp {_THEIR_OPTION}"
        )
        with closing(packets):
            for record, theirs in _side_by_side(mptcp_packet_records(capture), packets):
                yield from packet_differences(record, theirs)


def packet_differences(
    record: PacketRecord | None, theirs: WiresharkPacket | None
) -> Iterator[Difference]:
    """The same for one packet; None for the side that has no MPTCP option in it."""
    our_options = {} if record is None else _our_options(record)
    their_options = {} if theirs is None else _their_options(theirs)
    gave_up = theirs is not None and any(layer.name == _GAVE_UP for layer in theirs.layers)
    number = record.frame_number if record else theirs.frame_number if theirs else 0
    for offset in sorted(our_options.keys() | their_options.keys()):
        octets, ours = our_options.get(offset, (b"", None))
        other = their_options.get(offset)
        for field, mine, their in _field_differences(ours, other):
            found = Difference(number, offset, field, mine, their, octets, gave_up)
            known = explanation(found)
            yield found if known is None else replace(found, explained=known.name)


def _side_by_side(
    ours: Iterable[PacketRecord], theirs: Iterable[WiresharkPacket]
) -> Iterator[tuple[PacketRecord | None, WiresharkPacket | None]]:
    """Packets of the same number in pairs; both come in ascending order."""
    left, right = iter(ours), iter(theirs)
    record, packet = next(left, None), next(right, None)
    while record is not None or packet is not None:
        if packet is None or (record is not None and record.frame_number < packet.frame_number):
            yield record, None
            record = next(left, None)
        elif record is None or packet.frame_number < record.frame_number:
            yield None, packet
            packet = next(right, None)
        else:
            yield record, packet
            record, packet = next(left, None), next(right, None)


def _field_differences(
    ours: _Fields | None, theirs: _Fields | None
) -> Iterator[tuple[str, FieldValue | None, FieldValue | None]]:
    if ours is None or theirs is None:
        present = (ours or theirs or {}).get("tcp.option_kind", [])
        kind = present[0] if present else None
        yield ("", kind, None) if theirs is None else ("", None, kind)
        return
    for name in dict.fromkeys([*ours, *theirs]):
        pairs = zip_longest(ours.get(name, ()), theirs.get(name, ()))
        yield from ((name, mine, their) for mine, their in pairs if mine != their)


def _our_options(record: PacketRecord) -> dict[int, tuple[bytes, _Fields]]:
    """By offset: the octets of each option, as far as captured, and its fields."""
    found: dict[int, tuple[bytes, _Fields]] = {}
    for layer in packet_tree(record).layers:
        for field in _walk(layer):
            if field.name == _OPTION:
                octets = record.octets[field.offset : field.offset + field.length]
                _, fields = found.setdefault(field.offset, (octets, {}))
                for part in _walk(field):
                    if _is_compared(part.name) and part.value is not None and part.length:
                        value = FieldValue(part.offset, part.length, _number(part.value))
                        fields.setdefault(part.name, []).append(value)
    return found


def _their_options(packet: WiresharkPacket) -> dict[int, _Fields]:
    found: dict[int, _Fields] = {}
    for option in packet.walk():
        if option.name == _THEIR_OPTION:
            fields: _Fields = found.setdefault(option.offset, {})
            for part in option.walk():
                if _is_compared(part.name) and part.value and part.length:
                    value = FieldValue(part.offset, part.length, int(part.value, 16))
                    fields.setdefault(part.name, []).append(value)
    return found


def _is_compared(name: str) -> bool:
    return name in _COMPARED or name.startswith(_OPTION + ".")


def _walk(field: Field) -> Iterator[Field]:
    yield field
    for child in field.children:
        yield from _walk(child)


def _number(value: Any) -> int:
    if isinstance(value, bytes):
        return int.from_bytes(value)
    if isinstance(value, IPv4Address | IPv6Address):
        return int(value)
    return int(value)
