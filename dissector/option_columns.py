"""The options of many packets at once: columns per subtype, from the rows of a walk.

    rows = walk_options(buffer, options_offset, options_length, options_captured)
    dss = dss_columns(buffer, rows)          # or mptcp_columns(buffer, rows) for all subtypes

The places of the fields come from ``option_layout``, as in the scalar codec, and both agree on
every octet sequence. The tables are described in ``option_tables``, the walk in ``option_walk``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from dissector.constants import DssFlag, MptcpSubtype, TcpOptionKind
from dissector.option_fields import OptionFields, forms_of
from dissector.option_layout import FORMS_BY_OPTION
from dissector.option_tables import (
    AddAddressColumns,
    DssColumns,
    Indices,
    Mask,
    MpCapableColumns,
    MpFailColumns,
    MpFastcloseColumns,
    MpJoinAckColumns,
    MpJoinSynAckColumns,
    MpJoinSynColumns,
    MpPriorityColumns,
    MptcpColumns,
    MpTcpResetColumns,
    NumberColumns,
    Octets,
    OpaqueMptcpColumns,
    RemoveAddressColumns,
    SackColumns,
    TimestampsColumns,
)
from dissector.option_walk import MalformedRows, OptionRows, WalkStatus, gather, walk_options

__all__ = [
    "AddAddressColumns",
    "DssColumns",
    "MalformedRows",
    "MpCapableColumns",
    "MpFailColumns",
    "MpFastcloseColumns",
    "MpJoinAckColumns",
    "MpJoinSynAckColumns",
    "MpJoinSynColumns",
    "MpPriorityColumns",
    "MpTcpResetColumns",
    "MptcpColumns",
    "NumberColumns",
    "OpaqueMptcpColumns",
    "OptionRows",
    "RemoveAddressColumns",
    "SackColumns",
    "TimestampsColumns",
    "WalkStatus",
    "add_address_columns",
    "dss_columns",
    "maximum_segment_size_columns",
    "mp_capable_columns",
    "mp_experimental_columns",
    "mp_fail_columns",
    "mp_fastclose_columns",
    "mp_join_ack_columns",
    "mp_join_syn_ack_columns",
    "mp_join_syn_columns",
    "mp_priority_columns",
    "mp_tcp_reset_columns",
    "mptcp_columns",
    "remove_address_columns",
    "sack_columns",
    "timestamps_columns",
    "unknown_mptcp_columns",
    "walk_options",
    "window_scale_columns",
]

_DSS_FLAGS: Final = 0x1F


def mp_capable_columns(buffer: Octets, rows: OptionRows) -> MpCapableColumns:
    """All MP_CAPABLE of a known version."""
    found = OptionFields(buffer, rows, "MpCapable")
    return MpCapableColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        version=found.numbers("version", np.uint8),
        flags=found.numbers("flags", np.uint8),
        sender_key=found.numbers("sender_key", np.uint64),
        has_sender_key=found.present("sender_key"),
        receiver_key=found.numbers("receiver_key", np.uint64),
        has_receiver_key=found.present("receiver_key"),
        data_length=found.numbers("data_length", np.uint16),
        has_data_length=found.present("data_length"),
        checksum=found.numbers("checksum", np.uint16),
        has_checksum=found.present("checksum"),
    )


def mp_join_syn_columns(buffer: Octets, rows: OptionRows) -> MpJoinSynColumns:
    """All MP_JOIN of 12 octets."""
    found = OptionFields(buffer, rows, "MpJoinSyn")
    return MpJoinSynColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        token=found.numbers("token", np.uint32),
        nonce=found.numbers("nonce", np.uint32),
    )


def mp_join_syn_ack_columns(buffer: Octets, rows: OptionRows) -> MpJoinSynAckColumns:
    """All MP_JOIN of 16 octets."""
    found = OptionFields(buffer, rows, "MpJoinSynAck")
    return MpJoinSynAckColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        hmac=found.numbers("hmac", np.uint64),
        nonce=found.numbers("nonce", np.uint32),
    )


def mp_join_ack_columns(buffer: Octets, rows: OptionRows) -> MpJoinAckColumns:
    """All MP_JOIN of 24 octets."""
    found = OptionFields(buffer, rows, "MpJoinAck")
    layout = FORMS_BY_OPTION["MpJoinAck"][0].place_of("hmac")
    span = np.arange(layout.octet_offset, layout.octet_end)
    return MpJoinAckColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        hmac=buffer[found.offset[:, np.newaxis] + span],
    )


def dss_columns(buffer: Octets, rows: OptionRows) -> DssColumns:
    """All DSS."""
    found = OptionFields(buffer, rows, "DataSequenceSignal")
    flags = buffer[found.offset + 3] & np.uint8(_DSS_FLAGS)
    return DssColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        flags=flags,
        data_ack=found.numbers("data_ack", np.uint64),
        data_ack_octets=found.implied("data_ack_octets"),
        data_seq=found.numbers("data_seq", np.uint64),
        data_seq_octets=found.implied("data_seq_octets"),
        subflow_seq=found.numbers("subflow_seq", np.uint32),
        data_length=found.numbers("data_length", np.uint16),
        checksum=found.numbers("checksum", np.uint16),
        has_checksum=found.present("checksum"),
        data_fin=(flags & np.uint8(DssFlag.F_DATA_FIN)) != 0,
    )


def add_address_columns(buffer: Octets, rows: OptionRows) -> AddAddressColumns:
    """All ADD_ADDR, of both versions."""
    found = OptionFields(buffer, rows, "AddAddress")
    family = found.implied("family")
    # The address begins at the same octet in every form; IPv4 is read as its first 4 octets.
    layout = FORMS_BY_OPTION["AddAddress"][0].place_of("address")
    start = found.offset + layout.octet_offset
    wide = family == 6
    high = np.zeros(family.size, np.uint64)
    low = np.zeros(family.size, np.uint64)
    high[wide] = gather(buffer, start[wide], 8)
    low[wide] = gather(buffer, start[wide] + 8, 8)
    low[~wide] = gather(buffer, start[~wide], 4)
    return AddAddressColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        version=found.implied("version"),
        echo=found.flags("echo"),
        address_id=found.numbers("address_id", np.uint8),
        family=family,
        address_high=high,
        address_low=low,
        port=found.numbers("port", np.uint16),
        has_port=found.present("port"),
        hmac=found.numbers("hmac", np.uint64),
        has_hmac=found.present("hmac"),
    )


def remove_address_columns(buffer: Octets, rows: OptionRows) -> RemoveAddressColumns:
    """All REMOVE_ADDR, one row per address ID."""
    found = OptionFields(buffer, rows, "RemoveAddress")
    option, place = _items(found, 3, 1)
    return RemoveAddressColumns(
        packet=found.packet[option],
        offset=found.offset[option],
        length=found.length[option],
        address_id=buffer[place],
    )


def mp_priority_columns(buffer: Octets, rows: OptionRows) -> MpPriorityColumns:
    """All MP_PRIO."""
    found = OptionFields(buffer, rows, "MpPriority")
    return MpPriorityColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        backup=found.flags("backup"),
        address_id=found.numbers("address_id", np.uint8),
        has_address_id=found.present("address_id"),
    )


def mp_fail_columns(buffer: Octets, rows: OptionRows) -> MpFailColumns:
    """All MP_FAIL."""
    found = OptionFields(buffer, rows, "MpFail")
    return MpFailColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        data_seq=found.numbers("data_seq", np.uint64),
    )


def mp_fastclose_columns(buffer: Octets, rows: OptionRows) -> MpFastcloseColumns:
    """All MP_FASTCLOSE."""
    found = OptionFields(buffer, rows, "MpFastclose")
    return MpFastcloseColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        receiver_key=found.numbers("receiver_key", np.uint64),
    )


def mp_tcp_reset_columns(buffer: Octets, rows: OptionRows) -> MpTcpResetColumns:
    """All MP_TCPRST."""
    found = OptionFields(buffer, rows, "MpTcpReset")
    return MpTcpResetColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        flags=found.numbers("flags", np.uint8),
        reason=found.numbers("reason", np.uint8),
    )


def mp_experimental_columns(buffer: Octets, rows: OptionRows) -> OpaqueMptcpColumns:
    """All options of subtype 15."""
    found = OptionFields(buffer, rows, "MpExperimental")
    return OpaqueMptcpColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        subtype=np.full(found.packet.size, MptcpSubtype.MP_EXPERIMENTAL, np.uint8),
        low_bits=found.numbers("low_bits", np.uint8),
    )


def unknown_mptcp_columns(buffer: Octets, rows: OptionRows) -> OpaqueMptcpColumns:
    """All options of unknown subtypes, and MP_CAPABLE of unknown versions (subtype 0)."""
    found = OptionFields(buffer, rows, "UnknownMptcpOption")
    return OpaqueMptcpColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        subtype=found.numbers("subtype", np.uint8),
        low_bits=found.numbers("low_bits", np.uint8),
    )


def mptcp_columns(buffer: Octets, rows: OptionRows) -> MptcpColumns:
    """The columns of every MPTCP subtype; absent ones cost next to nothing."""
    dss_rows, other_rows = _split(rows)
    return MptcpColumns(
        mp_capable=mp_capable_columns(buffer, other_rows),
        mp_join_syn=mp_join_syn_columns(buffer, other_rows),
        mp_join_syn_ack=mp_join_syn_ack_columns(buffer, other_rows),
        mp_join_ack=mp_join_ack_columns(buffer, other_rows),
        dss=dss_columns(buffer, dss_rows),
        add_address=add_address_columns(buffer, other_rows),
        remove_address=remove_address_columns(buffer, other_rows),
        mp_priority=mp_priority_columns(buffer, other_rows),
        mp_fail=mp_fail_columns(buffer, other_rows),
        mp_fastclose=mp_fastclose_columns(buffer, other_rows),
        mp_tcp_reset=mp_tcp_reset_columns(buffer, other_rows),
        mp_experimental=mp_experimental_columns(buffer, other_rows),
        unknown=unknown_mptcp_columns(buffer, other_rows),
    )


def _split(rows: OptionRows) -> tuple[OptionRows, OptionRows]:
    """The rows of DSS, and those of the other MPTCP options, which are few."""
    is_dss = forms_of("DataSequenceSignal")[rows.form]
    others = np.flatnonzero((rows.kind == TcpOptionKind.MPTCP) & ~is_dss)

    def part(chosen: Mask | Indices) -> OptionRows:
        return replace(
            rows,
            packet=rows.packet[chosen],
            kind=rows.kind[chosen],
            offset=rows.offset[chosen],
            length=rows.length[chosen],
            form=rows.form[chosen],
        )

    return part(np.flatnonzero(is_dss)), part(others)


def maximum_segment_size_columns(buffer: Octets, rows: OptionRows) -> NumberColumns:
    """All maximum segment sizes, in octets."""
    return _number_columns(buffer, rows, "MaximumSegmentSize", "maximum_segment_size")


def window_scale_columns(buffer: Octets, rows: OptionRows) -> NumberColumns:
    """All window scale options: the shift count."""
    return _number_columns(buffer, rows, "WindowScale", "shift")


def _number_columns(buffer: Octets, rows: OptionRows, option: str, attribute: str) -> NumberColumns:
    found = OptionFields(buffer, rows, option)
    return NumberColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        value=found.numbers(attribute, np.uint32),
    )


def timestamps_columns(buffer: Octets, rows: OptionRows) -> TimestampsColumns:
    """All TCP timestamps."""
    found = OptionFields(buffer, rows, "Timestamps")
    return TimestampsColumns(
        packet=found.packet,
        offset=found.offset,
        length=found.length,
        value=found.numbers("value", np.uint32),
        echo_reply=found.numbers("echo_reply", np.uint32),
    )


def sack_columns(buffer: Octets, rows: OptionRows) -> SackColumns:
    """All SACK blocks, one row per block."""
    found = OptionFields(buffer, rows, "Sack")
    option, place = _items(found, 2, 8)
    return SackColumns(
        packet=found.packet[option],
        offset=found.offset[option],
        length=found.length[option],
        left_edge=gather(buffer, place, 4).astype(np.uint32),
        right_edge=gather(buffer, place + 4, 4).astype(np.uint32),
    )


def _items(found: OptionFields, header: int, octets: int) -> tuple[Indices, Indices]:
    """For options that are a list: the option's row of each item, and the item's place."""
    counts = (found.length.astype(np.int64) - header) // octets
    option = np.repeat(np.arange(counts.size), counts)
    first = np.cumsum(counts) - counts
    within = np.arange(option.size) - first[option]
    return option, found.offset[option] + header + within * octets
