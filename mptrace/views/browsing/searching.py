"""Finding packets: by their words, by octets, by a filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from mptrace.views.browsing.ordinary_rows import UNLIKE
from mptrace.views.browsing.steps import common, next_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mptrace.views.browsing.opened import OpenedCapture

Kind = Literal["words", "text", "octets", "filter"]
KINDS: Final[tuple[Kind, ...]] = ("words", "text", "octets", "filter")
LABELS: Final = (
    "Find in the list's words",
    "Find text in the octets",
    "Find octets in hexadecimal",
    "Find by filter",
)
_BATCH_ROWS: Final = 2048
_MOST_SPAN: Final = 8 << 20
"""Packets further apart in their file than this are read one by one."""


class SearchFaultError(Exception):
    """What is searched for makes no sense; the text says why."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for."""

    kind: Kind
    text: str
    octets: bytes = b""

    @classmethod
    def of(cls, kind: Kind, text: str) -> Search:
        """Understand what was typed. Raises SearchFaultError."""
        if not text:
            raise SearchFaultError("There is nothing to find")
        if kind == "octets":
            try:
                octets = bytes.fromhex(text.replace(":", " "))
            except ValueError:
                raise SearchFaultError("Octets are pairs of digits: 1e 1a or 1e:1a") from None
            return cls(kind, text, octets)
        return cls(kind, text, text.encode() if kind == "text" else b"")


def find(
    opened: OpenedCapture,
    search: Search,
    shown: NDArray[np.int64],
    row: int,
    step: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> int | None:
    """The next (step 1) or previous (-1) row that matches, going round at the end.

    ``shown`` ascends; only its rows are looked at. None where nothing matches, or where it was
    cancelled. Raises FilterError for a filter that can't be understood.
    """
    if search.kind == "filter":
        rows = common(opened.filter.rows(search.text), shown)
        found = next_row(rows, row, step)
        if found is None and rows.size:
            found = int(rows[0] if step > 0 else rows[-1])
        return found
    match = _word_search(search) if search.kind == "words" else _octet_search
    for rows in _batches(shown, row, step):
        if cancelled():
            return None
        found = match(opened, search, rows)
        if found is not None:
            return found
    return None


def _batches(shown: NDArray[np.int64], row: int, step: int) -> Iterator[NDArray[np.int64]]:
    """All rows, in the order in which they are looked at, beginning beside ``row``."""
    if step > 0:
        at = int(np.searchsorted(shown, row, side="right"))
        order = np.concatenate((shown[at:], shown[:at]))
    else:
        at = int(np.searchsorted(shown, row, side="left"))
        order = np.concatenate((shown[:at][::-1], shown[at:][::-1]))
    size = 64  # the nearest are looked at first, so that a near match comes at once
    begin = 0
    while begin < order.size:
        yield order[begin : begin + size]
        begin += size
        size = min(2 * size, _BATCH_ROWS)


_Match = Callable[["OpenedCapture", Search, "NDArray[np.int64]"], "int | None"]


def _word_search(search: Search) -> _Match:
    """Look at the words of each row; of rows that differ in digits only, at one of each kind."""
    wanted = search.text.casefold()
    plain = not any(character.isdigit() for character in wanted)
    known: dict[int, bool] = {}

    def first(opened: OpenedCapture, _: Search, rows: NDArray[np.int64]) -> int | None:
        kinds = opened.rows.kinds[rows] if plain else np.full(rows.size, UNLIKE)
        for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True):
            holds = known.get(kind)
            if holds is None:
                holds = wanted in opened.rows.made(row).words.casefold()
                if kind != UNLIKE:
                    known[kind] = holds
            if holds:
                return int(row)
        return None

    return first


def _octet_search(opened: OpenedCapture, search: Search, rows: NDArray[np.int64]) -> int | None:
    extents = opened.packets.extents(rows)
    matching = np.zeros(rows.size, np.bool_)
    for source in np.unique(extents[:, 0]).tolist():
        own = np.flatnonzero(extents[:, 0] == source)
        matching[own] = _matches(opened, search.octets, source, extents[own, 1:])
    hits = np.flatnonzero(matching)
    return int(rows[hits[0]]) if hits.size else None


def _matches(
    opened: OpenedCapture, wanted: bytes, source: int, extents: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(n,): which packets of one file (offset and length each) hold the octets."""
    first = int(extents[:, 0].min())
    length = int((extents[:, 0] + extents[:, 1]).max()) - first
    read = opened.packets.read_octets
    if length > _MOST_SPAN:
        held = [wanted in read(source, start, size) for start, size in extents.tolist()]
        return np.array(held, np.bool_)
    block = read(source, first, length)
    begins = np.array(list(_places(block, wanted)), np.int64) + first
    order = np.argsort(extents[:, 0], kind="stable")
    at = np.searchsorted(extents[order, 0], begins, side="right") - 1
    within = at >= 0
    packet = order[at[within]]
    whole = begins[within] + len(wanted) <= extents[packet, 0] + extents[packet, 1]
    result = np.zeros(extents.shape[0], np.bool_)
    result[packet[whole]] = True
    return result


def _places(block: bytes, wanted: bytes) -> Iterator[int]:
    at = block.find(wanted)
    while at >= 0:
        yield at
        at = block.find(wanted, at + 1)
