"""What is shipped, and what the set-up rests on."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import mptrace


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", ["mptrace", "dissector"])
def test_packages_are_typed(package: str) -> None:
    assert (files(package) / "py.typed").is_file()


def test_the_schema_is_shipped() -> None:
    assert (files("mptrace.views") / "analysis.schema.json").is_file()


def test_the_package_exports_what_it_says() -> None:
    assert dir(mptrace) == sorted(mptrace.__all__)
    for name in mptrace.__all__:
        assert getattr(mptrace, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        mptrace.nothing  # noqa: B018


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ]", requirement)[0].lower() for requirement in requirements}


def test_constraints_are_names_and_versions_and_cover_what_is_installed(
    root: Path, project: dict[str, Any]
) -> None:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", pin) for pin in pins)
    pinned = {pin.partition("==")[0].lower().replace("_", "-") for pin in pins}
    wanted = names(project["project"]["dependencies"]) | names(project["build-system"]["requires"])
    for extra in project["project"]["optional-dependencies"].values():
        wanted |= names(extra)
    assert wanted <= pinned


def test_the_changelog_names_this_version_or_what_comes(root: Path) -> None:
    first = re.search(
        r"^## (.*)$", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert first
    assert first.group(1) == "Unreleased" or first.group(1).startswith(mptrace.__version__)
