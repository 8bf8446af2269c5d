"""What a chart is, before anybody draws it: its series in full, and how they look.

The same chart becomes a Plotly figure (:mod:`.figure`) with its series thinned, or goes into the
report, where the page thins them again for what is in view.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64

Form = Literal["steps", "segments", "marks", "bins", "events", "fixed"]
"""How a series is thinned: values that hold until the next, lines from one point to another,
single points, bins (never thinned), labelled events (those that would overlap become one), or not
at all: the trace has its own x and y."""

SECONDS = 1e-9
MILLISECONDS = 1e-6
SECONDS_OF_US = 1e-6


@dataclass(frozen=True, slots=True)
class Column:
    """Integers (n,) and what one of them stands for: a value is ``number * unit``."""

    number: I64
    unit: float = 1.0

    @property
    def values(self) -> NDArray[np.float64]:
        """The values, for drawing."""
        values: NDArray[np.float64] = np.multiply(self.number, self.unit, dtype=np.float64)
        return values

    def __len__(self) -> int:
        return int(self.number.size)


@dataclass(frozen=True, slots=True)
class Series:
    """One trace of a chart."""

    name: str
    form: Form
    trace: dict[str, Any]
    """Plotly's attributes; colours are tokens of the palette."""
    x: Column | None = None
    y: Column | None = None
    x_end: Column | None = None
    y_end: Column | None = None
    hover: str = ""
    """Plotly's hovertemplate; ``%{customdata[i]}`` is ``columns[i]``."""
    columns: tuple[Column, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    """Of events: label and sentence of each."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: what it shows, of whom, and its series."""

    kind: str
    title: str
    series: tuple[Series, ...]
    x_range: tuple[float, float]
    """Seconds since the capture's first packet."""
    y_title: str = ""
    layout: dict[str, Any] = field(default_factory=dict)
    shared_time: bool = True
    """Whether the x axis is time."""


def times(time_ns: I64) -> Column:
    """Times as seconds, kept to the microsecond."""
    return Column(np.asarray(time_ns, np.int64) // 1000, SECONDS_OF_US)


def durations_ms(duration_ns: I64) -> Column:
    """Durations as milliseconds, kept to the microsecond."""
    return Column(np.asarray(duration_ns, np.int64) // 1000, 1e-3)


def amounts(octets: I64) -> Column:
    """Octets, counts, packet numbers."""
    return Column(np.asarray(octets, np.int64))


def safe(text: str) -> str:
    """Text for Plotly, which reads some tags: none of a capture may become one."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
