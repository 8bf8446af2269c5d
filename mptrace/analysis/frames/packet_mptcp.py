"""What the MPTCP options of each packet say, as columns in frame order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dissector.constants import MptcpSubtype
from mptrace.analysis.data_sequence.data_space import as_carried

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, U64, Bool
    from mptrace.analysis.data_sequence.data_plane import DataPlane

_SUBTYPE_BITS = 14
"""Bits above are for cut and odd options (`tables.SegmentTable.subtypes`)."""


@dataclass(slots=True)
class OptionColumns:
    """One row a packet; every column is (n,). Of several DSS in a packet the first counts."""

    subtypes: I64
    """Index into the two tuples below; -1 without an MPTCP option."""
    subtype_numbers: tuple[str, ...]
    subtype_names: tuple[str, ...]
    has_map: Bool
    raw_data_seq: U64
    data_seq: U64
    relative_seq: I64
    subflow_seq: U64
    data_length: U64
    has_ack: Bool
    raw_data_ack: U64
    data_ack: U64
    relative_ack: I64
    data_fin: Bool


def option_columns(plane: DataPlane, order: I64) -> OptionColumns:
    """``order`` is (n,): rows of the subflow space in frame order."""
    n = order.size
    at = np.empty(n, np.int64)
    at[order] = np.arange(n)
    dss, expanded = plane.dss, plane.expanded
    # written back to front, so that the first DSS of a packet stays
    back = np.arange(len(dss))[::-1]
    row = at[plane.dss_row[back]]
    index = np.full(n, -1)
    index[row] = back
    has_dss = index >= 0
    if len(dss):
        chosen = np.where(has_dss, index, 0)
        space = plane.space_of_way[plane.subflows.way[order]]
        data_seq, data_ack = expanded.data_seq[chosen], expanded.data_ack[chosen]
        initial = plane.data.initial_data_seq
        relative_seq = (data_seq - initial[space]).view(np.int64)
        relative_ack = (data_ack - initial[space ^ 1]).view(np.int64)
        columns = (
            has_dss & (dss.data_seq_octets[chosen] > 0),
            as_carried(data_seq, dss.data_seq_octets[chosen]),
            data_seq,
            relative_seq,
            dss.subflow_seq[chosen].astype(np.uint64),
            dss.data_length[chosen].astype(np.uint64),
            has_dss & (dss.data_ack_octets[chosen] > 0),
            as_carried(data_ack, dss.data_ack_octets[chosen]),
            data_ack,
            relative_ack,
            has_dss & dss.data_fin[chosen],
        )
    else:
        no, zero, none = np.zeros(n, np.bool_), np.zeros(n, np.uint64), np.zeros(n, np.int64)
        columns = (no, zero, zero, none, zero, zero, no, zero, zero, none, no)
    bits, code = np.unique(
        plane.subflows.segments.subtypes[order] & np.uint16((1 << _SUBTYPE_BITS) - 1),
        return_inverse=True,
    )
    numbers: list[str] = []
    names: list[str] = []
    renumbered: list[int] = []
    for mask in bits.tolist():
        present = [subtype for subtype in range(_SUBTYPE_BITS) if mask >> subtype & 1]
        renumbered.append(len(numbers) if present else -1)
        if present:
            numbers.append(",".join(map(str, present)))
            names.append(", ".join(_name(subtype) for subtype in present))
    subtypes = np.array(renumbered, np.int64)[code] if n else np.empty(0, np.int64)
    return OptionColumns(subtypes, tuple(numbers), tuple(names), *columns)


def _name(subtype: int) -> str:
    try:
        return MptcpSubtype(subtype).name
    except ValueError:
        return f"subtype {subtype}"
