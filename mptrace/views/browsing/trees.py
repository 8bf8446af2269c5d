"""The trees of a capture, made beside the screen that is to show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mptrace.views.browsing.connection_outline import connection_nodes
from mptrace.views.browsing.finding_outline import finding_nodes

if TYPE_CHECKING:
    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.browsing.outline import Node


@dataclass(frozen=True, slots=True)
class Trees:
    """The lines of connections and of findings."""

    connection_head: str
    connections: list[Node]
    findings: list[Node]

    @classmethod
    def of(cls, opened: OpenedCapture) -> Trees:
        """Make them; takes a while where there are many."""
        return cls(*connection_nodes(opened), finding_nodes(opened))
