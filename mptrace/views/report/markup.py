"""Markup in which no text of a capture can become anything but text."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from mptrace.views import figures

if TYPE_CHECKING:
    from mptrace.views.summary import Cell, Table


def text(value: str) -> str:
    """Text for an element or an attribute in double quotes."""
    return escape(figures.printable(value))


def words(label: str) -> str:
    """A column's label on one line: its breaks are for terminals."""
    return label.replace("-\n", "").replace("\n", " ")


def moment(connection: int, time_s: float, packet: int | None = None) -> str:
    """The address in the page of a moment in the timelines."""
    where = f"#connection-{connection}/t={time_s:.6f}"
    return where if packet is None else f"{where}/p={packet}"


def script_json(value: Any) -> str:
    """JSON for a ``<script type="application/json">``: nothing in it can end the element."""
    plain = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def cell(value: Cell, kind: str = "td", *, numeric: bool = False, inner: str | None = None) -> str:
    """A table cell; ``inner`` is markup to show in place of the text."""
    classes = " ".join(part for part in ("num" if numeric else "", value.tone) if part)
    attribute = f' class="{classes}"' if classes else ""
    return f"<{kind}{attribute}>{text(value.text) if inner is None else inner}</{kind}>"


def table(value: Table, labels: dict[str, str] | None = None, caption: str = "") -> str:
    """A table; ``labels`` gives the markup to put behind a label (a link to its definition)."""
    behind = labels or {}
    heads = "".join(
        f'<th scope="col"{" class=num" if column.numeric else ""}>{text(words(column.label))}'
        f"{behind.get(words(column.label), '')}</th>"
        for column in value.columns
    )
    rows = []
    for row in value.rows:
        cells = []
        for number, (entry, column) in enumerate(zip(row, value.columns, strict=True)):
            inner = text(entry.text) + (behind.get(entry.text.strip(), "") if number == 0 else "")
            if number == 0 and entry.text.startswith("  "):
                inner = f'<span class="indent">{inner}</span>'
            cells.append(
                cell(entry, "th scope=row" if number == 0 else "td", numeric=column.numeric,
                     inner=inner).replace("</th scope=row>", "</th>")
            )  # fmt: skip
        rows.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{text(caption or value.title)}</caption>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(value.title)}">'
        f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
