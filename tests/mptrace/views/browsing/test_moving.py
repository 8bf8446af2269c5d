"""Steps between packets, the trail of jumps, the time column."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mptrace.views.browsing.opened import OpenedCapture
from mptrace.views.browsing.steps import Trail, common, next_row
from mptrace.views.browsing.time_column import REFERENCE, TimeColumn

rows = st.sets(st.integers(0, 40), max_size=12).map(lambda s: np.array(sorted(s), np.int64))


@given(rows, st.integers(-1, 41))
def test_the_next_row_is_the_nearest_beyond(some: np.ndarray, row: int) -> None:
    later = [r for r in some.tolist() if r > row]
    earlier = [r for r in some.tolist() if r < row]
    assert next_row(some, row, 1) == (min(later) if later else None)
    assert next_row(some, row, -1) == (max(earlier) if earlier else None)


@given(rows, rows)
def test_common_rows_are_the_intersection(some: np.ndarray, shown: np.ndarray) -> None:
    assert common(some, shown).tolist() == sorted(set(some.tolist()) & set(shown.tolist()))


def test_jumps_can_be_taken_back() -> None:
    trail = Trail()
    trail.leave(1)
    trail.leave(5)
    assert trail.back(9) == 5
    assert trail.back(5) == 1
    assert trail.back(1) is None
    assert trail.forward(1) == 5
    assert trail.forward(5) == 9
    trail.leave(9)
    assert trail.forward(2) is None


def test_times_in_every_format(opened: Callable[[str], OpenedCapture]) -> None:
    capture = opened("walkout/client.pcap")
    times = TimeColumn(capture.packets)
    ns = capture.packets.time_ns.tolist()
    elapsed = ns[9] - ns[0]
    assert times.text(9, 8) == f"{elapsed // 10**9}.{elapsed % 10**9 // 1000:06}"
    assert times.next_format() == "delta"
    gap = ns[9] - ns[4]
    assert times.text(9, 4) == f"0.{gap // 1000:06}"
    assert times.text(0, None) == "0.000000"
    assert times.next_format() == "absolute"
    clock = ns[9] // 10**9 % 86400
    expected = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    assert times.text(9, 8).startswith(expected)
    assert len(times.text(9, 8)) <= times.width
    assert times.next_format() == "relative"


def test_times_count_from_the_reference_above(opened: Callable[[str], OpenedCapture]) -> None:
    capture = opened("walkout/client.pcap")
    times = TimeColumn(capture.packets)
    before = times.text(5, 4)
    assert times.toggle_reference(10)
    assert times.text(10, 9) == REFERENCE
    assert times.text(5, 4) == before
    gap = int(capture.packets.time_ns[12] - capture.packets.time_ns[10])
    assert times.text(12, 11) == f"0.{gap // 1000:06}"
    assert not times.toggle_reference(10)
    assert times.text(12, 11) != f"0.{gap // 1000:06}"


def test_browsing_needs_no_screen() -> None:
    """What the browser shows can be had without Textual, which takes long to load."""
    program = (
        "import pkgutil, sys, mptrace.views.browsing as b\n"
        "[__import__(f'{b.__name__}.{m.name}') for m in pkgutil.iter_modules(b.__path__)]\n"
        "sys.exit('textual' in sys.modules)"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True)
