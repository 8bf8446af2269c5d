"""tshark beside our own decode, through pyshark: nothing else in mptrace runs tshark.

``wireshark_tree`` gives Wireshark's full tree of a packet, ``differences`` compares every MPTCP
option of a capture field by field. Both need tshark on the PATH.
"""

from __future__ import annotations

from mptrace.crosscheck.comparison import differences
from mptrace.crosscheck.difference import Difference, FieldValue
from mptrace.crosscheck.known_differences import KNOWN_DIFFERENCES, KnownDifference
from mptrace.crosscheck.streams import (
    STREAM_DIFFERENCES,
    StreamDifference,
    stream_differences,
)
from mptrace.crosscheck.tshark import (
    CrosscheckError,
    WiresharkField,
    WiresharkPacket,
    field_values,
    tshark_version,
    wireshark_packets,
    wireshark_tree,
)

__all__ = [
    "KNOWN_DIFFERENCES",
    "STREAM_DIFFERENCES",
    "CrosscheckError",
    "Difference",
    "FieldValue",
    "KnownDifference",
    "StreamDifference",
    "WiresharkField",
    "WiresharkPacket",
    "differences",
    "field_values",
    "stream_differences",
    "tshark_version",
    "wireshark_packets",
    "wireshark_tree",
]
