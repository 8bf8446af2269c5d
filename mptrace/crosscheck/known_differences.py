"""Where tshark is known to decode an MPTCP option otherwise than we do, each with its reason.

A difference is recognized by what tshark does, not by its version: in a release that does it right
the difference is simply not there. All were seen in tshark 4.0.17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dissector.constants import DssFlag, MptcpSubtype
from dissector.option_codec import decode_options
from dissector.options import MalformedOption, UnknownMptcpOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.crosscheck.difference import Difference

_NAME: Final = "tcp.options.mptcp."
_DSS_FLAGS: Final = 0x1F
_LAST_KNOWN_VERSION: Final = 1
_V0_ADD_ADDR_NIBBLES: Final = (4, 6)


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """A way in which tshark's decode is known to differ from ours."""

    name: str
    reason: str
    """What tshark does, and why we do otherwise."""
    is_this: Callable[[Difference], bool]


def explanation(difference: Difference) -> KnownDifference | None:
    """The known difference that one is, None where it is not known."""
    return next((known for known in KNOWN_DIFFERENCES if known.is_this(difference)), None)


def _subtype(difference: Difference) -> int | None:
    return difference.option[2] >> 4 if len(difference.option) > 2 else None


def _low_bits(difference: Difference) -> int:
    return difference.option[2] & 0x0F if len(difference.option) > 2 else 0


def _only_ours(difference: Difference) -> bool:
    return difference.ours is not None and difference.theirs is None


def _only_theirs(difference: Difference) -> bool:
    return difference.ours is None and difference.theirs is not None


def _is_malformed(difference: Difference) -> bool:
    """Of an option that the capture cuts, this only asks whether it is whole."""
    options = decode_options(difference.option)
    return bool(options) and isinstance(options[0], MalformedOption)


def _is_malformed_and_read(difference: Difference) -> bool:
    return bool(difference.field) and _only_theirs(difference) and _is_malformed(difference)


def _is_malformed_and_unshown(difference: Difference) -> bool:
    return not difference.field and _only_ours(difference) and _is_malformed(difference)


def _is_where_tshark_gave_up(difference: Difference) -> bool:
    return difference.tshark_gave_up and _only_ours(difference)


def _is_of_unknown_version(difference: Difference) -> bool:
    return (
        _only_theirs(difference)
        and _subtype(difference) == MptcpSubtype.MP_CAPABLE
        and _low_bits(difference) > _LAST_KNOWN_VERSION
        and isinstance(decode_options(difference.option)[0], UnknownMptcpOption)
    )


def _is_unnamed_reserved(difference: Difference) -> bool:
    return difference.field == _NAME + "reserved" and _only_ours(difference)


def _is_flags_with_subtype(difference: Difference) -> bool:
    """The whole third octet, where we name the backup flag, or the four bits of flags."""
    theirs = difference.theirs
    return (
        difference.field == _NAME + "flags"
        and _subtype(difference)
        in (MptcpSubtype.MP_JOIN, MptcpSubtype.MP_PRIO, MptcpSubtype.MP_TCPRST)
        and theirs is not None
        and theirs.number == difference.option[2]
        and (difference.ours is None or difference.ours.number == _low_bits(difference))
    )


def _is_flags_with_reserved(difference: Difference) -> bool:
    ours, theirs = difference.ours, difference.theirs
    return (
        difference.field == _NAME + "flags"
        and _subtype(difference) == MptcpSubtype.DSS
        and ours is not None
        and theirs is not None
        and theirs.number & _DSS_FLAGS == ours.number
        and theirs.number == difference.option[3]
    )


def _is_missed_checksum(difference: Difference) -> bool:
    return (
        difference.field == _NAME + "checksum"
        and _only_ours(difference)
        and _subtype(difference) == MptcpSubtype.DSS
        and bool(difference.option[3] & DssFlag.MAPPING)
    )


def _is_add_addr_taken_for_v0(difference: Difference) -> bool:
    return (
        _subtype(difference) == MptcpSubtype.ADD_ADDR
        and _low_bits(difference) in _V0_ADD_ADDR_NIBBLES
        and (
            (difference.field == _NAME + "echo" and _only_ours(difference))
            or (difference.field == _NAME + "ipver" and _only_theirs(difference))
        )
    )


KNOWN_DIFFERENCES: Final = (
    KnownDifference(
        "reserved_bits_unnamed",
        "tshark shows no reserved bits of most options; we show them, since they are kept as sent.",
        _is_unnamed_reserved,
    ),
    KnownDifference(
        "dss_checksum_missed",
        "tshark asks for two octets more than the checksum needs and shows none; RFC 8684 section "
        "3.3 has one in every DSS that is two octets longer than its DATA_ACK and mapping.",
        _is_missed_checksum,
    ),
    KnownDifference(
        "flags_hold_the_subtype",
        "tshark gives the whole third octet of MP_JOIN, MP_PRIO and MP_TCPRST as flags, subtype "
        "included; we give the four bits that RFC 8684 calls flags, or only the named one.",
        _is_flags_with_subtype,
    ),
    KnownDifference(
        "dss_flags_hold_reserved_bits",
        "tshark gives the whole fourth octet of a DSS as flags; three of its bits are reserved.",
        _is_flags_with_reserved,
    ),
    KnownDifference(
        "add_addr_taken_for_v0",
        "tshark takes a v1 ADD_ADDR whose reserved bits look like an IP version for one of v0; its "
        "length, with an HMAC, says v1 (RFC 8684 section 3.4.1: reserved bits are ignored).",
        _is_add_addr_taken_for_v0,
    ),
    KnownDifference(
        "unknown_version_read",
        "tshark reads an MP_CAPABLE of a version that it does not know like v0; we claim nothing "
        "of what such a version holds (RFC 8684 section 3.1).",
        _is_of_unknown_version,
    ),
    KnownDifference(
        "malformed_option_read",
        "The option's length fits no form that its RFC has: tshark shows fields where they would "
        "stand, we say what is wrong and show the octets.",
        _is_malformed_and_read,
    ),
    KnownDifference(
        "malformed_option_unshown",
        "The option does not end within the TCP header, or within the capture: tshark does not "
        "take it for MPTCP's, we show its octets.",
        _is_malformed_and_unshown,
    ),
    KnownDifference(
        "tshark_gave_up",
        "tshark stops in the middle of a packet that contradicts what it saw before (a failed "
        "assertion of its own) or is malformed, and says so; we go on with the next field.",
        _is_where_tshark_gave_up,
    ),
)
"""Every known difference, the more particular ones first."""
