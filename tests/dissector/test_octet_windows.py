"""Windows and words at any offset are the octets there, with zeros behind the buffer's end."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector.octet_windows import windows, words


@st.composite
def buffers_and_offsets(draw: Any) -> tuple[bytes, list[int]]:
    octets = draw(st.binary(max_size=40))
    return octets, draw(st.lists(st.integers(0, len(octets)), max_size=8))


@given(places=buffers_and_offsets(), width=st.integers(1, 40))
def test_windows(places: tuple[bytes, list[int]], width: int) -> None:
    octets, offsets = places
    found = windows(np.frombuffer(octets, np.uint8), np.array(offsets, np.int64), width)
    assert found.dtype.itemsize == width
    assert [window.tobytes() for window in found] == [
        octets[offset : offset + width].ljust(width, b"\0") for offset in offsets
    ]


@pytest.mark.parametrize("kind", ["u1", ">u2", "<u2", ">u4", "<u4"])
@given(places=buffers_and_offsets(), at=st.integers(0, 12))
def test_words(kind: str, places: tuple[bytes, list[int]], at: int) -> None:
    octets, offsets = places
    found = words(np.frombuffer(octets, np.uint8), np.array(offsets, np.int64), kind, at=at)
    width = int(kind[-1])
    assert found.dtype == np.int64
    assert found.tolist() == [
        struct.unpack(kind[:-2] + {1: "B", 2: "H", 4: "I"}[width], window)[0]
        for offset in offsets
        for window in [octets[offset + at : offset + at + width].ljust(width, b"\0")]
    ]
