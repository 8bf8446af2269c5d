"""Reads packet captures and tells what Multipath TCP did in them.

``mptrace.analyze(path)`` returns the finished :class:`~mptrace.api.Analysis`. Importing this
package loads nothing else, so that ``mptrace --version`` starts at once; what is exported here is
loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.version import __version__

if TYPE_CHECKING:
    from mptrace.api import Analysis, analyze, report

__all__ = ["Analysis", "__version__", "analyze", "report"]


def __getattr__(name: str) -> object:
    if name in ("Analysis", "analyze", "report"):
        import mptrace.api

        return getattr(mptrace.api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
