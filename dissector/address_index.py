"""Look-ups over the advertised addresses of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dissector.signals import AdvertisedAddress


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
    joined_streams: dict[tuple[bool, str, int], int] = field(default_factory=dict)
    """The first joined subflow with this address and port at this host's end."""
    joined_streams_any_port: dict[tuple[bool, str], int] = field(default_factory=dict)

    def add(self, advertised: AdvertisedAddress) -> None:
        """Makes an address known."""
        owner, address = advertised.by_client, advertised.address
        key = (owner, advertised.address_id, address, advertised.port)
        self.by_advertisement[key] = advertised
        self.by_id.setdefault((owner, advertised.address_id), []).append(advertised)
        self.by_address.setdefault((owner, address), []).append(advertised)
        self.removed_ids.discard((owner, advertised.address_id))
        if advertised.port is None:
            advertised.joined_stream = self.joined_streams_any_port.get((owner, address))
        else:
            advertised.joined_stream = self.joined_streams.get((owner, address, advertised.port))

    def at(self, by_client: bool, address: str, port: int) -> list[AdvertisedAddress]:
        """Advertisements of this host that name this end of a subflow."""
        found = self.by_address.get((by_client, address), [])
        return [advertised for advertised in found if advertised.port in (None, port)]

    def note_join(self, by_client: bool, address: str, port: int, stream: int) -> None:
        """A subflow with this end is complete."""
        self.joined_streams.setdefault((by_client, address, port), stream)
        self.joined_streams_any_port.setdefault((by_client, address), stream)
        for advertised in self.at(by_client, address, port):
            if advertised.joined_stream is None:
                advertised.joined_stream = stream
