"""What a kind of finding is: its code, how bad it is, what it means, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mptrace.analysis.model import Severity

_SECTIONS_V0: Final = {"3.7": "3.6", "3.8": "3.7", "B.2": None}
"""Where RFC 6824 (v0) numbers a section differently, or lacks it: it has no MP_TCPRST (RFC 8684's
3.6) and does not speak of TCP Fast Open."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One row of the catalog; the code never changes once it is published."""

    code: str
    severity: Severity
    meaning: str
    """What it says, for somebody who has not read the RFC."""
    what_to_do: str
    section: str | None = None
    """Of RFC 8684; None where the finding is about the capture, not about the protocol."""

    def reference(self, version: int | None = None) -> str:
        """The section of the RFC of the connection's version; empty where there is none."""
        if self.section is None:
            return ""
        if version == 0:
            section = _SECTIONS_V0.get(self.section, self.section)
            return "" if section is None else f"RFC 6824 section {section}"
        part = "section" if self.section[0].isdecimal() else "appendix"
        return f"RFC 8684 {part} {self.section}"
