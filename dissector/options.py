"""One frozen value per TCP option; MPTCP's in full, the others as far as analysis needs them.

Equality looks at what an option says, not at where it stood: ``offset`` (octets from the start
of the option area) is not compared, so that ``decode(encode(option)) == option``. Reserved bits
are kept, so that encoding a decoded option gives back its octets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissector.constants import (
    MALFORMED_REASON_TEXT,
    TCP_RESET_REASON_NAMES,
    DssFlag,
    MalformedReason,
    MpCapableFlag,
    MptcpSubtype,
    TcpOptionKind,
    TcpResetFlag,
)

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpOption:
    """What all option values have in common."""

    offset: int = field(default=0, compare=False)
    """Octets from the start of the option area to this option's kind octet."""
    length: int = field(default=0, compare=False)
    """Octets that the option took where it was read; 0 in a value made by hand."""


@dataclass(frozen=True, slots=True)
class MptcpOption(TcpOption):
    """Any well-formed MPTCP option (kind 30)."""


@dataclass(frozen=True, slots=True)
class MpCapable(MptcpOption):
    """MP_CAPABLE: RFC 6824 (v0) and RFC 8684 (v1) section 3.1.

    v0: 12 octets with the sender's key, 20 with both. v1: 4 octets without a key (SYN), 12
    (SYN/ACK), 20 (ACK), 22 and 24 with the length and checksum of the first data.
    """

    version: int
    flags: int
    """The octet A to H; see ``constants.MpCapableFlag``."""
    sender_key: int | None = None
    receiver_key: int | None = None
    data_length: int | None = None
    checksum: int | None = None

    @property
    def checksum_required(self) -> bool:
        """Flag A: this sender wants DSS checksums."""
        return bool(self.flags & MpCapableFlag.A_CHECKSUM_REQUIRED)

    @property
    def no_join_to_this_address(self) -> bool:
        """Flag C (v1): no further subflows to this address and port."""
        return self.version > 0 and bool(self.flags & MpCapableFlag.C_NO_JOIN_TO_THIS_ADDRESS)


@dataclass(frozen=True, slots=True)
class MpJoinSyn(MptcpOption):
    """MP_JOIN of a SYN (12 octets): RFC 8684 section 3.2."""

    backup: bool
    address_id: int
    token: int
    nonce: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpJoinSynAck(MptcpOption):
    """MP_JOIN of a SYN/ACK (16 octets): RFC 8684 section 3.2."""

    backup: bool
    address_id: int
    hmac: bytes
    """8 octets: the HMAC's leftmost 64 bits."""
    nonce: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpJoinAck(MptcpOption):
    """MP_JOIN of the third ACK (24 octets): RFC 8684 section 3.2."""

    hmac: bytes
    """20 octets: the HMAC's leftmost 160 bits."""
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class DataSequenceSignal(MptcpOption):
    """DSS: RFC 8684 section 3.3. Numbers are as on the wire: of 4 or 8 octets."""

    data_ack: int | None = None
    data_ack_octets: int = 0
    """0 (absent), 4 or 8."""
    data_seq: int | None = None
    data_seq_octets: int = 0
    """0 (no mapping), 4 or 8."""
    subflow_seq: int | None = None
    data_length: int | None = None
    checksum: int | None = None
    data_fin: bool = False
    unused_flags: int = 0
    """The width flags 'a' and 'm' where they mean nothing, without a DATA_ACK or mapping."""
    reserved: int = 0

    @property
    def has_mapping(self) -> bool:
        """Data sequence number, subflow sequence number and length are present."""
        return self.data_seq_octets != 0

    @property
    def is_infinite_mapping(self) -> bool:
        """A data-level length of 0: fallback (RFC 8684 section 3.7)."""
        return self.data_length == 0

    @property
    def flags(self) -> int:
        """The flag octet as on the wire, without reserved bits; see ``constants.DssFlag``."""
        flags = self.unused_flags
        if self.data_ack_octets:
            flags |= DssFlag.DATA_ACK
        if self.data_ack_octets == 8:
            flags |= DssFlag.A_DATA_ACK_8_OCTETS
        if self.data_seq_octets:
            flags |= DssFlag.MAPPING
        if self.data_seq_octets == 8:
            flags |= DssFlag.M_DATA_SEQ_8_OCTETS
        if self.data_fin:
            flags |= DssFlag.F_DATA_FIN
        return int(flags)


@dataclass(frozen=True, slots=True)
class AddAddress(MptcpOption):
    """ADD_ADDR: RFC 6824 (v0: no HMAC) and RFC 8684 (v1: HMAC unless echo) section 3.4.1."""

    version: int
    address_id: int
    address: IPv4Address | IPv6Address
    port: int | None = None
    echo: bool = False
    hmac: bytes | None = None
    """8 octets: the HMAC's rightmost 64 bits."""
    reserved: int = 0

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.address.version


