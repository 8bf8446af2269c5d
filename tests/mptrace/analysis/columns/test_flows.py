"""5-tuples are numbered as a dictionary would number them, whatever their hashes are."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from mptrace.analysis.columns import flows
from mptrace.analysis.columns.flows import FlowTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dissector.packet_columns import TcpColumns

Endpoint = tuple[int, int, int]
Flow = tuple[int, Endpoint, Endpoint]


def some_flows(count: int, families: tuple[int, ...]) -> list[Flow]:
    source = random.Random(count)
    found = []
    for _ in range(count):
        family = source.choice(families)

        def endpoint(family: int = family) -> Endpoint:
            high = source.choice((0x20010DB8 << 32, 0x20010DB8 << 32 | 7)) if family == 6 else 0
            return high, source.randrange(1, 6), source.choice((80, 443, 50000))

        found.append((family, endpoint(), endpoint()))
    return found


def columns_of(rows: list[Flow]) -> TcpColumns:
    def column(dtype: type, values: list[int]) -> NDArray[np.unsignedinteger]:
        return np.array(values, dtype)

    columns = SimpleNamespace(
        family=column(np.uint8, [family for family, _, _ in rows]),
        source_high=column(np.uint64, [one[0] for _, one, _ in rows]),
        source_low=column(np.uint64, [one[1] for _, one, _ in rows]),
        source_port=column(np.uint16, [one[2] for _, one, _ in rows]),
        destination_high=column(np.uint64, [other[0] for _, _, other in rows]),
        destination_low=column(np.uint64, [other[1] for _, _, other in rows]),
        destination_port=column(np.uint16, [other[2] for _, _, other in rows]),
    )
    return cast("TcpColumns", columns)


def check(batches: list[list[Flow]]) -> None:
    table = FlowTable()
    names: dict[tuple[int, frozenset[Endpoint]], int] = {}
    of_number: dict[int, tuple[int, frozenset[Endpoint]]] = {}
    for rows in batches:
        number, from_low = table.number(columns_of(rows))
        for (family, one, other), found, low_sent in zip(rows, number, from_low, strict=True):
            key = (family, frozenset((one, other)))
            assert names.setdefault(key, int(found)) == found
            assert of_number.setdefault(int(found), key) == key
            assert bool(low_sent) == (one <= other)
    assert sorted(of_number) == list(range(len(table)))


@pytest.mark.parametrize("families", [(4,), (6,), (4, 6)])
def test_numbers_name_flows(families: tuple[int, ...]) -> None:
    check([some_flows(count, families) for count in (1, 300, 40, 500)])


def test_ipv4_flows_keep_their_numbers_beside_ipv6() -> None:
    """A batch of IPv4 alone is hashed in a shorter way."""
    check([some_flows(300, (4,)), some_flows(500, (4, 6)), some_flows(200, (4,))])


@pytest.mark.parametrize("hashes", [1, 3, 1 << 62])
def test_colliding_hashes(hashes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = flows.mixed
    monkeypatch.setattr(flows, "mixed", lambda columns: mixed(columns) % np.uint64(hashes))
    check([some_flows(count, (4, 6)) for count in (1, 200, 30, 300)])
