"""How a command of its own process handles memory; a library leaves that to its program."""

from __future__ import annotations

import gc
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""Parameters of mallopt(3)."""
_KEPT_OCTETS: Final = 1 << 28
_LARGEST_MMAP_THRESHOLD: Final = 32 << 20
"""What glibc allows on 64 bits."""


def keep_freed_memory() -> None:
    """Let the allocator keep what is freed for the next column.

    An analysis makes and drops columns of some megabytes by the hundred. The C library gives each
    back to the system at once, which then has to clear every page for the next one: a tenth of
    the time of a large capture. Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    set_option(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    set_option(_TRIM_THRESHOLD, _KEPT_OCTETS)
    set_option(_ARENA_MAX, 1)  # what one thread has freed is there for the other


def settle() -> None:
    """Say that everything that exists by now stays: the garbage collector passes it over."""
    gc.freeze()
