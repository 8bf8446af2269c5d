"""Captures: opened, read in batches, decompressed, merged; and written."""

from __future__ import annotations

from mptrace.capture.capture import Capture, open_capture
from mptrace.capture.errors import CaptureError
from mptrace.capture.records import Damage, Interface, PacketRecord, RecordBatch

__all__ = [
    "Capture",
    "CaptureError",
    "Damage",
    "Interface",
    "PacketRecord",
    "RecordBatch",
    "open_capture",
]
