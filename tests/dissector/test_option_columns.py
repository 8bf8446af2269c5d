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
from mptrace.capture import open_capture
from mptrace.capture.decode import tcp_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

Row = dict[str, Any]


def rows_of(table: object) -> Iterator[Row]:
    names = list(type(table).__dataclass_fields__)  # type: ignore[attr-defined]
    for index in range(len(table.packet)):  # type: ignore[attr-defined]
        yield {
            name: value.tolist() if isinstance(value, np.ndarray) else value.item()
            for name in names
            for value in [getattr(table, name)[index]]
        }


def zero_where_absent(option: o.TcpOption, *names: str) -> Row:
    """Fields of an object as columns hold them: numbers, and masks (has_...)."""
    row: Row = {}
    for name in names:
        value = getattr(option, name.removeprefix("has_"))
        if name.startswith("has_"):
            row[name] = value is not None
        else:
            row[name] = int.from_bytes(value) if isinstance(value, bytes) else value or 0
    return row


ADDRESS_LOW = (1 << 64) - 1
PLAIN_FIELDS: dict[type[o.TcpOption], tuple[str, ...]] = {
    o.MpCapable: (
        "version",
        "flags",
        "sender_key",
        "has_sender_key",
        "receiver_key",
        "has_receiver_key",
        "data_length",
        "has_data_length",
        "checksum",
        "has_checksum",
    ),
    o.MpJoinSyn: ("backup", "address_id", "token", "nonce"),
    o.MpJoinSynAck: ("backup", "address_id", "hmac", "nonce"),
    o.DataSequenceSignal: (
        "flags",
        "data_ack",
        "data_ack_octets",
        "data_seq",
        "data_seq_octets",
        "subflow_seq",
        "data_length",
        "checksum",
        "has_checksum",
        "data_fin",
    ),
    o.AddAddress: (
        "version",
        "echo",
        "address_id",
        "family",
        "port",
        "has_port",
        "hmac",
        "has_hmac",
    ),
    o.MpPriority: ("backup", "address_id", "has_address_id"),
    o.MpFail: ("data_seq",),
    o.MpFastclose: ("receiver_key",),
    o.MpTcpReset: ("flags", "reason"),
    o.UnknownMptcpOption: ("subtype", "low_bits"),
    o.Timestamps: ("value", "echo_reply"),
}


def expected_rows(option: o.TcpOption) -> list[Row]:
    """What the columns must hold of one object."""
    row = zero_where_absent(option, *PLAIN_FIELDS.get(type(option), ()))
    match option:
        case o.MpJoinAck():
            return [{"hmac": list(option.hmac)}]
        case o.AddAddress():
            row["address_high"] = int(option.address) >> 64
            row["address_low"] = int(option.address) & ADDRESS_LOW
        case o.RemoveAddress():
            return [{"address_id": address_id} for address_id in option.address_ids]
        case o.MpExperimental():
            row = {"subtype": 15, "low_bits": option.low_bits}
        case o.MaximumSegmentSize():
            row = {"value": option.maximum_segment_size}
        case o.WindowScale():
            row = {"value": option.shift}
        case o.Sack():
            return [{"left_edge": left, "right_edge": right} for left, right in option.blocks]
    return [row]


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
    extents = (
        np.array(offsets, np.int64),
        np.array([len(area) for area, _ in packets], np.int64),
        np.array([min(captured, len(area)) for area, captured in packets], np.int64),
    )
    walked = walk_options(buffer, *extents)
    mptcp_only = walk_options(buffer, *extents, only_mptcp=True)
    assert listed(mptcp_only) == [row for row in listed(walked) if row["kind"] == 30]
    assert list(rows_of(mptcp_only.malformed)) == list(rows_of(walked.malformed))
    for per_packet in ("status", "malformed_offset", "cut_offset"):
        assert np.array_equal(getattr(mptcp_only, per_packet), getattr(walked, per_packet))
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


def test_a_malformed_mptcp_option_beside_a_plain_one_in_the_same_step() -> None:
    wrong_length, timestamps = (
        bytes.fromhex("1e0a2001" + 6 * "00"),
        bytes.fromhex("080a" + 8 * "30"),
    )
    areas = [wrong_length + timestamps, timestamps + timestamps]
    check_packets([(area, len(area)) for area in areas], tight=False)


