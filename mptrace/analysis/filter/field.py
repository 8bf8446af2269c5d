"""What the registry knows of a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mptrace.analysis.columns.flows import FlowTable
    from mptrace.analysis.filter.batch_headers import BatchHeaders
    from mptrace.analysis.filter.columns import Column
    from mptrace.analysis.filter.field_types import FieldType
    from mptrace.analysis.frames.building import Column as AnalysisColumn
    from mptrace.analysis.results import Analysis
    from mptrace.capture import Capture


class Columns(Protocol):
    """What fields are derived from; `packet_columns.PacketColumns` is it."""

    flows: FlowTable

    @property
    def capture(self) -> Capture:
        """The open capture."""

    @property
    def packets(self) -> int:
        """How many packets it has."""

    @property
    def analysis(self) -> Analysis:
        """The finished analysis of the capture."""

    @property
    def analysis_values(self) -> Mapping[str, AnalysisColumn]:
        """Its packets' columns (`frames.packet_values`)."""

    def column(self, name: str) -> Column:
        """The values of a field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in filters, its type, and where its values come from."""

    name: str
    """Wireshark's, where it has such a field."""
    type: FieldType
    meaning: str
    bits: int = 32
    """Width of a number: larger ones cannot be meant."""
    read: Callable[[BatchHeaders], Column] | None = None
    """From the packets of a batch; rows count within the batch."""
    derive: Callable[[Columns], Column] | None = None
    """From other columns, or from the analysis."""
    needs: tuple[str, ...] = ()
    """The fields that ``derive`` reads."""
    from_analysis: bool = False
    number_names: tuple[tuple[str, int], ...] = ()
    """Names that may stand for numbers."""
    texts: tuple[str, ...] = ()
    """All texts that the field can have; none: any."""
    hidden: bool = False
    """Only for deriving others."""
