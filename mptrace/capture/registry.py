"""What reading a capture brings to light beside its packets: interfaces and damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mptrace.capture.records import Damage, Interface


class CaptureRegistry:
    """Interfaces and damage of all files of a capture; grows while the files are read.

    A file that is read a second time finds what it registered the first time.
    """

    def __init__(self) -> None:
        self.interfaces: list[Interface] = []
        self.damage: list[Damage] = []
        self._index: dict[tuple[int, int], int] = {}

    def register(self, interface: Interface, ordinal: int) -> int:
        """The index of an interface, the ``ordinal``-th (from 0) that its file describes."""
        key = (interface.source, ordinal)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.interfaces)
            self.interfaces.append(interface)
        return index

    def add_damage(self, damage: Damage) -> None:
        """Note damage, once however often the file is read."""
        if damage not in self.damage:
            self.damage.append(damage)