def walk(area: str, captured: int | None = None) -> columns.OptionRows:
    octets = np.frombuffer(bytes.fromhex(area), np.uint8)
    there = octets.size if captured is None else captured
    one = np.zeros(1, np.int64)
    return walk_options(octets[:there], one, one + octets.size, one + there)


@pytest.mark.parametrize(
    ("area", "offset", "kind", "reason"),
    [
        ("011e", 1, 30, MalformedReason.NO_LENGTH),
        ("01011e00aabb", 2, 30, MalformedReason.LENGTH_BELOW_TWO),
        ("0201", 0, 2, MalformedReason.LENGTH_BELOW_TWO),
        ("1e0c2001d52a", 0, 30, MalformedReason.BEYOND_AREA),
        ("1e02", 0, 30, MalformedReason.WRONG_LENGTH),
        ("1e062005d52a0101", 0, 30, MalformedReason.WRONG_LENGTH),
        ("080301", 0, 8, MalformedReason.WRONG_LENGTH),
    ],
)
def test_malformed_options_have_a_place_and_a_reason(
    area: str, offset: int, kind: int, reason: MalformedReason
) -> None:
    rows = walk(area)
    assert list(rows_of(rows.malformed)) == [
        {"packet": 0, "offset": offset, "kind": kind, "reason": reason}
    ]
    assert rows.status.tolist() == [WalkStatus.MALFORMED]
    assert rows.malformed_offset.tolist() == [offset]
    assert rows.packet.size == 0


def test_a_cut_is_not_malformed() -> None:
    rows = walk("01030307" + "1e0c2003344d3a18f3dc1207", captured=10)
    assert rows.status.tolist() == [WalkStatus.CUT]
    assert (rows.cut_offset.tolist(), rows.malformed_offset.tolist()) == ([4], [-1])
    assert rows.kind.tolist() == [3]


def test_an_option_that_ends_with_the_buffer() -> None:
    """MP_PRIO is of three octets; no fourth one is there to be looked at."""
    rows = walk("1e0351")
    table = columns.mptcp_columns(np.array([30, 3, 0x51], np.uint8), rows).mp_priority
    assert (table.backup.tolist(), table.has_address_id.tolist()) == ([True], [False])
    assert rows.status.tolist() == [0]


def test_numbers_above_2_to_the_53_are_exact() -> None:
    area = "1e1c200fffffffffffffffff" + "fffffffffffffffe" + "ffffffffffff" + "abcd"
    rows = walk(area)
    table = columns.mptcp_columns(np.frombuffer(bytes.fromhex(area), np.uint8), rows).dss
    assert {table.data_ack.dtype, table.data_seq.dtype} == {np.dtype(np.uint64)}
    assert table.data_ack.tolist() == [0xFFFFFFFFFFFFFFFF]
    assert table.data_seq.tolist() == [0xFFFFFFFFFFFFFFFE]
    assert table.subflow_seq.tolist() == [0xFFFFFFFF]


def test_no_packets() -> None:
    none = np.zeros(0, np.int64)
    rows = walk_options(np.zeros(0, np.uint8), none, none, none)
    assert (rows.packet.size, rows.status.size) == (0, 0)
    assert columns.mptcp_columns(np.zeros(0, np.uint8), rows).dss.packet.size == 0


@pytest.mark.parametrize(
    "name",
    [
        "many/client.pcap",
        "add_address/server.pcap",
        "snaplen_checksum/client.pcap",
        "v0_two_subflows/client.pcap",
        "fastclose_server/client.pcap",
    ],
)
def test_columns_equal_objects_on_samples(root: Path, name: str) -> None:
    packets = []
    with open_capture(root / "samples" / name) as capture:
        for batch in capture.batches():
            segments, _ = tcp_columns(capture.interfaces, batch)
            for offset, length, captured in zip(
                segments.options_offset.tolist(),
                segments.options_length.tolist(),
                segments.options_captured.tolist(),
                strict=True,
            ):
                area = batch.buffer[offset : offset + captured].tobytes()
                packets.append((area.ljust(length, b"\0"), captured))
    # The same headers come again and again: each of them once.
    check_packets(sorted(set(packets))[:600], tight=True)
