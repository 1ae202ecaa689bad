"""The part of a document's tree that is shown: nodes for the values, and counts of what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from envelope.cli.inspection.spans.sink import leaf_kind

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Steps
    from envelope.path import Step

__all__ = ["Node", "Outline"]


@dataclass(slots=True)
class Node:
    """A value's place in the document's tree and in its bytes (``end`` is None if the bytes end first)."""

    parent: Node | None
    steps: Steps
    start: int
    end: int | None = None
    kind: str = ""
    note: str = ""
    class_name: str = ""
    value: Any = None
    count: int = 0
    children: list[Node] = field(default_factory=list)

    def own_steps(self, *, php: bool) -> Steps:
        """The steps from the container; in the *php* domain, maps may have integer keys."""
        # Whether a PHP array is a map is only known once all of it was read.
        is_text = not php and self.parent is not None and self.parent.kind == "map" and len(self.steps) == 1
        return tuple(map(str, self.steps)) if is_text else self.steps

    def path(self, *, php: bool) -> list[Step]:
        """The steps from the root."""
        steps: list[Step] = []
        node: Node | None = self
        while node is not None:
            steps += reversed(node.own_steps(php=php))
            node = node.parent
        return steps[::-1]


class Outline:
    """A `Sink` that keeps the first values of each container down to a depth, at most *max_nodes* in all."""

    def __init__(self, *, depth: int, max_items: int, max_nodes: int) -> None:
        self.depth = depth
        self.max_items = max_items
        self.room = max_nodes
        self.roots: list[Node] = []
        self.more_roots = 0
        # The open containers; None for one that is not shown.
        self.opened: list[Node | None] = []

    def leaf(self, steps: Steps, start: int, end: int, value: Any, note: str = "") -> None:
        """Add a value without members."""
        node = self.add(steps, start, note)
        if node is not None:
            node.end, node.value, node.kind = end, value, leaf_kind(value)

    def open(self, steps: Steps, start: int, note: str = "", class_name: str = "") -> None:
        """Begin a container."""
        node = self.add(steps, start, note)
        if node is not None:
            node.class_name = class_name
        self.opened.append(node)

    def close(self, end: int | None, kind: str) -> None:
        """End a container."""
        node = self.opened.pop()
        if node is not None:
            node.end, node.kind = end, kind

    def add(self, steps: Steps, start: int, note: str) -> Node | None:
        """Add a value and return its node; None if it is not shown."""
        if not self.opened:
            if self.room <= 0 or len(self.roots) >= self.max_items:
                self.more_roots += 1
                return None
            self.roots.append(Node(None, steps, start, note=note))
            self.room -= 1
            return self.roots[-1]
        parent = self.opened[-1]
        if parent is None:
            return None
        parent.count += 1
        if parent.count > self.max_items or len(self.opened) > self.depth or self.room <= 0:
            return None
        self.room -= 1
        node = Node(parent, steps, start, note=note)
        parent.children.append(node)
        return node
