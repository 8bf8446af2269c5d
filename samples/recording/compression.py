"""Captures that are kept compressed, so that the samples also show that these are read."""

from __future__ import annotations

import gzip
from typing import Literal

Compression = Literal["gzip", "zstd", "lz4"]


def compress(octets: bytes, compression: Compression | None) -> tuple[bytes, str]:
    """Compress a file; return it and what its name gets at the end."""
    match compression:
        case None:
            return octets, ""
        case "gzip":
            return gzip.compress(octets, mtime=0), ".gz"
        case "zstd":
            import zstandard

            return zstandard.ZstdCompressor(level=19).compress(octets), ".zst"
        case "lz4":
            import lz4.frame

            return bytes(lz4.frame.compress(octets)), ".lz4"
