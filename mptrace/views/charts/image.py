"""Figures as SVG, PNG or PDF: Plotly's own script draws them in an installed browser."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import plotly.graph_objects as go

BROWSERS: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)


class NoBrowserError(Exception):
    """There is no browser that could draw, or it could not be run."""


def image(figure: go.Figure, form: str) -> bytes:
    """The figure as an image of this format (``svg``, ``png`` or ``pdf``).

    Raises:
        NoBrowserError: Chromium or Chrome is not installed, or fails.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise NoBrowserError(
            f"drawing {form.upper()} needs Chromium or Chrome, and none is in the PATH; "
            "HTML needs none (-o x.html)"
        )
    import kaleido
    from choreographer.errors import DevtoolsProtocolError

    try:
        content: bytes = kaleido.calc_fig_sync(
            figure,
            opts={"format": form, "scale": 2 if form == "png" else 1},
            kopts={"path": path, "mathjax": False},  # MathJax would be loaded from elsewhere
        )
    except (DevtoolsProtocolError, OSError, RuntimeError, ValueError) as error:
        raise NoBrowserError(f"{path} could not draw the figure: {error}") from error
    return content
