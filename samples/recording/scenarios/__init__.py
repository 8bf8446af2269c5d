"""All scenarios, in the order in which samples/README.md lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.recording.scenarios import addresses, endings, fallbacks, joins, paths, views

if TYPE_CHECKING:
    from samples.recording.scenario import Scenario

ALL: tuple[Scenario, ...] = (
    *paths.SCENARIOS,
    *addresses.SCENARIOS,
    *joins.SCENARIOS,
    *fallbacks.SCENARIOS,
    *endings.SCENARIOS,
    *views.SCENARIOS,
)
