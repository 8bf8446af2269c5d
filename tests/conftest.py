"""What every test shares: how hypothesis searches, and files that hold the expected output."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

# as in the command: threads that wait for linear algebra would take time from other tests
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Time limits per example measure the machine's load, not the code: there are none.
SLOW = [HealthCheck.too_slow]  # the machine, not the test
settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=SLOW)
settings.register_profile("ci", deadline=None, max_examples=100, suppress_health_check=SLOW)
settings.register_profile("thorough", deadline=None, max_examples=5000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default")
)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).parent.parent


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file golden/NAME beside the test, byte for byte.

    With UPDATE_GOLDEN=1 in the environment the file is written instead: read what changed.
    """
    folder = request.path.parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if os.environ.get("UPDATE_GOLDEN"):
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
