"""What is shown, written to files: packets as pcapng, the table as CSV, the report as HTML."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from mptrace.capture.writer import InterfaceDescription, PcapngWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from mptrace.capture.records import Interface
    from mptrace.views.browsing.opened import OpenedCapture
    from mptrace.views.browsing.time_column import TimeColumn

HEADS = ("No.", "Time", "Source", "Destination", "Connection", "Subflow", "Length", "Info")


def write_packets(
    opened: OpenedCapture,
    rows: NDArray[np.int64],
    path: Path,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write packets as pcapng, each on its own interface; returns how many.

    Raises OSError where the file can't be written, FileExistsError where it exists.
    """
    numbers: dict[Interface, int] = {}
    written = 0
    with path.open("xb") as file:
        writer = PcapngWriter(file)
        for row in rows.tolist():
            if cancelled():
                break
            record = opened.packets.record(row)
            number = numbers.get(record.interface)
            if number is None:
                interface = record.interface
                number = writer.add_interface(
                    InterfaceDescription(interface.link_type, interface.name, interface.snaplen)
                )
                numbers[interface] = number
            writer.write(record.octets, max(record.time_ns, 0), record.wire_length, number)
            written += 1
    return written


def write_table(
    opened: OpenedCapture,
    times: TimeColumn,
    rows: NDArray[np.int64],
    path: Path,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Write the table as CSV, with times as they are shown; returns how many rows.

    Raises OSError where the file can't be written, FileExistsError where it exists.
    """
    written = 0
    above: int | None = None
    with path.open("x", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADS)
        for row in rows.tolist():
            if cancelled():
                break
            packet = opened.rows.made(row)
            cells = (
                packet.number,
                times.text(row, above),
                packet.source,
                packet.destination,
                "" if packet.connection is None else packet.connection,
                "" if packet.subflow is None else packet.subflow,
                packet.length,
                packet.info,
            )
            out.writerow(cells)
            above = row
            written += 1
    return written


def write_report(opened: OpenedCapture, path: Path) -> None:
    """Write the report of the whole capture.

    Raises OSError where the file can't be written, FileExistsError where it exists.
    """
    from mptrace.views import report

    with path.open("x", encoding="utf-8") as file:
        file.writelines(report.chunks(opened.analysis))
