"""Series of charts as compact text: integer columns, their differences, deflated, in base64.

The page's script reads this back (``unpack`` in report.js). A block is the length of its JSON in
four octets (little endian), the JSON, and the columns. A column is stored as differences of
neighbours in 4 or 8 octets each, lowest octets of all rows first: most are small, so that the high
octets are runs of zeros.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.views.charts.thinning import keep_extremes
from mptrace.views.report.markup import script_json

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64
    from mptrace.views.charts.chart import Chart, Column, Series

POINTS: Final = (100_000, 10_000, 2_000, 500, 150)
"""So many points of a series are stored at most: the first number that makes a block fit."""


class Columns:
    """Columns put one behind the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, column: Column, rows: I64) -> list[float]:
        """Store rows of a column; return offset, rows, octets of each and unit."""
        numbers = column.number[rows]
        steps = numbers.copy()
        steps[1:] -= numbers[:-1]
        narrow = not steps.size or bool(np.abs(steps).max() < 1 << 31)
        width = 4 if narrow else 8
        planes = steps.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T
        place = [self._size, int(numbers.size), width, column.unit]
        self._parts.append(planes.tobytes())
        self._size += width * int(numbers.size)
        return place

    def octets(self) -> bytes:
        """All of them."""
        return b"".join(self._parts)


def block(charts: dict[str, list[Chart]], html: str | None, points: int) -> str:
    """One connection: its charts by direction, and its markup where that is not in the page."""
    columns = Columns()
    document: dict[str, Any] = {
        "directions": {
            name: [_chart(chart, columns, points) for chart in own] for name, own in charts.items()
        }
    }
    if html is not None:
        document["html"] = html
    text = script_json(document).encode()
    plain = len(text).to_bytes(4, "little") + text + columns.octets()
    return base64.b64encode(zlib.compress(plain, 6)).decode("ascii")


def _chart(chart: Chart, columns: Columns, points: int) -> dict[str, Any]:
    return {
        "kind": chart.kind,
        "range": list(chart.x_range),
        "time": chart.shared_time,
        "y": chart.y_title,
        "layout": chart.layout,
        "series": [_series(series, columns, points) for series in chart.series],
    }


def _series(series: Series, columns: Columns, points: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": series.name,
        "form": series.form,
        "trace": series.trace,
        "hover": series.hover,
    }
    if series.x is None or series.y is None:
        return result
    rows: I64 = np.arange(len(series.x))
    if series.form in ("steps", "segments", "marks"):
        top = series.y_end if series.y_end is not None else series.y
        rows = keep_extremes(series.x.number, series.y.number, top.number, points // 4)
    if rows.size < len(series.x):
        result["of"] = len(series.x)
    result["x"] = columns.add(series.x, rows)
    result["y"] = columns.add(series.y, rows)
    if series.x_end is not None and series.y_end is not None:
        result["x2"] = columns.add(series.x_end, rows)
        result["y2"] = columns.add(series.y_end, rows)
    result["columns"] = [columns.add(column, rows) for column in series.columns]
    if series.texts:
        result["texts"] = [list(pair) for pair in series.texts]
    return result
