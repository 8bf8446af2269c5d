"""The pages say what the code has: every command, option and key, and no link leads nowhere."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mptrace.commands import main
from mptrace.views import tables

PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")


def pages(root: Path) -> list[Path]:
    return [root / name for name in PAGES] + sorted((root / "docs").glob("*.md"))


def parsers(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section on {title}"
    return found.group()


def test_every_command_and_option_is_documented(root: Path) -> None:
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    for name, parser in parsers(main.parser()):
        own = section(text, f"mptrace {name}")
        for action in parser._actions:
            if action.dest == "help":
                continue
            for option in action.option_strings:
                assert f"`{option}" in own, f"mptrace {name} {option}"
            for choice in action.choices or ():
                assert str(choice) in own, f"mptrace {name}: {choice}"


def test_no_option_is_documented_that_does_not_exist(root: Path) -> None:
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    known = {name: parser.format_help() for name, parser in parsers(main.parser())}
    for name, help_text in known.items():
        for option in re.findall(r"^\| `(-[-\w]+)", section(text, f"mptrace {name}"), re.MULTILINE):
            assert option in help_text, f"mptrace {name} {option}"


def test_every_table_is_documented(root: Path) -> None:
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in tables.NAMES:
        assert f"{name}.csv" in text


def test_exit_statuses_are_documented(root: Path) -> None:
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    for status in (main.DONE, main.DAMAGED, main.FAILED):
        assert f"\n| {status} |" in text


def test_the_json_page_is_that_of_the_schema(root: Path, tmp_path: Path) -> None:
    for part in ("scripts/write_json_page.py", "mptrace/views/analysis.schema.json"):
        copy = tmp_path / part
        copy.parent.mkdir(parents=True)
        copy.write_bytes((root / part).read_bytes())
    (tmp_path / "docs").mkdir()
    subprocess.run([sys.executable, tmp_path / "scripts" / "write_json_page.py"], check=True)
    written = (tmp_path / "docs" / "json.md").read_text(encoding="utf-8")
    assert written == (root / "docs" / "json.md").read_text(encoding="utf-8")


def test_every_json_key_is_documented(root: Path) -> None:
    text = (root / "docs" / "json.md").read_text(encoding="utf-8")
    schema = json.loads((root / "mptrace/views/analysis.schema.json").read_text(encoding="utf-8"))
    for definition in (schema, *schema["$defs"].values()):
        for key in definition["properties"]:
            assert f"| `{key}` |" in text


def test_links_lead_somewhere(root: Path) -> None:
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("folder", ["dissector", "mptrace", "docs", "scripts", "tests"])
def test_names_of_modules_say_what_they_are(root: Path, folder: str) -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "data", "misc"}
    assert not [path for path in (root / folder).rglob("*.py") if path.stem in vague]


def test_figures_of_the_model_are_defined(root: Path) -> None:
    from mptrace.analysis import model

    text = (root / "docs" / "definitions.md").read_text(encoding="utf-8").lower()
    names = {
        "unique_octets": "unique octets",
        "acked_octets": "acknowledged octets",
        "missing_octets": "missing octets",
        "retransmitted_octets": "| retransmission |",
        "remapped_octets": "| remapped |",
        "reinjected_octets": "| reinjection |",
        "out_of_order_packets": "out of order",
        "out_of_order_octets": "out of order",
        "goodput_bps": "goodput",
        "throughput_bps": "throughput",
        "data_fin": "data_fin",
        "checksum_failures": "checksum failures",
        "max_data_flight_octets": "data flight",
        "data_rtt_s": "data rtt",
        "unmapped_octets": "unmapped octets",
        "payload_octets": "all tcp payload",
        "out_of_order_delay_s": "delay",
        "out_of_order_max_extent_octets": "extent",
        "out_of_order_never_filled_packets": "never filled",
        "data_fin_acked": "data_fin",
        "checksums_verified": "checksum",
        "checksums_unverifiable": "unverifiable",
        "window_limited_packets": "window-limited",
        "mappings": "mapping",
        "mappings_by_subflow_count": "mappings by number of subflows",
        "data_ack_octets": "data_ack octets",
        "stalls": "stall",
        "handovers": "handover",
    }
    fields = [field.name for field in dataclasses.fields(model.ConnectionDirection)]
    assert list(names) == fields
    for name in names.values():
        assert name in text
