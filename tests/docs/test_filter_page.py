"""The page of the display filter names every field, function and operator that there is."""

from __future__ import annotations

import os
import re
from itertools import groupby
from pathlib import Path

from mptrace.analysis.filter import binding, registry, syntax

FIELDS = re.compile(r"(?<=<!-- fields -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table() -> str:
    lines = []
    every = sorted(registry.visible(), key=lambda field: field.name.partition(".")[0])
    for protocol, fields in groupby(every, key=lambda field: field.name.partition(".")[0]):
        lines += [f"### {protocol}", "", "| field | value | meaning |", "| --- | --- | --- |"]
        for field in fields:
            kind = field.type.value
            if field.texts:
                kind = ", ".join(f"`{text}`" for text in field.texts)
            lines.append(f"| `{field.name}` | {kind} | {field.meaning} |")
        lines.append("")
    return "\n".join(["", *lines])


def test_every_field_is_documented(root: Path) -> None:
    """With UPDATE_GOLDEN=1 the table is written into the page instead."""
    page = root / "docs" / "filter.md"
    text = page.read_text(encoding="utf-8")
    assert FIELDS.search(text)
    written = FIELDS.sub(lambda _: table(), text)
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(written, encoding="utf-8")
    assert written == page.read_text(encoding="utf-8")


def test_every_operator_and_function_is_documented(root: Path) -> None:
    text = (root / "docs" / "filter.md").read_text(encoding="utf-8")
    for operator in syntax.OPERATORS:
        if operator not in {"any_eq", "all_ne", "~="}:  # other ways to write == and !=
            assert f"`{operator}`" in text
    for function in binding.FUNCTIONS:
        assert f"`{function}()`" in text
