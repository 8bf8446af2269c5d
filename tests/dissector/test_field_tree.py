"""The field tree says what the option says, of every bit once, by Wireshark's names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector import options as o
from dissector.field_tree import Field, option_tree
from dissector.option_codec import decode_options, encode_option, encode_options
from dissector.option_layout import FORMS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


KINDS = (b"F\t", b"P\t")
"""How tshark's list of names begins the line of a field and of a protocol."""


def leaves(tree: Field) -> Iterator[Field]:
    if not tree.children:
        yield tree
    for child in tree.children:
        yield from leaves(child)


def bits_of(field: Field) -> range:
    if field.bits is None:
        return range(8 * field.offset, 8 * (field.offset + field.length))
    first = 8 * field.offset + field.bits[0]
    return range(first, first + field.bits[1])


def the(tree: Field, name: str) -> Field:
    (found,) = [field for field in all_fields(tree) if field.name == name]
    return found


def all_fields(tree: Field) -> Iterator[Field]:
    yield tree
    for child in tree.children:
        yield from all_fields(child)


def only(octets: str) -> o.TcpOption:
    (option,) = decode_options(bytes.fromhex(octets))
    return option


@given(data=st.data(), base=st.integers(0, 100))
def test_every_bit_belongs_to_one_field(
    any_option: SearchStrategy[o.TcpOption], data: st.DataObject, base: int
) -> None:
    octets = encode_option(data.draw(any_option))
    tree = option_tree(only(octets.hex()), base)
    assert (tree.offset, tree.length) == (base, len(octets))
    covered = [bit for leaf in leaves(tree) for bit in bits_of(leaf)]
    assert covered == list(range(8 * base, 8 * (base + len(octets))))
    number = int.from_bytes(octets, "big")
    for field in all_fields(tree):
        bits = bits_of(field)
        end = 8 * (base + len(octets)) - bits.stop
        expected = number >> end & ((1 << len(bits)) - 1)
        match field.value:
            case bool() | int():
                assert int(field.value) == expected
            case bytes():
                assert int.from_bytes(field.value, "big") == expected
            case None:
                assert field.children
            case address:
                assert int(address) == expected


@given(data=st.data())
def test_attributes_are_in_the_tree(
    any_option: SearchStrategy[o.TcpOption], data: st.DataObject
) -> None:
    option = data.draw(any_option)
    values = [field.value for field in all_fields(option_tree(option))]
    for name in option.__dataclass_fields__:
        value = getattr(option, name)
        if name in {"offset", "length"} or name.endswith("_octets") or value is None:
            continue
        if name in {"version", "echo", "reserved", "unused_flags"}:
            continue  # what the form says, or zero where it is absent
        if name == "blocks":
            assert [each for edges in value for each in edges] == values[-2 * len(value) :]
        elif name == "address_ids":
            assert tuple(values[-len(value) :]) == value
        else:
            assert value in values


def test_flags_of_mp_capable() -> None:
    tree = option_tree(only("1e0c01a178196e37ecedbdef"), 40)
    assert (tree.name, tree.label) == ("tcp.options.mptcp", "MP_CAPABLE SYN/ACK")
    version = the(tree, "tcp.options.mptcp.version")
    assert (version.value, version.offset, version.bits) == (1, 42, (4, 4))
    assert version.bit_pattern == ".... 0001"
    flags = the(tree, "tcp.options.mptcp.flags")
    assert (flags.value, flags.text, flags.offset, flags.length) == (0xA1, "0xa1", 43, 1)
    assert [(child.label[0], child.bit_pattern, child.text) for child in flags.children] == [
        ("A", "1... ....", "Set"),
        ("B", ".0.. ....", "Not set"),
        ("C", "..1. ....", "Set"),
        ("R", "...0 000.", "0x0"),
        ("H", ".... ...1", "Set"),
    ]
    key = the(tree, "tcp.options.mptcp.sendkey")
    assert (key.value, key.text) == (0x78196E37ECEDBDEF, "0x78196e37ecedbdef")
    assert (key.offset, key.length, key.bit_pattern) == (44, 8, "")
    assert "0x78196e37ecedbdef" in tree.text


def test_v0_has_sha1_and_no_flag_c() -> None:
    flags = the(option_tree(only("1e0c00819c9eabd1e46a33b2")), "tcp.options.mptcp.flags")
    assert [child.label[0] for child in flags.children] == ["A", "B", "R", "H"]
    assert flags.children[-1].label == "H: HMAC-SHA1"


def test_dss() -> None:
    tree = option_tree(only("1e16200d3394ce87ecc83316f6adc6200000000178a8"))
    flags = the(tree, "tcp.options.mptcp.flags")
    assert [child.bit_pattern for child in flags.children] == [
        "...0 ....",
        ".... 1...",
        ".... .1..",
        ".... ..0.",
        ".... ...1",
    ]
    assert the(tree, "tcp.options.mptcp.rawdataseqno").value == 0xECC83316F6ADC620
    assert the(tree, "tcp.options.mptcp.rawdataack").length == 4
    assert the(tree, "tcp.options.mptcp.reserved").bit_pattern == ".... 0000 000. ...."


