"""What a connection did over time, as columns: what charts draw and nothing else.

``timelines_of(connection)`` gives the series of one connection of an analysis. Times are integer
nanoseconds since the capture's first packet; places in a data sequence space are relative data
sequence numbers, where the first octet is 1. Every column of a series is (n,).
"""

from __future__ import annotations

from mptrace.analysis.timelines.connection import Timelines, timelines_of
from mptrace.analysis.timelines.direction import DirectionTimelines

__all__ = ["DirectionTimelines", "Timelines", "timelines_of"]
