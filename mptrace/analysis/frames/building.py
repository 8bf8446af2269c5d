"""From numpy columns to a DataFrame that holds to its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mptrace.analysis.columns.tables import Bool
    from mptrace.analysis.frames import schema

SECOND = 1e-9
ABSENT = -1
"""Code of an absent category."""


@dataclass(frozen=True, slots=True)
class Masked:
    """Integers, some of them absent; (n,) each."""

    values: NDArray[np.integer]
    present: Bool


@dataclass(frozen=True, slots=True)
class Categories:
    """Texts as codes into ``names``; -1 is absent."""

    codes: NDArray[np.integer]
    names: tuple[str, ...]


Column = NDArray[Any] | Masked | Categories


def masked(values: NDArray[np.integer], present: Bool) -> Masked:
    """Integers that are present only where ``present`` says so."""
    return Masked(values, present)


def categories(codes: NDArray[np.integer], names: Sequence[str]) -> Categories:
    """Texts by number."""
    return Categories(codes, tuple(names))


def frame(columns: Sequence[schema.Column], values: dict[str, Column]) -> pd.DataFrame:
    """A DataFrame with exactly these columns, in their order and with their dtypes."""
    import pandas as pd

    return pd.DataFrame(
        {column.name: _series(column.dtype, values[column.name]) for column in columns}
    )


def _series(dtype: str, value: Column) -> Any:
    """One column in the dtype that its schema states."""
    import pandas as pd

    if isinstance(value, Categories):
        names: Any = list(value.names)
        return pd.Categorical.from_codes(value.codes.astype(np.int32), names)
    if isinstance(value, Masked):
        kind: Any = pd.arrays.IntegerArray
        numbers = np.where(value.present, value.values, value.values.dtype.type(0))
        return kind(numbers.astype(np.uint64 if dtype == "UInt64" else np.int64), ~value.present)
    if dtype.startswith("datetime64"):
        return pd.DatetimeIndex(value.view("datetime64[ns]"), tz="UTC")
    return value.astype(dtype, copy=False)
