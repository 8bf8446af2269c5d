"""What tests of the protocol core share: strategies for options, and conversations of hosts."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from dissector import options as o
from dissector.connection import (
    ConnectionState,
    ConnectionTable,
    Segment,
    StreamEndpoints,
    SubflowState,
)
from dissector.option_codec import encode_option

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from dissector.events import Event


def bits(width: int) -> SearchStrategy[int]:
    return st.integers(0, (1 << width) - 1)


def octets(size: int) -> SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@st.composite
def mp_capables(draw: Any) -> o.MpCapable:
    version, present = draw(
        st.sampled_from([(0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3), (1, 4)])
    )
    widths = (64, 64, 16, 16)[:present]
    return o.MpCapable(version, draw(bits(8)), *[draw(bits(width)) for width in widths])


@st.composite
def data_sequence_signals(draw: Any) -> o.DataSequenceSignal:
    ack = draw(st.sampled_from([0, 4, 8]))
    seq = draw(st.sampled_from([0, 4, 8]))
    unused = draw(st.sampled_from([0, 0x2])) if not ack else 0
    unused |= draw(st.sampled_from([0, 0x8])) if not seq else 0
    return o.DataSequenceSignal(
        data_ack=draw(bits(8 * ack)) if ack else None,
        data_ack_octets=ack,
        data_seq=draw(bits(8 * seq)) if seq else None,
        data_seq_octets=seq,
        subflow_seq=draw(bits(32)) if seq else None,
        data_length=draw(bits(16)) if seq else None,
        checksum=draw(st.none() | bits(16)) if seq else None,
        data_fin=draw(st.booleans()),
        unused_flags=unused,
        reserved=draw(bits(7)),
    )


@st.composite
def add_addresses(draw: Any) -> o.AddAddress:
    version = draw(st.sampled_from([0, 1]))
    echo = version == 1 and draw(st.booleans())
    return o.AddAddress(
        version=version,
        address_id=draw(bits(8)),
        address=draw(st.ip_addresses()),
        port=draw(st.none() | bits(16)),
        echo=echo,
        hmac=draw(octets(8)) if version and not echo else None,
        reserved=draw(bits(3)) if version else 0,
    )


MPTCP_OPTIONS: SearchStrategy[o.TcpOption] = st.one_of(
    mp_capables(),
    st.builds(o.MpJoinSyn, st.booleans(), bits(8), bits(32), bits(32), bits(3)),
    st.builds(o.MpJoinSynAck, st.booleans(), bits(8), octets(8), bits(32), bits(3)),
    st.builds(o.MpJoinAck, octets(20), bits(12)),
    data_sequence_signals(),
    data_sequence_signals(),
    add_addresses(),
    st.builds(o.RemoveAddress, st.lists(bits(8), min_size=1, max_size=12).map(tuple), bits(4)),
    st.builds(o.MpPriority, st.booleans(), st.none() | bits(8), bits(3)),
    st.builds(o.MpFail, bits(64), bits(12)),
    st.builds(o.MpFastclose, bits(64), bits(12)),
    st.builds(o.MpTcpReset, bits(4), bits(8)),
    st.builds(o.MpExperimental, bits(4), st.binary(max_size=12)),
    st.builds(o.UnknownMptcpOption, st.integers(9, 14), bits(4), st.binary(max_size=12)),
    st.builds(o.UnknownMptcpOption, st.just(0), st.integers(2, 15), st.binary(max_size=12)),
)

PLAIN_OPTIONS: SearchStrategy[o.TcpOption] = st.one_of(
    st.just(o.NoOperation()),
    st.builds(o.MaximumSegmentSize, bits(16)),
    st.builds(o.WindowScale, bits(8)),
    st.just(o.SackPermitted()),
    st.builds(o.Sack, st.lists(st.tuples(bits(32), bits(32)), min_size=1, max_size=4).map(tuple)),
    st.builds(o.Timestamps, bits(32), bits(32)),
    st.builds(o.OtherOption, st.sampled_from([6, 19, 34, 253]), st.binary(max_size=8)),
)

OPTIONS: SearchStrategy[o.TcpOption] = MPTCP_OPTIONS | PLAIN_OPTIONS


@st.composite
def option_areas(draw: Any) -> bytes:
    """Areas of up to 40 octets: valid options, then some octets changed, or anything at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=40))  # type: ignore[no-any-return]
    area = bytearray()
    for option in draw(st.lists(OPTIONS, max_size=6)):
        area += encode_option(option)
    del area[40:]
    for place, value in draw(st.lists(st.tuples(st.integers(0, 39), bits(8)), max_size=3)):
        if place < len(area):
            area[place] = value
    return bytes(area)


