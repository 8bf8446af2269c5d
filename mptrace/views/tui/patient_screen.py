"""A screen that takes no keys before all of it is there."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import Screen

Result = TypeVar("Result")


class PatientScreen(Screen[Result]):
    """Keys that come while it is being made (somebody types ahead) do nothing."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow actions once the screen is there."""
        del action, parameters
        return self.is_mounted
