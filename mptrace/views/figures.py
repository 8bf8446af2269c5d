"""Figures as text: each with its unit, in a precision that a reader can use."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis.model import Endpoint

ABSENT = "-"
"""Shown where there is no figure: nothing was measured, which is not the same as zero."""


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def count(number: int) -> str:
    """Return a count with thousands separated: ``12,345``."""
    return f"{number:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 packet``, ``12,345 packets``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def octets(number: int | None, *, exact: bool = True) -> str:
    """Return an amount of data in B, kB, MB ... (powers of 1000); exact: every octet to 10 MB."""
    if number is None:
        return ABSENT
    if exact and number < 10_000_000:
        return f"{number:,} B"
    return _scaled(float(number), ("B", "kB", "MB", "GB", "TB", "PB"))


def bit_rate(bits_per_second: float | None) -> str:
    """Return a rate in the unit that leaves one to three digits before the point."""
    if bits_per_second is None:
        return ABSENT
    return _scaled(bits_per_second, ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"))


def seconds(duration_s: float | None) -> str:
    """Return a duration: µs, ms, s, then minutes and hours."""
    if duration_s is None:
        return ABSENT
    size = abs(duration_s)
    if size == 0:
        return "0 s"
    if size < 0.9995e-3:
        return f"{duration_s * 1e6:.0f} µs"
    if size < 0.9995:
        return f"{_three_digits(duration_s * 1e3)} ms"
    if size < 600:
        return f"{duration_s:.2f} s"
    minutes, rest = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min {rest:02} s" if hours else f"{minutes} min {rest:02} s"


def moment(time_s: float) -> str:
    """Return a time since the first packet, as Wireshark's time column has it: ``1.204000 s``."""
    return f"{time_s:.6f} s"


def share(part: float | None) -> str:
    """Return a share as a percentage; what is neither none nor all never reads as 0 or 100 %."""
    if part is None:
        return ABSENT
    if 0 < part < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= part < 1:
        return "> 99.9 %"
    return f"{part * 100:.1f} %"


def packet_list(packets: Sequence[int], total: int = 0, *, limit: int = 5) -> str:
    """Return packet numbers: ``packet 4``, ``packets 4, 7 and 31 more``."""
    total = max(total, len(packets))
    if total == 0:
        return ""
    if total == 1:
        return f"packet {packets[0]}"
    shown = packets[:limit] if total > limit else packets
    listed = ", ".join(str(number) for number in shown)
    more = total - len(shown)
    if more:
        return f"packets {listed} and {more:,} more"
    head, _, last = listed.rpartition(", ")
    return f"packets {head} and {last}"


def endpoint(end: Endpoint) -> str:
    """Return an address and port: ``10.0.0.1:443``, ``[2001:db8::1]:443``."""
    return address_and_port(end.address, end.port)


def address_and_port(address: str, port: int | None) -> str:
    """Return an address, with its port where there is one."""
    address = printable(address)
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def wide_hex(number: int | None, digits: int) -> str | None:
    """Return a key, token or sequence number as ``0x`` and that many hexadecimal digits."""
    return None if number is None else f"0x{number:0{digits}x}"


def iso_time(time_ns: int) -> str:
    """Return nanoseconds since 1970 as ISO 8601 with nanoseconds, in UTC."""
    whole, fraction = divmod(time_ns, 1_000_000_000)
    text = (_EPOCH + dt.timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}Z"


def readable_time(time_ns: int) -> str:
    """Return nanoseconds since 1970 as a person reads it: ``2026-11-20 10:31:02.123456 UTC``."""
    text = iso_time(time_ns)
    return f"{text[:10]} {text[11:26]} UTC"


def printable(text: str) -> str:
    """Return text from a capture or a file name without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _scaled(number: float, units: Sequence[str]) -> str:
    size = abs(number)
    index = 0
    while size >= 999.5 and index < len(units) - 1:
        size /= 1000
        number /= 1000
        index += 1
    digits = f"{number:.0f}" if index == 0 else _three_digits(number)
    return f"{digits} {units[index]}"


def _three_digits(number: float) -> str:
    """Return a number with three significant digits, never in exponent form."""
    size = abs(number)
    if size >= 99.95:
        return f"{number:.0f}"
    return f"{number:.1f}" if size >= 9.995 else f"{number:.2f}"
