"""The columns of each option, as tables with one row per option.

In every table ``packet`` (int64) is the row of the packet in the arrays given to
``walk_options``, ``offset`` (int64) the option's kind octet within the buffer and ``length``
(uint8) its octets. Rows are ordered by packet, then by place in the packet. Numbers are
unsigned, of 64 bits where the field has up to 64; where one can be absent there is a mask
beside it, and absent numbers are 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Octets: TypeAlias = NDArray[np.uint8]
Indices: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Numbers16: TypeAlias = NDArray[np.uint16]
Numbers32: TypeAlias = NDArray[np.uint32]
Numbers64: TypeAlias = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class MpCapableColumns:
    """MP_CAPABLE: RFC 8684 section 3.1."""

    packet: Indices
    offset: Indices
    length: Octets
    version: Octets
    flags: Octets
    sender_key: Numbers64
    has_sender_key: Mask
    receiver_key: Numbers64
    has_receiver_key: Mask
    data_length: Numbers16
    has_data_length: Mask
    checksum: Numbers16
    has_checksum: Mask


@dataclass(frozen=True, slots=True)
class MpJoinSynColumns:
    """MP_JOIN of 12 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    token: Numbers32
    nonce: Numbers32


@dataclass(frozen=True, slots=True)
class MpJoinSynAckColumns:
    """MP_JOIN of 16 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    hmac: Numbers64
    nonce: Numbers32


@dataclass(frozen=True, slots=True)
class MpJoinAckColumns:
    """MP_JOIN of 24 octets: RFC 8684 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    hmac: Octets
    """Shape (rows, 20)."""


@dataclass(frozen=True, slots=True)
class DssColumns:
    """DSS: RFC 8684 section 3.3; numbers as on the wire, of 4 or 8 octets."""

    packet: Indices
    offset: Indices
    length: Octets
    flags: Octets
    """See ``constants.DssFlag``; reserved bits are left out."""
    data_ack: Numbers64
    data_ack_octets: Octets
    """0 (absent), 4 or 8."""
    data_seq: Numbers64
    data_seq_octets: Octets
    """0 (no mapping), 4 or 8."""
    subflow_seq: Numbers32
    data_length: Numbers16
    checksum: Numbers16
    has_checksum: Mask
    data_fin: Mask


@dataclass(frozen=True, slots=True)
class AddAddressColumns:
    """ADD_ADDR: RFC 6824 and RFC 8684 section 3.4.1. IPv4: high is 0, low the 32 bits."""

    packet: Indices
    offset: Indices
    length: Octets
    version: Octets
    echo: Mask
    address_id: Octets
    family: Octets
    address_high: Numbers64
    address_low: Numbers64
    port: Numbers16
    has_port: Mask
    hmac: Numbers64
    has_hmac: Mask


@dataclass(frozen=True, slots=True)
class RemoveAddressColumns:
    """REMOVE_ADDR: RFC 8684 section 3.4.2; one row per address ID, in the option's order."""

    packet: Indices
    offset: Indices
    length: Octets
    address_id: Octets


@dataclass(frozen=True, slots=True)
class MpPriorityColumns:
    """MP_PRIO: RFC 8684 section 3.3.8."""

    packet: Indices
    offset: Indices
    length: Octets
    backup: Mask
    address_id: Octets
    has_address_id: Mask


@dataclass(frozen=True, slots=True)
class MpFailColumns:
    """MP_FAIL: RFC 8684 section 3.7."""

    packet: Indices
    offset: Indices
    length: Octets
    data_seq: Numbers64


@dataclass(frozen=True, slots=True)
class MpFastcloseColumns:
    """MP_FASTCLOSE: RFC 8684 section 3.5."""

    packet: Indices
    offset: Indices
    length: Octets
    receiver_key: Numbers64


@dataclass(frozen=True, slots=True)
class MpTcpResetColumns:
    """MP_TCPRST: RFC 8684 section 3.6."""

    packet: Indices
    offset: Indices
    length: Octets
    flags: Octets
    reason: Octets


@dataclass(frozen=True, slots=True)
class OpaqueMptcpColumns:
    """MP_EXPERIMENTAL, unknown subtypes and MP_CAPABLE of an unknown version.

    What follows the subtype octet is at ``offset + 3``, ``length - 3`` octets.
    """

    packet: Indices
    offset: Indices
    length: Octets
    subtype: Octets
    low_bits: Octets


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """A TCP option with one number: maximum segment size or window scale's shift."""

    packet: Indices
    offset: Indices
    length: Octets
    value: Numbers32


@dataclass(frozen=True, slots=True)
class TimestampsColumns:
    """TCP timestamps: RFC 7323 section 3.2."""

    packet: Indices
    offset: Indices
    length: Octets
    value: Numbers32
    echo_reply: Numbers32


@dataclass(frozen=True, slots=True)
class SackColumns:
    """TCP SACK: RFC 2018 section 3; one row per block, in the option's order."""

    packet: Indices
    offset: Indices
    length: Octets
    left_edge: Numbers32
    right_edge: Numbers32


@dataclass(frozen=True, slots=True)
class MptcpColumns:
    """The columns of every MPTCP subtype."""

    mp_capable: MpCapableColumns
    mp_join_syn: MpJoinSynColumns
    mp_join_syn_ack: MpJoinSynAckColumns
    mp_join_ack: MpJoinAckColumns
    dss: DssColumns
    add_address: AddAddressColumns
    remove_address: RemoveAddressColumns
    mp_priority: MpPriorityColumns
    mp_fail: MpFailColumns
    mp_fastclose: MpFastcloseColumns
    mp_tcp_reset: MpTcpResetColumns
    mp_experimental: OpaqueMptcpColumns
    unknown: OpaqueMptcpColumns
