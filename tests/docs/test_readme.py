"""What the README shows is what the command prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```console\n\$ mptrace (?P<arguments>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)


def printed(arguments: str, root: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    command = [sys.executable, "-P", "-m", "mptrace", *arguments.split()]
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=root, env=environment
    )
    assert result.stderr == ""
    return result.stdout


def test_output_is_real(root: Path) -> None:
    """With UPDATE_GOLDEN=1 the output is written into the README instead."""
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    real = BLOCK.sub(
        lambda block: (
            f"```console\n$ mptrace {block['arguments']}\n{printed(block['arguments'], root)}```"
        ),
        text,
    )
    assert BLOCK.search(text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(real, encoding="utf-8")
    assert real == path.read_text(encoding="utf-8")
