"""The dissection of a packet as a tree of lines: frame, layers, options, and our remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.analysis.packets.packet_tree import packet_tree
from mptrace.views.browsing.outline import Node
from mptrace.views.browsing.remarks import remarks
from mptrace.views.figures import printable, readable_time

if TYPE_CHECKING:
    from dissector.field_tree import Field
    from mptrace.analysis.packets.packet_tree import PacketTree
    from mptrace.capture.records import PacketRecord
    from mptrace.views.browsing.packet_facts import PacketFacts
    from mptrace.views.browsing.packet_table import PacketTable
    from mptrace.views.browsing.remarks import Remark

LAYERS = frozenset({"eth", "sll", "ip", "ipv6", "tcp", "udp"})
"""Fields without a dot in their names that a filter knows."""
OPENED = frozenset({"mptrace", "layer:tcp", "tcp.options", "mptcp"})
"""Keys of the nodes that are open at first."""


def packet_nodes(packets: PacketTable, facts: PacketFacts, row: int) -> list[Node]:
    """Return the lines of one packet; what the analysis says of it comes first."""
    record = packets.record(row)
    tree = packet_tree(record)
    nodes = []
    own = [_remark_node(remark) for remark in remarks(facts, packets, row)]
    if own:
        nodes.append(Node("[Analysis]", key="mptrace", tone="strong", children=own))
    nodes.append(_frame(record, tree))
    nodes += [_field(layer, 0) for layer in tree.layers]
    if not tree.layers:
        nodes.append(Node(f"[link type {tree.link_type} is not decoded]"))
    return nodes


def _remark_node(remark: Remark) -> Node:
    linked = "" if remark.link is None else str(remark.link)
    return Node(
        f"[{printable(remark.text)}]",
        tone=remark.tone,
        key=f"remark:{remark.name}",
        link=remark.link,
        link_text=linked,
        filter=remark.filter,
    )


def _frame(record: PacketRecord, tree: PacketTree) -> Node:
    length = len(record.octets)
    captured = "" if length == tree.wire_length else f", {length:,} of them captured"
    children = [
        Node(f"Time: {readable_time(tree.time_ns)}", key="frame.time"),
        Node(f"Link type: {printable(tree.link_type)}", key="frame.encap_type"),
    ]
    if tree.interface is not None:
        text = f"Interface: {printable(tree.interface)}"
        children.append(Node(text, key="frame.interface_name"))
    return Node(
        f"Packet {tree.frame_number}: {tree.wire_length:,} octets on the wire{captured}",
        key="frame",
        span=(0, length),
        children=children,
    )


def _field(field: Field, depth: int) -> Node:
    text = printable(f"{field.label}: {field.text}" if field.text else field.label)
    if field.length == 0:
        text = f"[{text}]"
    elif field.bits is not None:
        text = f"{field.bit_pattern} = {text}"
    return Node(
        text,
        tone=_tone(field),
        key=_key(field, depth),
        span=(field.offset, field.length) if field.length else None,
        filter=_filter(field),
        children=tuple(_field(child, depth + 1) for child in field.children),
    )


def _filter(field: Field) -> str:
    """The filter for packets with this field's value; for the field itself where it has none."""
    value = field.value
    if "." not in field.name and field.name not in LAYERS:
        return ""
    match value:
        case None:
            return field.name
        case bool():
            return f"{field.name} == {int(value)}"
        case bytes():
            return f"{field.name} == {value.hex(':')}" if value else field.name
        case int() if field.text.startswith("0x"):
            return f"{field.name} == {value:#x}"
        case str():
            return f'{field.name} == "{value}"'
    return f"{field.name} == {value}"


def _key(field: Field, depth: int) -> str:
    if depth == 0:
        return f"layer:{field.name}"
    if field.name == "tcp.options.mptcp":
        return "mptcp"
    return field.name


def _tone(field: Field) -> str:
    first = field.text.partition(":")[0].lower()
    if "malformed" in (first, field.label.lower()):
        return "error"
    return "warning" if first == "cut" else ""
