"""Look-ups over the advertised addresses of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissector.signals import AdvertisedAddress
    from dissector.subflow import SubflowState


@dataclass(slots=True, eq=False)
class AddressIndex:
    """Advertised addresses by what later packets name them with; the bool is "by the client"."""

    by_advertisement: dict[tuple[bool, int, str, int | None], AdvertisedAddress] = field(
        default_factory=dict
    )
    by_id: dict[tuple[bool, int], list[AdvertisedAddress]] = field(default_factory=dict)
    """Those not removed."""
    by_address: dict[tuple[bool, str], list[AdvertisedAddress]] = field(default_factory=dict)
    removed_ids: set[tuple[bool, int]] = field(default_factory=set)
    """Address IDs removed and not used since."""
    users: dict[tuple[bool, int], dict[int, SubflowState]] = field(default_factory=dict)
    """The subflows with this address ID at this host's end, by stream, but for those removed."""
    joined_streams: dict[tuple[bool, str, int | None], dict[int, None]] = field(
        default_factory=dict
    )
    """The joined subflows with this address and port (None: any) at this host's end, in order."""

    def add(self, advertised: AdvertisedAddress) -> None:
        """Makes an address known."""
        owner, address = advertised.by_client, advertised.address
        key = (owner, advertised.address_id, address, advertised.port)
        self.by_advertisement[key] = advertised
        self.by_id.setdefault((owner, advertised.address_id), []).append(advertised)
        self.by_address.setdefault((owner, address), []).append(advertised)
        self.removed_ids.discard((owner, advertised.address_id))
        advertised.joined_stream = self._first_joined(advertised)

    def at(self, by_client: bool, address: str, port: int) -> list[AdvertisedAddress]:
        """Advertisements of this host that name this end of a subflow."""
        found = self.by_address.get((by_client, address), [])
        return [advertised for advertised in found if advertised.port in (None, port)]

    def use(self, by_client: bool, address_id: int, subflow: SubflowState) -> None:
        """A subflow has this address ID at this host's end."""
        self.users.setdefault((by_client, address_id), {})[subflow.stream] = subflow

    def users_of(self, by_client: bool, address_id: int) -> list[SubflowState]:
        """The subflows that use an address ID, in the order of their streams."""
        users = self.users.get((by_client, address_id), {})
        return [users[stream] for stream in sorted(users)]

    def remove(self, by_client: bool, address_id: int) -> Iterable[int]:
        """The streams that used an address ID, which from now on nothing uses."""
        return self.users.pop((by_client, address_id), {})

    def note_join(self, by_client: bool, address: str, port: int, stream: int) -> None:
        """A subflow with this end is complete."""
        for named in (port, None):
            self.joined_streams.setdefault((by_client, address, named), {})[stream] = None
        for advertised in self.at(by_client, address, port):
            if advertised.joined_stream is None:
                advertised.joined_stream = stream

    def forget_join(self, by_client: bool, address: str, port: int, stream: int) -> None:
        """A subflow with this end was refused although its third ACK had been sent."""
        for named in (port, None):
            self.joined_streams.get((by_client, address, named), {}).pop(stream, None)
        for advertised in self.at(by_client, address, port):
            if advertised.joined_stream == stream:
                advertised.joined_stream = self._first_joined(advertised)

    def _first_joined(self, advertised: AdvertisedAddress) -> int | None:
        key = (advertised.by_client, advertised.address, advertised.port)
        return next(iter(self.joined_streams.get(key, ())), None)
