"""The DataFrame of packets: everything that the tables know, per packet, in frame order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mptrace.analysis.columns.tables import ACK, SYN
from mptrace.analysis.data_sequence.copies import CopyClass, Worth
from mptrace.analysis.data_sequence.window_shifts import window_shifts
from mptrace.analysis.frames.building import ABSENT, SECOND, Column, categories, masked
from mptrace.analysis.frames.packet_data import DataColumns, data_columns
from mptrace.analysis.frames.packet_mptcp import OptionColumns, option_columns

if TYPE_CHECKING:
    import pandas as pd

    from mptrace.analysis.columns.tables import I64
    from mptrace.analysis.results import Evidence

DIRECTIONS = ("client_to_server", "server_to_client")


def packet_values(evidence: Evidence) -> dict[str, Column]:
    """The columns of `schema.PACKETS` by name, (n,) each, in frame order."""
    plane = evidence.plane
    subflows = plane.subflows
    segments = subflows.segments
    order = np.argsort(segments.frame_number, kind="stable")
    endpoints = _Endpoints.of(evidence)
    way = subflows.way[order]
    space = plane.space_of_way[way]
    options = option_columns(plane, order)
    data = data_columns(evidence, order)
    flags = segments.flags[order].astype(np.int64)
    acks = (flags & ACK) != 0
    shift, shift_known = window_shifts(plane.membership, evidence.control)
    window = segments.window[order].astype(np.int64)
    scale = np.where((flags & SYN) != 0, 0, shift[way])
    time_ns = segments.time_ns[order]
    relative_ack = subflows.ack_place[order] - subflows.origin[way ^ 1]
    seq = (segments.seq[order] - subflows.initial_seq[way]).view(np.int32).astype(np.int64)
    payload = segments.payload_length[order].astype(np.int64)
    # beyond the first 2 GB of a subflow only the unwrapped place tells how far it is
    seq = np.where((flags & SYN) != 0, seq, subflows.position(subflows.place[order], way))
    result: dict[str, Column] = {
        "frame.number": segments.frame_number[order].astype(np.int64),
        "frame.time": time_ns,
        "frame.time_relative": (time_ns - evidence.origin_ns) * SECOND,
        "frame.len": segments.wire_length[order].astype(np.int64),
        "tcp.stream": endpoints.stream[way],
        "mptcp.stream": space >> 1,
        "mptrace.subflow": endpoints.position[way],
        "mptrace.direction": categories(space & 1, DIRECTIONS),
        "ip.src": categories(endpoints.address[way], endpoints.addresses),
        "ip.dst": categories(endpoints.address[way ^ 1], endpoints.addresses),
        "tcp.srcport": endpoints.port[way],
        "tcp.dstport": endpoints.port[way ^ 1],
        "tcp.flags": flags,
        "tcp.seq_raw": segments.seq[order].astype(np.int64),
        "tcp.seq": seq,
        "tcp.ack_raw": masked(segments.ack[order].astype(np.int64), acks),
        "tcp.ack": masked(relative_ack, acks),
        "tcp.window_size_value": window,
        "tcp.window_size": masked(window << scale, shift_known[way] | ((flags & SYN) != 0)),
        "tcp.len": payload,
    }
    result.update(_option_values(options))
    result.update(_data_values(data, options))
    return result


def _option_values(options: OptionColumns) -> dict[str, Column]:
    """What the MPTCP options of a packet say themselves."""
    return {
        "tcp.options.mptcp.subtype": categories(options.subtypes, options.subtype_numbers),
        "mptrace.options": categories(options.subtypes, options.subtype_names),
        "tcp.options.mptcp.rawdataseqno": masked(options.raw_data_seq, options.has_map),
        "tcp.options.mptcp.subflowseqno": masked(options.subflow_seq, options.has_map),
        "tcp.options.mptcp.datalvllen": masked(options.data_length, options.has_map),
        "tcp.options.mptcp.rawdataack": masked(options.raw_data_ack, options.has_ack),
        "mptrace.data_ack64": masked(options.data_ack, options.has_ack),
        "mptcp.ack": masked(options.relative_ack, options.has_ack),
        "mptrace.data_fin": options.data_fin,
    }


def _data_values(data: DataColumns, options: OptionColumns) -> dict[str, Column]:
    """What the analysis knows about a packet's payload."""
    copied = data.octets.sum(axis=1) > 0
    # the class of copy that says most comes last in CopyClass, as does the worth in Worth
    top = (len(CopyClass) - 1) - (data.octets[:, ::-1] > 0).argmax(axis=1)
    kind = np.where(copied, top, ABSENT)
    again = np.where((kind > CopyClass.FIRST) & (data.repeats >= 0), data.repeats, -1)
    place_known = copied | (options.has_map & (data.payload == 0))
    relative = np.where(copied, data.relative_data_seq, options.relative_seq)
    raw = np.where(copied, data.data_seq, options.data_seq)
    reinjection = np.where(data.worth > 0, data.worth - 1, ABSENT)
    return {
        "mptcp.rawdsn64": masked(raw, place_known),
        "mptcp.dsn": masked(relative, place_known),
        "mptcp.related_mapping": masked(data.mapping_frame, data.mapping_frame >= 0),
        "mptrace.copy": categories(kind, tuple(c.name.lower() for c in CopyClass)),
        "mptrace.first_octets": data.octets[:, CopyClass.FIRST],
        "mptrace.retransmitted_octets": data.octets[:, CopyClass.RETRANSMISSION],
        "mptrace.remapped_octets": data.octets[:, CopyClass.REMAPPED],
        "mptrace.reinjected_octets": data.octets[:, CopyClass.REINJECTION],
        "mptrace.unmapped_octets": data.unmapped,
        "mptrace.repeats": masked(again, again >= 0),
        "mptcp.reinjection_of": masked(data.reinjection_of, data.reinjection_of >= 0),
        "mptcp.reinjected_in": masked(data.reinjected_in, data.reinjected_in >= 0),
        "mptrace.reinjection": categories(
            reinjection, tuple(w.name.lower() for w in Worth if w is not Worth.NONE)
        ),
        "mptrace.out_of_order_octets": data.out_of_order,
        "mptrace.out_of_order_extent": data.extent,
        "mptrace.gap_filled_in": masked(data.filled_in, data.filled_in >= 0),
        "mptrace.acked_in": masked(data.acked_in, data.acked_in >= 0),
        "mptrace.rtt": data.rtt_s,
        "mptrace.data_acked_in": masked(data.data_acked_in, data.data_acked_in >= 0),
        "mptrace.data_rtt": data.data_rtt_s,
        "mptrace.flight": masked(data.flight, data.flight >= 0),
        "mptrace.data_flight": masked(data.data_flight, data.data_flight >= 0),
    }


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """Who sends on each way; (ways,) each."""

    stream: I64
    position: I64
    """Of the subflow within its connection."""
    address: I64
    """Index into ``addresses``."""
    port: I64
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, evidence: Evidence) -> _Endpoints:
        numbers: dict[str, int] = {}
        rows: list[tuple[int, int, int, int]] = []
        for members in evidence.plane.membership.subflows:
            for position, state in enumerate(members):
                ends = state.endpoints
                for address, port in (
                    (ends.initiator_address, ends.initiator_port),
                    (ends.responder_address, ends.responder_port),
                ):
                    number = numbers.setdefault(address, len(numbers))
                    rows.append((state.stream, position, number, port))
        table = np.array(rows, np.int64).reshape(-1, 4)
        return cls(table[:, 0], table[:, 1], table[:, 2], table[:, 3], tuple(numbers))


def packets(evidence: Evidence) -> pd.DataFrame:
    """One row per TCP segment of an MPTCP connection, columns as in `schema.PACKETS`."""
    from mptrace.analysis.frames.building import frame
    from mptrace.analysis.frames.schema import PACKETS

    return frame(PACKETS, packet_values(evidence))
