"""What happens on the signalling plane, one value per happening, each with a sentence.

The values are good for a lane view and for a ladder of packets: they say when, on which stream,
from which end, and what. Repetitions that say nothing new (the tenth RST, a DATA_FIN that is
signalled again) make no event of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dissector.options import TcpOption


class EventKind(StrEnum):
    """Names of RFC 8684 and of TCP's flags where there is one."""

    MP_CAPABLE = "MP_CAPABLE"
    MP_JOIN = "MP_JOIN"
    SYN = "SYN"
    """A SYN or SYN/ACK without the MPTCP option that belongs there."""
    ESTABLISHED = "ESTABLISHED"
    """The handshake of the connection, or of a further subflow, is complete."""
    ADD_ADDR = "ADD_ADDR"
    ADD_ADDR_ECHO = "ADD_ADDR_ECHO"
    REMOVE_ADDR = "REMOVE_ADDR"
    MP_PRIO = "MP_PRIO"
    MP_FAIL = "MP_FAIL"
    MP_FASTCLOSE = "MP_FASTCLOSE"
    MP_EXPERIMENTAL = "MP_EXPERIMENTAL"
    INFINITE_MAPPING = "INFINITE_MAPPING"
    DATA_FIN = "DATA_FIN"
    FIN = "FIN"
    RST = "RST"
    FALLBACK = "FALLBACK"
    MALFORMED_OPTION = "MALFORMED_OPTION"
    UNKNOWN_OPTION = "UNKNOWN_OPTION"


@dataclass(frozen=True, slots=True)
class Event:
    """One happening on the signalling plane of a connection."""

    kind: EventKind
    frame_number: int
    time_ns: int
    stream: int
    from_client: bool | None
    """Sent by the connection's client; None where it is nobody's doing."""
    option: TcpOption | None
    text: str
    """The happening in one sentence."""
