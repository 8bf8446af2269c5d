"""``mptrace dissect FILE...``: packets field by field, with the octets each field stands for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from mptrace.commands.errors import CommandError, capture_errors
from mptrace.commands.filtering import add_filter_argument, compiled, passing
from mptrace.views.figures import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from mptrace.analysis.filter import DisplayFilter
    from mptrace.analysis.packets.packet_tree import PacketTree
    from mptrace.capture import Capture
    from mptrace.capture.records import Damage

NAME = "dissect"
SUMMARY = "Show packets field by field, each with its octets"

_MOST_LISTED: Final = 1_000_000
"""A range of more packet numbers is a slip of the keyboard."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``dissect``."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pcap or pcapng file, also compressed; several are merged by time; - reads "
        "standard input",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "-n",
        "--packet",
        action="append",
        metavar="N",
        help="only packet N, N-M or N,M (numbers from 1, as in Wireshark); may be given several "
        "times; without it, every packet with an MPTCP option",
    )
    chosen.add_argument("--all", action="store_true", help="every packet")
    add_filter_argument(parser, "only the packets that")
    parser.add_argument("--json", action="store_true", help="print one line of JSON per packet")


def run(arguments: argparse.Namespace) -> int:
    """Print the packets; return 1 when the capture is damaged."""
    numbers = None if arguments.packet is None else packet_numbers(arguments.packet)
    wanted = None if arguments.filter is None else compiled(arguments.filter)
    from mptrace.capture import open_capture

    with capture_errors(), open_capture(arguments.files) as capture:
        if wanted is None:
            trees = _trees(capture, numbers, every=arguments.all)
        else:
            trees = _passing_trees(capture, numbers, wanted)
        _print(trees, as_json=arguments.json)
        if not capture.damage:
            return 0
        damage = capture.damage[0]
        sys.stdout.flush()
        line = f"mptrace: {damage.path}: {_damage_text(damage)}; dissected up to there"
        print(printable(line), file=sys.stderr)
        return 1


def packet_numbers(asked: Iterable[str]) -> list[int]:
    """The packet numbers that ``3``, ``7-9`` and ``1,2`` name, in the order asked for.

    Raises:
        CommandError: one of them is no packet number or range.
    """
    numbers: dict[int, None] = {}
    for text in asked:
        for part in text.split(","):
            first, dash, last = part.strip().partition("-")
            ends = (first, last if dash else first)
            if not all(end.isascii() and end.isdecimal() and len(end) < 19 for end in ends):
                raise CommandError(f"-n {text}: packets are numbers, 7, or ranges, 7-9")
            start, end = int(ends[0]), int(ends[1])
            if not 0 < start <= end or end - start >= _MOST_LISTED:
                raise CommandError(f"-n {text}: packets count from 1, ranges go up")
            numbers.update(dict.fromkeys(range(start, end + 1)))
    return list(numbers)


def _trees(capture: Capture, numbers: list[int] | None, *, every: bool) -> Iterator[PacketTree]:
    from mptrace.analysis.packets.mptcp_packets import all_packet_records, mptcp_packet_records
    from mptrace.analysis.packets.packet_tree import packet_tree

    if numbers is not None:
        for number in numbers:
            try:
                record = capture.packet(number)
            except IndexError:
                path = ", ".join(capture.paths)
                damaged = f" ({_damage_text(capture.damage[0])})" if capture.damage else ""
                raise CommandError(f"{path}: there is no packet {number}{damaged}") from None
            yield packet_tree(record)
        return
    records = all_packet_records(capture) if every else mptcp_packet_records(capture)
    yield from map(packet_tree, records)


def _passing_trees(
    capture: Capture, numbers: list[int] | None, wanted: DisplayFilter
) -> Iterator[PacketTree]:
    """The packets that pass; of those asked for where numbers are named."""
    passes = passing(capture, wanted)
    if numbers is not None:
        left = [number for number in numbers if number > passes.size or passes[number - 1]]
        yield from _trees(capture, left, every=False)
        return
    from mptrace.analysis.packets.mptcp_packets import passing_packet_records
    from mptrace.analysis.packets.packet_tree import packet_tree

    yield from map(packet_tree, passing_packet_records(capture, passes))


def _damage_text(damage: Damage) -> str:
    return f"damaged at offset {damage.offset}: {damage.reason}"


def _print(trees: Iterable[PacketTree], *, as_json: bool) -> None:
    from mptrace.views import packet

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # what a terminal can't show is ?
    first = True
    for tree in trees:
        if as_json:
            print(packet.json_line(tree))
            continue
        if not first:
            print()
        first = False
        for line in packet.text_lines(tree):
            print(line)
