"""What the browser asks of a display filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to go on with a filter."""

    text: str
    """The whole filter, completed."""
    cursor: int
    """Where the cursor then stands."""
    label: str
    """What is listed."""


class FilterFaultError(Exception):
    """A filter that says nothing, or nothing that can be understood."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position
        """The character (from 0) that is at fault."""


class DisplayFilter(Protocol):
    """Tells which packets a filter lets through."""

    def mask(self, text: str) -> NDArray[np.bool_]:
        """(packets,): which packets pass. Raises FilterFaultError."""

    def candidates(self, text: str, cursor: int) -> Sequence[Candidate]:
        """How the filter may go on at the cursor."""
