"""What the connection machines are fed: one TCP segment of the signalling plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from dissector.options import TcpOption

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10


class Segment(NamedTuple):
    """One TCP segment, capture duplicates left out.

    The machines want, per TCP stream and in capture order: every segment with SYN, FIN or RST;
    every segment with an MPTCP option other than an ordinary DSS; every DSS with an infinite
    mapping, or with a DATA_FIN that the same end has not said before in the same words; and per
    direction the first segment without SYN, the first with payload and the first with a DSS.
    """

    frame_number: int
    time_ns: int
    stream: int
    """As ``tcp.stream``: a port that is used again makes another stream."""
    from_initiator: bool
    """Sent by the host that sent the SYN (a guess where none was captured)."""
    flags: int
    """The TCP flags; only FIN, SYN, RST and ACK are looked at."""
    seq: int
    ack: int
    window: int
    payload_length: int
    options: tuple[TcpOption, ...]
    """The decoded TCP options; may be empty where none is of interest."""
    has_dss: bool
    """Any DSS option, also where ``options`` is empty because the segment is an ordinary one."""

    @property
    def is_syn(self) -> bool:
        """A SYN without ACK."""
        return self.flags & (SYN | ACK) == SYN

    @property
    def is_syn_ack(self) -> bool:
        """A SYN with ACK."""
        return self.flags & (SYN | ACK) == SYN | ACK


@dataclass(frozen=True, slots=True)
class StreamEndpoints:
    """The two ends of a TCP stream; the initiator is who sent the SYN."""

    family: int
    """4 or 6."""
    initiator_address: str
    initiator_port: int
    responder_address: str
    responder_port: int
    handshake_captured: bool
    """A SYN or SYN/ACK is in the capture, so that the initiator is no guess."""
