"""What `inspect` shows: an outline as a rich tree, statistics as lines and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from envelope.cli.common.report import printable
from envelope.cli.inspection.spans.sink import Reference
from envelope.path import link_steps, short_path
from envelope.values.glimpse import glimpse
from envelope.values.php_types import PhpObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from envelope.cli.inspection.outline import Node, Outline
    from envelope.cli.inspection.stats import Stats
    from envelope.errors import DecodeError

__all__ = ["show_outline", "show_stats"]

_STYLES = {
    "str": "green", "bytes": "yellow", "int": "cyan", "float": "cyan", "bool": "magenta", "null": "magenta",
    "enum": "magenta", "object": "blue", "map": "blue", "list": "blue", "reference": "yellow",
}  # fmt: skip


def show_outline(outline: Outline, fault: DecodeError | None, *, php: bool) -> Iterator[RenderableType]:
    """A tree for each root, with *fault* at the deepest node shown that contains it."""
    for root in outline.roots:
        tree = Tree(_label(root, php=php), guide_style="dim")
        unfinished = _grow(tree, root, php=php)
        # Bytes after the whole value are a fault of the root; a fault outside the selection is not shown.
        place = unfinished if unfinished is not None or root.steps else tree
        if fault is not None and place is not None:
            place.add(_fault_label(fault))
        yield tree
    if fault is not None and not outline.roots:
        yield _fault_label(fault)
    if outline.more_roots:
        yield _more(outline.more_roots)


def _grow(tree: Tree, root: Node, *, php: bool) -> Tree | None:
    """Add all nodes below *root* to *tree*; return the deepest one that is unfinished, if any."""
    unfinished = tree if root.end is None else None
    branches = [(tree, root)]
    while branches:
        branch, node = branches.pop()
        for child in node.children:
            twig = branch.add(_label(child, php=php))
            if child.end is None:
                unfinished = twig
            branches.append((twig, child))
        if node.children and node.count > len(node.children):
            branch.add(_more(node.count - len(node.children)))
    return unfinished


def _label(node: Node, *, php: bool) -> Text:
    """Path, kind and size, byte range, and a scalar's value."""
    path = short_path(node.path(php=php))
    last = short_path(node.own_steps(php=php))[1:] if node.parent is not None else path
    label = Text().append(printable(path.removesuffix(last)), "dim").append(printable(last), "bold")
    label.append(" ").append(_kind(node), _STYLES[node.kind])
    if node.note:
        label.append(f" {node.note}", "italic")
    if node.end is None:
        label.append(" unfinished", "red").append(f" from {node.start:,}", "dim")
    else:
        label.append(f" at {node.start:,}, {_bytes(node.end - node.start)}", "dim")
    if isinstance(node.value, Reference):
        label.append(f" → {printable(short_path(link_steps(node.value.target)))}")
    elif isinstance(node.value, PhpObject):
        label.append(f" payload {glimpse(node.value.payload)}", _STYLES["bytes"])
    elif node.value is not None:
        label.append(f" {glimpse(node.value)}", _STYLES[node.kind])
    elif node.count and not node.children:
        label.append(" …", "dim")
    return label


def _kind(node: Node) -> str:
    if node.kind in ("str", "bytes"):
        return f"{node.kind} of {len(node.value):,}"
    if isinstance(node.value, PhpObject):
        return f"{node.kind} {printable(node.value.class_name)}"
    if node.class_name:
        return f"{node.kind} {printable(node.class_name)} of {node.count:,}"
    return f"{node.kind} of {node.count:,}" if node.kind in ("list", "map") else node.kind


def _more(count: int) -> Text:
    return Text(f"… and {count:,} more", "dim")


def _fault_label(fault: DecodeError) -> Text:
    label = Text().append(f"✗ {printable(fault.path)}", "bold red")
    return label.append(f" byte {fault.offset:,}: {printable(fault.reason)}", "red")


def _bytes(count: int) -> str:
    return f"{count:,} byte{'s' * (count != 1)}"


def show_stats(stats: Stats, *, php: bool) -> Iterator[RenderableType]:
    """Lines with the totals, the largest strings and the largest members of the root."""
    kinds = " · ".join(f"{kind} {count:,}" for kind, count in stats.kinds.most_common())
    summary = {
        "values": f"{stats.kinds.total():,}",
        "types": kinds,
        "depth": f"{stats.depth:,}",
        "bytes": f"{stats.bytes:,}",
    }
    for name, text in summary.items():
        yield Text().append(f"{name:<8}", "bold").append(text)
    for title, largest, count in (
        ("largest strings", stats.strings, stats.kinds["str"] + stats.kinds["bytes"]),
        ("bytes by top-level key", stats.members_by_size, stats.members),
    ):
        if largest:
            yield Text(f"\n{title}", "bold")
            yield from _sizes([node for _, _, node in sorted(largest, reverse=True)], stats.bytes, php=php)
            if count > len(largest):
                yield _more(count - len(largest))


def _sizes(nodes: list[Node], total: int, *, php: bool) -> Iterator[Text]:
    sizes = [(node.end or 0) - node.start for node in nodes]
    width = len(f"{sizes[0]:,}")
    for node, size in zip(nodes, sizes, strict=True):
        share = f"{100 * size / max(total, 1):5.1f} %"
        path = printable(short_path(node.path(php=php)))
        yield Text(f"{size:>{width},}  ").append(share, "dim").append(f"  {path}")
