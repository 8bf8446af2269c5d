"""The analysis as JSON: the contract with other programs (docs/json.md, analysis.schema.json).

The names of the model are the keys, so nothing is translated except numbers of 64 bits, which
become hexadecimal strings, and the time of the first packet, which becomes ISO 8601. One line per
connection and finding: a file of ten thousand connections is written as it goes.
"""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from mptrace.analysis import model
from mptrace.views import figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mptrace.views.reading import Reading

SCHEMA_VERSION: Final = 1


def chunks(reading: Reading) -> Iterator[str]:
    """Yield the JSON document piece by piece, each piece ending a line."""
    yield f'{{"schema_version": {SCHEMA_VERSION},\n'
    yield f' "capture": {_encode(reading.capture)},\n'
    yield f' "plain_tcp_streams": {reading.plain_tcp_streams},\n'
    yield ' "connections": '
    yield from _array(reading.connection_list)
    yield ',\n "findings": '
    yield from _array(reading.findings)
    yield "}\n"


def document(reading: Reading) -> dict[str, Any]:
    """Return the JSON document as Python values."""
    value: dict[str, Any] = json.loads("".join(chunks(reading)))
    return value


def _array(values: Iterable[object]) -> Iterator[str]:
    separator = "[\n  "
    for value in values:
        yield separator + _encode(value)
        separator = ",\n  "
    yield "[]" if separator == "[\n  " else "\n ]"


def _plain(kind: type) -> Callable[[Any], dict[str, Any]]:
    """Return what turns a dataclass into a dict of its fields; its values stay as they are.

    Faster than dataclasses.asdict by far, which copies every value: the encoder asks again for
    each dataclass inside.
    """
    names = tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    values = attrgetter(*names)
    return lambda instance: dict(zip(names, values(instance), strict=True))


def _capture(capture: model.CaptureSummary) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in _FIELDS[model.CaptureSummary](capture).items():
        if name == "first_time_ns":
            result["first_time"] = None if value is None else figures.iso_time(value)
        else:
            result[name] = value
    return result


def _host(host: model.Host) -> dict[str, Any]:
    return {
        "key": figures.wide_hex(host.key, 16),
        "token": figures.wide_hex(host.token, 8),
        "initial_dsn": figures.wide_hex(host.initial_dsn, 16),
    }


_FIELDS: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
    kind: _plain(kind)
    for kind in vars(model).values()
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")
}
_ENCODERS: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
    **_FIELDS,
    model.CaptureSummary: _capture,
    model.Host: _host,
}


def _default(value: object) -> dict[str, Any]:
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"{type(value).__name__} has no place in the JSON document")
    return encoder(value)


_encode: Final = json.JSONEncoder(
    default=_default,
    allow_nan=False,
    ensure_ascii=True,
    check_circular=False,  # a tree
).encode
