"""Who the copies of a template are: addresses, ports, keys, and what follows from the keys."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

import numpy as np

from dissector.keys import (
    add_address_hmac,
    initial_data_seq,
    join_ack_hmac,
    join_syn_ack_hmac,
    token,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.template import Template

    Octets = NDArray[np.uint8]
    U64 = NDArray[np.uint64]

_FIRST_ADDRESS: Final = 10 << 24
_LOWEST_PORT: Final = 1024
_PORT_STEP: Final = 7919


@dataclass(slots=True)
class Identities:
    """Tables of the copies: uint8[copies, columns, width], or uint64[copies, columns] of shifts.

    What a column is, `FieldPlaces` says.
    """

    address: Octets
    port: Octets
    key: Octets
    token: Octets
    nonce: Octets
    join_syn_ack_hmac: Octets
    join_ack_hmac: Octets
    address_hmac: Octets
    seq: U64
    data_seq: U64


def new_identities(template: Template, copies: int, rng: np.random.Generator) -> Identities:
    """Draw new numbers for every copy, and compute what RFC 8684 derives from them."""
    spaces, ways = template.initial_data_seqs.size, template.space_of_way.size
    addresses = _FIRST_ADDRESS + 1 + np.arange(copies * len(template.addresses))
    ports = np.array(template.ports, np.int64) - _LOWEST_PORT
    room = (1 << 16) - _LOWEST_PORT
    shifted = (ports + _PORT_STEP * np.arange(copies)[:, None]) % room + _LOWEST_PORT
    keys = _numbers(rng, (copies, spaces), 8)
    nonces = _numbers(rng, (copies, ways), 4)
    tokens = np.zeros((copies, spaces, 4), np.uint8)
    data_seq = np.zeros((copies, spaces), np.uint64)
    taken: set[int] = set()
    for copy, space in np.ndindex(copies, spaces):
        key = keys[copy, space].tobytes()
        while (name := token(key, template.version)) in taken:  # two hosts with one token
            key = rng.bytes(8)
            keys[copy, space] = np.frombuffer(key, np.uint8)
        taken.add(name)
        tokens[copy, space] = np.frombuffer(name.to_bytes(4), np.uint8)
        data_seq[copy, space] = initial_data_seq(key, template.version)
    result = Identities(
        address=_octets(addresses.reshape(copies, -1), 4),
        port=_octets(shifted, 2),
        key=keys,
        token=tokens,
        nonce=nonces,
        join_syn_ack_hmac=np.zeros((copies, ways, 8), np.uint8),
        join_ack_hmac=np.zeros((copies, ways, 20), np.uint8),
        address_hmac=np.zeros((copies, len(template.advertised), 8), np.uint8),
        seq=rng.integers(0, 1 << 32, (copies, ways), np.uint64),
        data_seq=data_seq - template.initial_data_seqs,
    )
    for copy in range(copies):
        _authenticate(template, result, copy)
    return result


def _authenticate(template: Template, who: Identities, copy: int) -> None:
    keys = [key.tobytes() for key in who.key[copy]]
    for subflow in template.joins:
        way = 2 * subflow  # from the host that opened the subflow
        opener = int(template.space_of_way[way])
        opening = (keys[opener], keys[opener ^ 1], *_nonces(who, copy, way))
        answering = (keys[opener ^ 1], keys[opener], *_nonces(who, copy, way ^ 1))
        who.join_ack_hmac[copy, way] = _row(join_ack_hmac(*opening, template.version))
        who.join_syn_ack_hmac[copy, way ^ 1] = _row(join_syn_ack_hmac(*answering, template.version))
    for column, advertised in enumerate(template.advertised):
        host = advertised.by_host
        address = IPv4Address(who.address[copy, advertised.address].tobytes())
        who.address_hmac[copy, column] = _row(
            add_address_hmac(
                keys[host], keys[host ^ 1], advertised.address_id, address, advertised.port
            )
        )


def _nonces(who: Identities, copy: int, way: int) -> tuple[bytes, bytes]:
    return who.nonce[copy, way].tobytes(), who.nonce[copy, way ^ 1].tobytes()


def _numbers(rng: np.random.Generator, shape: tuple[int, int], width: int) -> Octets:
    octets: Octets = rng.integers(0, 256, (*shape, width), np.uint8)
    return octets


def _octets(numbers: NDArray[np.int64], width: int) -> Octets:
    """Big-endian: int64[copies, columns] -> uint8[copies, columns, width]."""
    eight = numbers.astype(">i8").view(np.uint8).reshape(*numbers.shape, 8)
    return np.ascontiguousarray(eight[:, :, 8 - width :])


def _row(octets: bytes) -> Octets:
    return np.frombuffer(octets, np.uint8)