@pytest.fixture(scope="session")
def any_option() -> SearchStrategy[o.TcpOption]:
    """Every option value that has a form on the wire, except the end of the list."""
    return OPTIONS


@pytest.fixture(scope="session")
def any_option_area() -> SearchStrategy[bytes]:
    """Option areas: well-formed, mutated and arbitrary."""
    return option_areas()


CLIENT_KEY = 0xDC8548E31EB0A497
SERVER_KEY = 0x78196E37ECEDBDEF
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
SECOND_NS = 1_000_000_000


class HostKeys:
    """What both hosts know and everything that follows from it, by hashlib and hmac alone."""

    def __init__(self, version: int, client: int, server: int) -> None:
        self.version = version
        self.client, self.server = client, server
        self.hash_name = "sha256" if version else "sha1"

    def key(self, *, of_client: bool) -> bytes:
        return (self.client if of_client else self.server).to_bytes(8, "big")

    def digest(self, *, of_client: bool) -> bytes:
        return hashlib.new(self.hash_name, self.key(of_client=of_client)).digest()

    def token(self, *, of_client: bool) -> int:
        return int.from_bytes(self.digest(of_client=of_client)[:4], "big")

    def initial_data_seq(self, *, of_client: bool) -> int:
        return int.from_bytes(self.digest(of_client=of_client)[-8:], "big")

    def join_hmac(self, by_client: bool, own_nonce: int, other_nonce: int) -> bytes:
        """Of RFC 8684 section 3.2, figure 8: Key=(own+other), Msg=(own nonce+other nonce)."""
        secret = self.key(of_client=by_client) + self.key(of_client=not by_client)
        message = own_nonce.to_bytes(4, "big") + other_nonce.to_bytes(4, "big")
        return hmac.new(secret, message, self.hash_name).digest()

    def address_hmac(self, by_client: bool, address_id: int, address: str, port: int) -> bytes:
        """Of RFC 8684 section 3.4.1."""
        secret = self.key(of_client=by_client) + self.key(of_client=not by_client)
        message = bytes([address_id]) + ip_address(address).packed + port.to_bytes(2, "big")
        return hmac.new(secret, message, "sha256").digest()[-8:]


