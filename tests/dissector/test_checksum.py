"""Checksums against a word-by-word sum as RFC 1071 describes it, and a recorded mapping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector import checksum
from dissector.errors import DissectorError
from dissector.keys import initial_data_seq


def word_by_word(octets: bytes) -> int:
    """RFC 1071 section 4.1, carried around after every word."""
    if len(octets) % 2:
        octets += b"\x00"
    total = 0
    for at in range(0, len(octets), 2):
        total += octets[at] << 8 | octets[at + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total


# Octets that make sums of 0 and 0xffff likely, where folding is delicate.
octet_strings = st.binary(max_size=70) | st.lists(st.sampled_from([0, 255]), max_size=9).map(bytes)


def test_the_example_of_rfc_1071() -> None:
    # RFC 1071 section 3: the sum of these octets is ddf2.
    assert checksum.octet_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2
    assert checksum.internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@given(octet_strings)
def test_octet_sum(octets: bytes) -> None:
    assert checksum.octet_sum(octets) == word_by_word(octets)


@given(st.lists(octet_strings, max_size=6))
def test_sums_of_parts_make_the_sum_of_the_whole(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    sums = [(checksum.octet_sum(part), len(part)) for part in parts]
    assert checksum.combine_sums(sums) == word_by_word(whole)
    places = np.cumsum([0, *map(len, parts)])[:-1].astype(np.int64)
    at_place = checksum.sums_at(np.array([s for s, _ in sums], np.uint16), places)
    total = at_place.astype(np.uint64).sum(keepdims=True, dtype=np.uint64)
    assert checksum.fold(total).tolist() == [word_by_word(whole)]


@given(data=st.data(), octets=octet_strings, skipped=st.integers(0, 1))
def test_slice_sums(data: st.DataObject, octets: bytes, skipped: int) -> None:
    # A buffer that itself begins at an odd address must not matter.
    buffer = np.frombuffer(b"\xee" * skipped + octets, np.uint8)[skipped:]
    size = len(octets)
    bounds = data.draw(
        st.lists(st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted), max_size=8)
    )
    offset = np.array([start for start, _ in bounds], np.int64)
    length = np.array([end - start for start, end in bounds], np.int64)
    found = checksum.slice_sums(buffer, offset, length)
    assert found.dtype == np.uint16
    assert found.tolist() == [word_by_word(octets[start:end]) for start, end in bounds]


def test_slice_sums_of_large_segments() -> None:
    octets = bytes(range(256)) * 1024
    buffer = np.frombuffer(octets, np.uint8)
    offset, length = np.array([0, 1, 65535], np.int64), np.array([65536, 65535, 131072])
    assert checksum.slice_sums(buffer, offset, length).tolist() == [
        word_by_word(octets[start : start + size])
        for start, size in zip(offset.tolist(), length.tolist(), strict=True)
    ]


@pytest.mark.parametrize(("offset", "length"), [(-1, 2), (0, 5), (4, 1), (2, -1)])
def test_slices_beyond_the_buffer_are_refused(offset: int, length: int) -> None:
    buffer = np.zeros(4, np.uint8)
    with pytest.raises(DissectorError, match="beyond the buffer"):
        checksum.slice_sums(buffer, np.array([offset]), np.array([length]))


def test_dss_checksum_of_a_recorded_mapping() -> None:
    # tcpdump's public v0 sample, packet 4: the DSN has 4 octets there, the pseudo-header 8.
    data_seq = initial_data_seq(0x967D2770B6960552, 0) + 1
    payload = b"SSH-2.0-OpenSSH_5.5p1 Debian-6+squeeze1\r\n"
    assert data_seq & 0xFFFFFFFF == 0xD1B97490
    assert checksum.dss_checksum(data_seq, 1, len(payload), payload) == 0x082F


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**16 - 1),
    octet_strings,
    st.integers(1, 0xFFFF - 1),
)
def test_dss_checksums_are_verified(
    data_seq: int, subflow_seq: int, data_length: int, payload: bytes, damage: int
) -> None:
    good = checksum.dss_checksum(data_seq, subflow_seq, data_length, payload)
    header = data_seq.to_bytes(8) + subflow_seq.to_bytes(4) + data_length.to_bytes(2)
    # RFC 8684 section 3.3.1: pseudo-header, two zero octets for the checksum, then the data.
    assert good == word_by_word(header + b"\x00\x00" + payload) ^ 0xFFFF
    payload_sum = checksum.octet_sum(payload)
    # 0 and 0xffff are the same number in one's complement: no damage goes from one to the other.
    bad = (good + damage) % 0xFFFF
    for value, valid in ((good, True), (bad, False)):
        arguments = (data_seq, subflow_seq, data_length, value, payload_sum)
        assert checksum.is_dss_checksum_valid(*arguments) == valid
        found = checksum.dss_checksums_valid(
            np.array([data_seq], np.uint64),
            np.array([subflow_seq], np.uint32),
            np.array([data_length], np.uint16),
            np.array([value], np.uint16),
            np.array([payload_sum], np.uint16),
        )
        assert found.tolist() == [checksum.is_dss_checksum_valid(*arguments)]
