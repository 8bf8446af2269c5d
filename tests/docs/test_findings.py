"""docs/findings.md is the catalog, and the catalog says what a reader needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mptrace.analysis.findings.catalog import CATALOG
from mptrace.analysis.findings.kind import FindingKind


def test_the_page_is_that_of_the_catalog(root: Path, tmp_path: Path) -> None:
    for part in ("scripts/write_findings_page.py", "docs/findings.md"):
        copy = tmp_path / part
        copy.parent.mkdir(parents=True)
        copy.write_bytes((root / part).read_bytes())
    (tmp_path / "docs" / "findings.md").write_text("", encoding="utf-8")
    # the copy imports the package that is tested here, wherever that is
    script = tmp_path / "scripts" / "write_findings_page.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, script], check=True, env=environment)
    written = (tmp_path / "docs" / "findings.md").read_text(encoding="utf-8")
    assert written == (root / "docs" / "findings.md").read_text(encoding="utf-8")


def test_every_code_is_on_the_page_with_its_severity_and_section(root: Path) -> None:
    text = (root / "docs" / "findings.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^### `(\w+)`\n\n(.*)$", text, re.MULTILINE))
    assert list(entries) == [kind.code for kind in CATALOG]
    for kind in CATALOG:
        assert entries[kind.code].startswith(f"**{kind.severity}**, ")
        assert kind.reference() in entries[kind.code]


@pytest.mark.parametrize("kind", CATALOG, ids=lambda kind: str(kind.code))
def test_a_kind_is_complete(kind: FindingKind) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", kind.code)
    assert kind.severity in ("error", "warning", "note")
    for text in (kind.meaning, kind.what_to_do):
        assert text.endswith(".")
        assert "  " not in text


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in CATALOG}) == len(CATALOG)


def test_v0_names_the_sections_of_its_own_rfc() -> None:
    """Fallback is section 3.7 of RFC 8684 and section 3.6 of RFC 6824."""
    kinds = {kind.code: kind for kind in CATALOG}
    assert kinds["fallback_syn_ack"].reference(1) == "RFC 8684 section 3.7"
    assert kinds["fallback_syn_ack"].reference(0) == "RFC 6824 section 3.6"
    assert kinds["join_refused"].reference(0) == "RFC 6824 section 3.2"
    assert kinds["capture_damaged"].reference(0) == ""
