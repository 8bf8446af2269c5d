"""One MPTCP connection as the signalling plane shows it (RFC 8684 section 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dissector.address_index import AddressIndex
from dissector.events import Event, EventKind
from dissector.signals import Note

if TYPE_CHECKING:
    from dissector.options import TcpOption
    from dissector.segment import Segment
    from dissector.signals import (
        AddressRemoval,
        AdvertisedAddress,
        DataFin,
        FailSignal,
        Fallback,
        FastcloseSignal,
        InfiniteMapping,
        NoteCode,
        OddOption,
        PriorityChange,
        ResetSignal,
    )
    from dissector.subflow import Appearance, SubflowState

ConnectionProgress = Literal["established", "handshake", "fallback", "partial"]
ConnectionEnd = Literal["data_fin", "fastclose", "reset", "open"]


@dataclass(slots=True, eq=False)
class ConnectionHost:
    """What one host's MP_CAPABLE (or, in a partial connection, an MP_JOIN) says of it."""

    key: int | None = None
    other_key: int | None = None
    """Another key that a repeated packet of the handshake carried."""
    token: int | None = None
    """Known without the key where an MP_JOIN named it."""
    initial_data_seq: int | None = None
    checksum_required: bool | None = None
    """Flag A; None as long as no MP_CAPABLE of this host was seen."""
    denies_join: bool | None = None
    """Flag C (v1): no further subflows to the address and port of this MP_CAPABLE."""


@dataclass(slots=True, eq=False)
class ConnectionState:
    """Facts of one connection; the table writes them, everybody may read them.

    ``subflows`` and ``events`` are in capture order, ``events`` surely so after
    ``ConnectionTable.finish``.
    """

    index: int
    partial: bool
    """Its beginning is not in the capture: made from an MP_JOIN whose token no key explains, or
    from streams that were adopted."""
    first_frame: int
    first_time_ns: int
    version: int | None = None
    """0 or 1 as agreed so far; None where it is not known."""
    offered_version: int | None = None
    """The version in the client's SYN, also one that is not known."""
    hash_version: int | None = None
    """The version whose hash explains the tokens: ``version`` unless an MP_JOIN shows other."""
    client: ConnectionHost = field(default_factory=ConnectionHost)
    server: ConnectionHost = field(default_factory=ConnectionHost)
    established: Appearance | None = None
    """The packet that proves the handshake's end."""
    fallback: Fallback | None = None
    subflows: list[SubflowState] = field(default_factory=list)
    addresses: list[AdvertisedAddress] = field(default_factory=list)
    removals: list[AddressRemoval] = field(default_factory=list)
    priority_changes: list[PriorityChange] = field(default_factory=list)
    fails: list[FailSignal] = field(default_factory=list)
    fastcloses: list[FastcloseSignal] = field(default_factory=list)
    resets: list[ResetSignal] = field(default_factory=list)
    infinite_mappings: list[InfiniteMapping] = field(default_factory=list)
    data_fins: list[DataFin] = field(default_factory=list)
    odd_options: list[OddOption] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    events: list[Event] = field(default_factory=list, repr=False)
    client_data_fin: DataFin | None = None
    """The client's first DATA_FIN."""
    server_data_fin: DataFin | None = None
    index_of_addresses: AddressIndex = field(default_factory=AddressIndex, repr=False)
    said_data_fins: set[tuple[bool, int, int | None, int]] = field(default_factory=set, repr=False)
    """From the client, stream, data sequence number and length of each of ``data_fins``."""
    segments: list[Segment] = field(default_factory=list, repr=False)
    """Of a partial connection only: what it was made from, should a key turn up later."""

    @property
    def checksum(self) -> bool | None:
        """DSS checksums are in use: either host asked for them (RFC 8684 section 3.1)."""
        if self.client.checksum_required or self.server.checksum_required:
            return True
        return None if self.server.checksum_required is None else False

    @property
    def state(self) -> ConnectionProgress:
        """How the connection stands, in the contract's words."""
        if self.fallback is not None:
            return "fallback"
        if self.partial:
            return "partial"
        return "handshake" if self.established is None else "established"

    @property
    def initial_subflow(self) -> SubflowState | None:
        """The subflow of the MP_CAPABLE handshake, None where it was not captured."""
        for subflow in self.subflows:
            if subflow.kind == "initial":
                return subflow
        return None

    def data_fin(self, *, from_client: bool) -> DataFin | None:
        """The first DATA_FIN of one direction."""
        return self.client_data_fin if from_client else self.server_data_fin

    @property
    def fastclose(self) -> FastcloseSignal | None:
        """The MP_FASTCLOSE that ended the connection: the first whose key is not wrong."""
        for signal in self.fastcloses:
            if signal.key_valid is not False:
                return signal
        return None

    @property
    def closed(self) -> bool:
        """Both hosts said that no data will follow, or one broke the connection off."""
        if self.client_data_fin is not None and self.server_data_fin is not None:
            return True
        return bool(self.fastcloses) and self.fastclose is not None

    @property
    def end(self) -> ConnectionEnd:
        """How the connection ended.

        ``data_fin``: each host sent a DATA_FIN; after a fallback the FIN of the one subflow that
        is left stands for it (RFC 8684 section 3.3.3). ``reset``: no subflow is left, and of
        those that came to be the last was reset.
        """
        if self.fastclose is not None:
            return "fastclose"
        if self.closed:
            return "data_fin"
        used = [subflow for subflow in self.subflows if subflow.established]
        used = used or [subflow for subflow in self.subflows if subflow.kind == "initial"]
        ends = [subflow.end for subflow in used]
        if self.fallback is not None and ends and ends[-1] == "fin":
            return "data_fin"
        if "open" not in ends and "reset" in ends:
            return "reset"
        return "open"

    def add_event(
        self,
        kind: EventKind,
        segment: Segment,
        from_client: bool | None,
        text: str,
        option: TcpOption | None = None,
    ) -> None:
        """Records what the segment brought about."""
        self.events.append(
            Event(
                kind,
                segment.frame_number,
                segment.time_ns,
                segment.stream,
                from_client,
                option,
                text,
            )
        )

    def add_fallback_event(self, fallback: Fallback, text: str) -> None:
        """Records a fallback that became certain only later."""
        frame, time_ns, stream = fallback.frame_number, fallback.time_ns, fallback.stream
        self.events.append(Event(EventKind.FALLBACK, frame, time_ns, stream, None, None, text))

    def add_note(self, code: NoteCode, segment: Segment, text: str) -> None:
        """Records something worth knowing."""
        self.notes.append(Note(code, segment.frame_number, segment.time_ns, segment.stream, text))