@dataclass(frozen=True, slots=True)
class RemoveAddress(MptcpOption):
    """REMOVE_ADDR: RFC 8684 section 3.4.2."""

    address_ids: tuple[int, ...]
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpPriority(MptcpOption):
    """MP_PRIO: RFC 8684 section 3.3.8; with an address ID in RFC 6824 only."""

    backup: bool
    address_id: int | None = None
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpFail(MptcpOption):
    """MP_FAIL: RFC 8684 section 3.7."""

    data_seq: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpFastclose(MptcpOption):
    """MP_FASTCLOSE: RFC 8684 section 3.5."""

    receiver_key: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MpTcpReset(MptcpOption):
    """MP_TCPRST: RFC 8684 section 3.6."""

    flags: int
    """Four bits U, V, W, T; see ``constants.TcpResetFlag``."""
    reason: int

    @property
    def transient(self) -> bool:
        """Flag T: the condition may pass, the subflow may be tried again."""
        return bool(self.flags & TcpResetFlag.T_TRANSIENT)

    @property
    def reason_name(self) -> str:
        """The reason in the words of RFC 8684 section 3.6."""
        return TCP_RESET_REASON_NAMES.get(self.reason, f"Unassigned reason {self.reason:#04x}")


@dataclass(frozen=True, slots=True)
class MpExperimental(MptcpOption):
    """Subtype 15, for private use (RFC 8684 section 7.2): its contents are anybody's."""

    low_bits: int
    """The four bits beside the subtype."""
    octets: bytes
    """What follows the subtype octet."""


@dataclass(frozen=True, slots=True)
class UnknownMptcpOption(MptcpOption):
    """A subtype without a definition, or MP_CAPABLE of a version that is not known."""

    subtype: int
    low_bits: int
    """The four bits beside the subtype: the version in MP_CAPABLE."""
    octets: bytes
    """What follows the subtype octet."""

    @property
    def unknown_version(self) -> int | None:
        """The version of an MP_CAPABLE that is neither v0 nor v1, otherwise None."""
        return self.low_bits if self.subtype == MptcpSubtype.MP_CAPABLE else None


@dataclass(frozen=True, slots=True)
class EndOfOptions(TcpOption):
    """Kind 0: nothing after it is an option (RFC 9293 section 3.2)."""

    padding: bytes = b""
    """The rest of the option area, as far as captured."""


@dataclass(frozen=True, slots=True)
class NoOperation(TcpOption):
    """Kind 1: one octet of padding between options (RFC 9293 section 3.2)."""


@dataclass(frozen=True, slots=True)
class MaximumSegmentSize(TcpOption):
    """Kind 2: RFC 9293 section 3.7.1."""

    maximum_segment_size: int


@dataclass(frozen=True, slots=True)
class WindowScale(TcpOption):
    """Kind 3: RFC 7323 section 2.2."""

    shift: int


@dataclass(frozen=True, slots=True)
class SackPermitted(TcpOption):
    """Kind 4: RFC 2018 section 2."""


@dataclass(frozen=True, slots=True)
class Sack(TcpOption):
    """Kind 5: RFC 2018 section 3."""

    blocks: tuple[tuple[int, int], ...]
    """Left edge and right edge (exclusive) of each block, TCP sequence numbers."""


@dataclass(frozen=True, slots=True)
class Timestamps(TcpOption):
    """Kind 8: RFC 7323 section 3.2."""

    value: int
    echo_reply: int


@dataclass(frozen=True, slots=True)
class OtherOption(TcpOption):
    """Any other TCP option, kept as it is."""

    kind: int
    octets: bytes
    """What follows the length octet."""


@dataclass(frozen=True, slots=True)
class MalformedOption(TcpOption):
    """An option that its sender made wrong; ``offset`` says where."""

    reason: MalformedReason
    octets: bytes
    """All octets from the kind octet on: the option's, or the rest of the area where the length
    is not credible and the next option cannot be found."""

    @property
    def kind(self) -> int:
        """The kind octet."""
        return self.octets[0]

    @property
    def declared_length(self) -> int | None:
        """What the length octet says, None where the area ends before it."""
        return self.octets[1] if len(self.octets) > 1 else None

    @property
    def subtype(self) -> int | None:
        """The subtype of an MPTCP option, None in others and where it is missing."""
        if self.kind != TcpOptionKind.MPTCP or len(self.octets) < 3:
            return None
        return self.octets[2] >> 4

    @property
    def text(self) -> str:
        """The reason in plain words, with the length at fault."""
        said = "" if self.declared_length is None else f" (length {self.declared_length})"
        return MALFORMED_REASON_TEXT[self.reason] + said


@dataclass(frozen=True, slots=True)
class CutOption(TcpOption):
    """The capture ends within the option area: here, or within this option (snaplen).

    Nothing is known of what would follow.
    """

    octets: bytes
    """What was captured from the kind octet on; may be empty."""

    @property
    def kind(self) -> int | None:
        """The kind octet, None where it was not captured."""
        return self.octets[0] if self.octets else None

    @property
    def declared_length(self) -> int | None:
        """What the length octet says, None where it was not captured."""
        return self.octets[1] if len(self.octets) > 1 else None

    @property
    def subtype(self) -> int | None:
        """The subtype of an MPTCP option, None in others and where it was not captured."""
        if self.kind != TcpOptionKind.MPTCP or len(self.octets) < 3:
            return None
        return self.octets[2] >> 4
