"""What a connection carried, and over what, in a few sentences for someone new to the tool.

What went wrong, or is worth knowing, is told by the findings and not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.views import figures
from mptrace.views.summary import ARROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.model import (
        AdvertisedAddress,
        Connection,
        ConnectionDirection,
        DirectionName,
        Subflow,
    )

_FEW: Final = 3
"""So many subflows or addresses are told one by one."""
_SENDERS: Final[tuple[tuple[DirectionName, str, str], ...]] = (
    ("client_to_server", "client", "server"),
    ("server_to_client", "server", "client"),
)


def sentences(connection: Connection) -> tuple[str, ...]:
    """The story of a connection, in the order in which a reader wants it."""
    return tuple(_all(connection))


def _all(connection: Connection) -> Iterator[str]:
    sides = sorted(_SENDERS, key=lambda entry: -_side(connection, entry[0]).unique_octets)
    yield _carried(connection, sides)
    if len(connection.subflows) > 1:
        yield from _shares(connection, sides[0][0])
    for address in connection.addresses[:_FEW]:
        yield _advertised(address)
    for name, sender, _ in sides:
        yield from _again(_side(connection, name), sender)


def _side(connection: Connection, name: DirectionName) -> ConnectionDirection:
    side: ConnectionDirection = getattr(connection, name)
    return side


def _carried(connection: Connection, sides: list[tuple[DirectionName, str, str]]) -> str:
    parts = []
    for name, sender, receiver in sides:
        side = _side(connection, name)
        if side.unique_octets:
            amount = figures.octets(side.unique_octets, exact=False)
            rate = f" at {figures.bit_rate(side.goodput_bps)}" if side.goodput_bps else ""
            parts.append(f"{amount} from {sender} to {receiver}{rate}")
    lasting = figures.seconds(connection.duration_s)
    if not parts:
        return f"No data was seen in the {lasting} of this connection."
    return f"In {lasting} the connection carried {' and '.join(parts)}."


def _shares(connection: Connection, name: DirectionName) -> Iterator[str]:
    carried = [(own, getattr(own, name).contribution or 0.0) for own in connection.subflows]
    working = sorted((entry for entry in carried if entry[1] > 0), key=lambda entry: -entry[1])
    if len(working) == 1:
        yield f"All of the data went over {_who(working[0][0])}."
    elif working:
        parts = [f"{figures.share(share)} over {_who(subflow)}" for subflow, share in working]
        shown, more = parts[:_FEW], len(parts) - _FEW
        rest = f" and the rest over {figures.counted(more, 'more subflow')}" if more > 0 else ""
        yield f"Its subflows shared the data: {', '.join(shown)}{rest}."
    idle = [own for own, share in carried if not share and own.handshake == "complete"]
    backups = [own for own in idle if own.client.backup or own.server.backup]
    for subflow in backups[:_FEW]:
        yield f"{_who(subflow).capitalize()} was a backup and carried no data this way."


def _who(subflow: Subflow) -> str:
    client, server = (figures.printable(end.address) for end in (subflow.client, subflow.server))
    return f"subflow {subflow.index} ({client} {ARROW} {server})"


def _advertised(address: AdvertisedAddress) -> str:
    text = figures.address_and_port(address.address, address.port)
    other = "client" if address.by == "server" else "server"
    if address.joined:
        fate = f"and the {other} joined it"
    elif address.echoed:
        fate = f"the {other} echoed it and never joined it"
    else:
        fate = f"the {other} neither echoed nor joined it"
    removed = "; later it was withdrawn (REMOVE_ADDR)" if address.removed else ""
    return f"The {address.by} advertised its address {text} (ADD_ADDR), {fate}{removed}."


def _again(side: ConnectionDirection, sender: str) -> Iterator[str]:
    parts = []
    if side.reinjected_octets.total:
        amount = figures.octets(side.reinjected_octets.total, exact=False)
        parts.append(f"{amount} on another subflow (reinjection)")
    if side.remapped_octets:
        amount = figures.octets(side.remapped_octets, exact=False)
        parts.append(f"{amount} on the same subflow once more (remapped)")
    if parts:
        yield f"MPTCP of the {sender} sent data again: {', '.join(parts)}."
