"""``mptrace schema``: the JSON Schema of ``mptrace analyze --json``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

NAME = "schema"
SUMMARY = "Print the JSON Schema of analyze --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments: there are none."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    del arguments
    from mptrace.views import schema

    sys.stdout.write(schema.text())
    return 0
