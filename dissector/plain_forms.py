"""The forms of the TCP options beside MPTCP: RFC 9293, RFC 7323 and RFC 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissector.constants import TcpOptionKind
from dissector.field_layout import FormBuilder, OptionForm, Show

if TYPE_CHECKING:
    from collections.abc import Iterator


def plain_forms() -> Iterator[OptionForm]:
    """All forms of the other kinds, the one of kinds without a name last."""

    def plain(
        option: str,
        title: str,
        reference: str,
        kind: int,
        form: FormBuilder,
        step: int = 0,
        length: int | None = None,
    ) -> OptionForm:
        octets = form.octets if length is None else length
        return OptionForm(0, option, title, reference, kind, None, octets, form.fields, step=step)

    mss = FormBuilder(TcpOptionKind.MAXIMUM_SEGMENT_SIZE)
    mss.add("maximum_segment_size", "tcp.options.mss_val", "MSS value", 16)
    yield plain(
        "MaximumSegmentSize",
        "Maximum segment size",
        "RFC 9293 section 3.7.1",
        TcpOptionKind.MAXIMUM_SEGMENT_SIZE,
        mss,
    )
    scale = FormBuilder(TcpOptionKind.WINDOW_SCALE)
    scale.add("shift", "tcp.options.wscale.shift", "Shift count", 8)
    yield plain(
        "WindowScale",
        "Window scale",
        "RFC 7323 section 2.2",
        TcpOptionKind.WINDOW_SCALE,
        scale,
    )
    yield plain(
        "SackPermitted",
        "SACK permitted",
        "RFC 2018 section 2",
        TcpOptionKind.SACK_PERMITTED,
        FormBuilder(TcpOptionKind.SACK_PERMITTED),
    )
    sack = FormBuilder(TcpOptionKind.SACK)
    sack.add("blocks", "tcp.options.sack_le", "SACK block", 0, Show.SACK_BLOCKS)
    yield plain("Sack", "SACK", "RFC 2018 section 3", TcpOptionKind.SACK, sack, step=8, length=10)
    times = FormBuilder(TcpOptionKind.TIMESTAMPS)
    times.add("value", "tcp.options.timestamp.tsval", "Timestamp value", 32)
    times.add("echo_reply", "tcp.options.timestamp.tsecr", "Timestamp echo reply", 32)
    yield plain("Timestamps", "Timestamps", "RFC 7323 section 3.2", TcpOptionKind.TIMESTAMPS, times)
    other = FormBuilder(0, other=True)
    other.add("octets", "tcp.options.unknown.payload", "Contents", 0, Show.OCTETS)
    yield plain("OtherOption", "Other option", "RFC 9293 section 3.1", -1, other, step=1, length=2)
