"""Display filters over an opened capture; the rows that pass."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.filter import DisplayFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.filter import PacketColumns


class PacketFilter:
    """Applies filters one at a time, from whichever thread."""

    def __init__(self, columns: PacketColumns) -> None:
        self._columns = columns
        self._lock = Lock()

    def rows(self, text: str) -> NDArray[np.int64]:
        """Rows of the packet table that pass, ascending. Raises FilterError."""
        wanted = DisplayFilter(text)
        with self._lock:
            return np.flatnonzero(wanted.mask(self._columns))
