"""Second captures of a packet among very many packets, whose identities share their buckets."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from mptrace.analysis.columns.duplicates import find_duplicates
from mptrace.analysis.columns.tables import RecognitionTable

_ROWS = 100_000
"""More than are sorted at once."""


@pytest.mark.parametrize("bits", [64, 40, 17])
def test_as_a_dictionary_finds_them(bits: int) -> None:
    source = np.random.default_rng(bits)
    identity = source.integers(0, 1 << 64, _ROWS, np.uint64, endpoint=False) >> np.uint64(64 - bits)
    again = source.integers(0, _ROWS, 500)
    identity[again] = identity[source.integers(0, _ROWS, 500)]
    place = source.integers(0, 2, _ROWS).astype(np.int32)
    numbered = source.integers(0, 2, _ROWS).astype(np.bool_)
    expected = np.zeros(_ROWS, np.bool_)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, name in enumerate(identity.tolist()):
        rows_of[name].append(row)
    for first, *later in rows_of.values():
        for row in later:
            expected[row] = place[row] != place[first] or numbered[row]
    assert expected.any()
    found = find_duplicates(RecognitionTable(identity, place, numbered))
    assert np.array_equal(found, expected)
