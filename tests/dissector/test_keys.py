"""Tokens, initial data sequence numbers and HMACs, held to hashlib and to recorded packets."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissector import keys
from dissector.errors import KeyMaterialError

# Recorded from a Linux 6.18 transfer (v1) and from tcpdump's public v0 sample; the tokens and
# initial numbers of the latter are those that tshark derives.
LINUX_CLIENT_KEY, LINUX_SERVER_KEY = 0xDC8548E31EB0A497, 0x78196E37ECEDBDEF
V0_CLIENT_KEY, V0_SERVER_KEY = 0x9C9EABD1E46A33B2, 0x967D2770B6960552
IPV6_CLIENT_KEY, IPV6_SERVER_KEY = 0x7062BC29D1522913, 0x884E5EB0BF06508D

key_numbers = st.integers(0, (1 << 64) - 1)
nonces = st.integers(0, (1 << 32) - 1)
HASHES = {0: hashlib.sha1, 1: hashlib.sha256}


@pytest.mark.parametrize(
    ("key", "version", "token"),
    [
        (LINUX_SERVER_KEY, 1, 0x0F42704B),
        (V0_CLIENT_KEY, 0, 2945910507),
        (V0_SERVER_KEY, 0, 3833528642),
    ],
)
def test_token_of_recorded_keys(key: int, version: int, token: int) -> None:
    assert keys.token(key, version) == token
    assert keys.token(key.to_bytes(8), version) == token


def test_initial_data_seq_of_recorded_keys() -> None:
    # The first DSS of the client carried DSN ecc8…c620 and DATA_ACK …3394ce87: both IDSN + 1.
    assert keys.initial_data_seq(IPV6_CLIENT_KEY, 1) + 1 == 0xECC83316F6ADC620
    assert (keys.initial_data_seq(IPV6_SERVER_KEY, 1) + 1) & 0xFFFFFFFF == 0x3394CE87
    assert keys.initial_data_seq(V0_CLIENT_KEY, 0) == 10975753215851282121
    assert keys.initial_data_seq(V0_SERVER_KEY, 0) == 16464867208451421327


@pytest.mark.parametrize(
    ("version", "client_key", "server_key", "client_nonce", "server_nonce", "syn_ack", "ack"),
    [
        (
            1,
            LINUX_CLIENT_KEY,
            LINUX_SERVER_KEY,
            0xEB46FA0A,
            0xF8E18330,
            "b2f2ce02ece905e8",
            "6d986134a96b31ab5656ee783a1b4c213e2baf34",
        ),
        (
            0,
            V0_CLIENT_KEY,
            V0_SERVER_KEY,
            0x1B665A18,
            0x33ABE9D5,
            "5ab680c7884af03d",
            "cb7b87f5e5f0502f43b535fb70ef6607df2e6c7a",
        ),
    ],
)
def test_join_hmacs_of_recorded_handshakes(
    version: int,
    client_key: int,
    server_key: int,
    client_nonce: int,
    server_nonce: int,
    syn_ack: str,
    ack: str,
) -> None:
    from_server = (server_key, client_key, server_nonce, client_nonce, version)
    from_client = (client_key, server_key, client_nonce, server_nonce, version)
    assert keys.join_syn_ack_hmac(*from_server).hex() == syn_ack
    assert keys.join_ack_hmac(*from_client).hex() == ack


def test_add_address_hmacs_of_recorded_options() -> None:
    assert (
        keys.add_address_hmac(
            0x04F3E74B4535DBC7, 0x6393365672D5CDEB, 1, IPv4Address("10.2.0.2")
        ).hex()
        == "cb29dc6ebdbdc041"
    )
    address = IPv6Address("fd00:2::2")
    expected = "985a451fa1dccd83"
    assert keys.add_address_hmac(IPV6_SERVER_KEY, IPV6_CLIENT_KEY, 1, address).hex() == expected
    assert (
        keys.add_address_hmac(IPV6_SERVER_KEY, IPV6_CLIENT_KEY, 1, address.packed, 0).hex()
        == expected
    )


@given(key=key_numbers, version=st.sampled_from([0, 1]))
def test_token_and_initial_number_are_the_ends_of_the_hash(key: int, version: int) -> None:
    digest = HASHES[version](key.to_bytes(8)).digest()
    assert keys.token(key, version) == int.from_bytes(digest[:4])
    assert keys.initial_data_seq(key, version) == int.from_bytes(digest[-8:])


@given(
    key_numbers,
    key_numbers,
    st.integers(0, 255),
    st.ip_addresses(),
    st.integers(0, 65535) | st.none(),
)
def test_add_address_hmac_is_the_right_end(
    sender: int,
    receiver: int,
    address_id: int,
    address: IPv4Address | IPv6Address,
    port: int | None,
) -> None:
    message = bytes([address_id]) + address.packed + (port or 0).to_bytes(2)
    digest = hmac.new(sender.to_bytes(8) + receiver.to_bytes(8), message, "sha256").digest()
    assert keys.add_address_hmac(sender, receiver, address_id, address, port) == digest[-8:]


@given(key_numbers, key_numbers, nonces, nonces, st.sampled_from([0, 1]))
def test_join_hmacs_are_the_left_ends(
    sender: int, receiver: int, sender_nonce: int, receiver_nonce: int, version: int
) -> None:
    secret = sender.to_bytes(8) + receiver.to_bytes(8)
    message = sender_nonce.to_bytes(4) + receiver_nonce.to_bytes(4)
    digest = hmac.new(secret, message, HASHES[version]).digest()
    arguments = (sender, receiver, sender_nonce, receiver_nonce, version)
    assert keys.join_syn_ack_hmac(*arguments) == digest[:8]
    assert keys.join_ack_hmac(*arguments) == digest[:20]


def test_impossible_material_is_refused() -> None:
    with pytest.raises(KeyMaterialError, match="version 2"):
        keys.token(1, 2)
    with pytest.raises(KeyMaterialError, match="8 octets, not 7"):
        keys.token(b"1234567", 1)
    with pytest.raises(KeyMaterialError, match="64 bits"):
        keys.initial_data_seq(1 << 64, 1)
    with pytest.raises(KeyMaterialError, match="32 bits"):
        keys.join_ack_hmac(1, 2, -1, 4, 1)
    with pytest.raises(KeyMaterialError, match="neither IPv4 nor IPv6"):
        keys.add_address_hmac(1, 2, 3, b"12345")
    with pytest.raises(KeyMaterialError, match="address ID 256"):
        keys.add_address_hmac(1, 2, 256, b"1234")
    with pytest.raises(KeyMaterialError, match="port 65536"):
        keys.add_address_hmac(1, 2, 3, b"1234", 65536)
