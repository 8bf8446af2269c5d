"""Whom a token names when keys come late, repeat, or change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dissector.connection import ConnectionState
from dissector.tokens import TokenIndex

if TYPE_CHECKING:
    from tests.dissector.conftest import HostKeys


def connection(index: int, version: int | None = 1, *, partial: bool = False) -> ConnectionState:
    return ConnectionState(index, partial, 1, 1, version=version)


@pytest.mark.parametrize("version", [0, 1])
def test_both_hosts_are_found_by_either_hash(host_keys: type[HostKeys], version: int) -> None:
    index, one = TokenIndex(), connection(0, version)
    index.learn_key(one, of_client=True, key=1)
    index.learn_key(one, of_client=False, key=2)
    for hash_version in (0, 1):
        keys = host_keys(hash_version, 1, 2)
        for of_client in (True, False):
            owner = index.find(keys.token(of_client=of_client))
            assert owner is not None
            assert (owner.connection, owner.of_client) == (one, of_client)
            assert owner.hash_version == hash_version
    keys = host_keys(version, 1, 2)
    assert one.client.token == keys.token(of_client=True)
    assert one.server.initial_data_seq == keys.initial_data_seq(of_client=False)
    assert index.find(12345) is None


def test_no_token_before_the_version_is_known(host_keys: type[HostKeys]) -> None:
    index, one = TokenIndex(), connection(0, None)
    index.learn_key(one, of_client=True, key=1)
    assert (one.client.token, one.client.initial_data_seq) == (None, None)
    one.version = 0
    index.derive(one)
    assert one.client.token == host_keys(0, 1, 2).token(of_client=True)


def test_the_newest_connection_that_lives(host_keys: type[HostKeys]) -> None:
    index = TokenIndex()
    token = host_keys(1, 1, 2).token(of_client=False)
    older, newer = connection(0), connection(1)
    for one in (older, newer):
        index.learn_key(one, of_client=False, key=2)
    owner = index.find(token)
    assert owner is not None
    assert owner.connection is newer
    # The newer one turns out to have had another key.
    index.learn_key(newer, of_client=False, key=3)
    owner = index.find(token)
    assert owner is not None
    assert owner.connection is older
    index.forget(older)
    assert index.find(token) is None


def test_partial_connections_are_explained_by_their_key(host_keys: type[HostKeys]) -> None:
    index = TokenIndex()
    token = host_keys(0, 7, 8).token(of_client=True)
    partial = connection(0, None, partial=True)
    partial.server.token = token
    index.partials[token] = partial
    index.learn_key(connection(1), of_client=True, key=7)
    assert index.explained == [(token, partial)]
    assert index.partials == {}


def test_a_partial_connection_that_is_merged_owns_no_token(host_keys: type[HostKeys]) -> None:
    index = TokenIndex()
    partial = connection(0, None, partial=True)
    partial.server.token = 99
    index.partials[99] = partial
    index.forget(partial)
    assert index.partials == {}
    # Another connection's token stays where it is.
    other = connection(1, None, partial=True)
    partial.server.token = 100
    index.partials[100] = other
    index.forget(partial)
    assert index.partials == {100: other}
    index.learn_key(other, of_client=False, key=host_keys(1, 1, 2).client)
    assert index.explained == []
