"""What the tests of bench/ share."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# bench/ is no part of the wheel; behind everything else, so that the installed mptrace is tested
sys.path.append(str(ROOT))
