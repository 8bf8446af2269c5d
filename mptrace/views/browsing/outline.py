"""A tree whose visible lines are a flat list: what every tree of the browser is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(slots=True, eq=False)
class Node:
    """One line, and the lines below it."""

    text: str
    tone: str = ""
    key: str = ""
    """Stays the same from packet to packet, so that what was open stays open."""
    link: Any = None
    """What Enter leads to."""
    link_text: str = ""
    """The word of the text that names the link."""
    subflow: int | None = None
    """Colours the line."""
    detail: str = ""
    """More words, shown beside the tree while the line is chosen."""
    filter: str = ""
    """The display filter that finds packets with the same value."""
    span: tuple[int, int] | None = None
    """Octets of the packet that the line stands for: offset and length."""
    children: Sequence[Node] | Callable[[], Iterable[Node]] = field(default=(), repr=False)
    expanded: bool = False

    @property
    def expandable(self) -> bool:
        """Whether there are lines below it (or may be, where they are made on demand)."""
        return callable(self.children) or bool(self.children)

    @property
    def link_span(self) -> tuple[int, int]:
        """Where the word that names the link begins and ends; (0, 0) where there is none."""
        if not self.link_text:
            return 0, 0
        found = re.search(rf"(?<![\w.]){re.escape(self.link_text)}(?![\w.]*\w)", self.text)
        return (0, 0) if found is None else found.span()

    def nodes(self) -> Sequence[Node]:
        """The lines below it, made when first asked for."""
        if callable(self.children):
            self.children = tuple(self.children())
        return self.children


@dataclass(frozen=True, slots=True)
class VisibleLine:
    """A node that is seen, and how deep it stands."""

    node: Node
    depth: int


class Outline:
    """A forest of nodes and its visible lines."""

    def __init__(self, roots: Iterable[Node], opened: set[str] | None = None) -> None:
        """``opened`` holds the keys of nodes that are open; it is kept up to date."""
        self.roots = tuple(roots)
        self._opened = set() if opened is None else opened
        self._open_known(self.roots)
        self.lines: list[VisibleLine] = []
        self._flatten()

    def __len__(self) -> int:
        return len(self.lines)

    def toggle(self, index: int, expanded: bool | None = None) -> bool:
        """Open or close the node at a visible line; returns whether anything changed."""
        node = self.lines[index].node
        wanted = not node.expanded if expanded is None else expanded
        if not node.expandable or wanted == node.expanded:
            return False
        node.expanded = wanted
        if wanted:
            self._opened.add(node.key)
            self._open_known(node.nodes())
        else:
            self._opened.discard(node.key)
        self._flatten()
        return True

    def parent(self, index: int) -> int:
        """The visible line of the node above; the line itself at the top."""
        depth = self.lines[index].depth
        for above in range(index - 1, -1, -1):
            if self.lines[above].depth < depth:
                return above
        return index

    def find(self, wanted: Callable[[Node], bool]) -> int | None:
        """The first visible line that fits."""
        return next((i for i, line in enumerate(self.lines) if wanted(line.node)), None)

    def reveal(self, wanted: Callable[[Node], bool]) -> int | None:
        """Open whatever hides the deepest node that fits; returns its visible line."""
        path = _deepest(self.roots, wanted)
        if path is None:
            return None
        for node in path[:-1]:
            node.expanded = True
            self._opened.add(node.key)
        self._flatten()
        return self.find(lambda node: node is path[-1])

    def _open_known(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node.key in self._opened and node.expandable:
                node.expanded = True
                self._open_known(node.nodes())

    def _flatten(self) -> None:
        self.lines = list(_visible(self.roots, 0))


def _visible(nodes: Sequence[Node], depth: int) -> Iterator[VisibleLine]:
    for node in nodes:
        yield VisibleLine(node, depth)
        if node.expanded:
            yield from _visible(node.nodes(), depth + 1)


def _deepest(nodes: Sequence[Node], wanted: Callable[[Node], bool]) -> list[Node] | None:
    for node in nodes:
        if wanted(node):
            below = None if callable(node.children) else _deepest(node.children, wanted)
            return [node, *(below or ())]
        if not callable(node.children):
            below = _deepest(node.children, wanted)
            if below is not None:
                return [node, *below]
    return None
