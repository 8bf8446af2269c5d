"""Options decoded without the kinds that the caller does not want."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dissector.constants import TcpOptionKind
from dissector.option_codec import decode_options
from dissector.options import CutOption, MalformedOption, TcpOption

UNWANTED = {
    TcpOptionKind.NO_OPERATION: "NoOperation",
    TcpOptionKind.TIMESTAMPS: "Timestamps",
    TcpOptionKind.SACK: "Sack",
    TcpOptionKind.SACK_PERMITTED: "SackPermitted",
}
WHOLE = st.sampled_from(
    [
        b"\x01",
        b"\x00",
        bytes.fromhex("080a0000000100000002"),
        bytes.fromhex("050a0000000100000009"),
        bytes.fromhex("0402"),
        bytes.fromhex("020405b4"),
        bytes.fromhex("1e0c2001" + "00000007" * 2),
    ]
)
AREAS = st.lists(st.one_of(WHOLE, st.binary(min_size=1, max_size=6)), max_size=8).map(b"".join)


@given(AREAS, st.sets(st.sampled_from(sorted(UNWANTED))), st.integers(-3, 3))
def test_nothing_but_the_well_formed_ones_of_these_kinds_is_missing(
    area: bytes, kinds: set[TcpOptionKind], further: int
) -> None:
    declared = max(len(area) + further, 0)
    everything = decode_options(area, declared_length=declared)
    unwanted = {UNWANTED[kind] for kind in kinds}

    def is_wanted(option: TcpOption) -> bool:
        return isinstance(option, MalformedOption | CutOption) or (
            type(option).__name__ not in unwanted
        )

    left = decode_options(area, declared_length=declared, without=frozenset(kinds))
    expected = tuple(option for option in everything if is_wanted(option))
    assert left == expected
    assert [option.offset for option in left] == [option.offset for option in expected]
