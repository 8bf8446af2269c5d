"""Make a large capture from a sample: ``python bench/make_capture.py --shape one OUTPUT``.

A sample's connections are copied with addresses, ports, keys, tokens, nonces, HMACs and sequence
numbers of their own, and the data of a connection is repeated with everything that counts moving
on, so that whoever checks the result finds it right.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from bench.capture_writer import CaptureWriter  # noqa: E402
from bench.data_phase import find_data_phase, whole_sample  # noqa: E402
from bench.identities import new_identities  # noqa: E402
from bench.plan import edits_of, lay_out  # noqa: E402
from bench.template import UnusableSampleError, read_template  # noqa: E402


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of capture."""

    sample: str
    connections: int
    packets: int | None
    """At least so many, by repeating the data of each connection; None: as in the sample."""
    concurrent: int
    plain_share: float
    happens: str


SHAPES: Final = {
    "many": Shape("aggregate", 400, 1_000_000, 40, 0.0, "several hundred connections interleaved"),
    "one": Shape("aggregate", 1, 1_000_000, 1, 0.0, "one connection on two subflows"),
    "connections": Shape("many", 10_000, None, 4, 0.0, "short connections"),
    "plain": Shape("aggregate", 400, 1_000_000, 40, 0.95, "as many, and 95 % of it plain TCP"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """What was written."""

    packets: int
    connections: int
    repetitions: int


def make_capture(
    output: Path,
    shape: Shape,
    *,
    connections: int | None = None,
    packets: int | None = None,
    sample: Path | None = None,
    snaplen: int | None = None,
    seed: int = 8684,
) -> Made:
    """Write a capture of a shape; ``connections`` and ``packets`` take the place of the shape's.

    Raises UnusableSampleError where the sample cannot be repeated.
    """
    template = read_template(sample or ROOT / "samples" / shape.sample / "client.pcap")
    in_sample = template.initial_data_seqs.size // 2
    copies = -(-(connections or shape.connections) // in_sample)
    packets = packets or shape.packets
    phase, repetitions = whole_sample(template), 1
    if packets is not None:
        phase = find_data_phase(template)
        around = len(template) - (phase.last - phase.first)
        repetitions = max(-(-(packets // copies - around) // (phase.last - phase.first)), 1)
    rng = np.random.default_rng(seed)
    who = new_identities(template, copies, rng)
    plan = lay_out(template, phase, copies, repetitions, min(shape.concurrent, copies))
    # spread evenly, so that both kinds run at the same time
    share = np.floor(np.arange(1, copies + 1) * shape.plain_share)
    plain = np.diff(share, prepend=0) > 0
    writer = CaptureWriter(template, edits_of(template, phase, plan, who), plain, snaplen)
    with output.open("wb") as file:
        writer.write(plan, file)
    return Made(len(plan), int(np.count_nonzero(~plain)) * in_sample, repetitions)


def main(arguments: list[str] | None = None) -> int:
    """Make what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description="Make a large capture from a sample.")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the pcap file to write")
    parser.add_argument(
        "--shape",
        choices=SHAPES,
        default="many",
        help="; ".join(f"{name}: {shape.happens}" for name, shape in SHAPES.items()),
    )
    parser.add_argument("--connections", type=int, metavar="N", help="default: the shape's")
    parser.add_argument("--packets", type=int, metavar="N", help="at least so many")
    parser.add_argument("--sample", type=Path, metavar="FILE", help="default: the shape's")
    parser.add_argument("--snaplen", type=int, metavar="OCTETS", help="cut packets (default: no)")
    chosen = parser.parse_args(arguments)
    try:
        made = make_capture(
            chosen.output,
            SHAPES[chosen.shape],
            connections=chosen.connections,
            packets=chosen.packets,
            sample=chosen.sample,
            snaplen=chosen.snaplen,
        )
    except UnusableSampleError as error:
        print(f"make_capture.py: {error}", file=sys.stderr)
        return 2
    print(f"{chosen.output}: {made.packets} packets, {made.connections} MPTCP connections")
    return 0


if __name__ == "__main__":
    sys.exit(main())
