"""Captures opened for browsing, once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mptrace.views.browsing.opened import OpenedCapture, open_for_browsing

Open = Callable[..., OpenedCapture]


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    return root / "samples"


@pytest.fixture(scope="session")
def opened(samples: Path) -> Iterator[Open]:
    """Open a sample by its path below samples/."""
    known: dict[str, OpenedCapture] = {}

    def open_sample(name: str) -> OpenedCapture:
        if name not in known:
            known[name] = open_for_browsing([str(samples / name)])
        return known[name]

    yield open_sample
    for capture in known.values():
        capture.close()
