"""What the two hosts told each other outside the data: addresses, priorities, ends, failures.

``from_client`` and ``by_client`` are seen from the connection: its client is who sent the
MP_CAPABLE SYN, whoever started the subflow that carried the option.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from dissector.options import MpTcpReset, TcpOption

FallbackCause = Literal[
    "mp_capable_missing_in_syn_ack",
    "mp_capable_missing_in_third_ack",
    "mp_capable_missing_in_syn_retransmission",
    "dss_missing_on_first_data",
    "dss_stopped",
    "checksum_failure",
    "infinite_mapping",
]
FALLBACK_WORDS: Final[dict[FallbackCause, str]] = {
    "mp_capable_missing_in_syn_ack": "the SYN/ACK has no MP_CAPABLE",
    "mp_capable_missing_in_third_ack": "neither third ACK nor first data has MP_CAPABLE",
    "mp_capable_missing_in_syn_retransmission": "the repeated SYN had no MP_CAPABLE any more",
    "dss_missing_on_first_data": "the first data has no DSS",
    "dss_stopped": "a host stops sending DSS and closes without DATA_FIN",
    "checksum_failure": "a DSS checksum failed and no other subflow is left",
    "infinite_mapping": "an infinite mapping was sent",
}


@dataclass(frozen=True, slots=True)
class Fallback:
    """The connection goes on as plain TCP (RFC 8684 section 3.7)."""

    cause: FallbackCause
    frame_number: int
    time_ns: int
    stream: int


@dataclass(slots=True)
class AdvertisedAddress:
    """An address advertised with ADD_ADDR (RFC 8684 section 3.4.1), repetitions included."""

    by_client: bool
    address_id: int
    address: str
    port: int | None
    hmac: bytes | None
    """None in v0, which has none."""
    hmac_valid: bool | None
    """None where there is no HMAC, or not both keys are known."""
    frame_number: int
    time_ns: int
    stream: int
    count: int = 1
    """How often it was advertised."""
    echoed_frame: int | None = None
    removed_frame: int | None = None
    joined_stream: int | None = None
    """The first subflow with this address that came to its end of handshake."""
    join_attempts: list[int] = field(default_factory=list)
    """Streams whose MP_JOIN SYN was sent to, or from, this address."""


@dataclass(frozen=True, slots=True)
class AddressRemoval:
    """A REMOVE_ADDR (RFC 8684 section 3.4.2)."""

    by_client: bool
    address_ids: tuple[int, ...]
    frame_number: int
    time_ns: int
    stream: int
    subflow_streams: tuple[int, ...]
    """Subflows that use one of these address IDs at the sender's end."""
    repeated: bool
    """All that it removes was removed before."""


@dataclass(frozen=True, slots=True)
class PriorityChange:
    """An MP_PRIO (RFC 8684 section 3.3.8)."""

    by_client: bool
    backup: bool
    address_id: int | None
    """None: it speaks of the subflow that carries it."""
    frame_number: int
    time_ns: int
    stream: int
    subflow_streams: tuple[int, ...]
    """Subflows whose priority it sets."""


@dataclass(frozen=True, slots=True)
class FailSignal:
    """An MP_FAIL (RFC 8684 section 3.7)."""

    from_client: bool
    data_seq: int
    frame_number: int
    time_ns: int
    stream: int
    with_reset: bool


@dataclass(frozen=True, slots=True)
class FastcloseSignal:
    """An MP_FASTCLOSE (RFC 8684 section 3.5)."""

    by_client: bool
    receiver_key: int
    key_valid: bool | None
    """Whether it names the receiver's key; None where that is not known."""
    frame_number: int
    time_ns: int
    stream: int
    with_reset: bool


@dataclass(frozen=True, slots=True)
class ResetSignal:
    """An MP_TCPRST (RFC 8684 section 3.6), also where it is not the subflow's first RST."""

    from_client: bool
    option: MpTcpReset
    frame_number: int
    time_ns: int
    stream: int
    with_ack: bool
    """Linux resets a living subflow with RST and ACK; a RST without ACK answers a segment for
    which there is no socket any more."""


@dataclass(frozen=True, slots=True)
class InfiniteMapping:
    """A DSS with data-level length 0 (RFC 8684 section 3.7)."""

    from_client: bool
    frame_number: int
    time_ns: int
    stream: int
    subflow_seq: int
    data_seq: int
    data_seq_octets: int


@dataclass(slots=True)
class DataFin:
    """A DATA_FIN (RFC 8684 section 3.3.3), as first signalled on this stream."""

    from_client: bool
    frame_number: int
    time_ns: int
    stream: int
    data_seq: int | None
    """The mapping's first data sequence number as on the wire; None without a mapping."""
    data_seq_octets: int
    """4 or 8; 0 without a mapping."""
    data_length: int
    """The mapping's length; it counts the DATA_FIN as one octet."""
    with_data: bool
    """The mapping covers payload too: its length is more than the DATA_FIN's 1."""

    @property
    def fin_data_seq(self) -> int | None:
        """The DATA_FIN's own data sequence number, as wide as on the wire."""
        if self.data_seq is None:
            return None
        modulus = 1 << 8 * self.data_seq_octets
        return (self.data_seq + max(self.data_length - 1, 0)) % modulus


class NoteCode(StrEnum):
    """What is worth knowing of a connection's signalling beside its states."""

    JOIN_BY_OTHER_HASH = "join_by_other_hash"
    """Only the other version's hash explains the token of an MP_JOIN."""
    JOIN_UNEXPLAINED = "join_unexplained"
    """No key in the capture explains the token of an MP_JOIN."""
    KEY_ECHOED_WRONGLY = "key_echoed_wrongly"
    """The third ACK's receiver key is not the key of the SYN/ACK."""
    KEY_CHANGED = "key_changed"
    """A repeated packet of the handshake carries another key of its sender."""
    VERSION_LOWERED = "version_lowered"
    """The server answered with a lower version than the client's."""
    VERSION_RAISED = "version_raised"
    """A later packet of the handshake has a higher version than was offered."""
    VERSION_UNKNOWN = "version_unknown"
    """An MP_CAPABLE of a version that is neither v0 nor v1."""
    JOIN_AFTER_CLOSE = "join_after_close"
    """An MP_JOIN names a connection that had ended."""
    JOIN_DENIED_ADDRESS = "join_denied_address"
    """An MP_JOIN goes to an address and port whose owner set flag C."""
    FASTCLOSE_KEY_WRONG = "fastclose_key_wrong"
    """An MP_FASTCLOSE names a key that is not the receiver's."""
    ECHO_UNMATCHED = "echo_unmatched"
    """An ADD_ADDR echo of an address that was not seen advertised."""
    OPTION_OUT_OF_PLACE = "option_out_of_place"
    """An MPTCP option that does not belong on this segment or stream."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth knowing, with its packet."""

    code: NoteCode
    frame_number: int
    time_ns: int
    stream: int
    text: str


@dataclass(frozen=True, slots=True)
class OddOption:
    """A malformed, unknown or experimental MPTCP option and where it was."""

    frame_number: int
    time_ns: int
    stream: int
    from_client: bool
    option: TcpOption
