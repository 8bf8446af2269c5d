"""One thing that tshark and we say otherwise about an MPTCP option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class FieldValue(NamedTuple):
    """A field reduced to what both sides can say of it."""

    offset: int
    """Octets from the start of the packet."""
    length: int
    number: int
    """Its bits as one number: addresses and HMACs too."""

    def __str__(self) -> str:
        return f"0x{self.number:x} at {self.offset}:{self.length}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something about one option that the two sides do not say alike."""

    frame_number: int
    option_offset: int
    """Where the option begins, octets from the start of the packet."""
    field: str
    """Wireshark's name; "" where a side does not see the option at all."""
    ours: FieldValue | None
    theirs: FieldValue | None
    option: bytes
    """The option's octets, as far as captured; b"" where we see none."""
    tshark_gave_up: bool = False
    """tshark says of this packet that it could not go on with it."""
    explained: str | None = None
    """The name of the known difference that this is; None: unexplained."""

    def __str__(self) -> str:
        ours = "absent" if self.ours is None else str(self.ours)
        theirs = "absent" if self.theirs is None else str(self.theirs)
        what = self.field or "the option"
        return (
            f"packet {self.frame_number}, {what}: mptrace {ours}, tshark {theirs} "
            f"(option {self.option.hex(' ')})"
        )
