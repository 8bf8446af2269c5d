"""The charts by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views.charts import flights, lanes, order, rates, round_trips, sequence, split
from mptrace.views.charts.marks import busier

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.analysis.model import Connection, DirectionName
    from mptrace.views.charts.chart import Chart

KINDS: Final[dict[str, Callable[[Connection, DirectionName], Chart]]] = {
    "data-sequence": sequence.chart,
    "throughput": rates.chart,
    "shares": split.chart,
    "rtt": round_trips.chart,
    "flight": flights.chart,
    "reordering": order.chart,
    "signalling": lanes.chart,
}


def build(kind: str, connection: Connection, direction: DirectionName | None = None) -> Chart:
    """The chart of a kind; without a direction, of the one that carried more data.

    Raises:
        KeyError: there is no such kind.
        LookupError: the connection does not come from an analysis.
    """
    return KINDS[kind](connection, direction or busier(connection))