def test_reserved_bits_over_two_octets_have_a_pattern() -> None:
    reserved = the(option_tree(only("1e0c6abc761df55ea193951b")), "tcp.options.mptcp.reserved")
    assert (reserved.value, reserved.length) == (0xABC, 2)
    assert reserved.bit_pattern == ".... 1010 1011 1100"


def test_words_for_reset_reasons_and_kinds() -> None:
    tree = option_tree(only("1e048102"))
    assert the(tree, "tcp.options.mptcp.rst_reason").text == "Lack of resources (2)"
    assert the(tree, "tcp.options.mptcp.subtype").text == "MP_TCPRST (8)"
    assert the(tree, "tcp.option_kind").text == "Multipath TCP (30)"
    unknown = option_tree(only("1e0392"))
    assert the(unknown, "tcp.options.mptcp.subtype").text == "Unknown (9)"
    other = option_tree(only("2204beef"))
    assert (other.name, the(other, "tcp.options.unknown.payload").text) == (
        "tcp.options.tfo",
        "beef",
    )
    assert option_tree(only("ab02")).name == "tcp.options.unknown"
    assert the(option_tree(only("ab02")), "tcp.option_kind").text == "171"


def test_sack_edges() -> None:
    tree = option_tree(only("05120000000100000002fffffff000000004"))
    edges = [(field.name[-2:], field.value, field.offset) for field in tree.children[2:]]
    assert edges == [("le", 1, 2), ("re", 2, 6), ("le", 0xFFFFFFF0, 10), ("re", 4, 14)]


def test_options_of_one_octet() -> None:
    padding, end = decode_options(b"\x01\x00\x00\x00")
    tree = option_tree(padding, 20)
    assert (tree.name, tree.offset, tree.length) == ("tcp.options.nop", 20, 1)
    tree = option_tree(end, 20)
    assert (tree.name, tree.offset, tree.length) == ("tcp.options.eol", 21, 3)
    assert tree.text == "2 octets of padding"
    assert [child.value for child in tree.children] == [0]


@pytest.mark.parametrize(
    ("octets", "label", "name", "values"),
    [
        (
            "1e0b2005d52abeca000000",
            "DSS",
            "tcp.options.mptcp",
            [30, 11, b"\x20\x05\xd5*\xbe\xca\0\0\0"],
        ),
        ("1e", "Option kind 30", "tcp.options.mptcp", [30]),
        ("0203aa", "Option kind 2", "tcp.options.mss", [2, 3, b"\xaa"]),
        ("fd01", "Option kind 253", "tcp.options.experimental", [253, 1]),
    ],
)
def test_malformed(octets: str, label: str, name: str, values: list[object]) -> None:
    option = only(octets)
    tree = option_tree(option, 4)
    assert (tree.name, tree.offset, tree.length) == (name, 4, len(octets) // 2)
    assert isinstance(option, o.MalformedOption)
    assert (tree.label, tree.text) == (label, f"Malformed: {option.text}")
    assert [child.value for child in tree.children] == values


@given(data=st.data())
def test_cut_options_show_what_was_captured(
    any_option: SearchStrategy[o.TcpOption], data: st.DataObject
) -> None:
    area = encode_options([data.draw(any_option)], align=False)
    whole = list(all_fields(option_tree(only(area.hex()))))[1:]
    for captured in range(len(area)):
        (cut,) = decode_options(area[:captured], declared_length=len(area))
        tree = option_tree(cut, 7)
        assert (tree.offset, tree.length) == (7, captured)
        assert tree.text == "Cut: the capture ends here"
        for field in all_fields(tree):
            assert field.offset >= 7
            assert field.offset + field.length <= 7 + captured
            if field is tree or field.name == "tcp.options.unknown.payload":
                continue
            same = [each for each in whole if each.name == field.name and each.bits == field.bits]
            assert (field.value, field.offset - 7) in [(each.value, each.offset) for each in same]


def test_nothing_captured_of_an_option() -> None:
    tree = option_tree(o.CutOption(b"", offset=3))
    assert (tree.name, tree.label, tree.offset, tree.length, tree.children) == (
        "tcp.options",
        "Option",
        3,
        0,
        (),
    )


@pytest.mark.tshark
def test_names_are_those_of_wireshark() -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        assert not os.environ.get("CI"), "tshark is not installed"
        pytest.skip("tshark is not installed")
    listed = subprocess.run([tshark, "-G", "fields"], capture_output=True, check=True).stdout
    known = {line.split(b"\t")[2].decode() for line in listed.splitlines() if line[:2] in KINDS}
    used = {layout.name for form in FORMS for layout in form.fields}
    used |= {part.name for form in FORMS for layout in form.fields for part in layout.parts}
    assert used - known == set()
