"""Which connection a token names (RFC 8684 section 3.2), whichever host it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dissector.keys import initial_data_seq, token

if TYPE_CHECKING:
    from dissector.connection_state import ConnectionHost, ConnectionState

HASH_VERSIONS: Final = (0, 1)


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The host whose key makes a token, and the version whose hash it takes."""

    connection: ConnectionState
    of_client: bool
    key: int
    hash_version: int

    @property
    def host(self) -> ConnectionHost:
        """The owner's side of the connection."""
        return self.connection.client if self.of_client else self.connection.server


class TokenIndex:
    """All tokens of all keys, under both versions' hashes, and the partial connections.

    A look-up costs the same however many connections there are. Where keys repeat, the newest
    connection that is not closed owns the token.
    """

    def __init__(self) -> None:
        self._owners: dict[int, list[TokenOwner]] = {}
        self.partials: dict[int, ConnectionState] = {}
        """By the token that no key has explained so far."""
        self.explained: list[tuple[int, ConnectionState]] = []
        """Tokens, and their partial connections, that a key has explained since; the table takes
        them from here and merges them."""

    def learn_key(self, connection: ConnectionState, *, of_client: bool, key: int) -> None:
        """A host's key has become known: its token and initial data sequence number with it."""
        host = connection.client if of_client else connection.server
        host.key = key
        for version in HASH_VERSIONS:
            value = token(key, version)
            owner = TokenOwner(connection, of_client, key, version)
            self._owners.setdefault(value, []).append(owner)
            partial = self.partials.get(value)
            if partial is not None and partial is not connection:
                del self.partials[value]
                self.explained.append((value, partial))
        self.derive(connection)

    @staticmethod
    def derive(connection: ConnectionState) -> None:
        """Sets tokens and initial data sequence numbers by the hash of the agreed version."""
        version = connection.hash_version if connection.version is None else connection.version
        if version not in HASH_VERSIONS:
            return
        for host in (connection.client, connection.server):
            if host.key is not None:
                host.token = token(host.key, version)
                host.initial_data_seq = initial_data_seq(host.key, version)

    def find(self, value: int) -> TokenOwner | None:
        """The host that a token names, None where no key in the capture explains it."""
        owners = self._owners.get(value)
        if not owners:
            return None
        while len(owners) > 1 and (_outdated(owners[-1]) or owners[-1].connection.closed):
            owners.pop()
        return None if _outdated(owners[-1]) else owners[-1]

    def forget(self, connection: ConnectionState) -> None:
        """The connection has become part of another one."""
        for value in (connection.client.token, connection.server.token):
            if value is not None and self.partials.get(value) is connection:
                del self.partials[value]
        connection.client.key = connection.server.key = None


def _outdated(owner: TokenOwner) -> bool:
    """The host turned out to have another key, or its connection was merged."""
    return owner.host.key != owner.key
