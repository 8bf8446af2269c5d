"""DataFrames of subflows and connections: the model's values, flattened.

Columns follow from the model's types, so that every capture has the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from mptrace.analysis.model import Connection, Subflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

_UNSIGNED = frozenset({"key", "token", "initial_dsn"})
_DTYPES = {int: "int64", float: "float64", bool: "bool", str: "string"}
_NULLABLE = {int: "Int64", float: "float64", bool: "boolean", str: "string"}
_WIRESHARK = {"tcp_stream": "tcp.stream"}


def connections(connection_list: Iterable[Connection]) -> pd.DataFrame:
    """One row per connection, ``mptcp.stream`` first.

    Columns are the keys of the JSON (docs/json.md), joined by points where they nest:
    ``client_to_server.unique_octets``. In place of a list stands its length.
    """
    rows = list(connection_list)
    return _frame({"mptcp.stream": [row.index for row in rows]}, _leaves(Connection), rows)


def subflows(connection_list: Iterable[Connection]) -> pd.DataFrame:
    """One row per subflow, columns as in `connections`; ``mptrace.subflow`` is its index."""
    pairs = [(c.index, subflow) for c in connection_list for subflow in c.subflows]
    leading = {
        "mptcp.stream": [connection for connection, _ in pairs],
        "mptrace.subflow": [subflow.index for _, subflow in pairs],
    }
    return _frame(leading, _leaves(Subflow), [subflow for _, subflow in pairs])


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One value of the model, found by following ``path``."""

    path: tuple[str, ...]
    dtype: str
    counts: bool
    """Stands for the length of a list."""

    @property
    def name(self) -> str:
        joined = ".".join(self.path)
        return _WIRESHARK.get(joined, joined)

    def of(self, value: Any) -> Any:
        for attribute in self.path:
            if value is None:
                return None
            value = getattr(value, attribute)
        return len(value) if self.counts else value


@cache
def _leaves(kind: type) -> tuple[_Leaf, ...]:
    """The plain values of a dataclass and of those within it, in the order of their fields."""
    return tuple(leaf for leaf in _walk(kind, (), optional=False) if leaf.path != ("index",))


def _walk(kind: Any, path: tuple[str, ...], *, optional: bool) -> list[_Leaf]:
    found: list[_Leaf] = []
    hints = get_type_hints(kind)
    for field in fields(kind):
        here = (*path, field.name)
        parts = _alternatives(hints[field.name])
        nullable = optional or NoneType in parts
        plain = next(part for part in parts if part is not NoneType)
        if get_origin(plain) is tuple:
            found.append(_Leaf(here, _NULLABLE[int] if optional else _DTYPES[int], counts=True))
        elif is_dataclass(plain):
            found += _walk(plain, here, optional=nullable)
        else:
            kinds = _NULLABLE if nullable else _DTYPES
            dtype = "UInt64" if field.name in _UNSIGNED else kinds[plain]
            found.append(_Leaf(here, dtype, counts=False))
    return found


def _alternatives(hint: Any) -> list[Any]:
    """The types that a hint allows; literals count as the type of their values."""
    if get_origin(hint) in (Union, UnionType):
        return [part for inner in get_args(hint) for part in _alternatives(inner)]
    if get_origin(hint) is Literal:
        return [type(get_args(hint)[0])]
    return [hint]


def _frame(
    leading: dict[str, list[int]], leaves: Sequence[_Leaf], rows: Sequence[Any]
) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        name: pd.array(numbers, dtype="int64") for name, numbers in leading.items()
    }
    for leaf in leaves:
        values = [leaf.of(row) for row in rows]
        if leaf.dtype == "float64":
            values = [float("nan") if value is None else float(value) for value in values]
        dtype: Any = leaf.dtype
        columns[leaf.name] = pd.array(values, dtype=dtype)
    return pd.DataFrame(columns)
