"""What the analysis says of single packets: its packet columns, read one value at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mptrace.analysis.frames.building import Categories, Masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mptrace.analysis.frames.building import Column
    from mptrace.analysis.model import Finding

NO_ROW = -1


class PacketFacts:
    """The columns of `mptrace.analysis.frames.schema.PACKETS`, by row of the packet table.

    Only packets of MPTCP connections have facts; those of others are None.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        odd_options: NDArray[np.bool_],
        findings: Sequence[Finding],
        packets: int,
    ) -> None:
        """``columns`` are those of `mptrace.analysis.frames.packet_values`."""
        self._columns = columns
        self.odd_options = odd_options
        """(n,): packets with MPTCP options that are malformed, unknown or cut."""
        frame = self.column("frame.number")
        self._rows: NDArray[np.int64] = np.asarray(frame, np.int64) - 1
        self._place = np.full(packets, NO_ROW, np.int32)
        self._place[self._rows] = np.arange(self._rows.size, dtype=np.int32)
        self._findings: dict[int, list[Finding]] = {}
        for finding in findings:
            for number in finding.packets:
                self._findings.setdefault(number - 1, []).append(finding)
        self._by_way = _order_by(np.asarray(self.column("tcp.stream")), np.asarray(self._rows))
        self.rows_with_findings = np.array(sorted(self._findings), np.int64)
        """(n,): rows of packets that prove a finding, ascending."""
        self.rows_with_copies: NDArray[np.int64] = self._rows[self.present("mptrace.repeats")]
        """(n,): rows of packets that repeat data, in whichever way, ascending."""
        self._acked: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n,): packet table rows that have facts, ascending."""
        return self._rows

    def column(self, name: str) -> NDArray[Any]:
        """The plain numbers of a column; of categories the codes."""
        column = self._columns[name]
        if isinstance(column, Masked):
            return column.values
        if isinstance(column, Categories):
            return column.codes
        return column

    def present(self, name: str) -> NDArray[np.bool_]:
        """(n,): where a column has a value."""
        column = self._columns[name]
        if isinstance(column, Masked):
            return column.present
        if isinstance(column, Categories):
            return column.codes >= 0
        return np.ones(column.size, np.bool_)

    def names(self, name: str) -> tuple[str, ...]:
        """The texts that the codes of a column of categories stand for."""
        column = self._columns[name]
        return column.names if isinstance(column, Categories) else ()

    def has(self, row: int) -> bool:
        """Whether the packet belongs to an MPTCP connection."""
        return bool(self._place[row] != NO_ROW)

    def get(self, row: int, name: str) -> Any:
        """One value as int, float, bool or str; None where there is none."""
        at = int(self._place[row])
        if at == NO_ROW:
            return None
        column = self._columns[name]
        if isinstance(column, Masked):
            return int(column.values[at]) if column.present[at] else None
        if isinstance(column, Categories):
            code = int(column.codes[at])
            return column.names[code] if code >= 0 else None
        return column[at].item()

    def values_at(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The plain numbers of a column for rows that have facts; (n,)."""
        return self.column(name)[self._place[rows]]

    def findings(self, row: int) -> Sequence[Finding]:
        """The findings that a packet is a proof of."""
        return self._findings.get(row, ())

    def rows_of_connection(self, index: int) -> NDArray[np.int64]:
        """(n,): rows of one connection, ascending."""
        rows: NDArray[np.int64] = self._rows[self.column("mptcp.stream") == index]
        return rows

    def rows_of_subflow(self, row: int) -> NDArray[np.int64]:
        """(n,): rows of the subflow that a packet belongs to, ascending; () without one."""
        stream = self.get(row, "tcp.stream")
        if stream is None:
            return np.empty(0, np.int64)
        streams, rows = self._by_way
        first, last = np.searchsorted(streams, (stream, stream + 1))
        own: NDArray[np.int64] = rows[first:last]
        return own

    def acknowledged_by(self, row: int, name: str) -> NDArray[np.int64]:
        """(n,): rows whose payload this packet is the first to acknowledge.

        ``name`` is ``mptrace.acked_in`` or ``mptrace.data_acked_in``.
        """
        if name not in self._acked:
            present = self.present(name)
            frame = self.column(name)[present].astype(np.int64)
            self._acked[name] = _order_by(frame, self._rows[present])
        frames, rows = self._acked[name]
        first, last = np.searchsorted(frames, (row + 1, row + 2))
        return rows[first:last]


def _order_by(
    key: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows sorted by a key, ascending within it, and the sorted key."""
    order = np.argsort(key, kind="stable")
    return key[order], rows[order]
