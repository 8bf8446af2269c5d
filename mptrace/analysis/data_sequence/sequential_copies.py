"""Copies one packet at a time: for input whose overlaps are too tangled to be cut in columns.

Only a capture made to tangle (every packet overlapping most others, at borders of its own) comes
here. Classes are exact; a reinjection that no DATA_ACK had covered counts as redundant, since the
acknowledgements of earlier copies are not looked up octet by octet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dissector.reassembly import CopyClassifier
from mptrace.analysis.arrays.intervals import in_overlap
from mptrace.analysis.data_sequence.copies import Copies, CopyClass, PayloadPieces, Worth

if TYPE_CHECKING:
    from mptrace.analysis.columns.tables import I64, Bool, Numbers
    from mptrace.analysis.data_sequence.acknowledgements import Acknowledgements
    from mptrace.analysis.data_sequence.subflow_space import SubflowSpace

_KINDS = {
    "first": CopyClass.FIRST,
    "retransmission": CopyClass.RETRANSMISSION,
    "remapped": CopyClass.REMAPPED,
    "reinjection": CopyClass.REINJECTION,
}


def classify_one_by_one(
    pieces: PayloadPieces,
    subflows: SubflowSpace,
    space_of_way: Numbers,
    acks: Acknowledgements,
    data_acks: Acknowledgements,
) -> Copies:
    """The same as ``copies.classify`` in memory linear in its result."""
    frames = subflows.segments.frame_number[pieces.row]
    order = np.argsort(frames, kind="stable")
    classifiers: dict[int, CopyClassifier] = {}
    row_of_frame: dict[int, int] = {}
    found: list[tuple[int, int, int, int, int, int]] = []
    way_of_row = subflows.way
    for index in order.tolist():
        row = int(pieces.row[index])
        way = int(way_of_row[row])
        start = int(pieces.data_place[index])
        frame = int(frames[index])
        row_of_frame[frame] = row
        classifier = classifiers.setdefault(int(space_of_way[way]), CopyClassifier())
        place = int(pieces.place[index])
        length = int(pieces.place_end[index]) - place
        for copy in classifier.receive(way, place, start, length, frame):
            before = -1 if copy.previous_frame is None else row_of_frame[copy.previous_frame]
            found.append(
                (row, copy.data_seq, copy.length, _KINDS[copy.kind], before, place - start)
            )
    column = np.array(found, np.int64).reshape(-1, 6)
    rows, starts, lengths, kinds, earlier, distance = column.T
    ends = starts + lengths
    ways = way_of_row[rows]
    space = space_of_way[ways]
    frame_numbers = subflows.segments.frame_number[rows].astype(np.int64)
    worth = np.zeros(rows.size, np.uint8)
    again = np.flatnonzero(kinds == CopyClass.REINJECTION)
    covered = data_acks.place_before(
        space[again], frame_numbers[again] - 1, np.full(again.size, np.iinfo(np.int64).min)
    )
    worth[again] = np.where(covered >= ends[again], Worth.SPURIOUS, Worth.REDUNDANT)
    by_place = np.lexsort((frame_numbers, starts))
    repeated = _touched_again(starts, ends, kinds, by_place)
    result = Copies(
        row=rows,
        way=ways,
        space=space,
        frame=frame_numbers,
        data_place=starts,
        data_end=ends,
        kind=kinds.astype(np.uint8),
        worth=worth,
        repeats_row=earlier,
        first_row=np.where(earlier < 0, rows, earlier),
        repeated=repeated,
        delivered_octets=np.where(
            kinds == CopyClass.FIRST,
            acks.octets_covered(ways, starts + distance, ends + distance),
            0,
        ),
    )
    return Copies(**{name: getattr(result, name)[by_place] for name in Copies.__slots__})


def _touched_again(start: I64, end: I64, kind: I64, by_place: I64) -> Bool:
    """Copies that share octets with another one."""
    shared = np.zeros(start.size, np.bool_)
    shared[by_place] = in_overlap(start[by_place], end[by_place])
    shared |= kind != CopyClass.FIRST
    return shared
