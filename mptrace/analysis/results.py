"""The finished analysis: what `mptrace.analyze` returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.figure_columns import Figures
    from mptrace.analysis.model import CaptureSummary, Connection, Finding


@dataclass(slots=True)
class Evidence:
    """What the model was made from: tables for DataFrames, timelines and findings."""

    plane: DataPlane
    control: ControlPlane
    figures: Figures
    origin_ns: int


class Analysis:
    """What Multipath TCP did in a capture.

    Iterating gives the connections; ``analysis[n]`` is connection n. The four DataFrames are
    built when first asked for and use Wireshark's field names where it has one.
    """

    def __init__(
        self,
        *,
        capture: CaptureSummary,
        connection_list: tuple[Connection, ...],
        findings: tuple[Finding, ...],
        plain_tcp_streams: int,
        evidence: Evidence,
    ) -> None:
        self.capture = capture
        self.connection_list = connection_list
        self.findings = findings
        self.plain_tcp_streams = plain_tcp_streams
        self.evidence = evidence
        for connection in connection_list:
            connection.trace_to(evidence)

    def __len__(self) -> int:
        return len(self.connection_list)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.connection_list)

    def __getitem__(self, index: int) -> Connection:
        return self.connection_list[index]

    def __repr__(self) -> str:
        return f"<mptrace.Analysis of {self.capture.path}: {len(self)} connections>"

    def connection(self, index: int) -> Connection:
        """Connection ``index``, as Wireshark's mptcp.stream; IndexError where there is none."""
        return self.connection_list[index]

    @cached_property
    def packets(self) -> pd.DataFrame:
        """One row per TCP segment of an MPTCP connection (`frames.packets`)."""
        import mptrace.analysis.frames as frames

        return frames.packets(self.evidence)

    @cached_property
    def mappings(self) -> pd.DataFrame:
        """One row per distinct DSS mapping (`frames.mappings`)."""
        import mptrace.analysis.frames as frames

        return frames.mappings(self.evidence)

    @cached_property
    def subflows(self) -> pd.DataFrame:
        """One row per subflow (`frames.subflows`)."""
        import mptrace.analysis.frames as frames

        return frames.subflows(self.connection_list)

    @cached_property
    def connections(self) -> pd.DataFrame:
        """One row per connection (`frames.connections`)."""
        import mptrace.analysis.frames as frames

        return frames.connections(self.connection_list)
