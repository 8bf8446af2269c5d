"""The columns of a capture's packets, read when a filter first needs them, then kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.flows import FlowTable
from mptrace.analysis.filter.batch_headers import BatchHeaders
from mptrace.analysis.filter.columns import Column, joined
from mptrace.analysis.filter.registry import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mptrace.analysis.filter.field import Field
    from mptrace.analysis.frames.building import Column as AnalysisColumn
    from mptrace.analysis.results import Analysis
    from mptrace.capture import Capture


class PacketColumns:
    """Values of fields for all packets of an open capture.

    One pass over the capture reads all fields that a filter needs and that were not read before;
    another filter over the same fields reads nothing. ``analysis`` is the capture's, or None
    where no filter will need it (`DisplayFilter.needs_analysis`).
    """

    def __init__(self, capture: Capture, analysis: Analysis | None = None) -> None:
        self.capture = capture
        self.flows = FlowTable()
        self._analysis = analysis
        self._analysis_values: Mapping[str, AnalysisColumn] | None = None
        self._columns: dict[str, Column] = {}
        self._packets: int | None = None

    @property
    def packets(self) -> int:
        """How many packets the capture has."""
        if self._packets is None:
            self._packets = (
                sum(batch.offset.size for batch in self.capture.batches())
                if self._analysis is None
                else self._analysis.capture.packets
            )
        return self._packets

    @property
    def analysis(self) -> Analysis:
        """Raises ValueError where none was given."""
        if self._analysis is None:
            raise ValueError("the filter names a field that only the finished analysis knows")
        return self._analysis

    @property
    def analysis_values(self) -> Mapping[str, AnalysisColumn]:
        """The columns of the analysis, worked out once."""
        if self._analysis_values is None:
            from mptrace.analysis.frames import packet_values

            self._analysis_values = packet_values(self.analysis.evidence)
        return self._analysis_values

    def load(self, names: Iterable[str], progress: Callable[[int], None] | None = None) -> None:
        """Read what these fields need and what is not here yet, in one pass.

        ``progress`` is told the octets of the capture that were read so far.
        """
        every = fields()
        wanted: dict[str, Field] = {}
        waiting = list(names)
        while waiting:
            field = every[waiting.pop()]
            if field.name not in self._columns and field.name not in wanted:
                wanted[field.name] = field
                waiting += field.needs
        read = {name: field.read for name, field in wanted.items() if field.read is not None}
        if not read:
            return
        parts: dict[str, list[Column]] = {name: [] for name in read}
        packets = 0
        for batch in self.capture.batches(progress):
            packets += batch.offset.size
            headers = BatchHeaders(self.capture.interfaces, batch, self.flows)
            row_of = batch.frame_number - 1
            for name, values in read.items():
                found = values(headers)
                parts[name].append(Column(row_of[found.row], found.value, found.names))
        self._packets = packets
        for name, columns in parts.items():
            self._columns[name] = joined(columns) if columns else _nothing()

    def column(self, name: str) -> Column:
        """The values of a field over all packets; read now if need be."""
        if name not in self._columns:
            self.load([name])
        found = self._columns.get(name)
        if found is None:
            derive = fields()[name].derive
            if derive is None:
                raise LookupError(f"{name} is neither read nor derived")
            found = self._columns[name] = derive(self)
        return found


def _nothing() -> Column:
    return Column(np.empty(0, np.int64), np.empty(0, np.int64))
