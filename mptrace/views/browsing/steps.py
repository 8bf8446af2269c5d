"""Moving through packets: to the next of a kind, and back along the way that one came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def next_row(rows: NDArray[np.int64], row: int, step: int) -> int | None:
    """The next (step 1) or previous (-1) of some rows, ascending; None beyond the last."""
    if step > 0:
        at = int(np.searchsorted(rows, row, side="right"))
        return int(rows[at]) if at < rows.size else None
    at = int(np.searchsorted(rows, row, side="left")) - 1
    return int(rows[at]) if at >= 0 else None


def common(rows: NDArray[np.int64], shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that are shown; both ascend without repetition."""
    if not shown.size:
        return rows[:0]
    at = np.minimum(np.searchsorted(shown, rows), shown.size - 1)
    result: NDArray[np.int64] = rows[shown[at] == rows]
    return result


class Trail:
    """Where jumps came from, as in a web browser."""

    def __init__(self) -> None:
        self._behind: list[int] = []
        self._ahead: list[int] = []

    def leave(self, row: int) -> None:
        """Remember a row before jumping away from it."""
        if not self._behind or self._behind[-1] != row:
            self._behind.append(row)
        self._ahead.clear()

    def back(self, row: int) -> int | None:
        """The row before ``row``; None where there is none."""
        return self._move(self._behind, self._ahead, row)

    def forward(self, row: int) -> int | None:
        """The row that `back` came from; None where there is none."""
        return self._move(self._ahead, self._behind, row)

    @staticmethod
    def _move(origin: list[int], other: list[int], row: int) -> int | None:
        while origin:
            wanted = origin.pop()
            if wanted != row:
                other.append(row)
                return wanted
        return None
