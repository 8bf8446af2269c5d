"""Packets whose words differ in numbers only: for a search, one of each kind speaks for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mptrace.views.browsing.packet_facts import PacketFacts

_DSS: Final = ("DSS",)
_SYN_FIN_RST_ACK: Final = 0x17
_COPIES: Final = ("first", "retransmitted", "remapped", "reinjected")
UNLIKE: Final = -1


def kinds(facts: PacketFacts, packets: int) -> NDArray[np.int64]:
    """(packets,): equal numbers mean equal words but for their digits; -1: nothing is like it.

    Ordinary packets have a DSS, or no MPTCP option at all. All that their words are made from
    goes into the kind; options of other subtypes have words of their own.
    """
    result = np.full(packets, UNLIKE, np.int64)
    if not facts.rows.size:
        return result
    names = facts.names("mptrace.options")
    dss = [code for code, name in enumerate(names) if name in _DSS]
    option = facts.column("mptrace.options").astype(np.int64)
    has_option = facts.present("mptrace.options")
    ordinary = ~has_option | np.isin(option, dss)
    ordinary &= ~facts.odd_options
    length = np.where(
        facts.present("tcp.options.mptcp.datalvllen"),
        facts.column("tcp.options.mptcp.datalvllen").astype(np.int64),
        -1,
    )
    octets = sum(facts.column(f"mptrace.{name}_octets") for name in _COPIES)
    said = np.where(length == octets, 1, np.minimum(length, 2) * 2)
    parts = (
        facts.column("tcp.stream"),
        facts.column("mptrace.direction"),
        has_option,
        facts.column("tcp.len") > 0,
        facts.present("mptcp.dsn"),
        facts.present("mptcp.ack"),
        facts.column("mptrace.out_of_order_octets") > 0,
        facts.column("tcp.flags") & _SYN_FIN_RST_ACK,
        facts.column("mptrace.data_fin"),
        facts.column("mptrace.copy") + 1,
        facts.present("mptrace.repeats"),
        facts.column("mptrace.reinjection") + 1,
        said + 2,
    )
    kind = np.zeros(facts.rows.size, np.int64)
    for part in parts:
        numbers = part.astype(np.int64)
        kind = kind * (int(numbers.max()) + 1) + numbers
    result[facts.rows] = np.where(ordinary, kind, UNLIKE)
    return result
