"""By how much the windows in TCP headers are to be shifted (RFC 7323 section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Bool
    from mptrace.analysis.connections.control import ControlPlane
    from mptrace.analysis.connections.membership import Membership


def window_shifts(members: Membership, control: ControlPlane) -> tuple[I64, Bool]:
    """(ways,): the shift of the windows that a way's sender announces, and whether it is known.

    A subflow whose handshake was not captured takes the shift of its host's other subflows.
    """
    shift = np.zeros(members.ways, np.int64)
    known = np.zeros(members.ways, np.bool_)
    number = 0
    for subflows in members.subflows:
        of_side: dict[bool, int] = {}
        missing: list[tuple[int, bool]] = []
        for state in subflows:
            for from_initiator, value in _negotiated(control, state.stream):
                way = 2 * number + (not from_initiator)
                from_client = from_initiator == state.client_is_initiator
                if value is None:
                    missing.append((way, from_client))
                else:
                    shift[way], known[way] = value, True
                    of_side.setdefault(from_client, value)
            number += 1
        for way, from_client in missing:
            if from_client in of_side:
                shift[way], known[way] = of_side[from_client], True
    return shift, known


def _negotiated(control: ControlPlane, stream: int) -> tuple[tuple[bool, int | None], ...]:
    """The shift of the initiator's (True) and the responder's windows; None: not captured.

    Windows are scaled only where both SYNs carry the option (RFC 7323 section 2.2).
    """
    offered = control.window_shift
    keys = (stream, True), (stream, False)
    if any(key in offered and offered[key] is None for key in keys):
        return (True, 0), (False, 0)
    return (True, offered.get(keys[0])), (False, offered.get(keys[1]))
