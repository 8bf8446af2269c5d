"""Every field that a display filter can name."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from mptrace.analysis.filter.analysis_fields import analysis_fields
from mptrace.analysis.filter.frame_fields import frame_fields
from mptrace.analysis.filter.network_fields import network_fields
from mptrace.analysis.filter.option_fields import option_fields
from mptrace.analysis.filter.tcp_fields import tcp_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mptrace.analysis.filter.field import Field


@cache
def fields() -> Mapping[str, Field]:
    """All fields by name, those for deriving others included."""
    every = (
        *frame_fields(),
        *network_fields(),
        *tcp_fields(),
        *option_fields(),
        *analysis_fields(),
    )
    result = {field.name: field for field in every}
    if len(result) != len(every):
        raise AssertionError("two fields of one name")
    return result


def find(name: str) -> Field | None:
    """The field of this name, for users; None where there is none."""
    field = fields().get(name)
    return None if field is None or field.hidden else field


def visible() -> tuple[Field, ...]:
    """The fields that users may name, by name."""
    return tuple(field for _, field in sorted(fields().items()) if not field.hidden)


def similar(name: str) -> tuple[str, ...]:
    """Names that a misspelled one may mean, the nearest first."""
    names = [field.name for field in visible()]
    lower = name.lower()
    if lower in names:
        return (lower,)
    # half a name is more often forgotten than a letter: tcp.subtype, dsn
    parts = [known for known in names if known.endswith(f".{lower.rpartition('.')[2]}")]
    close = get_close_matches(lower, names, n=3, cutoff=0.75)
    return tuple(dict.fromkeys([*close, *parts]))[:3]
