"""Display filters with Wireshark's syntax and field names, over columns (docs/filter.md).

>>> with open_capture("capture.pcap") as capture:
...     columns = PacketColumns(capture, analyze_capture(capture))
...     DisplayFilter("mptcp.stream == 0 && tcp.len > 0").frame_numbers(columns)
"""

from __future__ import annotations

from mptrace.analysis.filter.completion import Candidate, complete
from mptrace.analysis.filter.connections import connections_with
from mptrace.analysis.filter.display_filter import DisplayFilter
from mptrace.analysis.filter.errors import FilterError
from mptrace.analysis.filter.packet_columns import PacketColumns

__all__ = [
    "Candidate",
    "DisplayFilter",
    "FilterError",
    "PacketColumns",
    "complete",
    "connections_with",
]
