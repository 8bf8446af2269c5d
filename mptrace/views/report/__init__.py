"""The report: an analysis as one HTML file that stands for itself."""

from __future__ import annotations

from mptrace.views.report.page import Options, chunks, html

__all__ = ["Options", "chunks", "html"]
