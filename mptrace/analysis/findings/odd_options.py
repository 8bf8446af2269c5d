"""Options that are malformed, unknown, experimental or out of place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dissector.options import MalformedOption, MpExperimental, UnknownMptcpOption
from dissector.signals import NoteCode
from mptrace.analysis.findings.case import report
from mptrace.analysis.findings.kind import FindingKind
from mptrace.analysis.findings.wording import counted, sentence, side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dissector.options import TcpOption
    from dissector.signals import OddOption
    from mptrace.analysis.findings.case import Case
    from mptrace.analysis.model import Finding

OPTION_MALFORMED: Final = FindingKind(
    "option_malformed",
    "error",
    "An MPTCP option has a length that fits no form of it: the sender is wrong, or a middlebox "
    "damaged it. Receivers ignore such an option.",
    "Look at the octets (`mptrace dissect -n PACKET`) and compare with a capture at the sender.",
    "3",
)
OPTION_UNKNOWN: Final = FindingKind(
    "option_unknown",
    "note",
    "An MPTCP option has a subtype that neither RFC defines. Receivers ignore it.",
    "Nothing; a newer MPTCP than this analysis knows may be at work.",
    "7.2",
)
OPTION_EXPERIMENTAL: Final = FindingKind(
    "option_experimental",
    "note",
    "An MPTCP option for private use (MP_EXPERIMENTAL); what it means is between the two hosts.",
    "Nothing.",
    "7.2",
)
OPTION_OUT_OF_PLACE: Final = FindingKind(
    "option_out_of_place",
    "warning",
    "A handshake option (MP_CAPABLE or MP_JOIN) is on a packet or a subflow where it does not "
    "belong.",
    "Suspect the implementation that sent it, or a middlebox that replays packets.",
    "3.1",
)

KINDS: Final = (OPTION_MALFORMED, OPTION_UNKNOWN, OPTION_EXPERIMENTAL, OPTION_OUT_OF_PLACE)


def odd_options(case: Case) -> Iterator[Finding]:
    """Malformed, unknown and experimental options, per subflow and sender."""
    if not case.state.odd_options:
        return
    by_place: dict[tuple[int, bool, str], list[OddOption]] = {}
    for odd in case.state.odd_options:
        kind = _kind_of(odd.option)
        by_place.setdefault((odd.stream, odd.from_client, kind.code), []).append(odd)
    for (stream, from_client, _), found in by_place.items():
        kind = _kind_of(found[0].option)
        subflow = case.index_of(stream)
        where = f"on subflow {subflow}" if subflow is not None else "on a stream of it"
        what, example = _words(found)
        text = f"The {side_of(from_client)} sends {what} {where}: {example}."
        yield case.report(kind, text, [odd.frame_number for odd in found], subflow=subflow)


def out_of_place(case: Case) -> Iterator[Finding]:
    """Handshake options where they do not belong."""
    notes = [note for note in case.state.notes if note.code == NoteCode.OPTION_OUT_OF_PLACE]
    if notes:
        yield case.report(
            OPTION_OUT_OF_PLACE,
            sentence(notes[0].text),
            [note.frame_number for note in notes],
            subflow=case.index_of(notes[0].stream),
        )


def stray_options(stray: Iterable[OddOption]) -> Iterator[Finding]:
    """The same on streams that belong to no connection."""
    by_kind: dict[str, list[OddOption]] = {}
    for odd in stray:
        by_kind.setdefault(_kind_of(odd.option).code, []).append(odd)
    for found in by_kind.values():
        streams = len({odd.stream for odd in found})
        what, example = _words(found)
        yield report(
            _kind_of(found[0].option),
            f"{counted(streams, 'TCP stream')} of no MPTCP connection "
            f"{'has' if streams == 1 else 'have'} {what}: {example}.",
            [odd.frame_number for odd in found],
        )


def _kind_of(option: TcpOption) -> FindingKind:
    if isinstance(option, MalformedOption):
        return OPTION_MALFORMED
    return OPTION_EXPERIMENTAL if isinstance(option, MpExperimental) else OPTION_UNKNOWN


def _words(found: list[OddOption]) -> tuple[str, str]:
    """How many there are of what, and what the first one is."""
    option = found[0].option
    if isinstance(option, MalformedOption):
        what = counted(len(found), "malformed MPTCP option")
        example = f"one where {option.text}"
    elif isinstance(option, UnknownMptcpOption):
        what = counted(len(found), "MPTCP option")
        example = f"one of unknown subtype {option.subtype}"
    else:
        what = counted(len(found), "experimental MPTCP option")
        example = f"one of {option.length} octets"
    return what, example if len(found) == 1 else f"the first is {example}"


RULES: Final = (odd_options, out_of_place)
