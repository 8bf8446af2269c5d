"""One dissected packet as text and as JSON: what ``mptrace dissect`` prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mptrace.views.figures import iso_time, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissector.field_tree import Field
    from mptrace.analysis.packets.packet_tree import PacketTree

_INDENT = 2
_PLACE_WIDTH = 11
_EXACT_BITS = 53
"""Readers of JSON that hold numbers as doubles are exact up to here."""


def text_lines(tree: PacketTree) -> Iterator[str]:
    """The packet as indented lines, each with the octets it stands for as ``offset:length``.

    What no octet holds (computed, or a remark) is in brackets and has no octets.
    """
    captured = "all captured"
    if tree.captured_length < tree.wire_length:
        captured = f"{tree.captured_length} captured"
    interface = "" if tree.interface is None else f", interface {tree.interface}"
    yield (
        f"Packet {tree.frame_number}: {tree.wire_length} octets on the wire, {captured}, "
        f"{iso_time(tree.time_ns)}, {tree.link_type}{printable(interface)}"
    )
    if not tree.layers:
        yield f"{'':{_PLACE_WIDTH}} [link type {tree.link_type} is not decoded]"
    for layer in tree.layers:
        yield from _field_lines(layer, 0)


def _field_lines(field: Field, depth: int) -> Iterator[str]:
    said = printable(f"{field.label}: {field.text}" if field.text else field.label)
    indent = " " * (depth * _INDENT)
    if field.length:
        pattern = f"{field.bit_pattern} = " if field.bits is not None else ""
        yield f"{field.offset:>5}:{field.length:<5} {indent}{pattern}{said}"
    else:
        yield f"{'':{_PLACE_WIDTH}} {indent}[{said}]"
    for child in field.children:
        yield from _field_lines(child, depth + 1)


def json_line(tree: PacketTree) -> str:
    """The packet as one line of JSON.

    Keys: ``packet``, ``time`` (ISO 8601), ``wire_length``, ``captured_length``, ``interface``,
    ``link_type`` and ``layers``, a list of fields with ``name``, ``label``, ``value``, ``text``,
    ``offset``, ``length`` and ``children``. Numbers that need more than 53 bits, and octets, are
    hexadecimal strings; null is a field that has no value of its own.
    """
    return json.dumps(
        {
            "packet": tree.frame_number,
            "time": iso_time(tree.time_ns),
            "wire_length": tree.wire_length,
            "captured_length": tree.captured_length,
            "interface": tree.interface,
            "link_type": tree.link_type,
            "layers": [_field_object(layer) for layer in tree.layers],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _field_object(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "value": _json_value(field),
        "text": field.text,
        "offset": field.offset,
        "length": field.length,
        "children": [_field_object(child) for child in field.children],
    }


def _json_value(field: Field) -> int | str | bool | None:
    """The same kind of value for every packet: by the field's width, not by its number."""
    value = field.value
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int):
        wide = field.length * 8 > _EXACT_BITS or value >> _EXACT_BITS
        return f"0x{value:016x}" if wide else value
    return str(value)
