"""What the capture itself leaves out or holds twice, and which checks that makes impossible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mptrace.analysis.findings.case import DIRECTIONS, report
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import CaptureSummary, Finding

CAPTURE_DAMAGED: Final = FindingKind(
    "capture_damaged",
    "warning",
    "The capture file stops making sense, or ends in the middle of a packet. All that comes "
    "before is analyzed.",
    "Copy the file again; if it is like this at its origin, the capturing program was killed.",
)
PACKETS_TRUNCATED: Final = FindingKind(
    "packets_truncated",
    "note",
    "Packets are shorter in the capture than they were on the wire (snaplen). Figures need "
    "headers only and are not affected as long as those are whole.",
    "Capture whole packets (tcpdump -s 0) to verify checksums and to follow the data.",
)
OPTIONS_TRUNCATED: Final = FindingKind(
    "options_truncated",
    "warning",
    "Packets are cut within their TCP options, so that MPTCP options may be missing from the "
    "analysis. Nothing is concluded from options that were not captured: checks that need them "
    "are left out, and figures are too low.",
    "Capture at least 128 octets of each packet (tcpdump -s 128).",
)
CHECKSUMS_UNVERIFIABLE: Final = FindingKind(
    "checksums_unverifiable",
    "note",
    "The connection uses DSS checksums, but the payload that they cover is not whole in the "
    "capture, so that they can't be verified.",
    "Capture whole packets (tcpdump -s 0) if you suspect a middlebox that rewrites payload.",
    "3.3.1",
)
IP_FRAGMENTS: Final = FindingKind(
    "ip_fragments",
    "note",
    "The capture has IP fragments. They are counted, not put together: TCP segments in them are "
    "not analyzed.",
    "If they belong to the connections, look why packets are fragmented (path MTU, tunnels).",
)
CAPTURE_DUPLICATES: Final = FindingKind(
    "capture_duplicates",
    "note",
    "The same packets were captured more than once (on several interfaces, or on a bridge). Each "
    "counts once.",
    "Nothing.",
)
PACKETS_UNREADABLE: Final = FindingKind(
    "packets_unreadable",
    "note",
    "Packets have a link type, or headers, that could not be read to their end. They are not "
    "analyzed.",
    "If they are what you wanted to see, the link type or tunnel is not supported yet: "
    "docs/captures.md lists those that are.",
)

KINDS: Final = (
    CAPTURE_DAMAGED,
    PACKETS_TRUNCATED,
    OPTIONS_TRUNCATED,
    CHECKSUMS_UNVERIFIABLE,
    IP_FRAGMENTS,
    CAPTURE_DUPLICATES,
    PACKETS_UNREADABLE,
)


def of_capture(capture: CaptureSummary) -> Iterator[Finding]:
    """Findings about the capture as a whole: numbers, without packets to name."""
    if capture.damage is not None:
        where = f" of {capture.damage.path}" if capture.damage.path else ""
        yield report(
            CAPTURE_DAMAGED,
            f"The capture is damaged at offset {capture.damage.offset:,}{where}: "
            f"{capture.damage.reason}.",
            (),
        )
    amounts = (
        (PACKETS_TRUNCATED, capture.truncated_packets, "Shorter in the capture than on the wire"),
        (CAPTURE_DUPLICATES, capture.capture_duplicates, "Captured a second time, and not counted"),
        (IP_FRAGMENTS, capture.ip_fragments, "IP fragments, which are not put together"),
        (PACKETS_UNREADABLE, capture.unreadable_packets, "With headers that could not be read"),
    )
    for kind, number, what in amounts:
        if number:
            text = f"{what}: {number:,} of {counted(capture.packets, 'packet')}."
            yield report(kind, text, ())


def cut_options(case: Case) -> Iterator[Finding]:
    """Packets that are cut within their options, over the whole connection."""
    if not case.rows.cut_options:
        return
    numbers = range(case.first_subflow, case.first_subflow + len(case.members))
    frames = [frame for number in numbers for frame in case.rows.cut_options.get(number, ())]
    if frames:
        yield case.report(
            OPTIONS_TRUNCATED,
            f"{counted(len(frames), 'packet')} of {case.connection.packets:,} "
            f"{'is' if len(frames) == 1 else 'are'} cut within the TCP options: what MPTCP says "
            "there is unknown, and figures are too low.",
            frames,
        )


def unverifiable_checksums(case: Case) -> Iterator[Finding]:
    """DSS checksums over payload that is not whole in the capture."""
    mappings = case.rows.unverifiable.get(case.connection.index)
    missing = any(case.direction(n).missing_octets for n in DIRECTIONS)
    if mappings is None or not (case.capture.truncated_packets or missing):
        return  # a mapping that a subflow's end, or the capture's, left unused is no loss
    verified = sum(case.direction(n).checksums_verified for n in DIRECTIONS)
    wrong = sum(case.direction(n).checksum_failures for n in DIRECTIONS)
    total = len(mappings) + verified + wrong
    why = "packets are cut" if case.capture.truncated_packets else "packets are missing"
    yield case.report(
        CHECKSUMS_UNVERIFIABLE,
        f"{len(mappings):,} of {counted(total, 'DSS checksum')} can't be verified, since {why} in "
        "the capture.",
        case.rows.frames_of_mappings(mappings),
    )


RULES: Final = (cut_options, unverifiable_checksums)
