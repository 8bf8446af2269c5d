"""All scenarios, in the order in which samples/README.md lists them."""

from __future__ import annotations

from ..scenario import Scenario
from . import addresses, endings, fallbacks, joins, paths, views

ALL: tuple[Scenario, ...] = (
    *paths.SCENARIOS,
    *addresses.SCENARIOS,
    *joins.SCENARIOS,
    *fallbacks.SCENARIOS,
    *endings.SCENARIOS,
    *views.SCENARIOS,
)
