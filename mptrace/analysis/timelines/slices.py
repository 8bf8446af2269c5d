"""Rows of one group in a column that is sorted by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stretch(column: NDArray[np.integer], value: int) -> slice:
    """The rows of an ascending column that have this value."""
    # keys of the column's own type: with others numpy would convert the whole column
    first, last = np.searchsorted(column, np.array((value, value + 1), column.dtype))
    return slice(int(first), int(last))
