"""Octets to options and back: examples of the RFCs, and every octet sequence."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector import options as o
from dissector.constants import MalformedReason
from dissector.errors import EncodeError
from dissector.option_codec import decode_options, encode_option, encode_options

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Octets written by hand from the figures of RFC 8684 and RFC 6824, or recorded (Linux 6.18, and
# tcpdump's public v0 sample).
EXAMPLES: list[tuple[str, o.TcpOption]] = [
    ("1e040101", o.MpCapable(1, 0x01)),
    ("1e0c010178196e37ecedbdef", o.MpCapable(1, 0x01, 0x78196E37ECEDBDEF)),
    (
        "1e140101dc8548e31eb0a49778196e37ecedbdef",
        o.MpCapable(1, 0x01, 0xDC8548E31EB0A497, 0x78196E37ECEDBDEF),
    ),
    (
        "1e160101dc8548e31eb0a49778196e37ecedbdef7a60",
        o.MpCapable(1, 0x01, 0xDC8548E31EB0A497, 0x78196E37ECEDBDEF, 31328),
    ),
    (
        "1e180181b5c460dd4c6160f80a2dda9b67f2e0ec7a606107",
        o.MpCapable(1, 0x81, 0xB5C460DD4C6160F8, 0x0A2DDA9B67F2E0EC, 31328, 0x6107),
    ),
    ("1e0c00819c9eabd1e46a33b2", o.MpCapable(0, 0x81, 0x9C9EABD1E46A33B2)),
    (
        "1e1400819c9eabd1e46a33b2967d2770b6960552",
        o.MpCapable(0, 0x81, 0x9C9EABD1E46A33B2, 0x967D2770B6960552),
    ),
    ("1e0c1105d18289649c482009", o.MpJoinSyn(True, 5, 0xD1828964, 0x9C482009)),
    (
        "1e101000dfad533f285a3d06b13e81a5",
        o.MpJoinSynAck(False, 0, bytes.fromhex("dfad533f285a3d06"), 0xB13E81A5),
    ),
    (
        "1e181000e989f16173883d46ffcadbef9dacf6adfecd7679",
        o.MpJoinAck(bytes.fromhex("e989f16173883d46ffcadbef9dacf6adfecd7679")),
    ),
    ("1e042000", o.DataSequenceSignal()),
    ("1e082001d1b974b9", o.DataSequenceSignal(data_ack=0xD1B974B9, data_ack_octets=4)),
    (
        "1e0c2003344d3a18f3dc1207",
        o.DataSequenceSignal(data_ack=0x344D3A18F3DC1207, data_ack_octets=8),
    ),
    (
        "1e142005d52abecad1b97490000000010029082f",
        o.DataSequenceSignal(
            data_ack=0xD52ABECA,
            data_ack_octets=4,
            data_seq=0xD1B97490,
            data_seq_octets=4,
            subflow_seq=1,
            data_length=41,
            checksum=0x082F,
        ),
    ),
    (
        "1e16200d3394ce87ecc83316f6adc6200000000178a8",
        o.DataSequenceSignal(
            data_ack=0x3394CE87,
            data_ack_octets=4,
            data_seq=0xECC83316F6ADC620,
            data_seq_octets=8,
            subflow_seq=1,
            data_length=0x78A8,
        ),
    ),
    (
        "1e1c201f00000000000000010000000000000002000000030000beef",
        o.DataSequenceSignal(
            data_ack=1,
            data_ack_octets=8,
            data_seq=2,
            data_seq_octets=8,
            subflow_seq=3,
            data_length=0,
            checksum=0xBEEF,
            data_fin=True,
        ),
    ),
    # The width flags mean nothing without what they widen (RFC 8684 section 3.3).
    ("1e04200a", o.DataSequenceSignal(unused_flags=0x0A)),
    (
        "1e0e2006000000010000000200c8",
        o.DataSequenceSignal(
            data_seq=1, data_seq_octets=4, subflow_seq=2, data_length=200, unused_flags=0x02
        ),
    ),
    ("1e0834010a010202", o.AddAddress(0, 1, IPv4Address("10.1.2.2"))),
    ("1e0a34010a0102020016", o.AddAddress(0, 1, IPv4Address("10.1.2.2"), 22)),
    (
        "1e1436fffd000002000000000000000000000002",
        o.AddAddress(0, 255, IPv6Address("fd00:2::2")),
    ),
    (
        "1e1030010a020002cb29dc6ebdbdc041",
        o.AddAddress(1, 1, IPv4Address("10.2.0.2"), None, False, bytes.fromhex("cb29dc6ebdbdc041")),
    ),
    ("1e0831010a020002", o.AddAddress(1, 1, IPv4Address("10.2.0.2"), echo=True)),
    (
        "1e1e3001fd0000020000000000000000000000020050985a451fa1dccd83",
        o.AddAddress(1, 1, IPv6Address("fd00:2::2"), 80, False, bytes.fromhex("985a451fa1dccd83")),
    ),
    (
        "1e163101fd0000020000000000000000000000020050",
        o.AddAddress(1, 1, IPv6Address("fd00:2::2"), 80, echo=True),
    ),
    # Reserved bits of v1 that look like v0's IP version: the length tells.
    (
        "1e1034010a020002cb29dc6ebdbdc041",
        o.AddAddress(
            1,
            1,
            IPv4Address("10.2.0.2"),
            None,
            False,
            bytes.fromhex("cb29dc6ebdbdc041"),
            reserved=2,
        ),
    ),
    ("1e044009", o.RemoveAddress((9,))),
    ("1e06400901ff", o.RemoveAddress((9, 1, 255))),
    ("1e0351", o.MpPriority(True)),
    ("1e045004", o.MpPriority(False, 4)),
    ("1e0c6000761df55ea193951b", o.MpFail(0x761DF55EA193951B)),
    ("1e0c7000ef7f643605e122a4", o.MpFastclose(0xEF7F643605E122A4)),
    ("1e048006", o.MpTcpReset(0, 6)),
    ("1e048102", o.MpTcpReset(1, 2)),
    ("1e05f30102", o.MpExperimental(3, b"\x01\x02")),
    ("1e0392", o.UnknownMptcpOption(9, 2, b"")),
    ("1e040201", o.UnknownMptcpOption(0, 2, b"\x01")),
    ("020405b4", o.MaximumSegmentSize(1460)),
    ("03030a", o.WindowScale(10)),
    ("0402", o.SackPermitted()),
    ("050ae5ffc893e5ffce0b", o.Sack(((0xE5FFC893, 0xE5FFCE0B),))),
    ("080a710d9fdbd1c4a8f2", o.Timestamps(0x710D9FDB, 0xD1C4A8F2)),
    ("2202", o.OtherOption(34, b"")),
    ("01", o.NoOperation()),
]


@pytest.mark.parametrize(("octets", "option"), EXAMPLES)
def test_examples(octets: str, option: o.TcpOption) -> None:
    decoded = decode_options(bytes.fromhex(octets))
    assert decoded == (option,)
    assert (decoded[0].offset, decoded[0].length) == (0, len(octets) // 2)
    assert encode_option(option).hex() == octets


@pytest.mark.parametrize(("octets", "option"), EXAMPLES)
def test_every_other_length_of_a_known_option_is_malformed_or_another_form(
    octets: str, option: o.TcpOption
) -> None:
    """Which lengths each option may have, written down apart from the layout."""
    nibble = octets[5:6]
    lengths = {
        "MpCapable": {12, 20} if nibble == "0" else {4, 12, 20, 22, 24},
        "MpJoinSyn": {12, 16, 24},
        "MpJoinSynAck": {12, 16, 24},
        "MpJoinAck": {12, 16, 24},
        "RemoveAddress": set(range(4, 41)),
        "MpPriority": {3, 4},
        "MpFail": {12},
        "MpFastclose": {12},
        "MpTcpReset": {4},
        "MpExperimental": set(range(3, 41)),
        "UnknownMptcpOption": set(range(3, 41)),
        "MaximumSegmentSize": {4},
        "WindowScale": {3},
        "SackPermitted": {2},
        "Sack": {10, 18, 26, 34},
        "Timestamps": {10},
        "OtherOption": set(range(2, 41)),
    }
    if isinstance(option, o.AddAddress):
        allowed = {8, 10, 20, 22} if option.echo else {16, 18, 28, 30}
        # v0 with IPVer 4 or 6 and v1 without E can have the same nibble.
        if nibble in "46":
            allowed |= {8, 10} if nibble == "4" else {20, 22}
    elif isinstance(option, o.DataSequenceSignal):
        flags = int(octets[6:8], 16)
        size = 4 + (0, 4, 0, 8)[flags & 3]
        allowed = {size}
        if flags & 0x04:
            size += (8 if flags & 0x08 else 4) + 6
            allowed = {size, size + 2}
    elif isinstance(option, o.NoOperation):
        return
    else:
        allowed = lengths[type(option).__name__]
    whole = bytes.fromhex(octets).ljust(41, b"\x00")
    for length in range(2, 41):
        area = whole[:1] + bytes([length]) + whole[2:length]
        (decoded,) = decode_options(area)
        if length in allowed:
            assert type(decoded).__module__ == o.__name__
            assert not isinstance(decoded, o.MalformedOption)
        else:
            assert decoded == o.MalformedOption(MalformedReason.WRONG_LENGTH, area)
            assert str(length) in decoded.text


@given(data=st.data())
def test_round_trip(any_option: SearchStrategy[o.TcpOption], data: st.DataObject) -> None:
    option = data.draw(any_option)
    assert decode_options(encode_option(option)) == (option,)


@given(data=st.data())
def test_round_trip_of_aligned_areas(
    any_option: SearchStrategy[o.TcpOption], data: st.DataObject
) -> None:
    options = data.draw(st.lists(any_option, max_size=4))
    try:
        area = encode_options(options)
    except EncodeError as error:
        assert "do not fit a TCP header" in str(error)  # noqa: PT017 - the area was too long
        return
    assert len(area) % 4 == 0
    decoded = decode_options(area)
    padding = o.NoOperation()
    assert [option for option in decoded if option != padding] == [
        option for option in options if option != padding
    ]
    # RFC 7323 appendix A and RFC 2018: their 32-bit numbers stand at multiples of four.
    for option in decoded:
        if isinstance(option, o.Timestamps | o.Sack):
            assert (option.offset + 2) % 4 == 0
        elif isinstance(option, o.MptcpOption):
            assert option.offset % 4 == 0


@given(area=st.binary(max_size=300))
def test_any_octets_are_decoded_and_given_back(area: bytes) -> None:
    assert encode_options(decode_options(area), align=False) == area


@given(data=st.data())
def test_mutated_areas_are_decoded_and_given_back(
    any_option_area: SearchStrategy[bytes], data: st.DataObject
) -> None:
    area = data.draw(any_option_area)
    decoded = decode_options(area)
    assert encode_options(decoded, align=False) == area
    place = 0
    for option in decoded:
        assert option.offset == place
        place += option.length
    assert place == len(area)


@given(data=st.data())
def test_cut_at_every_octet(any_option: SearchStrategy[o.TcpOption], data: st.DataObject) -> None:
    area = encode_options(data.draw(st.lists(any_option, min_size=1, max_size=3)), align=False)
    whole = decode_options(area)
    for captured in range(len(area)):
        decoded = decode_options(area[:captured], declared_length=len(area))
        kept = [option for option in whole if option.offset + option.length <= captured]
        assert list(decoded[:-1]) == kept
        last = decoded[-1]
        assert isinstance(last, o.CutOption)
        assert area[last.offset : captured] == last.octets
        assert last.kind == (last.octets[0] if last.octets else None)
        assert last.declared_length == (last.octets[1] if len(last.octets) > 1 else None)


PASSED_OVER = {
    1: o.NoOperation,
    2: o.MaximumSegmentSize,
    4: o.SackPermitted,
    5: o.Sack,
    8: o.Timestamps,
}


@given(
    data=st.data(),
    kinds=st.sets(st.sampled_from(sorted(PASSED_OVER))).map(frozenset),
    captured=st.integers(0, 40),
)
def test_kinds_that_are_passed_over(
    any_option_area: SearchStrategy[bytes],
    data: st.DataObject,
    kinds: frozenset[int],
    captured: int,
) -> None:
    """What is malformed or cut is told, whatever its kind."""
    area = data.draw(any_option_area)
    classes = tuple(PASSED_OVER[kind] for kind in kinds)
    everything = decode_options(area[:captured], declared_length=len(area))
    some = decode_options(area[:captured], declared_length=len(area), without=kinds)
    assert some == tuple(option for option in everything if not isinstance(option, classes))
    assert [option.offset for option in some] == [
        option.offset for option in everything if not isinstance(option, classes)
    ]


def test_options_after_a_malformed_one_are_still_read() -> None:
    area = bytes.fromhex("1e0540aabb1e0b2005d52abeca00000003030a")
    assert decode_options(area) == (
        o.RemoveAddress((0xAA, 0xBB)),
        o.MalformedOption(MalformedReason.WRONG_LENGTH, area[5:16]),
        o.WindowScale(10),
    )
    assert decode_options(area)[1].offset == 5


@pytest.mark.parametrize(
    ("area", "offset", "reason", "text"),
    [
        ("011e", 1, MalformedReason.NO_LENGTH, "ends before the length octet"),
        ("01011e00aabb", 2, MalformedReason.LENGTH_BELOW_TWO, "below 2 is impossible (length 0)"),
        ("1e01", 0, MalformedReason.LENGTH_BELOW_TWO, "below 2 is impossible (length 1)"),
        ("1e0c2001d52a", 0, MalformedReason.BEYOND_AREA, "beyond the TCP header (length 12)"),
        ("1e02", 0, MalformedReason.WRONG_LENGTH, "does not fit this option (length 2)"),
    ],
)
def test_malformed_lengths(area: str, offset: int, reason: MalformedReason, text: str) -> None:
    last = decode_options(bytes.fromhex(area))[-1]
    assert isinstance(last, o.MalformedOption)
    assert (last.offset, last.reason, last.kind) == (offset, reason, 0x1E)
    assert last.octets == bytes.fromhex(area)[offset:]
    assert text in last.text


def test_a_list_that_ended_before_the_cut_is_not_cut() -> None:
    assert decode_options(b"\x01\x00", declared_length=12) == (
        o.NoOperation(),
        o.EndOfOptions(b""),
    )


def test_the_declared_length_ends_the_area() -> None:
    assert decode_options(b"\x01\x03\x03\x07", declared_length=1) == (o.NoOperation(),)
    assert decode_options(b"\x01", declared_length=0) == ()


@pytest.mark.parametrize(
    "option",
    [
        o.MpCapable(1, 1, receiver_key=5),
        o.MpCapable(0, 1),
        o.MpCapable(0, 1, 2, 3, 4),
        o.MpCapable(1, 1, 2, 3, None, 4),
        o.MpCapable(2, 1),
        o.MpCapable(1, 256),
        o.MpJoinAck(b"short"),
        o.MpFail(1 << 64),
        o.MpFail(-1),
        o.DataSequenceSignal(data_ack=1),
        o.DataSequenceSignal(data_ack_octets=4),
        o.DataSequenceSignal(data_seq=1, data_seq_octets=4, subflow_seq=1),
        o.DataSequenceSignal(checksum=1),
        o.DataSequenceSignal(data_ack=1 << 32, data_ack_octets=4),
        o.AddAddress(1, 1, IPv4Address(1)),
        o.AddAddress(1, 1, IPv4Address(1), None, True, bytes(8)),
        o.AddAddress(0, 1, IPv4Address(1), None, True),
        o.AddAddress(0, 1, IPv4Address(1), reserved=1),
        o.RemoveAddress(()),
        o.RemoveAddress((256,)),
        o.UnknownMptcpOption(2, 0, b""),
        o.UnknownMptcpOption(0, 1, b"\x01"),
        o.Sack(()),
        o.Sack(((1 << 32, 0),)),
        o.OtherOption(30, b""),
        o.OtherOption(1, b""),
        o.OtherOption(34, bytes(254)),
    ],
    ids=str,
)
def test_values_without_a_form_are_refused(option: o.TcpOption) -> None:
    with pytest.raises(EncodeError):
        encode_option(option)


def test_too_many_options_are_refused() -> None:
    with pytest.raises(EncodeError, match="44 octets"):
        encode_options([o.MpFail(1)] * 3 + [o.MpTcpReset(0, 0)] * 2)


def test_alignment_as_linux_does_it() -> None:
    # Recorded: timestamps, a DSS of 22 octets, padding.
    options = decode_options(
        bytes.fromhex("0101080ad4bdfda42f156baf1e16200d3394ce87ecc83316f6adc6200000000178a80101")
    )
    without_padding = [option for option in options if option != o.NoOperation()]
    assert decode_options(encode_options(without_padding)) == options
