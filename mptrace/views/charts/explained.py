"""What each kind of chart is called, what it shows, and which definitions belong to it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Explained(NamedTuple):
    """One kind of chart in words."""

    heading: str
    definitions: tuple[str, ...]
    """Terms of docs/definitions.md."""
    caption: str


EXPLAINED: Final = {
    "data-sequence": Explained(
        "Data sequence number",
        ("Octet of data", "Copy", "Mapping"),
        "Each stroke is a mapping, from its first octet to its last, where and when it was sent. "
        "Marks are data sent again: triangles by TCP, squares by MPTCP on the same subflow "
        "(remapped), diamonds on another one (reinjected); hover to see what they repeat.",
    ),
    "signalling": Explained(
        "Signalling",
        ("Handshake time", "Join delay", "Stall", "Handover"),
        "A lane for each subflow: thick while packets pass, thin while it is only open, dashed red "
        "from where nothing was answered any more. Hover over a mark for the options in words.",
    ),
    "throughput": Explained(
        "Throughput and goodput",
        ("Throughput", "Goodput"),
        "All TCP payload of each subflow, stacked; the line is the data that DATA_ACKs released in "
        "the same time. What waited for a gap is released at once: such peaks may be higher than "
        "the axis.",
    ),
    "shares": Explained(
        "Share of each subflow",
        ("Contribution", "Delivered contribution", "Throughput"),
        "Of the data (each octet once) by the subflow that carried it first, by the one whose copy "
        "was acknowledged first, and of all TCP payload.",
    ),
    "rtt": Explained(
        "Round-trip times",
        ("Subflow RTT", "Data RTT", "Capture point"),
        "Each at the time of its acknowledgement. A data RTT above those of the subflows is data "
        "that waited for lower octets on a slower path.",
    ),
    "flight": Explained(
        "Data in flight",
        ("Data flight", "Window-limited"),
        "Sent and not yet acknowledged: by DATA_ACK for the connection, by TCP for each subflow. "
        "Where the data flight reaches the window, the receiver is what limits.",
    ),
    "reordering": Explained(
        "Reorder queue",
        ("Out of order",),
        "Octets seen at the capture point above the lowest one not seen yet, and for each packet "
        "of them how long it took until all below had been seen.",
    ),
}
"""By kind, in the order in which a reader meets them."""
