"""Figures and names in the sentences of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mptrace.analysis.model import DirectionName, Endpoint, Side, Subflow

DIRECTION_WORDS: Final[dict[DirectionName, str]] = {
    "client_to_server": "from client to server",
    "server_to_client": "from server to client",
}


def counted(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun: ``1 packet``, ``12,345 packets``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def octets(number: int) -> str:
    """A number of octets: ``1 octet``, ``12,345 octets``."""
    return counted(number, "octet")


def seconds(duration_s: float) -> str:
    """A duration with a unit that fits it: ``12 ms``, ``1.20 s``, ``75 min``."""
    if abs(duration_s) < 0.001:
        return f"{duration_s * 1e6:.0f} µs"
    if abs(duration_s) < 1:
        return f"{duration_s * 1e3:.3g} ms"
    if abs(duration_s) < 600:
        return f"{duration_s:.2f} s"
    return f"{duration_s / 60:.0f} min"


def moment(time_s: float) -> str:
    """A time since the first packet of the capture: ``at 1.204 s``."""
    return f"at {time_s:.3f} s"


def listed(items: Sequence[str]) -> str:
    """Several things in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def address_and_port(address: str, port: int | None) -> str:
    """An address, with its port where there is one."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def endpoint(end: Endpoint) -> str:
    """Address and port of one end of a subflow."""
    return address_and_port(end.address, end.port)


def path(subflow: Subflow) -> str:
    """The two ends of a subflow, who started it first."""
    ends = (subflow.client, subflow.server)
    first, second = ends[::-1] if subflow.started_by == "server" else ends
    return f"{endpoint(first)} to {endpoint(second)}"


def subflow_words(subflow: Subflow) -> str:
    """A subflow by number and ends."""
    return f"subflow {subflow.index} ({path(subflow)})"


def sentence(text: str) -> str:
    """The words of a note, which begin with a host's name, as those of a finding."""
    for name in ("Client", "Server"):
        if text.startswith(f"{name} "):
            return f"The {name.lower()}{text[len(name) :]}"
    return text


def other(side: Side) -> Side:
    """The host at the other end."""
    return "server" if side == "client" else "client"


def side_of(is_client: bool) -> Side:
    """Which host."""
    return "client" if is_client else "server"
