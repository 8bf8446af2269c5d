"""The layout table against the RFCs' figures: where fields stand, and which lengths there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector import options as option_types
from dissector.constants import MptcpSubtype
from dissector.field_layout import FormBuilder, Show
from dissector.option_layout import FORMS, FORMS_BY_OPTION, find_form, mptcp_form_index

if TYPE_CHECKING:
    from dissector.option_layout import OptionForm

KNOWN = [form for form in FORMS if form.number]


def shown(form: OptionForm) -> str:
    return f"{form.number} {form.title}"


@pytest.mark.parametrize("form", KNOWN, ids=shown)
def test_fields_follow_each_other_without_gap_or_overlap(form: OptionForm) -> None:
    for layouts in (form.fields, tuple(form.coded_fields())):
        end = 0
        for layout in layouts:
            assert layout.bit_offset == end
            end += layout.bit_width
        last = layouts[-1]
        # Only the last field may reach to the option's end.
        assert all(layout.bit_width for layout in layouts[:-1])
        if last.bit_width:
            assert (end, form.step) == (8 * form.length, 0)
        else:
            assert end % 8 == 0
            assert end // 8 <= form.length
    for layout in form.fields:
        if layout.parts:
            widths = [part.bit_width for part in layout.parts]
            assert sum(widths) == layout.bit_width
            assert layout.parts[0].bit_offset == layout.bit_offset


@pytest.mark.parametrize("form", KNOWN, ids=shown)
def test_attributes_are_those_of_the_option_class(form: OptionForm) -> None:
    option_class = getattr(option_types, form.option)
    names = set(option_class.__dataclass_fields__)
    coded = [layout.attribute for layout in form.coded_fields() if layout.attribute]
    assert len(set(coded)) == len(coded)
    assert set(coded) <= names
    for name in coded:
        assert form.place_of(name).attribute == name
    assert form.field("nothing of that name") is None
    with pytest.raises(KeyError, match="has no field"):
        form.place_of("nothing of that name")


def test_every_option_class_has_its_forms() -> None:
    assert {form.number for forms in FORMS_BY_OPTION.values() for form in forms} == set(
        range(len(FORMS))
    )
    # 8 ways to say what is there without a mapping's checksum, 8 more with it; see RFC 8684 3.3.
    assert len(FORMS_BY_OPTION["DataSequenceSignal"]) == 24
    assert len(FORMS_BY_OPTION["MpCapable"]) == 7
    assert len(FORMS_BY_OPTION["AddAddress"]) == 12


# RFC 8684 figures 4 to 18 (v1) and RFC 6824 (v0): subtype, low bits or DSS flags, lengths.
LENGTHS: list[tuple[MptcpSubtype, int, set[int]]] = [
    (MptcpSubtype.MP_CAPABLE, 0, {12, 20}),
    (MptcpSubtype.MP_CAPABLE, 1, {4, 12, 20, 22, 24}),
    (MptcpSubtype.MP_JOIN, 0, {12, 16, 24}),
    (MptcpSubtype.MP_JOIN, 1, {12, 16, 24}),
    (MptcpSubtype.DSS, 0x00, {4}),
    (MptcpSubtype.DSS, 0x10, {4}),
    (MptcpSubtype.DSS, 0x01, {8}),
    (MptcpSubtype.DSS, 0x03, {12}),
    (MptcpSubtype.DSS, 0x04, {14, 16}),
    (MptcpSubtype.DSS, 0x0C, {18, 20}),
    (MptcpSubtype.DSS, 0x05, {18, 20}),
    (MptcpSubtype.DSS, 0x0D, {22, 24}),
    (MptcpSubtype.DSS, 0x07, {22, 24}),
    (MptcpSubtype.DSS, 0x0F, {26, 28}),
    (MptcpSubtype.DSS, 0x1F, {26, 28}),
    (MptcpSubtype.ADD_ADDR, 0, {16, 18, 28, 30}),
    (MptcpSubtype.ADD_ADDR, 1, {8, 10, 20, 22}),
    (MptcpSubtype.ADD_ADDR, 4, {8, 10, 16, 18, 28, 30}),
    (MptcpSubtype.ADD_ADDR, 6, {20, 22, 16, 18, 28, 30}),
    (MptcpSubtype.REMOVE_ADDR, 0, set(range(4, 256))),
    (MptcpSubtype.MP_PRIO, 0, {3, 4}),
    (MptcpSubtype.MP_PRIO, 1, {3, 4}),
    (MptcpSubtype.MP_FAIL, 0, {12}),
    (MptcpSubtype.MP_FASTCLOSE, 0, {12}),
    (MptcpSubtype.MP_TCPRST, 0, {4}),
]


@pytest.mark.parametrize(("subtype", "low", "lengths"), LENGTHS)
def test_lengths(subtype: MptcpSubtype, low: int, lengths: set[int]) -> None:
    fitting = set()
    for length in range(3, 256):
        is_dss = subtype == MptcpSubtype.DSS
        third = subtype << 4 | (0 if is_dss else low)
        octets = bytes([30, length, third, low if is_dss else 0]).ljust(length, b"\0")[:length]
        form = find_form(octets)
        if form.number:
            assert form.subtype == subtype
            fitting.add(length)
    assert fitting == lengths


@pytest.mark.parametrize(
    ("option", "octets", "attribute", "first", "last"),
    [
        # RFC 8684 figures 4, 5, 6, 7, 9, 12, 16, 17: the octets that each field takes.
        ("MpCapable", 24, "sender_key", 4, 11),
        ("MpCapable", 24, "receiver_key", 12, 19),
        ("MpCapable", 24, "data_length", 20, 21),
        ("MpCapable", 24, "checksum", 22, 23),
        ("MpJoinSyn", 12, "address_id", 3, 3),
        ("MpJoinSyn", 12, "token", 4, 7),
        ("MpJoinSyn", 12, "nonce", 8, 11),
        ("MpJoinSynAck", 16, "hmac", 4, 11),
        ("MpJoinSynAck", 16, "nonce", 12, 15),
        ("MpJoinAck", 24, "hmac", 4, 23),
        ("DataSequenceSignal", 28, "data_ack", 4, 11),
        ("DataSequenceSignal", 28, "data_seq", 12, 19),
        ("DataSequenceSignal", 28, "subflow_seq", 20, 23),
        ("DataSequenceSignal", 28, "data_length", 24, 25),
        ("DataSequenceSignal", 28, "checksum", 26, 27),
        ("AddAddress", 30, "address", 4, 19),
        ("AddAddress", 30, "port", 20, 21),
        ("AddAddress", 30, "hmac", 22, 29),
        ("MpFail", 12, "data_seq", 4, 11),
        ("MpFastclose", 12, "receiver_key", 4, 11),
        ("MpTcpReset", 4, "reason", 3, 3),
    ],
)
def test_places(option: str, octets: int, attribute: str, first: int, last: int) -> None:
    (form,) = [form for form in FORMS_BY_OPTION[option] if form.length == octets]
    layout = form.place_of(attribute)
    assert (layout.octet_offset, layout.octet_end - 1) == (first, last)


def test_every_table_entry_is_claimed_by_its_form() -> None:
    claimed: dict[int, set[int]] = {}
    for form in KNOWN:
        if form.subtype is None:
            continue
        for length in form.lengths():
            for selector in form.selectors:
                index = mptcp_form_index(form.subtype, length, selector)
                claimed.setdefault(index, set()).add(form.number)
    # No length and flags have two readings.
    assert {len(numbers) for numbers in claimed.values()} == {1}


def test_reading_of_each_kind_of_field() -> None:
    form = FormBuilder(30).flag("a", "x.a", "A").add("b", "x.b", "B", 7, Show.HEXADECIMAL)
    form.add("c", "x.c", "C", 16, Show.OCTETS).add("d", "x.d", "D", 32, Show.IPV4)
    assert form.octets == 9
    octets = bytes.fromhex("1e09" + "d5" + "beef" + "c0000201")
    values = [layout.read(octets) for layout in form.fields]
    assert values[:2] == [30, 9]
    assert values[2] is True
    assert values[3:5] == [0x55, b"\xbe\xef"]
    assert str(values[5]) == "192.0.2.1"
