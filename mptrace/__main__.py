"""The command ``mptrace``, also run as ``python -m mptrace``."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command with the arguments of the process; return its exit status."""
    if sys.argv[1:] == ["--version"]:  # at once: argparse alone would double the time
        from mptrace import __version__

        print(f"mptrace {__version__}")
        return 0
    # before numpy is loaded, whose linear algebra, not used here, else keeps threads waiting for
    # work: on two cores an eighth of the time of a large capture
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from mptrace.commands.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
