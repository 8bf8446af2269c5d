"""What each figure means: docs/definitions.md, term by term, for views that explain themselves."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = "definitions.md"
_TERM: Final = re.compile(r"\*\*(?P<term>[^*]+?)\.?\*\*")

LABELS: Final[Mapping[str, str]] = MappingProxyType({
    "Data sent, each octet once": "Unique octets",
    "Acknowledged (DATA_ACK)": "Acknowledged octets",
    "Missing from the capture": "Missing octets",
    "Goodput": "Goodput",
    "Throughput, all copies": "Throughput",
    "Data RTT, median (95 %)": "Data RTT",
    "Retransmitted by TCP": "Copy",
    "Remapped (same subflow again)": "Copy",
    "Reinjected (other subflow)": "Copy",
    "useful": "Copy",
    "redundant": "Copy",
    "spurious": "Copy",
    "Out of order": "Out of order",
    "gap filled, median (95 %)": "Out of order",
    "Without a mapping": "Unmapped octets",
    "Most in flight": "Data flight",
    "Limited by the receive window": "Window-limited",
    "Stalls": "Stall",
    "DSS checksums": "Checksum failures",
    "DATA_FIN": "States and ends",
    "Began": "Join delay",
    "Handshake": "Handshake time",
    "End": "States and ends",
    "State": "States and ends",
    "Share of the data": "Contribution",
    "Packets": "Copy",
    "Payload": "Throughput",
    "Retransmitted": "Copy",
    "Remapped": "Copy",
    "Reinjected": "Copy",
    "Unmapped": "Unmapped octets",
    "RTT median": "Subflow RTT",
    "RTT 95 %": "Subflow RTT",
    "Findings": "States and ends",
    "Client sent": "Unique octets",
    "Server sent": "Unique octets",
})  # fmt: skip
"""Labels of the tables that people read, and the term that defines each."""


class Definition(NamedTuple):
    """A term and what docs/definitions.md says of it, as Markdown."""

    term: str
    text: str

    @property
    def slug(self) -> str:
        """The term as the end of an id."""
        return re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")


@cache
def page() -> str:
    """The text of docs/definitions.md, which a wheel carries beside this module."""
    packaged = files("mptrace.views") / PAGE
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "docs" / PAGE).read_text(encoding="utf-8")


def sections() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The page as its headings, each with its blocks (paragraphs and tables) as Markdown."""
    found: list[tuple[str, list[str]]] = []
    for block in re.split(r"\n\s*\n", page().strip()):
        if block.startswith("#"):
            found.append((block.lstrip("# "), []))
        elif found:
            found[-1][1].append(block)
    return tuple((title, tuple(blocks)) for title, blocks in found)


@cache
def definitions() -> Mapping[str, Definition]:
    """Every term, and every heading, with the blocks that belong to it."""
    found: dict[str, list[str]] = {}
    for heading, blocks in sections():
        found[heading] = list(blocks)
        own = found[heading]
        for block in blocks:
            term = _TERM.match(block)
            if term:
                own = found.setdefault(term["term"], [])
            if own is not found[heading]:
                own.append(block)
    return MappingProxyType(
        {term: Definition(term, "\n\n".join(blocks)) for term, blocks in found.items()}
    )


def of_label(label: str) -> Definition | None:
    """The definition behind a label of a table; None where the label needs none."""
    term = LABELS.get(label.strip())
    return None if term is None else definitions()[term]
