"""Analyses of samples, made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import mptrace


@pytest.fixture(scope="session")
def sample(root: Path) -> Callable[[str], mptrace.Analysis]:
    """The analysis of a sample's capture at the client."""
    return cache(lambda name: mptrace.analyze(root / "samples" / name / "client.pcap"))
