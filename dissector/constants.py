"""Numbers of the protocol with their names, each with the section that defines it."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

TCP_OPTION_AREA_MAX: Final = 40
"""Octets of options in the longest TCP header (RFC 9293 section 3.1: data offset at most 15)."""

MPTCP_VERSION_0: Final = 0
"""RFC 6824."""

MPTCP_VERSION_1: Final = 1
"""RFC 8684."""


class TcpOptionKind(IntEnum):
    """TCP option kinds with a name of their own; others exist and are kept by their number."""

    END_OF_OPTIONS = 0
    """RFC 9293 section 3.2."""
    NO_OPERATION = 1
    """RFC 9293 section 3.2."""
    MAXIMUM_SEGMENT_SIZE = 2
    """RFC 9293 section 3.7.1."""
    WINDOW_SCALE = 3
    """RFC 7323 section 2.2."""
    SACK_PERMITTED = 4
    """RFC 2018 section 2."""
    SACK = 5
    """RFC 2018 section 3."""
    TIMESTAMPS = 8
    """RFC 7323 section 3.2."""
    MD5_SIGNATURE = 19
    """RFC 2385 section 3."""
    USER_TIMEOUT = 28
    """RFC 5482 section 3."""
    AUTHENTICATION = 29
    """RFC 5925 section 2.2."""
    MPTCP = 30
    """RFC 8684 section 7.1."""
    FAST_OPEN = 34
    """RFC 7413 section 4.1.1."""
    EXPERIMENT_1 = 253
    """RFC 6994 section 2."""
    EXPERIMENT_2 = 254
    """RFC 6994 section 2."""


class MptcpSubtype(IntEnum):
    """Subtypes of the MPTCP option (RFC 8684 section 7.2), as ``tcp.options.mptcp.subtype``."""

    MP_CAPABLE = 0
    """RFC 8684 section 3.1."""
    MP_JOIN = 1
    """RFC 8684 section 3.2."""
    DSS = 2
    """RFC 8684 section 3.3."""
    ADD_ADDR = 3
    """RFC 8684 section 3.4.1."""
    REMOVE_ADDR = 4
    """RFC 8684 section 3.4.2."""
    MP_PRIO = 5
    """RFC 8684 section 3.3.8."""
    MP_FAIL = 6
    """RFC 8684 section 3.7."""
    MP_FASTCLOSE = 7
    """RFC 8684 section 3.5."""
    MP_TCPRST = 8
    """RFC 8684 section 3.6."""
    MP_EXPERIMENTAL = 15
    """RFC 8684 section 7.2: private use."""


class MpCapableFlag(IntFlag):
    """The flag octet of MP_CAPABLE (RFC 8684 section 3.1)."""

    A_CHECKSUM_REQUIRED = 0x80
    B_EXTENSIBILITY = 0x40
    C_NO_JOIN_TO_THIS_ADDRESS = 0x20
    """New in v1: do not open further subflows to this address and port."""
    D = 0x10
    E = 0x08
    F = 0x04
    G = 0x02
    H_HMAC = 0x01
    """HMAC-SHA1 in v0, HMAC-SHA256 in v1."""


class DssFlag(IntFlag):
    """The flags of DSS (RFC 8684 section 3.3), in the option's fourth octet."""

    F_DATA_FIN = 0x10
    M_DATA_SEQ_8_OCTETS = 0x08
    """Wire name 'm'; without MAPPING it means nothing."""
    MAPPING = 0x04
    """Wire name 'M': data sequence number, subflow sequence number, length, checksum follow."""
    A_DATA_ACK_8_OCTETS = 0x02
    """Wire name 'a'; without DATA_ACK it means nothing."""
    DATA_ACK = 0x01
    """Wire name 'A'."""


MP_JOIN_BACKUP: Final = 0x01
"""The B flag beside the subtype of MP_JOIN SYN and SYN/ACK (RFC 8684 section 3.2)."""

MP_PRIO_BACKUP: Final = 0x01
"""The B flag beside the subtype of MP_PRIO (RFC 8684 section 3.3.8)."""

ADD_ADDR_ECHO: Final = 0x01
"""The E flag beside the subtype of ADD_ADDR in v1 (RFC 8684 section 3.4.1)."""


class TcpResetFlag(IntFlag):
    """The flags of MP_TCPRST (RFC 8684 section 3.6)."""

    U = 0x08
    V = 0x04
    W = 0x02
    T_TRANSIENT = 0x01


class TcpResetReason(IntEnum):
    """Why a subflow was reset (RFC 8684 section 3.6, registry in section 7.4)."""

    UNSPECIFIED = 0x00
    MPTCP_SPECIFIC = 0x01
    LACK_OF_RESOURCES = 0x02
    ADMINISTRATIVELY_PROHIBITED = 0x03
    TOO_MUCH_OUTSTANDING_DATA = 0x04
    UNACCEPTABLE_PERFORMANCE = 0x05
    MIDDLEBOX_INTERFERENCE = 0x06


TCP_RESET_REASON_NAMES: Final[dict[int, str]] = {
    TcpResetReason.UNSPECIFIED: "Unspecified error",
    TcpResetReason.MPTCP_SPECIFIC: "MPTCP-specific error",
    TcpResetReason.LACK_OF_RESOURCES: "Lack of resources",
    TcpResetReason.ADMINISTRATIVELY_PROHIBITED: "Administratively prohibited",
    TcpResetReason.TOO_MUCH_OUTSTANDING_DATA: "Too much outstanding data",
    TcpResetReason.UNACCEPTABLE_PERFORMANCE: "Unacceptable performance",
    TcpResetReason.MIDDLEBOX_INTERFERENCE: "Middlebox interference",
}
"""The reasons in the words of RFC 8684 section 3.6."""


class MalformedReason(IntEnum):
    """Why an option is malformed: the sender was wrong, not the capture short."""

    NO_LENGTH = 1
    """The option area ends after the kind octet."""
    LENGTH_BELOW_TWO = 2
    """The length octet does not even count kind and length; what follows cannot be found."""
    BEYOND_AREA = 3
    """The length octet reaches beyond the TCP header; what follows cannot be found."""
    WRONG_LENGTH = 4
    """The length fits no form of this option; the options after it are still read."""


MALFORMED_REASON_TEXT: Final[dict[MalformedReason, str]] = {
    MalformedReason.NO_LENGTH: "the option area ends before the length octet",
    MalformedReason.LENGTH_BELOW_TWO: "a length below 2 is impossible",
    MalformedReason.BEYOND_AREA: "the length reaches beyond the TCP header",
    MalformedReason.WRONG_LENGTH: "the length does not fit this option",
}
