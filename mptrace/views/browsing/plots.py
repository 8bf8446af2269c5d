"""The timelines of a connection as layers of dots, for drawing in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.analysis.data_sequence.copies import CopyClass
from mptrace.analysis.timelines import timelines_of
from mptrace.views import figures
from mptrace.views.browsing.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.analysis.timelines import DirectionTimelines
    from mptrace.analysis.timelines.sequence import Stretches
    from mptrace.analysis.timelines.steps import Steps

    Numbers = NDArray[np.int64]

Kind = Literal["data sequence", "throughput", "round trips", "in flight"]
KINDS: Final[tuple[Kind, ...]] = ("data sequence", "throughput", "round trips", "in flight")
REPEATED: Final = "repeated"
"""The colour of what repeats data, whatever subflow carries it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One series; both columns are (n,)."""

    name: str
    color: int | str | None
    """A subflow's index, `REPEATED`, or None for what belongs to the whole connection."""
    time_ns: Numbers
    value: Numbers
    time_end_ns: Numbers | None = None
    value_end: Numbers | None = None
    """For stretches: where they end."""
    steps: bool = False
    """The value holds until the next time."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that one kind of timeline shows of one direction."""

    kind: Kind
    layers: Sequence[Layer]
    unit: Callable[[float], str]
    span_ns: tuple[int, int]
    lowest: int
    highest: int

    def drawn(self, width: int, height: int, window_ns: tuple[int, int]) -> Canvas:
        """Draw what happened in a window of time."""
        canvas = Canvas(width, height)
        low, high = self.lowest, max(self.highest, self.lowest + 1)
        first, last = window_ns
        across = (canvas.dots_across - 1) / max(last - first, 1)
        down = (canvas.dots_down - 1) / (high - low)

        def column(time_ns: Numbers) -> Numbers:
            return _whole((time_ns - first) * across)

        def line(value: Numbers) -> Numbers:
            return _whole((value - low) * down)

        for number, layer in enumerate(self.layers):
            if layer.steps:
                _draw_steps(canvas, column(layer.time_ns), line(layer.value), number)
                continue
            x, y = column(layer.time_ns), line(layer.value)
            if layer.time_end_ns is None or layer.value_end is None:
                canvas.dots(x, y, number)
            else:
                x_end, y_end = column(layer.time_end_ns), line(layer.value_end)
                canvas.lines(x, y, x_end, y_end, number)
        return canvas


def _whole(number: NDArray[np.floating]) -> Numbers:
    """The nearest integers."""
    result: Numbers = np.rint(number).astype(np.int64)
    return result


def _draw_steps(canvas: Canvas, x: Numbers, y: Numbers, layer: int) -> None:
    """A line that holds its value: in each column of dots from the lowest to the highest."""
    if not x.size:
        return
    columns = np.arange(canvas.dots_across)
    held = np.searchsorted(x, columns, side="right") - 1
    entering = np.searchsorted(x, columns, side="left") - 1
    known = (held >= 0) & (columns <= max(int(x[-1]), 0))
    now = y[np.maximum(held, 0)]
    before = np.where(entering >= 0, y[np.maximum(entering, 0)], now)
    low, high = np.minimum(now, before), np.maximum(now, before)
    inside = (x >= 0) & (x < canvas.dots_across)
    np.minimum.at(low, x[inside], y[inside])
    np.maximum.at(high, x[inside], y[inside])
    canvas.bars(columns[known], low[known], high[known], layer)


def plot(connection: Connection, direction: DirectionName, kind: Kind) -> Plot:
    """Gather the series of one kind. LookupError where the connection has no capture behind it."""
    timelines = timelines_of(connection)
    own = timelines.direction(direction)
    layers = _LAYERS[kind](own)
    values = [layer.value for layer in layers if layer.value.size]
    values += [layer.value_end for layer in layers if layer.value_end is not None]
    filled = [value for value in values if value.size]
    highest = max((int(value.max()) for value in filled), default=1)
    lowest = min((int(value.min()) for value in filled), default=0)
    return Plot(
        kind,
        layers,
        _UNITS[kind],
        timelines.extent_ns(),
        lowest if kind == "data sequence" else 0,
        highest,
    )


def _data_sequence(own: DirectionTimelines) -> list[Layer]:
    sent = own.stretches()
    acked = own.data_ack()
    layers = [_steps("DATA_ACK", None, acked)]
    for index in range(len(own.ways)):
        mine = (sent.subflow == index) & (sent.kind == CopyClass.FIRST)
        layers.append(_stretches(f"subflow {index}", index, sent.take(mine)))
    again = sent.take(sent.kind != CopyClass.FIRST)
    layers.append(_stretches("sent again", REPEATED, again))
    return layers


def _stretches(name: str, color: int | str, sent: Stretches) -> Layer:
    return Layer(name, color, sent.start_ns, sent.start, sent.end_ns, sent.end)


def _throughput(own: DirectionTimelines) -> list[Layer]:
    rates = own.rates()
    layers = []
    for index in range(len(own.ways)):
        bits = np.rint(rates.throughput_bps[index]).astype(np.int64)
        layers.append(Layer(f"subflow {index}", index, rates.start_ns, bits, steps=True))
    goodput = np.rint(rates.goodput_bps).astype(np.int64)
    layers.append(Layer("goodput", None, rates.start_ns, goodput, steps=True))
    return layers


def _round_trips(own: DirectionTimelines) -> list[Layer]:
    data = own.data_round_trips()
    layers = [Layer("data RTT", None, data.time_ns, data.duration_ns)]
    for index, samples in enumerate(own.subflow_round_trips()):
        layers.append(Layer(f"subflow {index}", index, samples.time_ns, samples.duration_ns))
    return layers


def _in_flight(own: DirectionTimelines) -> list[Layer]:
    layers = [_steps("all data", None, own.data_flight())]
    for index, flight in enumerate(own.subflow_flights()):
        layers.append(_steps(f"subflow {index}", index, flight))
    return layers


def _steps(name: str, color: int | None, series: Steps) -> Layer:
    return Layer(name, color, series.time_ns, series.value, steps=True)


_LAYERS: Final = {
    "data sequence": _data_sequence,
    "throughput": _throughput,
    "round trips": _round_trips,
    "in flight": _in_flight,
}


def _seconds(duration_ns: float) -> str:
    return figures.seconds(duration_ns * 1e-9)


def _amount(octets: float) -> str:
    return figures.octets(round(octets), exact=False)


_UNITS: Final[dict[Kind, Callable[[float], str]]] = {
    "data sequence": _amount,
    "throughput": figures.bit_rate,
    "round trips": _seconds,
    "in flight": _amount,
}
