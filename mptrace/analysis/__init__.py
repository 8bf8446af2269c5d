"""From packets to a finished analysis (see docs/architecture.md)."""

from __future__ import annotations

from mptrace.analysis.pipeline import analyze, analyze_capture
from mptrace.analysis.results import Analysis

__all__ = ["Analysis", "analyze", "analyze_capture"]
