"""What a view reads: a finished analysis, or the part of it that the user asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mptrace.analysis.model import CaptureSummary, Connection, Finding


class Reading(Protocol):
    """The finished analysis as views see it; :class:`mptrace.analysis.Analysis` is one."""

    @property
    def capture(self) -> CaptureSummary:
        """What the capture is."""

    @property
    def plain_tcp_streams(self) -> int:
        """TCP connections without MPTCP."""

    @property
    def connection_list(self) -> tuple[Connection, ...]:
        """The connections, in order of their first packet."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What went wrong or is worth knowing."""

    @property
    def packets(self) -> pd.DataFrame:
        """One row per TCP segment of an MPTCP connection."""

    @property
    def mappings(self) -> pd.DataFrame:
        """One row per DSS mapping."""

    @property
    def subflows(self) -> pd.DataFrame:
        """One row per subflow."""

    @property
    def connections(self) -> pd.DataFrame:
        """One row per connection."""


class Selection:
    """Some connections of an analysis, with what belongs to them; itself a :class:`Reading`."""

    def __init__(self, whole: Reading, indices: Collection[int]) -> None:
        """Select the connections with these indices.

        Raises:
            LookupError: the analysis has no connection with one of the indices.
        """
        chosen = frozenset(indices)
        have = {connection.index for connection in whole.connection_list}
        absent = chosen - have
        if absent:
            count = len(have)
            range_text = (
                "no connection"
                if not count
                else "only connection 0"
                if count == 1
                else f"connections 0 to {count - 1}"
            )
            raise LookupError(f"there is no connection {min(absent)}: the capture has {range_text}")
        self._whole = whole
        self._chosen = chosen

    @property
    def capture(self) -> CaptureSummary:
        """What the capture is, all of it."""
        return self._whole.capture

    @property
    def plain_tcp_streams(self) -> int:
        """TCP connections without MPTCP, in the whole capture."""
        return self._whole.plain_tcp_streams

    @property
    def connection_list(self) -> tuple[Connection, ...]:
        """The chosen connections."""
        return tuple(c for c in self._whole.connection_list if c.index in self._chosen)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found about the chosen connections."""
        return tuple(f for f in self._whole.findings if f.connection in self._chosen)

    @property
    def packets(self) -> pd.DataFrame:
        """The packets of the chosen connections."""
        return self._rows(self._whole.packets)

    @property
    def mappings(self) -> pd.DataFrame:
        """The mappings of the chosen connections."""
        return self._rows(self._whole.mappings)

    @property
    def subflows(self) -> pd.DataFrame:
        """The subflows of the chosen connections."""
        return self._rows(self._whole.subflows)

    @property
    def connections(self) -> pd.DataFrame:
        """The chosen connections, a row each."""
        return self._rows(self._whole.connections)

    def _rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["mptcp.stream"].isin(self._chosen)]


class FilteredSelection(Selection):
    """Some connections, and of their packets those that pass a display filter.

    Figures stay those of the whole connections: a filter says what is shown, not what is analyzed.
    """

    def __init__(self, whole: Reading, indices: Collection[int], passes: NDArray[np.bool_]) -> None:
        """Select; ``passes`` is (packets of the capture,), packet 1 first."""
        super().__init__(whole, indices)
        self._passes = passes

    @property
    def packets(self) -> pd.DataFrame:
        """The packets of the chosen connections that pass."""
        frame = super().packets
        passing: pd.DataFrame = frame[self._passes[frame["frame.number"].to_numpy() - 1]]
        return passing
