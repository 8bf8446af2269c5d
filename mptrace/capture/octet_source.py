"""Random access to the octets of a capture file, however it comes.

A plain file is read where it is. Standard input, pipes and compressed files are first written to
an anonymous temporary file, so that memory stays bounded and any octet can be read again. Nothing
is mapped into memory: pages that were touched would count as memory.
"""

from __future__ import annotations

import os
import stat
import tempfile
from typing import Final

from mptrace.capture.compression import (
    SIGNATURE_OCTETS,
    UnsupportedCompressionError,
    decompressed_into,
    sniff_compression,
)
from mptrace.capture.errors import CaptureError
from mptrace.capture.records import Damage

STANDARD_INPUT: Final = "-"
_SPOOL_OCTETS: Final = 1 << 20


class OctetSource:
    """The decompressed octets of one file of a capture."""

    def __init__(
        self, path: str, descriptor: int, compression: str | None, damage: Damage | None
    ) -> None:
        self.path = path
        self.compression = compression
        self.damage = damage
        """That of the compressed stream, if its end could not be decompressed."""
        status = os.fstat(descriptor)
        self.size = status.st_size
        self.identity = status.st_dev, status.st_ino
        """Of the file that is read: that of the decompressed one, if it had to be written."""
        self._descriptor = descriptor

    def read(self, offset: int, length: int) -> bytes:
        """Octets from ``offset``; fewer than ``length`` only where the file ends.

        Raises CaptureError where the system fails to read.
        """
        try:
            octets = os.pread(self._descriptor, length, offset)
            while len(octets) < length:
                more = os.pread(self._descriptor, length - len(octets), offset + len(octets))
                if not more:
                    break
                octets += more
        except OSError as error:
            raise CaptureError(self.path, offset, error.strerror or str(error)) from error
        return octets

    def close(self) -> None:
        """Give the file back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def open_octet_source(path: str) -> OctetSource:
    """Open a file, ``-`` for standard input, decompressing it if its content says so.

    Raises CaptureError where nothing can be read.
    """
    try:
        descriptor = _open_seekable(path)
    except OSError as error:
        raise CaptureError(path, None, _words(error)) from error
    try:
        compression = sniff_compression(os.pread(descriptor, SIGNATURE_OCTETS, 0))
        if compression is None:
            return OctetSource(path, descriptor, None, None)
        compressed, descriptor = descriptor, _temporary_file()
        try:
            problem = decompressed_into(descriptor, compressed, compression)
        finally:
            os.close(compressed)
        size = os.fstat(descriptor).st_size
        damage = None if problem is None else Damage(path, size, problem)
        if damage is not None and size == 0:
            raise CaptureError(path, 0, damage.reason)
        return OctetSource(path, descriptor, compression, damage)
    except UnsupportedCompressionError as error:
        os.close(descriptor)
        raise CaptureError(path, 0, str(error)) from error
    except OSError as error:
        os.close(descriptor)
        raise CaptureError(path, None, _words(error)) from error
    except BaseException:
        os.close(descriptor)
        raise


def _open_seekable(path: str) -> int:
    """A descriptor that can be read at any offset."""
    if path == STANDARD_INPUT:
        descriptor = os.dup(0)
        seekable = stat.S_ISREG(os.fstat(descriptor).st_mode) and not os.lseek(
            descriptor, 0, os.SEEK_CUR
        )
    else:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            os.close(descriptor)
            raise IsADirectoryError(None, "is a directory, not a capture file")
        seekable = stat.S_ISREG(mode)
    if seekable:
        return descriptor
    try:
        spool = _temporary_file()
        try:
            while octets := os.read(descriptor, _SPOOL_OCTETS):
                _write_all(spool, octets)
        except BaseException:
            os.close(spool)
            raise
        return spool
    finally:
        os.close(descriptor)


def _temporary_file() -> int:
    """A file without a name, gone when its descriptor is closed."""
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


def _words(error: OSError) -> str:
    """The reason in words, without the path, which the reader of it has already."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
