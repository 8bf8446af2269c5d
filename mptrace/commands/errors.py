"""What ends a command with status 2 and one line on standard error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class CommandError(Exception):
    """Nothing could be done; the text says which file, where and why, in one line."""


@contextmanager
def capture_errors() -> Iterator[None]:
    """Turn a capture that can't be read at all into a :class:`CommandError`."""
    from mptrace.capture.errors import CaptureError

    try:
        yield
    except CaptureError as error:
        raise CommandError(str(error)) from error
