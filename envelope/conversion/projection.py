"""PHP's domain as portable values: what `json_encode` would show of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envelope.errors import EncodeError
from envelope.formats.common.conform import check_unfolded
from envelope.limits import Limits
from envelope.options import Objects
from envelope.path import Link, Step, link_steps, short_path
from envelope.values.php_types import PhpEnum, PhpObject, PhpReference, referred

__all__ = ["project"]


def project(root: object, format: str, limits: Limits, objects: Objects = "public") -> Any:  # noqa: ARG001
    """Return *root* with portable containers.

    An object becomes the map of its public properties, an enum's case its backing value, integer keys decimal
    strings; an object met again is written again, and one inside itself is an `EncodeError`, as is an array that
    refers to itself. A reference becomes its value. What has no such form
    is left as it is, for the encoder to refuse or to hand to its ``default``: bytes, NAN and INF, an object with a
    payload, a case whose backing value is not known.
    """
    check_unfolded(root, format, limits)
    return _Projection(format).walk(root)


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children (step, key in the copy, value), and where copies go."""

    container: object
    link: Link
    children: Iterator[tuple[Step, Any, Any]]
    put: Callable[[Any, Any], None]


class _Projection:
    def __init__(self, format: str) -> None:
        self.format = format
        self.frames: list[_Frame] = []
        self.open: set[int] = set()  # those among them that could be inside themselves

    def walk(self, root: object) -> Any:
        value = self.enter(root, None)
        if value is None:
            return _scalar(root)
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                inner = self.enter(child, (frame.link, step))
                frame.put(key, inner if inner is not None else _scalar(child))
                if inner is not None:
                    break
            else:
                self.open.discard(id(frame.container))
                self.frames.pop()
        return value

    def enter(self, value: Any, link: Link) -> list[Any] | dict[Any, Any] | None:
        """Open a container and return its empty copy, which the walk then fills; None for anything else."""
        children: Iterator[tuple[Step, Any, Any]]
        is_reference = type(value) is PhpReference
        value = referred(value)
        if type(value) is PhpObject and value.payload is not None:
            return None
        if type(value) is PhpObject or (is_reference and type(value) in (list, dict)):
            if id(value) in self.open:
                what = "an object" if type(value) is PhpObject else "an array"
                raise EncodeError(f"{what} that contains itself", format=self.format, path=short_path(link_steps(link)))
            self.open.add(id(value))
        if type(value) is list:
            items: list[Any] = []
            children = ((index, index, child) for index, child in enumerate(value))
            self.frames.append(_Frame(value, link, children, lambda _, copy: items.append(copy)))
            return items
        members: dict[Any, Any] = {}
        if type(value) is dict:
            children = ((key, _decimal(key), child) for key, child in value.items())
        elif type(value) is PhpObject:
            children = ((entry.name, _decimal(entry.name), entry.value) for entry in value.shown)
        else:
            return None
        self.frames.append(_Frame(value, link, children, members.__setitem__))
        return members


def _scalar(value: Any) -> Any:
    value = referred(value)
    return value.value if type(value) is PhpEnum and value.value is not None else value


def _decimal(key: Step) -> str | bytes:
    return str(key) if isinstance(key, int) else key
