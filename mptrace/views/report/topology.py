"""A picture of who talked to whom: addresses of both hosts, and the subflows between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import figures
from mptrace.views.charts.marks import busier
from mptrace.views.charts.palette import SUBFLOW_COLORS
from mptrace.views.connection_tables import DIRECTIONS
from mptrace.views.report.markup import text

if TYPE_CHECKING:
    from collections.abc import Collection

    from mptrace.analysis.model import Connection, DirectionName, Side, Subflow, SubflowDirection

MOST_SUBFLOWS: Final = 16
_CHARACTER: Final = 7.4
_BOX_HEIGHT: Final = 30
_SPACE: Final = 22
_MIDDLE: Final = 250
_LANE: Final = 34


def topology(connection: Connection, silent: Collection[int] = ()) -> str:
    """The picture as an SVG element; its title says the same in words.

    ``silent`` are the subflows on which a host was never heard again.
    """
    shown = connection.subflows[:MOST_SUBFLOWS]
    client = _addresses(connection, "client", shown)
    server = _addresses(connection, "server", shown)
    box = max([10, *(len(address) for address in (*client, *server))]) * _CHARACTER + 22
    rows = max(len(client), len(server), 1)
    step = max(_BOX_HEIGHT + _SPACE, _LANE * len(shown) / rows)
    height = 34 + max(rows * step, _LANE * len(shown)) + 8
    width = 2 * box + _MIDDLE
    left = _places(client, height, step)
    right = _places(server, height, step)
    label = text(_words(connection))
    name = busier(connection)
    opening = (
        f'<svg class="topology" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{label}"><text class="host" x="{box / 2:.0f}" y="16">client</text>'
        f'<text class="host" x="{width / 2:.0f}" y="16">share of the data {DIRECTIONS[name]}</text>'
        f'<text class="host" x="{width - box / 2:.0f}" y="16">server</text>'
    )
    parts = [opening]
    top = 34 + (height - 42 - _LANE * len(shown)) / 2
    for number, subflow in enumerate(shown):
        middle = top + _LANE * (number + 0.5)
        parts.append(
            _subflow(
                subflow,
                _share(subflow, name),
                (box, left[figures.printable(subflow.client.address)]),
                (width - box, right[figures.printable(subflow.server.address)]),
                middle,
                silent=subflow.index in silent,
            )
        )
    used = {figures.printable(end.address) for s in shown for end in (s.client, s.server)}
    for places, x in ((left, 1.0), (right, width - box + 1)):
        for address, y in places.items():
            state = "address" if address in used else "address unused"
            parts.append(
                f'<g class="{state}"><rect x="{x:.0f}" y="{y - _BOX_HEIGHT / 2:.0f}" '
                f'width="{box - 2:.0f}" height="{_BOX_HEIGHT}" rx="6"/>'
                f'<text x="{x + box / 2 - 1:.0f}" y="{y + 4:.0f}">{text(address)}</text></g>'
            )
    parts.append("</svg>")
    more = len(connection.subflows) - len(shown)
    if more > 0:
        parts.append(f'<p class="faint">{figures.counted(more, "more subflow")} not drawn</p>')
    return "".join(parts)


def _share(subflow: Subflow, name: DirectionName) -> float:
    """The subflow's contribution to the direction that carried more."""
    direction: SubflowDirection = getattr(subflow, name)
    return direction.contribution or 0.0


def _addresses(connection: Connection, side: Side, shown: tuple[Subflow, ...]) -> list[str]:
    """Addresses of a host: those of its subflows, then those it only advertised."""
    ends = [subflow.client if side == "client" else subflow.server for subflow in shown]
    found = dict.fromkeys(figures.printable(end.address) for end in ends)
    for advertised in connection.addresses[:MOST_SUBFLOWS]:
        if advertised.by == side:
            found.setdefault(figures.printable(advertised.address))
    return list(found)


def _places(addresses: list[str], height: float, step: float) -> dict[str, float]:
    top = 34 + (height - 42 - step * len(addresses)) / 2
    return {address: top + step * (row + 0.5) for row, address in enumerate(addresses)}


def _subflow(
    subflow: Subflow, share: float, start: tuple[float, float], end: tuple[float, float],
    middle: float, *, silent: bool,
) -> str:  # fmt: skip
    failed = subflow.handshake in ("no_syn_ack", "refused", "option_removed", "no_third_ack")
    backup = bool(subflow.client.backup or subflow.server.backup)
    width = 1.5 if failed else 1.5 + 10 * share
    centre = (start[0] + end[0]) / 2
    reach = (end[0] - start[0]) * 0.28
    path = (
        f"M{start[0]:.0f} {start[1]:.0f} C{start[0] + reach:.0f} {start[1]:.0f} "
        f"{centre - reach:.0f} {middle:.0f} {centre:.0f} {middle:.0f} "
        f"S{end[0] - reach:.0f} {end[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    )
    carried = figures.share(share) if share else "no data"
    label = f"{subflow.index}: {'failed' if failed else carried}"
    if backup:
        label += " backup"
    if subflow.end == "reset" and not failed:
        label += " ✕ RST"
    elif silent:
        label += " ✕ silent"
    broken = failed or silent or subflow.end == "reset"
    classes = " ".join(
        part
        for part in (
            "subflow",
            f"s{subflow.index % SUBFLOW_COLORS}",
            "failed" if broken else "",
            "backup" if backup else "",
        )
        if part
    )
    size = len(label) * 6.6 + 14
    return (
        f'<g class="{classes}"><title>{text(subflow_words(subflow, share))}</title>'
        f'<path d="{path}" stroke-width="{width:.1f}"/>'
        f'<rect x="{centre - size / 2:.0f}" y="{middle - 10:.0f}" width="{size:.0f}" height="20" '
        f'rx="10"/><text x="{centre:.0f}" y="{middle + 4:.0f}">{text(label)}</text></g>'
    )


def subflow_words(subflow: Subflow, share: float) -> str:
    """One subflow in words."""
    ends = f"{figures.endpoint(subflow.client)} to {figures.endpoint(subflow.server)}"
    backup = ", backup" if subflow.client.backup or subflow.server.backup else ""
    return f"subflow {subflow.index}: {ends}, {figures.share(share)} of the data{backup}"


def _words(connection: Connection) -> str:
    name = busier(connection)
    return "; ".join(
        subflow_words(subflow, _share(subflow, name))
        for subflow in connection.subflows[:MOST_SUBFLOWS]
    )
