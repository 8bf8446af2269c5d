"""The JSON Schema (2020-12) of ``mptrace analyze --json``, as it is shipped with the package."""

from __future__ import annotations

from importlib.resources import files


def text() -> str:
    """Return the schema as JSON text."""
    return (files("mptrace.views") / "analysis.schema.json").read_text(encoding="utf-8")
