"""PHP's domain as portable values: what `json_encode` would show of it, or all that its objects have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envelope.conversion.own_classes import members as shown_members
from envelope.errors import EncodeError
from envelope.formats.common.conform import check_unfolded
from envelope.limits import Limits
from envelope.options import Objects
from envelope.path import Link, Step, link_steps, short_path
from envelope.values.php_types import Members, PhpEnum, PhpObject, PhpReference, referred

__all__ = ["project"]


def project(root: object, format: str, limits: Limits, objects: Objects = "public", *, names_cases: bool = True) -> Any:
    """Return *root* with portable containers.

    An object becomes what it shows (`envelope.conversion.own_classes`), a case of an enum its backing value, or its
    name if that is not known; integer keys become decimal strings. An object met again is written again, and one inside
    itself is an `EncodeError`, as is an array that refers to itself. A reference becomes its value. What has no such
    form is left as it is, for the encoder to refuse or to hand to its ``default``: bytes, NAN and INF, an object with a
    payload; without *names_cases*, also a case whose backing value is not known.
    """
    check_unfolded(root, format, limits)
    return _Projection(format, objects, names_cases=names_cases).walk(root)


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children (step, key in the copy, value), and where copies go."""

    container: object
    link: Link
    children: Iterator[tuple[Step, Any, Any]]
    put: Callable[[Any, Any], None]


class _Projection:
    def __init__(self, format: str, objects: Objects, *, names_cases: bool) -> None:
        self.format = format
        self.objects = objects
        self.names_cases = names_cases
        self.frames: list[_Frame] = []
        self.open: set[int] = set()  # those among them that could be inside themselves

    def walk(self, root: object) -> Any:
        value = self.enter(root, None)
        if value is None:
            return self.scalar(root)
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                inner = self.enter(child, (frame.link, step))
                frame.put(key, inner if inner is not None else self.scalar(child))
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
        shown = self.shown(value, link) if type(value) is PhpObject else value
        if type(shown) is list:
            items: list[Any] = []
            children = ((index, index, child) for index, child in enumerate(shown))
            self.frames.append(_Frame(value, link, children, lambda _, copy: items.append(copy)))
            return items
        if type(shown) is not dict:
            return None
        members: dict[Any, Any] = {}
        children = ((key, _decimal(key), child) for key, child in shown.items())
        self.frames.append(_Frame(value, link, children, members.__setitem__))
        return members

    def shown(self, value: PhpObject, link: Link) -> Members:
        try:
            return shown_members(value, self.objects)
        except EncodeError as error:
            error.format, error.path = self.format, short_path(link_steps(link))
            raise

    def scalar(self, value: Any) -> Any:
        value = referred(value)
        if type(value) is not PhpEnum:
            return value
        if value.value is not None:
            return value.value
        return value.case if self.names_cases else value


def _decimal(key: Step) -> str | bytes:
    return str(key) if isinstance(key, int) else key
