"""Every kind of finding, room by room: what docs/findings.md lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mptrace.analysis.findings import (
    addresses,
    capture_quality,
    delivery,
    endings,
    fallbacks,
    handshake,
    joins,
    mappings,
    odd_options,
    quiet_subflows,
)

if TYPE_CHECKING:
    from mptrace.analysis.findings.kind import FindingKind


class Room(NamedTuple):
    """Kinds that belong together."""

    title: str
    kinds: tuple[FindingKind, ...]


ROOMS: Final = (
    Room("The handshake of the connection", handshake.KINDS),
    Room("Fallback to TCP", fallbacks.KINDS),
    Room("Further subflows", joins.KINDS),
    Room("Addresses and priorities", addresses.KINDS),
    Room("Mappings and checksums", mappings.KINDS),
    Room("Ends of subflows and connections", endings.KINDS),
    Room("How data moved", delivery.KINDS + quiet_subflows.KINDS),
    Room("Odd options", odd_options.KINDS),
    Room("The capture", capture_quality.KINDS),
)

CATALOG: Final = tuple(kind for room in ROOMS for kind in room.kinds)
