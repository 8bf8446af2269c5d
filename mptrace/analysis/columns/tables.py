"""The columns that the analysis keeps of a capture: one row a TCP segment, one row a DSS.

Rows of `SegmentTable` stand in frame order until `subflow_space` sorts them; row numbers in
other tables point into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Numbers = NDArray[np.signedinteger]
"""Numbers of rows, ways and spaces: 32 bits wide where there is one for each packet. They are
counted and compared, not multiplied; what shifts them makes them int64 first."""


class Columns:
    """A table: columns of one length, which are the fields of a dataclass."""

    __slots__ = ()

    @staticmethod
    def dtypes() -> dict[str, type[np.generic]]:
        """Column names and their dtypes."""
        raise NotImplementedError

    def __len__(self) -> int:
        return int(getattr(self, next(iter(self.dtypes()))).size)

    def take(self, rows: Numbers | Bool) -> Self:
        """The rows named, as a table of their own."""
        return type(self)(**{name: getattr(self, name)[rows] for name in self.dtypes()})

    def keep(self, rows: Numbers | Bool, names: Sequence[str] | None = None) -> None:
        """Become the rows named, in their order; never more than one column is held twice.

        ``names`` are the columns that do so; all where it is None.
        """
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)  # looking at a mask for every column takes longer
        for name in names or self.dtypes():
            setattr(self, name, getattr(self, name).take(rows))


@dataclass(slots=True)
class SegmentTable(Columns):
    """TCP segments of a capture; every column is (n,)."""

    frame_number: I32
    time_ns: I64
    flow: I32
    """Number of the 5-tuple, then of tcp.stream once streams are told apart."""
    from_initiator: Bool
    """Sent by the lower endpoint of the flow, then by the initiator of the stream."""
    seq: U32
    ack: U32
    flags: U16
    window: U16
    payload_length: I32
    """From the IP header, octets."""
    payload_captured: I32
    """How many of them are in the capture."""
    payload_position: I64
    """Offset of the payload in the (decompressed) file."""
    source: U16
    """Index of the file within the capture."""
    subtypes: U16
    """Bit n: an MPTCP option of subtype n; bit 14: options cut by the snaplen;
    bit 15: malformed, unknown or MP_EXPERIMENTAL."""
    wire_length: I32

    @staticmethod
    def dtypes() -> dict[str, type[np.generic]]:
        """Column names and their dtypes."""
        return {
            "frame_number": np.int32,
            "time_ns": np.int64,
            "flow": np.int32,
            "from_initiator": np.bool_,
            "seq": np.uint32,
            "ack": np.uint32,
            "flags": np.uint16,
            "window": np.uint16,
            "payload_length": np.int32,
            "payload_captured": np.int32,
            "payload_position": np.int64,
            "source": np.uint16,
            "subtypes": np.uint16,
            "wire_length": np.int32,
        }


@dataclass(slots=True)
class RecognitionTable(Columns):
    """What a second capture of the same packet is known by; every column is (n,)."""

    identity: U64
    """Hash of everything that it has in common with the first."""
    place: I32
    """Where it was captured: interface, tunnel depth and (Linux cooked) direction."""
    has_identification: Bool
    """IPv4 with a non-zero identification."""

    @staticmethod
    def dtypes() -> dict[str, type[np.generic]]:
        """Column names and their dtypes."""
        return {"identity": np.uint64, "place": np.int32, "has_identification": np.bool_}

    @classmethod
    def none(cls) -> RecognitionTable:
        """No rows."""
        return TableBuilder(RecognitionTable).finish()


@dataclass(slots=True)
class DssTable(Columns):
    """DSS options (RFC 8684 section 3.3); every column is (n,)."""

    segment: I32
    """Row of the segment that carries it."""
    data_ack: U64
    data_ack_octets: U8
    """0 where there is none, 4 or 8."""
    data_seq: U64
    data_seq_octets: U8
    subflow_seq: U32
    data_length: U16
    checksum: U16
    has_checksum: Bool
    data_fin: Bool

    @staticmethod
    def dtypes() -> dict[str, type[np.generic]]:
        """Column names and their dtypes."""
        return {
            "segment": np.int32,
            "data_ack": np.uint64,
            "data_ack_octets": np.uint8,
            "data_seq": np.uint64,
            "data_seq_octets": np.uint8,
            "subflow_seq": np.uint32,
            "data_length": np.uint16,
            "checksum": np.uint16,
            "has_checksum": np.bool_,
            "data_fin": np.bool_,
        }


Table = TypeVar("Table", SegmentTable, RecognitionTable, DssTable)


_GROWTH = 1.5


class TableBuilder(Generic[Table]):
    """Puts tables one behind the other."""

    def __init__(self, kind: type[Table]) -> None:
        self._kind: type[Table] = kind
        self._rows = self._room = 0
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(0, dtype) for name, dtype in kind.dtypes().items()
        }

    def append(self, part: Table, share: float) -> None:
        """Add the rows of a table; ``share`` of all rows are there with it, as far as is known.

        Room that is not used costs no memory: the system gives a page when it is written to.
        """
        end = self._rows + len(part)
        if end > self._room:
            room = int(end / share) + end // 32 if share < 1 else end
            self._room = max(room, min(int(self._room * _GROWTH), 2 * end))
            for name, column in self._columns.items():
                self._columns[name] = np.empty(self._room, column.dtype)
                self._columns[name][: self._rows] = column[: self._rows]
        for name, column in self._columns.items():
            column[self._rows : end] = getattr(part, name)
        self._rows = end

    def finish(self) -> Table:
        """All rows as one table; nothing may be appended after."""
        for column in self._columns.values():
            column.resize(self._rows, refcheck=False)  # nobody else has seen these columns
        table: Table = self._kind(**self._columns)
        return table
