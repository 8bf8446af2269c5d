"""Which packet of a template comes when, in which copy and repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.edits import Edit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data_phase import DataPhase
    from bench.identities import Identities
    from bench.template import Template

    I64 = NDArray[np.int64]


@dataclass(slots=True)
class Plan:
    """The packets of a capture in the order of time; every column is (rows,)."""

    packet: I64
    copy: I64
    unit: I64
    """copy * repetitions + repetition."""
    time_ns: I64
    shift_ns: I64
    """(units,): how much later than in the template."""
    repetitions: int

    def __len__(self) -> int:
        return int(self.packet.size)


def lay_out(
    template: Template, phase: DataPhase, copies: int, repetitions: int, concurrent: int
) -> Plan:
    """Repeat the phase, copy the whole, and start copies so that ``concurrent`` run at a time."""
    before = np.arange(phase.first)
    within = np.arange(phase.first, phase.last)
    after = np.arange(phase.last, len(template))
    packet = np.concatenate((before, np.tile(within, repetitions), after))
    repetition = np.concatenate(
        (
            np.zeros(before.size, np.int64),
            np.repeat(np.arange(repetitions), within.size),
            np.full(after.size, repetitions - 1),
        )
    )
    whole_ns = int(template.time_ns[-1] - template.time_ns[0])
    whole_ns += (repetitions - 1) * phase.duration_ns
    begin = np.arange(copies) * (whole_ns // concurrent)
    shift = (begin[:, None] + np.arange(repetitions) * phase.duration_ns).ravel()
    copy = np.repeat(np.arange(copies), packet.size)
    unit = copy * repetitions + np.tile(repetition, copies)
    packet = np.tile(packet, copies)
    time = template.time_ns[packet] + shift[unit]
    order = np.argsort(time, kind="stable")
    return Plan(packet[order], copy[order], unit[order], time[order], shift, repetitions)


def edits_of(template: Template, phase: DataPhase, plan: Plan, who: Identities) -> list[Edit]:
    """Everything that the copies and repetitions change."""
    repetition = np.tile(np.arange(plan.repetitions), plan.shift_ns.size // plan.repetitions)

    def advanced(step: I64) -> NDArray[np.uint64]:
        return (repetition[:, None] * step).astype(np.uint64)

    def per_unit(table: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return np.repeat(table, plan.repetitions, axis=0)

    milliseconds = (plan.shift_ns // 1_000_000).astype(np.uint64)[:, None]
    data_seq = per_unit(who.data_seq) + advanced(phase.data_seq)
    places = template.places
    return [
        Edit(places.address, who.address, False),
        Edit(places.port, who.port, False),
        Edit(places.identification, advanced(phase.packets), True),
        Edit(places.seq, per_unit(who.seq) + advanced(phase.seq), True),
        Edit(places.subflow_seq, advanced(phase.seq), True),
        Edit(places.timestamp, milliseconds, True),
        Edit(places.data_seq, data_seq, True),
        Edit(places.short_data_seq, data_seq, True),
        Edit(places.key, who.key, False),
        Edit(places.token, who.token, False),
        Edit(places.nonce, who.nonce, False),
        Edit(places.join_syn_ack_hmac, who.join_syn_ack_hmac, False),
        Edit(places.join_ack_hmac, who.join_ack_hmac, False),
        Edit(places.address_hmac, who.address_hmac, False),
    ]
