"""Which TCP stream and which MPTCP connection each packet belongs to: tshark's view beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from dissector.constants import MptcpSubtype
from mptrace.analysis import analyze
from mptrace.analysis.columns.reading import CUT_OPTIONS, read_capture
from mptrace.analysis.columns.streams import number_streams
from mptrace.analysis.columns.tables import ACK, SYN
from mptrace.capture import open_capture
from mptrace.crosscheck.tshark import field_values

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_MP_CAPABLE: Final = 1 << MptcpSubtype.MP_CAPABLE
_WITH_TOKEN: Final = _MP_CAPABLE | 1 << MptcpSubtype.MP_JOIN

STREAM_DIFFERENCES: Final = {
    "no_option": "tshark numbers a packet only where it reads an MPTCP option in it; for us every "
    "packet of a subflow belongs to the connection.",
    "no_key_yet": "An MP_CAPABLE SYN of v1 has no key, so that tshark does not know its connection "
    "in its first pass.",
    "no_token": "Nothing says which connection the stream belongs to: tshark counts it as a "
    "connection of its own, we as plain TCP.",
    "beginning_missing": "The handshakes are not in the capture: tshark counts every stream as a "
    "connection of its own, we put them together by their data sequence numbers.",
    "numbered_apart": "The same packets belong together on both sides, only under another number.",
}
"""Why tshark and we number packets otherwise, by name."""


@dataclass(frozen=True, slots=True)
class StreamDifference:
    """A packet that the two sides put into another stream."""

    frame_number: int
    field: Literal["tcp.stream", "mptcp.stream"]
    ours: int | None
    theirs: int | None
    explained: str | None
    """A key of ``STREAM_DIFFERENCES``; None: unexplained."""

    def __str__(self) -> str:
        ours = "none" if self.ours is None else self.ours
        theirs = "none" if self.theirs is None else self.theirs
        return f"packet {self.frame_number}, {self.field}: mptrace {ours}, tshark {theirs}"


@dataclass(frozen=True, slots=True)
class _Packet:
    """A TCP packet as we see it."""

    stream: int
    connection: int | None
    opens: bool
    """SYN without ACK."""
    subtypes: int
    """A bit per MPTCP subtype, as in ``SegmentTable.subtypes``."""


def stream_differences(path: str | os.PathLike[str]) -> Iterator[StreamDifference]:
    """Packets whose tcp.stream or mptcp.stream tshark and we number otherwise, in their order.

    Raises:
        CrosscheckError: there is no tshark, or it reads nothing of the capture.
        CaptureError: we read nothing of the capture.
    """
    packets, partial, tokenless = _our_packets(path)
    theirs: dict[int, tuple[int | None, int | None]] = {
        int(number): (_number(tcp), _number(mptcp))
        for number, tcp, mptcp in field_values(path, ("frame.number", "tcp.stream", "mptcp.stream"))
        if tcp or int(number) in packets
    }
    apart = _same_packets(packets, theirs)
    for number in sorted(packets.keys() | theirs.keys()):
        packet = packets.get(number)
        their_tcp, their_mptcp = theirs.get(number, (None, None))
        our_tcp = None if packet is None else packet.stream
        if our_tcp != their_tcp:
            yield StreamDifference(number, "tcp.stream", our_tcp, their_tcp, None)
        if packet is None or packet.connection == their_mptcp:
            continue
        reason = _reason(packet, their_mptcp, partial, tokenless, apart)
        yield StreamDifference(number, "mptcp.stream", packet.connection, their_mptcp, reason)


def _our_packets(
    path: str | os.PathLike[str],
) -> tuple[dict[int, _Packet], set[int], set[int]]:
    """Our TCP packets, the partial connections, and the streams without MP_CAPABLE and MP_JOIN."""
    with open_capture(path) as capture:
        read = read_capture(capture)
    segments = read.segments
    _, stream = number_streams(segments, read.flows.low_port_is_lower())
    analysis = analyze(path)
    owner = {subflow.tcp_stream: c.index for c in analysis for subflow in c.subflows}
    packets: dict[int, _Packet] = {}
    with_token: set[int] = set()
    for number, of_stream, flags, subtypes in zip(
        segments.frame_number.tolist(),
        stream.tolist(),
        segments.flags.tolist(),
        segments.subtypes.tolist(),
        strict=True,
    ):
        opens = flags & (SYN | ACK) == SYN
        packets[number] = _Packet(of_stream, owner.get(of_stream), opens, subtypes & ~CUT_OPTIONS)
        if subtypes & _WITH_TOKEN:
            with_token.add(of_stream)
    partial = {c.index for c in analysis if c.state == "partial"}
    return packets, partial, {packet.stream for packet in packets.values()} - with_token


def _same_packets(
    packets: dict[int, _Packet], theirs: dict[int, tuple[int | None, int | None]]
) -> set[tuple[int, int]]:
    """Our and their number of connections whose packets, as far as tshark numbers them, agree."""
    ours_of: dict[int, set[int | None]] = {}
    theirs_of: dict[int | None, set[int]] = {}
    for number, (_, their) in theirs.items():
        if their is not None and number in packets:
            ours_of.setdefault(their, set()).add(packets[number].connection)
            theirs_of.setdefault(packets[number].connection, set()).add(their)
    return {
        (our, their)
        for their, (our, *more) in ours_of.items()
        if our is not None and not more and theirs_of[our] == {their}
    }


def _reason(
    packet: _Packet,
    theirs: int | None,
    partial: set[int],
    tokenless: set[int],
    apart: set[tuple[int, int]],
) -> str | None:
    if theirs is None:
        if not packet.subtypes:
            return "no_option"
        return "no_key_yet" if packet.opens and packet.subtypes & _MP_CAPABLE else None
    if packet.connection is None:
        return "no_token" if packet.stream in tokenless else None
    if packet.connection in partial:
        return "beginning_missing"
    return "numbered_apart" if (packet.connection, theirs) in apart else None


def _number(text: str) -> int | None:
    return int(text) if text else None
