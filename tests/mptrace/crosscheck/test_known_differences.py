"""Differences by name: that each is told from others, and that hostile options have no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mptrace.crosscheck import (
    KNOWN_DIFFERENCES,
    Difference,
    FieldValue,
    differences,
    tshark_version,
)
from mptrace.crosscheck.known_differences import explanation

NAME = "tcp.options.mptcp."
DSS_WITH_CHECKSUM = bytes.fromhex("1e14 2005 00000001 00000002 00000003 0004 abcd".replace(" ", ""))


def name_of(field: str, ours: int | None, theirs: int | None, option: str) -> str | None:
    def value(number: int | None) -> FieldValue | None:
        return None if number is None else FieldValue(40, 1, number)

    difference = Difference(1, 40, field, value(ours), value(theirs), bytes.fromhex(option))
    known = explanation(difference)
    return None if known is None else known.name


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "option", "name"),
    [
        ("reserved", 0, None, "1e082001 00000001", "reserved_bits_unnamed"),
        ("checksum", 0xABCD, None, DSS_WITH_CHECKSUM.hex(), "dss_checksum_missed"),
        ("flags", None, 0x11, "1e0c1102 00000001 00000002", "flags_hold_the_subtype"),
        ("flags", None, 0x51, "1e0351", "flags_hold_the_subtype"),
        ("flags", 1, 0x81, "1e048103", "flags_hold_the_subtype"),
        ("flags", 1, 0x21, "1e082021 00000001", "dss_flags_hold_reserved_bits"),
        ("echo", 0, None, "1e103401 0a000001 0102030405060708", "add_addr_taken_for_v0"),
        ("sendkey", None, 1, "1e0c0201 0000000000000001", "unknown_version_read"),
        ("rawdataack", None, 1, "1e092001 0000000100", "malformed_option_read"),
    ],
)  # fmt: skip
def test_known(field: str, ours: int | None, theirs: int | None, option: str, name: str) -> None:
    assert name_of(NAME + field, ours, theirs, option) == name


@pytest.mark.parametrize(
    ("field", "ours", "theirs", "option"),
    [
        # a value that differs where only presence or one group of bits may
        ("reserved", 0, 1, "1e082001 00000001"),
        ("checksum", 0xABCD, 0xABCE, DSS_WITH_CHECKSUM.hex()),
        ("checksum", None, 0xABCD, "1e082001 00000001"),
        ("flags", None, 0x10, "1e0c1102 00000001 00000002"),
        ("flags", 2, 0x21, "1e082021 00000001"),
        ("flags", 1, 0x82, "1e048103"),
        ("rawdataack", None, 1, "1e082001 00000001"),
        ("rawdataack", 1, None, "1e082001 00000001"),
        ("sendkey", None, 1, "1e0c0101 0000000000000001"),
        ("sendkey", 1, 2, "1e0c0101 0000000000000001"),
    ],
)
def test_unknown(field: str, ours: int | None, theirs: int | None, option: str) -> None:
    assert name_of(NAME + field, ours, theirs, option) is None


def test_an_option_that_one_side_does_not_see_is_no_known_difference() -> None:
    assert name_of("", 30, None, "1e082001 00000001") is None
    assert name_of("", None, 30, "") is None


def test_names_and_reasons() -> None:
    names = [known.name for known in KNOWN_DIFFERENCES]
    assert len(set(names)) == len(names)
    assert all(known.reason.endswith(".") for known in KNOWN_DIFFERENCES)


@pytest.mark.tshark
def test_hostile_options_differ_in_known_ways_only(
    hostile_packets: list[tuple[bytes, int]],
    write_capture: Callable[[Iterable[tuple[bytes, int]]], Path],
) -> None:
    found = list(differences(write_capture(hostile_packets)))
    assert not [str(difference) for difference in found if difference.explained is None]
    if tshark_version().startswith("4.0."):  # the release that they were seen in
        names = {difference.explained for difference in found}
        assert names == {known.name for known in KNOWN_DIFFERENCES}
