"""Tokens, initial data sequence numbers and HMACs: SHA-1 in v0, SHA-256 in v1.

RFC 6824 and RFC 8684, section 3.1 (token, initial data sequence number), 3.2 (MP_JOIN) and
RFC 8684 section 3.4.1 (ADD_ADDR). Keys are 64-bit numbers or their 8 octets in network order,
nonces 32-bit numbers or 4 octets.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from dissector.errors import KeyMaterialError

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_HASH_NAMES = {0: "sha1", 1: "sha256"}
_HASHES = {0: hashlib.sha1, 1: hashlib.sha256}


def token(key: int | bytes, version: int) -> int:
    """The 32-bit token that names a connection in MP_JOIN: the hash's leftmost 32 bits."""
    return int.from_bytes(_key_digest(key, version)[:4])


def initial_data_seq(key: int | bytes, version: int) -> int:
    """The 64-bit initial data sequence number: the hash's rightmost 64 bits."""
    return int.from_bytes(_key_digest(key, version)[-8:])


def join_syn_ack_hmac(
    sender_key: int | bytes,
    receiver_key: int | bytes,
    sender_nonce: int | bytes,
    receiver_nonce: int | bytes,
    version: int,
) -> bytes:
    """The 8 octets in the MP_JOIN SYN/ACK; its sender is the host that answers the join."""
    return _join_digest(sender_key, receiver_key, sender_nonce, receiver_nonce, version)[:8]


def join_ack_hmac(
    sender_key: int | bytes,
    receiver_key: int | bytes,
    sender_nonce: int | bytes,
    receiver_nonce: int | bytes,
    version: int,
) -> bytes:
    """The 20 octets in the MP_JOIN third ACK; its sender is the host that opened the subflow."""
    return _join_digest(sender_key, receiver_key, sender_nonce, receiver_nonce, version)[:20]


def add_address_hmac(
    sender_key: int | bytes,
    receiver_key: int | bytes,
    address_id: int,
    address: IPv4Address | IPv6Address | bytes,
    port: int | None = None,
) -> bytes:
    """The 8 octets in ADD_ADDR of v1: HMAC-SHA256's rightmost 64 bits (v0 has no HMAC).

    An absent port enters the HMAC as two zero octets.
    """
    packed = address if isinstance(address, bytes) else address.packed
    if len(packed) not in (4, 16):
        raise KeyMaterialError(f"an address of {len(packed)} octets is neither IPv4 nor IPv6")
    if not 0 <= address_id <= 0xFF:
        raise KeyMaterialError(f"address ID {address_id} does not fit 8 bits")
    if port is not None and not 0 <= port <= 0xFFFF:
        raise KeyMaterialError(f"port {port} does not fit 16 bits")
    message = bytes([address_id]) + packed + (port or 0).to_bytes(2)
    secret = _octets(sender_key, 8, "key") + _octets(receiver_key, 8, "key")
    return hmac.digest(secret, message, "sha256")[-8:]


def _key_digest(key: int | bytes, version: int) -> bytes:
    constructor = _HASHES[_known(version)]
    return constructor(_octets(key, 8, "key"), usedforsecurity=False).digest()


def _join_digest(
    sender_key: int | bytes,
    receiver_key: int | bytes,
    sender_nonce: int | bytes,
    receiver_nonce: int | bytes,
    version: int,
) -> bytes:
    secret = _octets(sender_key, 8, "key") + _octets(receiver_key, 8, "key")
    message = _octets(sender_nonce, 4, "nonce") + _octets(receiver_nonce, 4, "nonce")
    return hmac.digest(secret, message, _HASH_NAMES[_known(version)])


def _known(version: int) -> int:
    if version not in _HASHES:
        raise KeyMaterialError(f"MPTCP version {version} has no known hash")
    return version


def _octets(value: int | bytes, size: int, what: str) -> bytes:
    if isinstance(value, bytes):
        if len(value) != size:
            raise KeyMaterialError(f"a {what} has {size} octets, not {len(value)}")
        return value
    try:
        return int(value).to_bytes(size)
    except OverflowError:
        raise KeyMaterialError(f"{value} is no {what} of {8 * size} bits") from None
