"""The one error of this room: nothing at all can be read from a capture."""

from __future__ import annotations


class CaptureError(Exception):
    """A capture that cannot be read at all.

    ``offset`` is the octet of the (decompressed) file at which reading ended, or None where the
    file could not even be opened. A capture that can be read in part raises nothing: its damage
    is recorded in ``Capture.damage``.
    """

    def __init__(self, path: str, offset: int | None, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        where = "" if self.offset is None else f" (at octet {self.offset})"
        return f"{self.path}: {self.reason}{where}"
