"""The columns say of every packet what the option objects say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector import option_columns as columns
from dissector import options as o
from dissector.constants import MalformedReason
from dissector.option_codec import decode_options, encode_option
from dissector.option_columns import WalkStatus, walk_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

Row = dict[str, Any]

# Which column is present under which mask, and which attribute it has in the object.
MASKS = {
    "sender_key": "has_sender_key",
    "receiver_key": "has_receiver_key",
    "data_length": "has_data_length",
    "checksum": "has_checksum",
    "address_id": "has_address_id",
    "port": "has_port",
    "hmac": "has_hmac",
}


def rows_of(table: object) -> Iterator[Row]:
    names = list(type(table).__dataclass_fields__)  # type: ignore[attr-defined]
    for index in range(len(table.packet)):  # type: ignore[attr-defined]
        yield {
            name: value.tolist() if isinstance(value, np.ndarray) else value.item()
            for name in names
            for value in [getattr(table, name)[index]]
        }


def expected_rows(option: o.TcpOption) -> list[Row]:
    """What the columns must hold of one object, with absent numbers as zero."""
    match option:
        case o.MpCapable() as c:
            return [
                {
                    "version": c.version,
                    "flags": c.flags,
                    "sender_key": c.sender_key or 0,
                    "has_sender_key": c.sender_key is not None,
                    "receiver_key": c.receiver_key or 0,
                    "has_receiver_key": c.receiver_key is not None,
                    "data_length": c.data_length or 0,
                    "has_data_length": c.data_length is not None,
                    "checksum": c.checksum or 0,
                    "has_checksum": c.checksum is not None,
                }
            ]
        case o.MpJoinSyn() as j:
            return [
                {
                    "backup": j.backup,
                    "address_id": j.address_id,
                    "token": j.token,
                    "nonce": j.nonce,
                }
            ]
        case o.MpJoinSynAck() as s:
            return [
                {
                    "backup": s.backup,
                    "address_id": s.address_id,
                    "hmac": int.from_bytes(s.hmac),
                    "nonce": s.nonce,
                }
            ]
        case o.MpJoinAck() as a:
            return [{"hmac": list(a.hmac)}]
        case o.DataSequenceSignal() as d:
            return [
                {
                    "flags": d.flags,
                    "data_ack": d.data_ack or 0,
                    "data_ack_octets": d.data_ack_octets,
                    "data_seq": d.data_seq or 0,
                    "data_seq_octets": d.data_seq_octets,
                    "subflow_seq": d.subflow_seq or 0,
                    "data_length": d.data_length or 0,
                    "checksum": d.checksum or 0,
                    "has_checksum": d.checksum is not None,
                    "data_fin": d.data_fin,
                }
            ]
        case o.AddAddress() as a:
            return [
                {
                    "version": a.version,
                    "echo": a.echo,
                    "address_id": a.address_id,
                    "family": a.address.version,
                    "address_high": int(a.address) >> 64,
                    "address_low": int(a.address) & ((1 << 64) - 1),
                    "port": a.port or 0,
                    "has_port": a.port is not None,
                    "hmac": int.from_bytes(a.hmac or b""),
                    "has_hmac": a.hmac is not None,
                }
            ]
        case o.RemoveAddress() as r:
            return [{"address_id": address_id} for address_id in r.address_ids]
        case o.MpPriority() as p:
            return [
                {
                    "backup": p.backup,
                    "address_id": p.address_id or 0,
                    "has_address_id": p.address_id is not None,
                }
            ]
        case o.MpFail() as f:
            return [{"data_seq": f.data_seq}]
        case o.MpFastclose() as f:
            return [{"receiver_key": f.receiver_key}]
        case o.MpTcpReset() as t:
            return [{"flags": t.flags, "reason": t.reason}]
        case o.MpExperimental() as e:
            return [{"subtype": 15, "low_bits": e.low_bits}]
        case o.UnknownMptcpOption() as u:
            return [{"subtype": u.subtype, "low_bits": u.low_bits}]
        case o.MaximumSegmentSize() as m:
            return [{"value": m.maximum_segment_size}]
        case o.WindowScale() as w:
            return [{"value": w.shift}]
        case o.Timestamps() as t:
            return [{"value": t.value, "echo_reply": t.echo_reply}]
        case o.Sack() as k:
            return [{"left_edge": left, "right_edge": right} for left, right in k.blocks]
    return []


TABLES = {
    "mp_capable": o.MpCapable,
    "mp_join_syn": o.MpJoinSyn,
    "mp_join_syn_ack": o.MpJoinSynAck,
    "mp_join_ack": o.MpJoinAck,
    "dss": o.DataSequenceSignal,
    "add_address": o.AddAddress,
    "remove_address": o.RemoveAddress,
    "mp_priority": o.MpPriority,
    "mp_fail": o.MpFail,
    "mp_fastclose": o.MpFastclose,
    "mp_tcp_reset": o.MpTcpReset,
    "mp_experimental": o.MpExperimental,
    "unknown": o.UnknownMptcpOption,
}
PLAIN_TABLES = {
    columns.maximum_segment_size_columns: o.MaximumSegmentSize,
    columns.window_scale_columns: o.WindowScale,
    columns.timestamps_columns: o.Timestamps,
    columns.sack_columns: o.Sack,
}
NOT_IN_ROWS = (o.NoOperation, o.EndOfOptions, o.MalformedOption, o.CutOption)


def check_packets(packets: list[tuple[bytes, int]], *, tight: bool) -> None:
    """Holds the columns of packets (option area, how much of it was captured) to the objects."""
    octets, offsets = b"", []
    for area, captured in packets:
        if not tight:
            octets += b"\x1e\x08\x20"  # what stands before must not be read
        offsets.append(len(octets))
        # What was not captured is not there: the next packet's octets follow.
        octets += area[:captured]
    buffer = np.frombuffer(octets, np.uint8)
    walked = walk_options(
        buffer,
        np.array(offsets, np.int64),
        np.array([len(area) for area, _ in packets], np.int64),
        np.array([min(captured, len(area)) for area, captured in packets], np.int64),
    )
    objects = [
        (packet, offsets[packet], option)
        for packet, (area, captured) in enumerate(packets)
        for option in decode_options(area[:captured], declared_length=len(area))
    ]
    assert [
        (row["packet"], row["offset"], row["kind"], row["length"]) for row in listed(walked)
    ] == [
        (packet, start + option.offset, encode_option(option)[0], option.length)
        for packet, start, option in objects
        if not isinstance(option, NOT_IN_ROWS)
    ]
    assert list(rows_of(walked.malformed)) == [
        {
            "packet": packet,
            "offset": start + option.offset,
            "kind": option.kind,
            "reason": option.reason,
        }
        for packet, start, option in objects
        if isinstance(option, o.MalformedOption)
    ]
    for packet in range(len(packets)):
        own = [option for row, _, option in objects if row == packet]
        malformed = [option.offset for option in own if isinstance(option, o.MalformedOption)]
        cut = [option.offset for option in own if isinstance(option, o.CutOption)]
        status = walked.status[packet]
        assert bool(status & WalkStatus.MALFORMED) == bool(malformed)
        assert bool(status & WalkStatus.CUT) == bool(cut)
        start = offsets[packet]
        assert walked.malformed_offset[packet] == (start + malformed[0] if malformed else -1)
        assert walked.cut_offset[packet] == (start + cut[0] if cut else -1)
    mptcp = columns.mptcp_columns(buffer, walked)
    tables = [
        *((getattr(mptcp, name), option) for name, option in TABLES.items()),
        *((decode(buffer, walked), option) for decode, option in PLAIN_TABLES.items()),
    ]
    for table, option_class in tables:
        assert list(rows_of(table)) == [
            {
                "packet": packet,
                "offset": start + option.offset,
                "length": option.length,
                **row,
            }
            for packet, start, option in objects
            if isinstance(option, option_class)
            for row in expected_rows(option)
        ]


def listed(walked: columns.OptionRows) -> list[Row]:
    return [
        {"packet": p, "offset": f, "kind": k, "length": n}
        for p, f, k, n in zip(
            walked.packet.tolist(),
            walked.offset.tolist(),
            walked.kind.tolist(),
            walked.length.tolist(),
            strict=True,
        )
    ]


@given(data=st.data())
def test_columns_equal_objects(any_option_area: SearchStrategy[bytes], data: st.DataObject) -> None:
    areas = data.draw(st.lists(any_option_area, max_size=8))
    cuts = data.draw(st.lists(st.integers(0, 60), min_size=len(areas), max_size=len(areas)))
    check_packets(list(zip(areas, cuts, strict=True)), tight=data.draw(st.booleans()))
