"""Captures: opened, read in batches, decompressed, merged; and written.

What is exported here is loaded when it is first used: reading ahead begins before numpy is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mptrace.capture import capture, errors, records

    for module in (capture, errors, records):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
