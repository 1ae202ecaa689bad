"""Reading XML fast: a small document as lxml's tree, walked without recursion.

What a tree hides (comments between texts, prefixes) must not get here; what is refused here is read again, exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envelope.formats.xml.rules import (
    CONTAINERS,
    KINDS,
    SCALARS,
    WHITE,
    beside,
    beyond,
    budget_of,
    exotic,
    inside,
    plain_container,
    plain_key,
    typed_head,
    unescape,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.limits import Limits

__all__ = ["parse", "walk_plain", "walk_typed"]


def parse(data: bytes) -> Any:
    """Return the root element, None if there is none; with a parser of its own, because threads must not share."""
    from lxml import etree  # only those who read XML pay for it

    # huge_tree lifts libxml2's caps on sizes; ours hold. The bytes are UTF-8, whatever is declared.
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except etree.LxmlError:
        return None


_ONE_TYPE: Final = {("type", kind): kind for kind in KINDS}


def _attributes(element: Any) -> Any:
    """Names and values; no more than any rule allows, because lxml takes quadratic time to list many."""
    names = element.keys()
    if len(names) > 4:
        raise exotic()
    return element.items() if names else names


def walk_typed(root: Any, limits: Limits) -> Any:  # noqa: C901  # one loop
    """Return the value of a tree: what `TypedBuilder` makes of its events."""
    result: list[Any] = []
    budget = budget_of(limits)
    # The open container and its type, what is left of its children, and the same of those around it.
    container: Any = result
    parent = ""
    elements: Iterator[Any] = iter((root,))
    stack: list[tuple[Any, str, Iterator[Any]]] = []
    while True:
        for element in elements:
            key, attributes, text, tail = element.tag, _attributes(element), element.text, element.tail
            if tail is not None and tail.strip(WHITE):
                raise beside()
            # Nearly all elements have no attribute, or only a type.
            kind = "" if not attributes else _ONE_TYPE.get(attributes[0]) if len(attributes) == 1 else None
            escaped = False
            if not key.isascii():
                raise exotic()
            if kind is None or not (parent == "map" or (parent and key == "item")):
                key, kind, escaped = typed_head(key, dict(attributes), parent)
            if kind in CONTAINERS:
                if text is not None and text.strip(WHITE):
                    raise beside()
                value: Any = {} if kind == "map" else []
            elif len(element):
                raise inside()
            elif kind:
                value = SCALARS[kind](text or "")
            else:
                value = unescape(text or "") if escaped else text or ""
            if parent == "map":
                container[key] = value
            else:
                container.append(value)
            if kind in CONTAINERS:
                break
        else:
            if not stack:
                return result[0]
            container, parent, elements = stack.pop()
            continue
        stack.append((container, parent, elements))
        container, parent, elements = value, kind, iter(element)
        if excess := budget.enter(len(stack), len(element)):
            raise beyond(excess)


def walk_plain(root: Any, limits: Limits) -> Any:
    """Return the value of a tree: what `PlainBuilder` makes of its events."""
    budget = budget_of(limits)
    # Keys and values of the children of the open element, what is left of them, and the same of those around it.
    names: list[str | None] = []
    values: list[Any] = []
    elements: Iterator[Any] = iter((root,))
    stack: list[tuple[list[str | None], list[Any], Iterator[Any]]] = []
    while True:
        for element in elements:
            name, attributes, text, tail = element.tag, _attributes(element), element.text, element.tail
            if tail is not None and tail.strip(WHITE):
                raise beside()
            if not name.isascii():
                raise exotic()
            if attributes:
                name = plain_key(name, dict(attributes), root=not stack)
            elif name == "item":
                name = None
            names.append(name)
            if len(element):
                if text is not None and text.strip(WHITE):
                    raise beside()
                break
            values.append(text or "")
        else:
            if not stack:
                return values[0]
            value = plain_container(names, values)
            names, values, elements = stack.pop()
            values.append(value)
            continue
        stack.append((names, values, elements))
        names, values, elements = [], [], iter(element)
        if excess := budget.enter(len(stack), len(element)):
            raise beyond(excess)
