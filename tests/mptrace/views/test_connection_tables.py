"""Rows of the tables that text, HTML and the browser share."""

from __future__ import annotations

from pathlib import Path

import mptrace
from mptrace.views.connection_tables import address_table


def fates(root: Path, sample: str) -> list[tuple[str, ...]]:
    """HMAC and fate of each advertised address."""
    (path,) = (root / "samples" / sample).glob("client.pcap*")
    (connection,) = mptrace.analyze(path)
    return [tuple(cell.text for cell in row[-2:]) for row in address_table(connection).rows]


def test_an_address_that_was_echoed_and_joined(root: Path) -> None:
    assert fates(root, "add_address") == [("right", "echoed, joined")]


def test_version_0_has_neither_hmacs_nor_echoes(root: Path) -> None:
    told = fates(root, "v0_add_address")
    assert told[0] == ("none (v0)", "joined")
    assert {hmac for hmac, _ in told} == {"none (v0)"}
    assert not any("echoed" in fate for _, fate in told)


def test_a_wrong_hmac(root: Path) -> None:
    assert fates(root, "add_address_hmac_wrong") == [("wrong", "never echoed, never joined")]
