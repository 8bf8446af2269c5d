"""Writes docs/json.md from the JSON Schema, so that the page and the schema cannot disagree.

Run ``python scripts/write_json_page.py`` after a change of mptrace/views/analysis.schema.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "mptrace" / "views" / "analysis.schema.json"
PAGE = ROOT / "docs" / "json.md"

HEAD = """\
# The JSON of `mptrace analyze --json`

<!-- Written by scripts/write_json_page.py from mptrace/views/analysis.schema.json. -->

This is what other programs can rely on. `mptrace schema` prints the same as a JSON Schema
(2020-12), by which the tests validate every document that they see.

- Keys are added in later versions, never renamed or dropped: pass over keys that you don't know.
  `schema_version` is raised should a key ever change its meaning.
- Times whose names end in `_s` are seconds, as numbers; moments count from the first packet of
  the capture. Rates (`_bps`) are bits per second.
- Numbers of 64 bits (keys, initial data sequence numbers) and tokens are hexadecimal strings, so
  that no reader loses bits.
- What is not known, or was not measured, is `null`; that is not the same as 0.
- Packet numbers count from 1 and `tcp_stream` from 0, as in Wireshark. Connections and subflows
  are numbered from 0, in order of their first packets.
- The document has a line for each connection and each finding.

What each figure means, exactly, is in [definitions.md](definitions.md); the codes of findings are
in [findings.md](findings.md).

```sh
mptrace analyze capture.pcap --json | jq '.connections[] | {index, state, end}'
```
"""


def kind_words(value: dict[str, Any]) -> str:
    """Return a property's type in words, with a link to the section of an object."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "anyOf" in value:
        return " or ".join(kind_words(choice) for choice in value["anyOf"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in value["enum"])
    if value["type"] == "array":
        return f"array of {kind_words(value['items'])}"
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    return " or ".join(kinds)


def table(definition: dict[str, Any]) -> str:
    """Return a Markdown table of an object's keys."""
    rows = ["| key | type | meaning |", "| --- | --- | --- |"]
    for key, value in definition["properties"].items():
        rows.append(f"| `{key}` | {kind_words(value)} | {value['description']} |")
    return "\n".join(rows)


def page(schema: dict[str, Any]) -> str:
    """Return the whole page."""
    parts = [HEAD, f"## The document\n\n{table(schema)}\n"]
    for name, definition in schema["$defs"].items():
        parts.append(f"## {name}\n\n{definition['description']}\n\n{table(definition)}\n")
    return "\n".join(parts)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(json.loads(SCHEMA.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
