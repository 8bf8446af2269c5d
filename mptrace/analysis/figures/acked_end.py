"""How far the data of each space was acknowledged, and when (RFC 8684 section 3.3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.data_plane import DataPlane
    from mptrace.analysis.figures.sums import SpaceFigures


@dataclass(slots=True)
class AckedEnd:
    """How far each space was acknowledged, and when that was reached; (spaces,) each."""

    octets: I64
    reached_ns: I64
    data_fin_acked: NDArray[np.int8]
    """-1: no DATA_FIN was seen."""

    @classmethod
    def of(cls, plane: DataPlane, figures: SpaceFigures, fin_relative: I64) -> AckedEnd:
        """``fin_relative`` is (spaces,): where the DATA_FIN stands, -1 where there is none."""
        acks: Acknowledgements = plane.data_acks
        spaces = fin_relative.size
        beyond = (fin_relative >= 0) & (figures.highest_acked > fin_relative)
        octets = np.maximum(figures.highest_acked - 1 - beyond, 0)
        end = plane.data.place(octets + 1, np.arange(spaces))
        row = acks.first_covering(np.arange(spaces), end)
        reached = np.where(row >= 0, acks.time_ns[row], 0) if acks.group.size else octets * 0
        return cls(
            octets, reached, np.where(fin_relative < 0, -1, beyond.astype(np.int8)).astype(np.int8)
        )
