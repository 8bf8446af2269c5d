"""Every sample, field by field and packet by packet, as tshark has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mptrace.crosscheck import differences, stream_differences

SAMPLES = Path(__file__).parents[3] / "samples"
CAPTURES = sorted(SAMPLES.glob("*/*.pcap*"))
OF_KERNELS = {"reserved_bits_unnamed", "dss_checksum_missed", "flags_hold_the_subtype"}
"""What options that a kernel sent can differ in; the others need options that none sends."""

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.no_cover,  # other tests reach the same lines, and these take three times as long
    pytest.mark.parametrize(
        "capture", CAPTURES, ids=[str(path.relative_to(SAMPLES)) for path in CAPTURES]
    ),
]


def test_every_field_of_every_mptcp_option(capture: Path, plain: Callable[[Path], Path]) -> None:
    found = list(differences(plain(capture)))
    assert not [str(difference) for difference in found if difference.explained is None]
    assert {difference.explained for difference in found} <= OF_KERNELS


def test_tcp_stream_and_mptcp_stream(capture: Path, plain: Callable[[Path], Path]) -> None:
    found = list(stream_differences(plain(capture)))
    assert not [str(difference) for difference in found if difference.explained is None]
    assert all(difference.field == "mptcp.stream" for difference in found)
    partial = any(difference.explained == "beginning_missing" for difference in found)
    assert partial == (capture.parent.name == "late_capture")
