"""What a path may do to TCP segments: remove options, rewrite octets, drop.

A middlebox is a function that takes a segment (which it may change in place) and returns whether
the segment goes on. The ones here are made by functions that say what they do to which segments.
"""

from __future__ import annotations

from collections.abc import Callable

from samples.recording.segment import (
    ADD_ADDR,
    MP_CAPABLE,
    MP_JOIN,
    Segment,
)

Middlebox = Callable[[Segment], bool]
Choice = Callable[[Segment], bool]


def any_segment(_segment: Segment) -> bool:
    """Choose every segment."""
    return True


def syn(segment: Segment) -> bool:
    """Choose the first packet of a handshake."""
    return segment.is_syn


def syn_ack(segment: Segment) -> bool:
    """Choose the second packet of a handshake."""
    return segment.is_syn_ack


def after_syn(segment: Segment) -> bool:
    """Choose everything behind the SYN and SYN/ACK."""
    return not segment.flags & 0x02


def remove_option(subtypes: tuple[int, ...], where: Choice) -> Middlebox:
    """Replace MPTCP options of ``subtypes`` (none named: all) by NOPs in the chosen segments."""

    def middlebox(segment: Segment) -> bool:
        places = segment.mptcp(*subtypes) if where(segment) else []
        for place in places:
            segment.blank(place)
        if places:
            segment.seal()
        return True

    return middlebox


def remove_capable(where: Choice) -> Middlebox:
    """Remove MP_CAPABLE."""
    return remove_option((MP_CAPABLE,), where)


def remove_join(where: Choice) -> Middlebox:
    """Remove MP_JOIN."""
    return remove_option((MP_JOIN,), where)


def remove_add_address_echo() -> Middlebox:
    """Remove the echo of ADD_ADDR (E flag set), so that the sender never hears of it."""

    def middlebox(segment: Segment) -> bool:
        places = [p for p in segment.mptcp(ADD_ADDR) if segment.frame[p.offset + 2] & 0x01]
        for place in places:
            segment.blank(place)
        if places:
            segment.seal()
        return True

    return middlebox


def corrupt_option(subtype: int, octet: int, where: Choice) -> Middlebox:
    """Invert one octet of an MPTCP option; ``octet`` counts from its kind, or from its end."""

    def middlebox(segment: Segment) -> bool:
        places = segment.mptcp(subtype) if where(segment) else []
        for place in places:
            segment.flip(place.offset + octet % place.length)
        if places:
            segment.seal()
        return True

    return middlebox


def corrupt_add_address(octet: int) -> Middlebox:
    """Invert one octet of every ADD_ADDR that is not an echo."""

    def middlebox(segment: Segment) -> bool:
        places = [p for p in segment.mptcp(ADD_ADDR) if not segment.frame[p.offset + 2] & 0x01]
        for place in places:
            segment.flip(place.offset + octet % place.length)
        if places:
            segment.seal()
        return True

    return middlebox


def drop(where: Choice) -> Middlebox:
    """Drop the chosen segments."""
    return lambda segment: not where(segment)


def rewrite_payload(after_octets: int, segments: int = 1, at: int = 40) -> Middlebox:
    """Invert an octet of payload in some segments, once ``after_octets`` of payload went by."""
    passed = 0
    rewritten = 0

    def middlebox(segment: Segment) -> bool:
        nonlocal passed, rewritten
        octets = segment.payload_octets
        if octets > at and passed >= after_octets and rewritten < segments:
            segment.flip(segment.payload_offset + at)
            segment.seal()
            rewritten += 1
        passed += octets
        return True

    return middlebox
