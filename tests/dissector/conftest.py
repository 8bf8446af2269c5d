"""What tests of the protocol core share: strategies for options and for option areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from dissector import options as o
from dissector.option_codec import encode_option

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def bits(width: int) -> SearchStrategy[int]:
    return st.integers(0, (1 << width) - 1)


def octets(size: int) -> SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@st.composite
def mp_capables(draw: Any) -> o.MpCapable:
    version, present = draw(
        st.sampled_from([(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3), (1, 4)])
    )
    widths = (64, 64, 16, 16)[:present]
    return o.MpCapable(version, draw(bits(8)), *[draw(bits(width)) for width in widths])


@st.composite
def data_sequence_signals(draw: Any) -> o.DataSequenceSignal:
    ack = draw(st.sampled_from([0, 4, 8]))
    seq = draw(st.sampled_from([0, 4, 8]))
    unused = draw(st.sampled_from([0, 0x2])) if not ack else 0
    unused |= draw(st.sampled_from([0, 0x8])) if not seq else 0
    return o.DataSequenceSignal(
        data_ack=draw(bits(8 * ack)) if ack else None,
        data_ack_octets=ack,
        data_seq=draw(bits(8 * seq)) if seq else None,
        data_seq_octets=seq,
        subflow_seq=draw(bits(32)) if seq else None,
        data_length=draw(bits(16)) if seq else None,
        checksum=draw(st.none() | bits(16)) if seq else None,
        data_fin=draw(st.booleans()),
        unused_flags=unused,
        reserved=draw(bits(7)),
    )


@st.composite
def add_addresses(draw: Any) -> o.AddAddress:
    version = draw(st.sampled_from([0, 1]))
    echo = version == 1 and draw(st.booleans())
    return o.AddAddress(
        version=version,
        address_id=draw(bits(8)),
        address=draw(st.ip_addresses()),
        port=draw(st.none() | bits(16)),
        echo=echo,
        hmac=draw(octets(8)) if version and not echo else None,
        reserved=draw(bits(3)) if version else 0,
    )


MPTCP_OPTIONS: SearchStrategy[o.TcpOption] = st.one_of(
    mp_capables(),
    st.builds(o.MpJoinSyn, st.booleans(), bits(8), bits(32), bits(32), bits(3)),
    st.builds(o.MpJoinSynAck, st.booleans(), bits(8), octets(8), bits(32), bits(3)),
    st.builds(o.MpJoinAck, octets(20), bits(12)),
    data_sequence_signals(),
    data_sequence_signals(),
    add_addresses(),
    st.builds(o.RemoveAddress, st.lists(bits(8), min_size=1, max_size=12).map(tuple), bits(4)),
    st.builds(o.MpPriority, st.booleans(), st.none() | bits(8), bits(3)),
    st.builds(o.MpFail, bits(64), bits(12)),
    st.builds(o.MpFastclose, bits(64), bits(12)),
    st.builds(o.MpTcpReset, bits(4), bits(8)),
    st.builds(o.MpExperimental, bits(4), st.binary(max_size=12)),
    st.builds(o.UnknownMptcpOption, st.integers(9, 14), bits(4), st.binary(max_size=12)),
    st.builds(o.UnknownMptcpOption, st.just(0), st.integers(2, 15), st.binary(max_size=12)),
)

PLAIN_OPTIONS: SearchStrategy[o.TcpOption] = st.one_of(
    st.just(o.NoOperation()),
    st.builds(o.MaximumSegmentSize, bits(16)),
    st.builds(o.WindowScale, bits(8)),
    st.just(o.SackPermitted()),
    st.builds(o.Sack, st.lists(st.tuples(bits(32), bits(32)), min_size=1, max_size=4).map(tuple)),
    st.builds(o.Timestamps, bits(32), bits(32)),
    st.builds(o.OtherOption, st.sampled_from([6, 19, 34, 253]), st.binary(max_size=8)),
)

OPTIONS: SearchStrategy[o.TcpOption] = MPTCP_OPTIONS | PLAIN_OPTIONS


@st.composite
def option_areas(draw: Any) -> bytes:
    """Areas of up to 40 octets: valid options, then some octets changed, or anything at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=40))  # type: ignore[no-any-return]
    area = bytearray()
    for option in draw(st.lists(OPTIONS, max_size=6)):
        area += encode_option(option)
    del area[40:]
    for place, value in draw(st.lists(st.tuples(st.integers(0, 39), bits(8)), max_size=3)):
        if place < len(area):
            area[place] = value
    return bytes(area)


@pytest.fixture(scope="session")
def any_option() -> SearchStrategy[o.TcpOption]:
    """Every option value that has a form on the wire, except the end of the list."""
    return OPTIONS


@pytest.fixture(scope="session")
def any_option_area() -> SearchStrategy[bytes]:
    """Option areas: well-formed, mutated and arbitrary."""
    return option_areas()
