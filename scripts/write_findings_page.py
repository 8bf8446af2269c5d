"""Writes docs/findings.md from the catalog of findings, so that page and code cannot disagree.

Run ``python scripts/write_findings_page.py`` after a change of mptrace/analysis/findings/.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mptrace.analysis.findings.kind import FindingKind

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "findings.md"

HEAD = """\
# Findings

<!-- Written by scripts/write_findings_page.py from mptrace/analysis/findings/. -->

A finding is something that went wrong in a capture, or is worth knowing, in one or two sentences
with the packets that prove it. Each kind has a code that does not change, so that scripts can
rely on it:

```sh
mptrace analyze capture.pcap --json | jq '.findings[] | select(.severity == "error")'
```

- **error**: the protocol was violated, or data is at risk.
- **warning**: multipath is lost or hurt, a middlebox interferes, or figures can't be trusted.
- **note**: what happened; good to know when you read the figures.

What is normal makes no finding: an ADD_ADDR of v0 has no echo, a backup subflow carries nothing,
a RST after both DATA_FINs only ends what had ended. Where the capture is the reason that
something is not there (cut packets, a beginning that was not captured, one direction only),
nothing is said of the hosts, but the capture's own finding tells what can't be known. Answers that
may still be on their way when the capture or the connection ends are not missed: 200 ms, or 4
round-trip times where that is longer, must pass first.

Connections that repeat a thing many times get one finding of it for each subflow or direction,
which counts; at most 100 packets are named. Findings are in the order of connections, then of
their first packets; those about the capture as a whole come first.

Sections are those of [RFC 8684](https://www.rfc-editor.org/rfc/rfc8684) (v1); findings of v0
connections name those of [RFC 6824](https://www.rfc-editor.org/rfc/rfc6824) instead.
"""


def entry(kind: FindingKind) -> str:
    """Return one kind of finding as a section of the page."""
    reference = kind.reference() or "about the capture, not the protocol"
    return (
        f"### `{kind.code}`\n\n**{kind.severity}**, {reference}\n\n{kind.meaning}\n\n"
        f"*What to do:* {kind.what_to_do}\n"
    )


def page() -> str:
    """Return the whole page."""
    from mptrace.analysis.findings.catalog import ROOMS

    parts = [HEAD]
    for room in ROOMS:
        parts.append(f"## {room.title}\n")
        parts += [entry(kind) for kind in room.kinds]
    return "\n".join(parts)


def main() -> int:
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
