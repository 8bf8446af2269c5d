"""The analysis as DataFrames; their columns are stated in `schema`."""

from __future__ import annotations

from mptrace.analysis.frames.mappings import mappings
from mptrace.analysis.frames.packets import packet_values, packets
from mptrace.analysis.frames.values import connections, subflows

__all__ = ["connections", "mappings", "packet_values", "packets", "subflows"]
