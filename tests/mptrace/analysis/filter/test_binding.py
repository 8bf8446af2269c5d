"""Values that do not fit their fields, fields that are none: said in a sentence, at its place."""

from __future__ import annotations

import pytest

from mptrace.analysis.filter import DisplayFilter, FilterError


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("tcp.lenn == 1", 1, "there is no field tcp.lenn; do you mean tcp.len?"),
        ("TCP.Len == 1", 1, "do you mean tcp.len?"),
        ("tcp.subtype == 1", 1, "do you mean tcp.options.mptcp.subtype?"),
        ("tcp && foo.bar.baz", 8, "there is no field foo.bar.baz"),
        ("_flow == 1", 1, "there is no field _flow"),
        ("tcp.len == tcp.lne", 12, "tcp.lne is no field, and as a value it is no number"),
        ("tcp.len == abc", 12, "abc is no number"),
        ("tcp.len == 1.5", 12, "1.5 is no number"),
        ("tcp.len == 1_0", 12, "1_0 is no number"),
        ('tcp.len == "0"', 12, '"0" is a string, the field a number'),
        ("tcp.port == 65536", 13, "65536 is too large for the field, which has 16 bits"),
        ("tcp.port == -1", 13, "-1 is negative, which the field never is"),
        ("mptcp.dsn == 0x8000000000000000", 14, "too large for a number of 64 bits"),
        ("tcp.options.mptcp.rawdataack == 0x10000000000000000", 33, "has 64 bits"),
        ("ip.addr == 10.1.0.300", 12, "10.1.0.300 is no IPv4 address"),
        ("ip.addr == 10.1.0.0/33", 12, "10.1.0.0/33 is no IPv4 address"),
        ("ip.addr == fe80::1", 12, "is no IPv4 address (ipv6. fields have those)"),
        ("ipv6.addr == 10.1.0.1", 14, "is no IPv6 address (ip. fields have those)"),
        ('ip.addr == "10.1.0.1"', 12, "is no value for an IPv4 address"),
        ("eth.addr == 1:2:3", 13, "is no Ethernet address"),
        ("frame.time_relative > 1e9", 23, "1e9 is no time in seconds"),
        ("frame.time_relative > 99999999999", 23, "is too long a time"),
        ('frame.time > "yesterday"', 14, "is no date and time"),
        ("tcp.payload == xyz", 16, "is no sequence of octets"),
        ("tcp.payload == 123", 16, "is no sequence of octets"),
        ("mptrace.copy == reinjected", 17, "mptrace.copy is one of first, retransmission"),
        ("tcp.len contains 1", 1, "contains searches texts and octets; this is an unsigned number"),
        ('tcp.len matches "1"', 1, "matches searches texts and octets"),
        ('frame matches "("', 15, "the regular expression is wrong"),
        ('frame contains ""', 16, "nothing is contained everywhere"),
        ("tcp.len[0] == 1", 1, "only octets can be sliced"),
        ("ip == 1", 1, "this field has no value: it is there or not"),
        ("1 == 1", 1, "there is no field 1"),
        ('"a" == "a"', 1, "a field is wanted here, not a value"),
        ('"abc"', 1, "a field is wanted here, not a value"),
        ("'a' in {1}", 1, "a field is wanted here"),
        ("tcp.len == 1 + 1", 12, "numbers are only calculated with fields"),
        ("tcp.len in {tcp.port}", 13, "a value is wanted here, not a field"),
        ("ip.src in {10.0.0.0/8 .. 10.1.0.0}", 12, "a range goes from address to address"),
        ("1 + 1 == tcp.len", 1, "numbers are only calculated with fields"),
        ("1 + 1", 1, "one of the numbers must be a field"),
        ("ip.src + 1", 1, "+ is not for an IPv4 address"),
        ("frame.time_relative * 2 > 1", 1, "* is not for a time in seconds"),
        ("ip.src == ipv6.src", 1, "an IPv4 address cannot be compared with an IPv6 address"),
        ("tcp.len == ip.src", 1, "an unsigned number cannot be compared with an IPv4 address"),
        ("sin(tcp.len) == 1", 1, "there is no function sin: there are len, count, upper, lower"),
        ("len(tcp.len) == 1", 5, "len is not for an unsigned number"),
        ("upper(tcp.payload) == a", 7, "upper is not for a sequence of octets"),
    ],
)
def test_faults(text: str, column: int, reason: str) -> None:
    with pytest.raises(FilterError) as caught:
        DisplayFilter(text)
    assert reason in caught.value.reason
    assert caught.value.column == column


def test_what_a_filter_needs() -> None:
    headers = DisplayFilter("tcp.len > 0 && ip.addr == 10.0.0.1")
    assert headers.fields == ("tcp.len", "ip.addr")
    assert not headers.needs_analysis
    assert DisplayFilter("tcp || mptcp.stream == 0").needs_analysis
    assert not DisplayFilter("").needs_analysis
