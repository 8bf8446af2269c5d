"""Addresses and priorities: advertised, echoed, joined, removed, changed (RFC 8684 section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.signals import NoteCode
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import (
    address_and_port,
    counted,
    listed,
    moment,
    other,
    sentence,
    side_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dissector.signals import AddressRemoval, AdvertisedAddress, PriorityChange
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import Finding, Side

ADD_ADDR_HMAC_WRONG: Final = FindingKind(
    "add_addr_hmac_wrong",
    "error",
    "The HMAC of an advertised address is wrong. The receiver ignores the address, so no subflow "
    "to it comes to be.",
    "A NAT or middlebox that rewrites the address in the option, but can't redo its HMAC, is the "
    "usual reason: compare captures of both hosts.",
    "3.4.1",
)
ADD_ADDR_NOT_ECHOED: Final = FindingKind(
    "add_addr_not_echoed",
    "warning",
    "An advertised address was never echoed, so its sender can't know that it arrived: it was "
    "lost, a middlebox removed it, or the receiver ignored it (a wrong HMAC on arrival).",
    "Capture at the receiver: if the ADD_ADDR arrives there, its limits (`ip mptcp limits`) or its "
    "HMAC are the reason; if not, the path removes it.",
    "3.4.1",
)
ADD_ADDR_NOT_JOINED: Final = FindingKind(
    "add_addr_not_joined",
    "note",
    "An address was advertised, and nobody tried a subflow to it. Hosts may decide so.",
    "If you want the subflow: the receiver's limits must allow it (`ip mptcp limits set "
    "add_addr_accepted 1`), and it needs a route to the address.",
    "3.4.1",
)
ADD_ADDR_ECHO_UNMATCHED: Final = FindingKind(
    "add_addr_echo_unmatched",
    "note",
    "An echo confirms an address that was not seen advertised: the ADD_ADDR is not in the capture, "
    "or its address was changed on the way.",
    "Look for an address translator if the capture is complete.",
    "3.4.1",
)
ADDRESS_REMOVED: Final = FindingKind(
    "address_removed",
    "note",
    "A host withdrew an address with REMOVE_ADDR; subflows that use it are closed.",
    "Nothing if the interface went away on purpose (Wi-Fi left, address deleted).",
    "3.4.2",
)
PRIORITY_CHANGED: Final = FindingKind(
    "priority_changed",
    "note",
    "A host asked with MP_PRIO to use a subflow as a backup only, or for regular traffic again.",
    "Nothing; it explains why traffic moved from one subflow to another.",
    "3.3.8",
)

KINDS: Final = (
    ADD_ADDR_HMAC_WRONG,
    ADD_ADDR_NOT_ECHOED,
    ADD_ADDR_NOT_JOINED,
    ADD_ADDR_ECHO_UNMATCHED,
    ADDRESS_REMOVED,
    PRIORITY_CHANGED,
)

_NAMED: Final = 3
"""So many addresses or changes are told in words, further ones as a number."""


def advertisements(case: Case) -> Iterator[Finding]:
    """What became of the addresses that each host advertised."""
    if not case.state.addresses:
        return
    for by_client in (True, False):
        side = side_of(by_client)
        own = [a for a in case.state.addresses if a.by_client == by_client]
        wrong = [a for a in own if a.hmac_valid is False]
        if wrong:
            text = f"The HMAC is wrong with which the {side} advertises {_names(wrong)}."
            yield case.report(ADD_ADDR_HMAC_WRONG, text, _frames(wrong))
        right = [(a, _is_unheard(case, a)) for a in own if a.hmac_valid is not False]
        unheard = [a for a, not_echoed in right if not_echoed]
        if unheard:
            times = sum(a.count for a in unheard)
            often = f" {times} times" if times > len(unheard) else ""
            text = (
                f"The {side} advertises {_names(unheard)}{often}, and the {other(side)} never "
                f"echoes {_pronoun(unheard)}."
            )
            yield case.report(ADD_ADDR_NOT_ECHOED, text, _frames(unheard))
        unused = [a for a, not_echoed in right if not not_echoed and _is_unused(case, a)]
        if unused:
            text = (
                f"The {side} advertises {_names(unused)}, and nobody tries a subflow to "
                f"{_pronoun(unused)}."
            )
            yield case.report(ADD_ADDR_NOT_JOINED, text, _frames(unused))


def unmatched_echoes(case: Case) -> Iterator[Finding]:
    """Echoes without an advertisement, where the connection was captured from its beginning."""
    if case.connection.state == "partial":
        return
    notes = [note for note in case.state.notes if note.code == NoteCode.ECHO_UNMATCHED]
    if notes:
        frames = [note.frame_number for note in notes]
        yield case.report(ADD_ADDR_ECHO_UNMATCHED, sentence(notes[0].text), frames)


def removals(case: Case) -> Iterator[Finding]:
    """REMOVE_ADDR, with the subflows that it ends."""
    if not case.state.removals:
        return
    for by_client in (True, False):
        own = [r for r in case.state.removals if r.by_client == by_client and not r.repeated]
        if not own:
            continue
        told = [_removal_words(case, removal) for removal in own[:_NAMED]]
        more = f", and {counted(len(own) - _NAMED, 'more')}" if len(own) > _NAMED else ""
        frames = [removal.frame_number for removal in own]
        text = f"The {side_of(by_client)} removes {'; '.join(told)}{more}."
        yield case.report(ADDRESS_REMOVED, text, frames, subflow=_only_subflow(case, own))


def priorities(case: Case) -> Iterator[Finding]:
    """MP_PRIO, one finding for each subflow (or address) that it speaks of."""
    if not case.state.priority_changes:
        return
    by_target: dict[tuple[bool, tuple[int, ...], int | None], list[PriorityChange]] = {}
    for change in case.state.priority_changes:
        key = (change.by_client, change.subflow_streams, change.address_id)
        by_target.setdefault(key, []).append(change)
    for (by_client, streams, address_id), changes in by_target.items():
        indices = [index for s in streams if (index := case.index_of(s)) is not None]
        target = (
            listed([f"subflow {index}" for index in indices])
            if indices
            else f"the subflows of address {address_id}"
        )
        told = [
            f"{'as a backup' if change.backup else 'for regular traffic'} "
            f"{moment(case.since_start(change.time_ns))}"
            for change in changes[:_NAMED]
        ]
        more = f", and {counted(len(changes) - _NAMED, 'more change')}"
        text = (
            f"The {side_of(by_client)} asks to use {target} {listed(told)}"
            f"{more if len(changes) > _NAMED else ''}."
        )
        frames = [change.frame_number for change in changes]
        subflow = indices[0] if len(indices) == 1 else None
        yield case.report(PRIORITY_CHANGED, text, frames, subflow=subflow)


def _is_unheard(case: Case, advertised: AdvertisedAddress) -> bool:
    if advertised.echoed_frame is not None or advertised.join_attempts:
        return False
    if advertised.hmac is None:  # v0 knows no echo
        return False
    peer: Side = side_of(not advertised.by_client)
    waited = case.end_s - case.since_start(advertised.time_ns)
    return waited > case.patience_s and case.was_heard(peer)


def _is_unused(case: Case, advertised: AdvertisedAddress) -> bool:
    if advertised.join_attempts or advertised.joined_stream is not None:
        return False
    return case.end_s - case.since_start(advertised.time_ns) > case.patience_s


def _names(addresses: Sequence[AdvertisedAddress]) -> str:
    named = [
        f"{address_and_port(a.address, a.port)} (address ID {a.address_id})"
        for a in addresses[:_NAMED]
    ]
    if len(addresses) > _NAMED:
        named.append(counted(len(addresses) - _NAMED, "more address", "more addresses"))
    return listed(named)


def _pronoun(addresses: Sequence[AdvertisedAddress]) -> str:
    return "it" if len(addresses) == 1 else "them"


def _frames(addresses: Sequence[AdvertisedAddress]) -> list[int]:
    return [advertised.frame_number for advertised in addresses]


def _removal_words(case: Case, removal: AddressRemoval) -> str:
    ids = listed([str(address_id) for address_id in removal.address_ids])
    plural = "address IDs" if len(removal.address_ids) > 1 else "address ID"
    when = moment(case.since_start(removal.time_ns))
    subflows = [
        f"subflow {i}" for s in removal.subflow_streams if (i := case.index_of(s)) is not None
    ]
    ends = f", which is used by {listed(subflows)}" if subflows else ""
    return f"{plural} {ids} {when}{ends}"


def _only_subflow(case: Case, removals: Sequence[AddressRemoval]) -> int | None:
    streams = {stream for removal in removals for stream in removal.subflow_streams}
    return case.index_of(streams.pop()) if len(streams) == 1 else None


RULES: Final = (advertisements, unmatched_echoes, removals, priorities)
