"""The picture of addresses and subflows."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

import mptrace
from mptrace.views.report.topology import topology

Sample = Callable[[str], mptrace.Analysis]


def drawn(sample: Sample, name: str, silent: tuple[int, ...] = ()) -> list[tuple[str, str, float]]:
    """Classes, label and stroke width of each subflow."""
    (connection,) = sample(name)
    picture = ET.fromstring(topology(connection, silent))
    return [
        (
            group.attrib["class"],
            group.findtext("text") or "",
            float(group.find("path").attrib["stroke-width"]),  # type: ignore[union-attr]
        )
        for group in picture.iter("g")
        if "subflow" in group.attrib["class"].split()
    ]


def test_width_follows_the_share_of_the_data(sample: Sample) -> None:
    (connection,) = sample("aggregate")
    widths = [width for _, _, width in drawn(sample, "aggregate")]
    shares = [s.client_to_server.contribution or 0 for s in connection.subflows]
    assert widths == pytest.approx([1.5 + 10 * share for share in shares], abs=0.06)


def test_a_subflow_that_failed_or_was_reset_is_dashed(sample: Sample) -> None:
    assert [(c.split()[-1], label) for c, label, _ in drawn(sample, "join_refused")][1] == (
        "failed",
        "1: failed",
    )
    classes, label, width = drawn(sample, "mp_fail_multi")[1]
    assert "failed" in classes.split()
    assert label.endswith("✕ RST")
    assert width > 1.5  # it did carry data before
    assert "failed" not in drawn(sample, "mp_fail_multi")[0][0].split()


def test_a_silent_subflow_is_dashed_and_says_so(sample: Sample) -> None:
    analysis = sample("walkout")
    silent = tuple(f.subflow for f in analysis.findings if f.code == "subflow_silent")
    assert silent == (0,)
    first, second = drawn(sample, "walkout", (0,))
    assert "failed" in first[0].split()
    assert "silent" in first[1]
    assert "failed" not in second[0].split()


def test_a_backup_is_marked(sample: Sample) -> None:
    (_, second) = drawn(sample, "backup_idle")
    assert "backup" in second[0].split()
    assert "backup" in second[1]


def test_an_advertised_address_is_shown_even_if_nobody_joined_it(sample: Sample) -> None:
    (connection,) = sample("add_address_not_joined")
    (advertised,) = connection.addresses
    picture = topology(connection)
    unused = re.findall(r'<g class="address unused">.*?<text[^>]*>([^<]*)<', picture)
    assert unused == [advertised.address]
