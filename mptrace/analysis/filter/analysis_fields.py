"""Fields that only the finished analysis knows: connections, data sequence space, findings.

The columns of `frames.schema.PACKETS` whose names begin with ``mptcp.`` or ``mptrace.`` are fields
of the same name. Packets without MPTCP, and second captures of one packet, have none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mptrace.analysis.data_sequence.copies import CopyClass, Worth
from mptrace.analysis.filter.columns import Column, in_order
from mptrace.analysis.filter.field import Columns, Field
from mptrace.analysis.filter.field_types import FieldType
from mptrace.analysis.frames.building import Categories, Masked
from mptrace.analysis.frames.schema import PACKETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from mptrace.analysis.frames import schema

_PREFIXES: Final = ("mptcp.", "mptrace.")
_AMOUNTS: Final = ("_octets", "_extent")
"""Columns ending so are 0 where there is nothing: the field is absent then."""
_TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "mptrace.direction": ("client_to_server", "server_to_client"),
    "mptrace.copy": tuple(kind.name.lower() for kind in CopyClass),
    "mptrace.reinjection": tuple(worth.name.lower() for worth in Worth if worth),
}
_SECOND_NS: Final = 1e9


def analysis_fields() -> Iterator[Field]:
    """All fields of this module."""
    for column in PACKETS:
        if column.name.startswith(_PREFIXES):
            yield Field(
                column.name,
                _type(column),
                column.meaning,
                64,
                derive=_packet_values(column.name),
                from_analysis=True,
                texts=_TEXTS.get(column.name, ()),
            )
    yield Field(
        "mptrace.out_of_order",
        FieldType.PRESENCE,
        "data that came before lower data",
        derive=_packet_values("mptrace.out_of_order_octets"),
        from_analysis=True,
    )
    yield Field(
        "mptcp.master",
        FieldType.BOOLEAN,
        "whether the subflow is the initial one",
        derive=_is_initial,
        from_analysis=True,
    )
    yield Field(
        "mptcp.dss.dsn",
        FieldType.SIGNED,
        "data sequence number in the DSS, relative",
        derive=_dss_dsn,
        from_analysis=True,
    )
    for name, meaning, attribute, texts in (
        ("finding", "code of a finding that the packet proves", "code", ()),
        (
            "finding.severity",
            "severity of a finding that the packet proves",
            "severity",
            ("error", "warning", "note"),
        ),
    ):
        yield Field(
            f"mptrace.{name}",
            FieldType.TEXT,
            meaning,
            derive=_of_findings(attribute),
            from_analysis=True,
            texts=texts,
        )


def _type(column: schema.Column) -> FieldType:
    if column.dtype == "category":
        return FieldType.TEXT
    if column.dtype == "bool":
        return FieldType.PRESENCE
    if column.dtype == "float64":
        return FieldType.TIME
    return FieldType.UNSIGNED if column.dtype.lower() == "uint64" else FieldType.SIGNED


def _packet_values(name: str) -> Callable[[Columns], Column]:
    def derive(columns: Columns) -> Column:
        values = columns.analysis_values
        frames: Any = values["frame.number"]
        row = frames - 1
        found = values[name]
        if isinstance(found, Masked):
            return Column(row, found.values).take(found.present)
        if isinstance(found, Categories):
            codes = found.codes.astype(np.int64)
            return Column(row, codes, found.names).take(codes >= 0)
        if found.dtype == np.bool_:
            return Column(row, row).take(found)
        if found.dtype == np.float64:
            present = ~np.isnan(found)
            return Column(row[present], np.rint(found[present] * _SECOND_NS).astype(np.int64))
        column = Column(row, found)
        return column.take(found > 0) if name.endswith(_AMOUNTS) else column

    return derive


def _is_initial(columns: Columns) -> Column:
    stream = _packet_values("tcp.stream")(columns)
    initial = [
        subflow.tcp_stream
        for connection in columns.analysis.connection_list
        for subflow in connection.subflows
        if subflow.kind == "initial"
    ]
    return Column(stream.row, np.isin(stream.value, initial).astype(np.int64))


def _dss_dsn(columns: Columns) -> Column:
    plane = columns.analysis.evidence.plane
    mapped = np.flatnonzero(plane.dss.data_seq_octets > 0)
    rows = plane.dss_row[mapped]
    space = plane.space_of_way[plane.subflows.way[rows]]
    relative = plane.expanded.data_seq[mapped] - plane.data.initial_data_seq[space]
    frame = plane.subflows.segments.frame_number[rows].astype(np.int64)
    return in_order(Column(frame - 1, relative.view(np.int64)))


def _of_findings(attribute: str) -> Callable[[Columns], Column]:
    def derive(columns: Columns) -> Column:
        findings = columns.analysis.findings
        texts = [getattr(finding, attribute) for finding in findings]
        names = tuple(dict.fromkeys(texts))
        code_of = {name: code for code, name in enumerate(names)}
        rows = _flat(finding.packets for finding in findings) - 1
        counts = [len(finding.packets) for finding in findings]
        codes = np.repeat(np.array([code_of[text] for text in texts], np.int64), counts)
        return in_order(Column(rows, codes, names))

    return derive


def _flat(parts: Iterable[Iterable[int]]) -> NDArray[np.int64]:
    return np.array([number for part in parts for number in part], np.int64)
