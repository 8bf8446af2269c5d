"""A capture opened for browsing: the file, its analysis, and what rows are made from."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.reading import CUT_OPTIONS, ODD_OPTION
from mptrace.analysis.filter import PacketColumns
from mptrace.analysis.pipeline import analyze_capture
from mptrace.capture import open_capture
from mptrace.views.browsing.filtering import PacketFilter
from mptrace.views.browsing.packet_facts import PacketFacts
from mptrace.views.browsing.packet_rows import PacketRows
from mptrace.views.browsing.packet_table import PacketTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mptrace.analysis.columns.tables import Bool, SegmentTable
    from mptrace.analysis.results import Analysis
    from mptrace.capture import Capture

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class OpenedCapture:
    """Everything that the browser reads; `close` gives the files back."""

    capture: Capture
    analysis: Analysis
    packets: PacketTable
    facts: PacketFacts
    rows: PacketRows
    filter: PacketFilter

    def close(self) -> None:
        """Close the files."""
        self.capture.close()


def open_for_browsing(paths: Sequence[str], progress: Progress | None = None) -> OpenedCapture:
    """Analyze a capture and keep it open; may run in a thread of its own.

    ``progress`` is told what is being done, the octets done, and the octets in all. Raises
    CaptureError where nothing can be read.
    """
    capture = open_capture(paths)
    try:
        opened = _opened(capture, progress)
        # what was made stays until the end: no collection needs to look at it again
        gc.collect()
        gc.freeze()
        return opened
    except BaseException:
        capture.close()
        raise


def _opened(capture: Capture, progress: Progress | None) -> OpenedCapture:
    def told(what: str) -> Callable[[int], None] | None:
        if progress is None:
            return None
        tell = progress
        return lambda done: tell(what, done, capture.size)

    analysis = analyze_capture(capture, told("analyzing"))
    packets = PacketTable.read(capture, told("listing packets"))
    columns = PacketColumns(capture, analysis)
    odd = _odd_options(analysis.evidence.plane.subflows.segments)
    facts = PacketFacts(columns.analysis_values, odd, analysis.findings, len(packets))
    rows = PacketRows(packets, facts)
    return OpenedCapture(capture, analysis, packets, facts, rows, PacketFilter(columns))


def _odd_options(segments: SegmentTable) -> Bool:
    """(n,), in frame order: MPTCP options that are malformed, unknown, or cut by the capture."""
    odd = (segments.subtypes & np.uint16(CUT_OPTIONS | ODD_OPTION)) != 0
    result: Bool = odd[np.argsort(segments.frame_number, kind="stable")]
    return result
