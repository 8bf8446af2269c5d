"""The analysis as tables on disk: CSV for everyone, Parquet for those who load it again.

Five tables, a file each: connections, subflows, mappings, packets and findings. Columns are named
as in the DataFrames of the analysis, so with Wireshark's field names where it has one. 64-bit
numbers are integers in every file.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

    from mptrace.analysis.model import Finding
    from mptrace.views.reading import Reading

NAMES: Final = ("connections", "subflows", "mappings", "packets", "findings")
"""The tables, each a file of that name."""


class MissingPyarrowError(ImportError):
    """Parquet was asked for and pyarrow, an optional dependency, is not installed."""

    def __init__(self) -> None:
        super().__init__("Parquet files need pyarrow: install mptrace[parquet]")


def require_parquet() -> None:
    """Raise :class:`MissingPyarrowError` where Parquet can't be written."""
    if find_spec("pyarrow") is None:
        raise MissingPyarrowError


def write_csv(reading: Reading, directory: str | PathLike[str]) -> tuple[Path, ...]:
    """Write each table as CSV into a directory, which is made if need be; return the files.

    An absent value is an empty field; a list (packets of a finding) is separated by spaces.

    Raises:
        OSError: the directory or a file in it cannot be written.
    """
    paths = []
    for name, frame in _frames(reading, directory):
        path = Path(directory) / f"{name}.csv"
        flat = frame.assign(**{column: _joined(frame[column]) for column in _list_columns(name)})
        flat.to_csv(path, index=False)
        paths.append(path)
    return tuple(paths)


def write_parquet(reading: Reading, directory: str | PathLike[str]) -> tuple[Path, ...]:
    """Write each table as Parquet into a directory, which is made if need be; return the files.

    Raises:
        MissingPyarrowError: pyarrow is not installed.
        OSError: the directory or a file in it cannot be written.
    """
    require_parquet()
    paths = []
    for name, frame in _frames(reading, directory):
        path = Path(directory) / f"{name}.parquet"
        frame.to_parquet(path, engine="pyarrow", index=False)
        paths.append(path)
    return tuple(paths)


def findings_frame(findings: tuple[Finding, ...]) -> pd.DataFrame:
    """Return findings as a DataFrame of n rows; ``packets`` holds a list of numbers in each."""
    import pandas as pd

    numbers = {
        name: pd.array([getattr(finding, name) for finding in findings], dtype="Int64")
        for name in ("connection", "subflow", "packet_count")
    }
    texts = {
        name: pd.array([getattr(finding, name) for finding in findings], dtype="string")
        for name in ("code", "severity", "message", "reference")
    }
    packets = pd.Series([list(finding.packets) for finding in findings], dtype="object")
    order = (
        "code", "severity", "connection", "subflow", "packets", "packet_count", "message",
        "reference",
    )  # fmt: skip
    return pd.DataFrame({**numbers, **texts, "packets": packets})[list(order)]


def _frames(
    reading: Reading, directory: str | PathLike[str]
) -> tuple[tuple[str, pd.DataFrame], ...]:
    Path(directory).mkdir(parents=True, exist_ok=True)
    return (
        ("connections", reading.connections),
        ("subflows", reading.subflows),
        ("mappings", reading.mappings),
        ("packets", reading.packets),
        ("findings", findings_frame(reading.findings)),
    )


def _list_columns(name: str) -> tuple[str, ...]:
    return ("packets",) if name == "findings" else ()


def _joined(column: pd.Series) -> pd.Series:
    return column.map(lambda numbers: " ".join(map(str, numbers)))
