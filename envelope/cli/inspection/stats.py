"""`--stats`: count what a document consists of, in constant memory."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from envelope.cli.inspection.outline import Node
from envelope.cli.inspection.spans.sink import leaf_kind

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Steps

__all__ = ["Stats"]

_MOST: Final = 10  # rows of each table


class Stats:
    """A `Sink` that counts the values of a document of which *size* bytes can be read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.kinds: Counter[str] = Counter()
        self.depth = 0
        self.bytes = 0
        self.members = 0
        # By size, then by position; the position also keeps nodes from being compared.
        self.strings: list[tuple[int, int, Node]] = []
        self.members_by_size: list[tuple[int, int, Node]] = []
        self.opened: list[Node] = []

    def leaf(self, steps: Steps, start: int, end: int, value: Any, note: str = "") -> None:  # noqa: ARG002  # a Sink's
        """Count a value without members."""
        kind = leaf_kind(value)
        self.kinds[kind] += 1
        is_text = kind in ("str", "bytes")
        if is_text or len(self.opened) < 2:
            node = Node(self.opened[-1] if self.opened else None, steps, start, end, kind)
            if is_text:
                self.keep(self.strings, node)
            self.count_member(node)

    # Sinks also get a note and a class name, which the outline needs.
    def open(self, steps: Steps, start: int, note: str = "", class_name: str = "") -> None:  # noqa: ARG002
        """Begin a container."""
        self.opened.append(Node(self.opened[-1] if self.opened else None, steps, start))
        self.depth = max(self.depth, len(self.opened))

    def close(self, end: int | None, kind: str) -> None:
        """Count a container when it ends."""
        node = self.opened.pop()
        node.end, node.kind = self.size if end is None else end, kind
        self.kinds[kind] += 1
        self.count_member(node)

    def count_member(self, node: Node) -> None:
        """Count the bytes of a root or of a root's member."""
        if not self.opened:
            self.bytes += _size(node)
        elif len(self.opened) == 1:
            self.members += 1
            self.keep(self.members_by_size, node)

    def keep(self, largest: list[tuple[int, int, Node]], node: Node) -> None:
        """Keep *node* if it is among the largest."""
        entry = (_size(node), -node.start, node)
        if len(largest) < _MOST:
            heapq.heappush(largest, entry)
        elif entry > largest[0]:
            heapq.heapreplace(largest, entry)


def _size(node: Node) -> int:
    return (node.end or 0) - node.start
