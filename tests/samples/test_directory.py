"""samples/ itself: its size, its table, and what each truth.json has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MEGABYTE = 1_000_000


def sample_directories(samples: Path) -> list[Path]:
    return [path.parent for path in sorted(samples.glob("*/truth.json"))]


def test_all_samples_together_stay_small(samples_directory: Path) -> None:
    files = [
        path
        for path in samples_directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) < 10 * MEGABYTE


def test_the_readme_has_every_sample(samples_directory: Path) -> None:
    lines = (samples_directory / "README.md").read_text(encoding="utf-8").splitlines()
    listed = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in lines
        if line.startswith("| ") and line.count("|") == 5
    }
    listed.pop("sample")
    listed.pop("---")
    found = {
        directory.name: ", ".join(
            sorted(path.name.split(".")[0] for path in directory.glob("*.pcap*"))
        )
        for directory in sample_directories(samples_directory)
    }
    assert listed == found


def test_the_readmes_table_is_the_scripts(samples_directory: Path) -> None:
    script = subprocess.run(
        [sys.executable, "-B", str(samples_directory / "record.py"), "--table"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert script.stdout in (samples_directory / "README.md").read_text(encoding="utf-8")


def test_every_directory_is_a_sample(samples_directory: Path) -> None:
    directories = {
        path.name
        for path in samples_directory.iterdir()
        if path.is_dir() and path.name not in {"recording", "__pycache__"}
    }
    assert directories == {path.name for path in sample_directories(samples_directory)}


def test_truth_is_whole_and_names_no_machine(sample: Any) -> None:
    assert sample.truth["scenario"] == sample.name
    assert {app["side"] for app in sample.truth["apps"]} == {"client", "server"}
    made = sample.name.startswith("v0_")
    assert ("made" in sample.truth) == made
    assert (sample.truth["kernel"] is None) == made
    assert "/" not in json.dumps(sample.truth["apps"])
