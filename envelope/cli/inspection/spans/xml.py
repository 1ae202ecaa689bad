"""Where the values of an XML document are."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from envelope.errors import DecodeError
from envelope.formats.xml.rules import CONTAINERS, SCALARS, unescape

if TYPE_CHECKING:
    from collections.abc import Callable

    from envelope.cli.inspection.spans.sink import Sink, Steps

__all__ = ["walk_xml"]


@dataclass(slots=True)
class _Element:
    """An open element; reported to the sink once it is known to be a container (*kind* is then set)."""

    steps: Steps
    start: int
    attributes: dict[str, str]
    kind: str = ""
    count: int = 0
    names: Counter[str] = field(default_factory=Counter)


def walk_xml(data: bytes, sink: Sink, *, typed: bool) -> None:
    """Report the values in *data* to *sink*. It has no DOCTYPE, because the reader refuses one."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    walk = _Walk(data, sink, lambda: parser.CurrentByteIndex, typed=typed)
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    parser.CharacterDataHandler = walk.text.append
    # If the bytes are those before a fault, an element or the text in it may have no end.
    with contextlib.suppress(expat.ExpatError, DecodeError):
        parser.Parse(data, True)  # noqa: FBT003  # expat's signature
    walk.stop()
    # The parser holds the walk, and the walk the parser, until they are parted.
    parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None


class _Walk:
    def __init__(self, data: bytes, sink: Sink, place: Callable[[], int], *, typed: bool) -> None:
        self.data = data
        self.sink = sink
        self.place = place
        self.typed = typed
        self.text: list[str] = []  # since the last tag
        self.opened: list[_Element] = []
        self.was_start = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        steps: Steps = ()
        if self.opened:
            parent = self.opened[-1]
            if not parent.kind:  # without types, the first child shows that it is a container
                self.enter(parent, "list")
            steps = self.typed_steps(parent, tag, attributes) if self.typed else plain_steps(parent, tag, attributes)
            parent.count += 1
        element = _Element(steps, self.place(), attributes)
        self.opened.append(element)
        if self.typed and attributes.get("type") in CONTAINERS:
            self.enter(element, attributes["type"])
        self.text.clear()
        self.was_start = True

    def enter(self, element: _Element, kind: str) -> None:
        element.kind = kind
        self.sink.open(element.steps, element.start)

    def typed_steps(self, parent: _Element, tag: str, attributes: dict[str, str]) -> Steps:
        if parent.kind == "list":
            return (parent.count,)
        key = attributes.get("key", tag)
        return (unescape(key) if "escaped-key" in attributes else key,)

    def end(self, _: str) -> None:
        end = self.tag_end()
        element = self.opened.pop()
        if element.kind:
            self.sink.close(end, element.kind)
        else:
            self.sink.leaf(element.steps, element.start, end, self.value(element))
        self.text.clear()
        self.was_start = False

    def tag_end(self) -> int:
        """The byte after the tag that ends an element."""
        place = self.place()
        # For an empty element's tag, expat reports the byte after it.
        if self.was_start and not self.text and self.data.startswith(b"/>", place - 2):
            return place
        return self.data.index(b">", place) + 1

    def value(self, element: _Element) -> Any:
        text = "".join(self.text)
        if not self.typed:
            return text
        value = SCALARS.get(element.attributes.get("type", ""), str)(text)
        return unescape(value) if "escaped" in element.attributes else value

    def stop(self) -> None:
        """Close all open containers: the bytes end."""
        for element in reversed(self.opened):
            if element.kind:
                self.sink.close(None, element.kind)


def plain_steps(parent: _Element, tag: str, attributes: dict[str, str]) -> Steps:
    """The steps to a member without a type: if its name repeats, a number follows the name."""
    is_member = tag == "item" and "key" not in attributes
    if not is_member:
        parent.kind = "map"
    name = attributes.get("key", tag)
    before = parent.names[name]
    parent.names[name] += 1
    if is_member and parent.kind == "list":
        return (parent.count,)
    return (name, before) if before else (name,)
