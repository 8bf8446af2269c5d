"""What is seen while a capture is analyzed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Center, Middle
from textual.screen import Screen
from textual.widgets import ProgressBar, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LoadingScreen(Screen[None]):
    """A progress bar, and how to give up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.quit", "Give up", show=False),
    ]
    DEFAULT_CSS = """
    LoadingScreen Static { width: auto; }
    LoadingScreen ProgressBar { width: 60; }
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        """Compose it, in the middle."""
        with Middle():
            with Center():
                yield Static(self._path, markup=False)
            with Center():
                yield ProgressBar(total=None, show_eta=False)
            with Center():
                yield Static("reading", id="phase", markup=False)
            with Center():
                yield Static("q gives up", classes="hint")

    def progress(self, phase: str, done: int, total: int) -> None:
        """Show how far it is."""
        self.query_one(ProgressBar).update(total=max(total, 1), progress=min(done, total))
        self.query_one("#phase", Static).update(phase)
