"""Dots on a grid of characters: each character holds two by four (Unicode's Braille patterns)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BRAILLE: Final = 0x2800
_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.int64)
DOTS_ACROSS: Final = 2
DOTS_DOWN: Final = 4
NO_LAYER: Final = -1
_MOST_DOTS: Final = 4096
"""A line that is mostly outside is drawn with this many dots at most."""


class Canvas:
    """A drawing of ``width`` by ``height`` characters; dots count from the lower left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots_across, self.dots_down = width * DOTS_ACROSS, height * DOTS_DOWN
        self._bits = np.zeros((height, width), np.int64)
        self._layer = np.full((height, width), NO_LAYER, np.int64)

    def dots(self, x: NDArray[np.int64], y: NDArray[np.int64], layer: int) -> None:
        """Draw dots; what is outside is left out. A later layer colours the characters it hits."""
        inside = (x >= 0) & (x < self.dots_across) & (y >= 0) & (y < self.dots_down)
        x, y = x[inside], y[inside]
        down = self.dots_down - 1 - y
        row, column = down // DOTS_DOWN, x // DOTS_ACROSS
        np.bitwise_or.at(self._bits, (row, column), _BITS[down % DOTS_DOWN, x % DOTS_ACROSS])
        self._layer[row, column] = layer

    def bars(
        self, x: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64], layer: int
    ) -> None:
        """Draw vertical lines from ``low`` to ``high``, both included."""
        low = np.clip(low, 0, self.dots_down - 1)
        high = np.clip(high, 0, self.dots_down - 1)
        counts = np.maximum(high - low + 1, 0)
        which = np.repeat(np.arange(x.size), counts)
        offset = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        self.dots(x[which], low[which] + offset, layer)

    def lines(
        self,
        x: NDArray[np.int64],
        y: NDArray[np.int64],
        x_end: NDArray[np.int64],
        y_end: NDArray[np.int64],
        layer: int,
    ) -> None:
        """Draw straight lines, both ends included."""
        seen = (np.maximum(x, x_end) >= 0) & (np.minimum(x, x_end) < self.dots_across)
        x, y, x_end, y_end = x[seen], y[seen], x_end[seen], y_end[seen]
        counts = np.maximum(np.abs(x_end - x), np.abs(y_end - y)) + 1
        counts = np.minimum(counts, _MOST_DOTS)
        which = np.repeat(np.arange(x.size), counts)
        offset = np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)
        part = offset / np.maximum(counts - 1, 1)[which]
        across = np.rint(x[which] + (x_end - x)[which] * part).astype(np.int64)
        up = np.rint(y[which] + (y_end - y)[which] * part).astype(np.int64)
        self.dots(across, up, layer)

    def row(self, index: int) -> list[tuple[str, int]]:
        """One line of characters, from the top: stretches of text with their layer."""
        stretches: list[tuple[str, int]] = []
        for bits, layer in zip(
            self._bits[index].tolist(), self._layer[index].tolist(), strict=True
        ):
            character = chr(_BRAILLE + bits) if bits else " "
            if stretches and stretches[-1][1] == layer:
                stretches[-1] = (stretches[-1][0] + character, layer)
            else:
                stretches.append((character, layer))
        return stretches
