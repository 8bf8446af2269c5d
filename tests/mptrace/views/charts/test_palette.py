"""One palette, legible on its page, and subflows told apart without colours as well."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mptrace.views.charts import palette


def linear(color: str) -> np.ndarray[Any, Any]:
    """Linear light of an sRGB colour (IEC 61966-2-1)."""
    parts = np.array([int(color[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(color: str) -> float:
    return float(linear(color) @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_series_and_texts_stand_out_from_the_page(theme: palette.Theme) -> None:
    colors = palette.COLORS[theme]
    page = luminance(colors["$page"])
    for token, color in colors.items():
        if token in ("$page", "$grid", "$faint"):
            continue
        high, low = sorted((luminance(color), page), reverse=True)
        # WCAG 2.2: 3 for graphics (1.4.11), 4.5 for texts (1.4.3)
        least = 4.5 if token in ("$ink", "$soft", "$bad") else 3
        assert (high + 0.05) / (low + 0.05) >= least, token


DEFICIENCIES = {
    # Machado, Oliveira and Fernandes (2009), severity 1
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lab(light: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """CIE L*a*b* of linear sRGB light, under D65."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ light / (0.9505, 1.0, 1.089)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array((116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", [None, *DEFICIENCIES])
def test_colours_of_subflows_differ_for_every_eye(
    theme: palette.Theme, deficiency: str | None
) -> None:
    matrix = np.eye(3) if deficiency is None else np.array(DEFICIENCIES[deficiency])
    seen = [lab(np.clip(matrix @ linear(palette.COLORS[theme][f"$s{n}"]), 0, 1)) for n in range(4)]
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(one - other) > 12


def test_subflows_have_a_dash_and_a_symbol_of_their_own() -> None:
    for kind in (palette.subflow_dash, palette.subflow_symbol, palette.subflow_pattern):
        assert len({kind(index) for index in range(6)}) == 6
    assert len({palette.subflow_token(index) for index in range(7)}) == 7
    # the eighth has the first one's colour, and another dash
    assert palette.subflow_token(7) == palette.subflow_token(0)
    assert palette.subflow_dash(7) != palette.subflow_dash(0)


def test_painting_replaces_tokens_wherever_they_are() -> None:
    value = {"a": ["$s0", {"b": "$ink"}], "c": 1, "d": ("$unknown",)}
    painted = palette.painted(value, "dark")
    colors = palette.COLORS["dark"]
    assert painted == {"a": [colors["$s0"], {"b": colors["$ink"]}], "c": 1, "d": ["$unknown"]}