class Dialogue:
    """Segments of one connection on the wire, sent into a table in order.

    Streams are opened as they are first used: 0 is the initial subflow. Sequence numbers count
    from 1000 at the initiator and from 5000 at the responder.
    """

    def __init__(
        self,
        table: ConnectionTable | None = None,
        *,
        version: int = 1,
        client: int = CLIENT_KEY,
        server: int = SERVER_KEY,
        first_stream: int = 0,
    ) -> None:
        self.table = ConnectionTable() if table is None else table
        self.keys = HostKeys(version, client, server)
        self.first_stream = first_stream
        self.frame = 100 * first_stream
        self.sent: list[Segment] = []

    @property
    def connection(self) -> ConnectionState:
        """The only connection of the table, or the initial subflow's."""
        subflow = self.table.subflow(self.first_stream)
        if subflow is not None and subflow.connection is not None:
            return subflow.connection
        (connection,) = self.table.connections
        return connection

    def subflow(self, stream: int = 0) -> SubflowState:
        subflow = self.table.subflow(self.first_stream + stream)
        assert subflow is not None
        return subflow

    def open(self, stream: int, endpoints: StreamEndpoints) -> None:
        self.table.open_stream(self.first_stream + stream, endpoints)

    def segment(
        self,
        flags: int,
        *options: o.TcpOption,
        stream: int = 0,
        back: bool = False,
        seq: int | None = None,
        payload: int = 0,
        has_dss: bool = False,
    ) -> Segment:
        """The next packet, not sent; ``back``: from the responder."""
        self.frame += 1
        first_seq = 5000 if back else 1000
        return Segment(
            self.frame,
            self.frame * SECOND_NS,
            self.first_stream + stream,
            not back,
            flags,
            (first_seq if flags & SYN else first_seq + 1) if seq is None else seq,
            0,
            64240,
            payload,
            options,
            has_dss or any(isinstance(option, o.DataSequenceSignal) for option in options),
        )

    def send(
        self,
        flags: int,
        *options: o.TcpOption,
        stream: int = 0,
        back: bool = False,
        seq: int | None = None,
        payload: int = 0,
        has_dss: bool = False,
    ) -> tuple[Event, ...]:
        segment = self.segment(
            flags, *options, stream=stream, back=back, seq=seq, payload=payload, has_dss=has_dss
        )
        if self.table.subflow(segment.stream) is None:
            self.open(stream, endpoints(stream))
        self.sent.append(segment)
        return self.table.receive(segment)

    # --- the handshake of the initial subflow

    def syn(self, flags: int = 1, *, version: int | None = None) -> tuple[Event, ...]:
        version = self.keys.version if version is None else version
        key = None if version else self.keys.client
        return self.send(SYN, o.MaximumSegmentSize(1460), o.MpCapable(version, flags, key))

    def syn_ack(self, flags: int = 1, *, key: int | None = None) -> tuple[Event, ...]:
        option = o.MpCapable(self.keys.version, flags, self.keys.server if key is None else key)
        return self.send(SYN | ACK, option, back=True)

    def third_ack(
        self,
        flags: int = 1,
        *,
        echoed: int | None = None,
        length: int | None = None,
        checksum: int | None = None,
    ) -> tuple[Event, ...]:
        server = self.keys.server if echoed is None else echoed
        option = o.MpCapable(self.keys.version, flags, self.keys.client, server, length, checksum)
        return self.send(ACK, option, payload=length or 0)

    def establish(self, flags: int = 1) -> Dialogue:
        self.syn(flags)
        self.syn_ack(flags)
        self.third_ack(flags)
        return self

    # --- further subflows

    def join_syn(
        self,
        stream: int,
        *,
        by_client: bool = True,
        address_id: int = 1,
        nonce: int = 0x11111111,
        backup: bool = False,
        token: int | None = None,
    ) -> tuple[Event, ...]:
        if token is None:
            token = self.keys.token(of_client=not by_client)
        return self.send(SYN, o.MpJoinSyn(backup, address_id, token, nonce), stream=stream)

    def join_syn_ack(
        self,
        stream: int,
        *,
        by_client: bool = True,
        address_id: int = 0,
        nonces: tuple[int, int] = (0x11111111, 0x22222222),
        backup: bool = False,
        hmac_octets: bytes | None = None,
    ) -> tuple[Event, ...]:
        right = self.keys.join_hmac(not by_client, nonces[1], nonces[0])[:8]
        option = o.MpJoinSynAck(backup, address_id, hmac_octets or right, nonces[1])
        return self.send(SYN | ACK, option, stream=stream, back=True)

    def join_ack(
        self,
        stream: int,
        *,
        by_client: bool = True,
        nonces: tuple[int, int] = (0x11111111, 0x22222222),
        hmac_octets: bytes | None = None,
    ) -> tuple[Event, ...]:
        right = self.keys.join_hmac(by_client, *nonces)[:20]
        return self.send(ACK, o.MpJoinAck(hmac_octets or right), stream=stream)

    def join(self, stream: int, *, by_client: bool = True, address_id: int = 1) -> Dialogue:
        self.join_syn(stream, by_client=by_client, address_id=address_id)
        self.join_syn_ack(stream, by_client=by_client)
        self.join_ack(stream, by_client=by_client)
        return self

    # --- data and ends

    def data(
        self, *, stream: int = 0, back: bool = False, payload: int = 100, seq: int | None = None
    ) -> tuple[Event, ...]:
        option = o.DataSequenceSignal(
            data_seq=7, data_seq_octets=8, subflow_seq=1, data_length=payload
        )
        return self.send(ACK, option, stream=stream, back=back, payload=payload, seq=seq)

    def plain(
        self, *, stream: int = 0, back: bool = False, payload: int = 100, seq: int | None = None
    ) -> tuple[Event, ...]:
        return self.send(ACK, stream=stream, back=back, payload=payload, seq=seq)

    def close(self, stream: int = 0) -> Dialogue:
        self.send(FIN | ACK, stream=stream)
        self.send(FIN | ACK, stream=stream, back=True)
        return self

    def finish(self) -> ConnectionState:
        self.table.finish()
        return self.connection


def endpoints(stream: int, *, swapped: bool = False, captured: bool = True) -> StreamEndpoints:
    """Ends of a stream: each from another address of the client, all to the same of the server."""
    client, server = (f"10.{stream + 1}.0.2", 40000 + stream), ("192.0.2.1", 443)
    if swapped:
        client, server = server, client
    return StreamEndpoints(4, *client, *server, handshake_captured=captured)


@pytest.fixture(scope="session")
def dialogue() -> type[Dialogue]:
    """The maker of dialogues."""
    return Dialogue


@pytest.fixture(scope="session")
def host_keys() -> type[HostKeys]:
    """Tokens, data sequence numbers and HMACs by the standard library's hashes."""
    return HostKeys
