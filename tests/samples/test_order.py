"""Order and repetition at the receiver, held to the queue that Linux kept there.

OFOQueue counts segments that the receiver put into MPTCP's out-of-order queue, DuplicateData those
that it threw away because it had all their octets. Both are counted when a subflow hands a segment
over to MPTCP, and the definitions here are of the moment of its capture, so that

- without loss on a subflow, and without checksums, they are equal, segment for segment: a subflow
  hands over at once what arrives;
- where a segment is lost, the ones behind it wait in that subflow's own TCP queue (TCPOFOQueue)
  and are handed over when the hole is closed: by then nothing may be missing below them. Each was
  out of order when it was captured. So the kernel counts no more than we do, and at most as many
  fewer as TCP held back;
- with DSS checksums Linux holds a mapping back until it is whole, and TCP joins its segments in
  the meantime: the kernel counts mappings, at least one for each run of segments, and we segments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mptrace import Analysis

AnalysisOf = Callable[[Any], Analysis]

# Two capture sockets, one for each interface: packets that came within microseconds of each other
# may stand in the file in another order than the kernel took them.
SEVERAL_SOCKETS = {"two_interfaces/client": 2}


def incoming(analysis: Analysis, side: str) -> list[Any]:
    """The directions whose receiver captured."""
    return [c.server_to_client if side == "client" else c.client_to_server for c in analysis]


def test_out_of_order_packets_are_those_of_the_receivers_queue(
    recorded: Any, analysis_of: AnalysisOf
) -> None:
    analysis = analysis_of(recorded)
    ours = sum(way.out_of_order_packets for way in incoming(analysis, recorded.side))
    kernel = recorded.counters.get("OFOQueue", 0)
    held_by_tcp = recorded.tcp_counters.get("TCPOFOQueue", 0)
    unsure = SEVERAL_SOCKETS.get(recorded.id, 0)
    if any(connection.checksum for connection in analysis):
        assert (kernel > 0) == (ours > 0)
        assert kernel <= ours
    else:
        assert ours - held_by_tcp - unsure <= kernel <= ours + unsure


def test_repeated_segments_are_the_duplicates_that_the_receiver_threw_away(
    recorded: Any, analysis_of: AnalysisOf
) -> None:
    """A segment without a new octet is thrown away, one with some new octets need not be.

    Mappings of a repetition seldom begin where the first ones did: its first or last segment has
    old and new octets. Linux keeps it, or it throws away a shorter segment in its queue instead.
    """
    analysis = analysis_of(recorded)
    kernel = recorded.counters.get("DuplicateData", 0)
    whole = partly = 0
    if len(analysis):
        direction = "server_to_client" if recorded.side == "client" else "client_to_server"
        packets = analysis.packets[analysis.packets["mptrace.direction"] == direction]
        again = packets["mptrace.remapped_octets"] + packets["mptrace.reinjected_octets"] > 0
        whole = int((again & (packets["mptrace.first_octets"] == 0)).sum())
        partly = int(again.sum()) - whole
    if any(way.checksum_failures for way in incoming(analysis, recorded.side)):
        # The receiver threw the first copies away with their mapping: what came again was new.
        whole, partly = 0, whole + partly
    assert whole <= kernel <= whole + partly


def test_what_mptcp_sent_again_is_seen_as_sent_again(
    recorded: Any, analysis_of: AnalysisOf
) -> None:
    """MPTCPRetrans counts pushes of whatever size: it only tells whether there was any."""
    if not recorded.counters.get("MPTCPRetrans"):
        return
    (connection,) = analysis_of(recorded)
    way = connection.client_to_server if recorded.side == "client" else connection.server_to_client
    assert way.remapped_octets + way.reinjected_octets.total > 0


def test_retransmitted_octets_are_tcps(recorded: Any, analysis_of: AnalysisOf) -> None:
    """Without a RetransSegs of the sender, none of its segments is a retransmission."""
    for way in ("client_to_server", "server_to_client"):
        sender = "cl" if way == "client_to_server" else "sv"
        segments = recorded.truth["tcp_counters"][sender].get("RetransSegs", 0)
        octets = sum(getattr(c, way).retransmitted_octets for c in analysis_of(recorded))
        assert octets <= 1500 * segments
        near_sender = recorded.side == ("client" if sender == "cl" else "server")
        if near_sender and recorded.name == "loss":
            assert octets > 0
