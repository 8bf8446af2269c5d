"""Compressed captures: which compression it is, and its octets without it.

Whatever can be decompressed is kept: a stream that is cut or damaged gives the octets before the
fault, and the reason. Memory stays bounded for every input, also for one made to explode.
"""

from __future__ import annotations

import lzma
import os
import zlib
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE_OCTETS: Final = 8
_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xfd7zXZ\x00", "xz"),
)
_LZ4_LEGACY: Final = b"\x02\x21\x4c\x18"
_INPUT_OCTETS: Final = 1 << 16
_OUTPUT_OCTETS: Final = 1 << 20
# zstandard gives no bound to its output, and one block of some octets may stand for 128 KiB.
_ZSTD_INPUT_OCTETS: Final = 1 << 11


class UnsupportedCompressionError(Exception):
    """The file is compressed in a way that is not read here; says which."""


class _StreamError(Exception):
    """The compressed octets are not what their format allows."""


class _Stream(Protocol):
    """One compressed stream or frame, decompressed step by step."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, octets: bytes, write: Callable[[bytes], None]) -> None: ...


def sniff_compression(signature: bytes) -> str | None:
    """The compression that the first octets of a file tell, None where they tell none."""
    if signature.startswith(_LZ4_LEGACY):
        return "lz4 (legacy)"
    # zstd's skippable frames may stand before the first real one (pzstd writes them so).
    if signature[1:4] == b"\x2a\x4d\x18" and 0x50 <= signature[0] <= 0x5F:
        return "zstd"
    for octets, name in _SIGNATURES:
        if signature.startswith(octets):
            return name
    return None


def decompressed_into(output: int, compressed: int, compression: str) -> str | None:
    """Decompress one descriptor's octets into another; None, or what ended it early.

    Streams that follow each other are one file, as with the tools. Raises OSError where reading
    or writing fails, UnsupportedCompressionError for a compression that is only recognized.
    """
    new_stream = _stream_factory(compression)
    input_octets = _ZSTD_INPUT_OCTETS if compression == "zstd" else _INPUT_OCTETS
    position = 0
    stream = new_stream()
    fed = False
    pending = b""

    def write(octets: bytes) -> None:
        view = memoryview(octets)
        while view:
            view = view[os.write(output, view) :]

    while True:
        if not pending:
            pending = os.pread(compressed, input_octets, position)
            position += len(pending)
            if not pending:
                break
        if not fed and not pending.strip(b"\0"):
            # Padding behind a stream, as tapes and dd leave it.
            pending = b""
            continue
        try:
            stream.feed(pending, write)
        except _StreamError as error:
            return f"the {compression} stream is damaged before its octet {position}: {error}"
        fed = True
        pending = b""
        if stream.eof:
            pending = stream.unused_data
            stream = new_stream()
            fed = False
    if fed:
        return f"the {compression} stream ends early, at its octet {position}"
    return None


def _stream_factory(compression: str) -> Callable[[], _Stream]:
    if compression == "gzip":
        return _GzipStream
    if compression == "xz":
        return _XzStream
    if compression == "zstd":
        return _ZstdStream
    if compression == "lz4":
        return _Lz4Stream
    raise UnsupportedCompressionError(f"compressed with {compression}, which is not supported")


class _GzipStream:
    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data

    def feed(self, octets: bytes, write: Callable[[bytes], None]) -> None:
        try:
            while True:
                write(produced := self._decompressor.decompress(octets, _OUTPUT_OCTETS))
                octets = self._decompressor.unconsumed_tail
                if self._decompressor.eof or (not octets and len(produced) < _OUTPUT_OCTETS):
                    return
        except zlib.error as error:
            raise _StreamError(str(error)) from error


class _XzStream:
    def __init__(self) -> None:
        self._decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data

    def feed(self, octets: bytes, write: Callable[[bytes], None]) -> None:
        try:
            write(self._decompressor.decompress(octets, _OUTPUT_OCTETS))
            while not self._decompressor.eof and not self._decompressor.needs_input:
                write(self._decompressor.decompress(b"", _OUTPUT_OCTETS))
        except (lzma.LZMAError, MemoryError) as error:
            raise _StreamError(str(error)) from error


class _ZstdStream:
    def __init__(self) -> None:
        import zstandard  # only for a file that needs it

        # A frame may ask for a window as large as it likes; this is what `zstd --long=31` needs.
        self._error = zstandard.ZstdError
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()

    @property
    def eof(self) -> bool:
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data

    def feed(self, octets: bytes, write: Callable[[bytes], None]) -> None:
        try:
            write(self._decompressor.decompress(octets))
        except (self._error, MemoryError) as error:
            raise _StreamError(str(error)) from error


class _Lz4Stream:
    def __init__(self) -> None:
        import lz4.frame  # only for a file that needs it

        self._decompressor = lz4.frame.LZ4FrameDecompressor()

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.eof)

    @property
    def unused_data(self) -> bytes:
        return self._decompressor.unused_data or b""

    def feed(self, octets: bytes, write: Callable[[bytes], None]) -> None:
        try:
            write(self._decompressor.decompress(octets, _OUTPUT_OCTETS))
            while not self._decompressor.eof and not self._decompressor.needs_input:
                write(self._decompressor.decompress(b"", _OUTPUT_OCTETS))
        except (RuntimeError, MemoryError) as error:
            raise _StreamError(str(error)) from error
