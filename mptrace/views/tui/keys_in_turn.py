"""Keys that are typed ahead: each finds the screen as the one before it left it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import App

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.dom import DOMNode
    from textual.events import Event

Result = TypeVar("Result")

_PATIENCE_S = 1.0
"""How long the next key waits at most for what the one before it began."""


class KeysInTurnApp(App[Result]):
    """Takes a key when the effects of the one before it are there.

    Textual gives a key to the focused widget, and looks for its binding when the widget has passed
    it on; what comes meanwhile (somebody types fast, or pastes) goes to the widget that is about to
    lose the focus. Here the binding is looked up and run first, and the messages that it sends are
    waited for.
    """

    async def on_event(self, event: Event) -> None:
        """Handle an event; keys one at a time."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if not self.app_focus:  # a key says that the terminal has the focus, even if it does not
            self.app_focus = True
        focused = self.focused
        reached = [] if focused is None else focused.ancestors_with_self
        typed = focused is not None and focused.check_consume_key(event.key, event.character)
        if typed or not await self._run_binding(event.key):
            await super().on_event(event)
        await self._settle([node for node in reached if node is not self])

    async def _run_binding(self, key: str) -> bool:
        """Run what a key is bound to; false where that is nothing."""
        active = self.active_bindings.get(key)
        if active is None or not active.enabled or active.binding.priority:
            return False
        return await self.run_action(active.binding.action, active.node)

    async def _settle(self, nodes: Iterable[DOMNode]) -> None:
        """Wait until nodes have nothing left to handle, and the screen is there."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + _PATIENCE_S
        while loop.time() < latest and self.is_running:
            at_work = any(node.message_queue_size for node in nodes if node.is_running)
            if not at_work and (not self.screen_stack or self.screen.is_mounted):
                return
            await asyncio.sleep(0)
