"""PHP's domain as portable values: what `json_encode` would show of it, and a list of what that loses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envelope.domain import check_unfolded
from envelope.errors import EncodeError
from envelope.limits import Limits
from envelope.path import Link, Step, format_link, link_steps, short_path
from envelope.values import Loss, PhpEnum, PhpObject

__all__ = ["project"]


def project(root: object, format: str, limits: Limits) -> tuple[Any, Iterator[Loss]]:
    """*root* with portable containers, and a `Loss` for each place that changed, in document order.

    An object becomes the map of its public properties, an enum's case its backing value, integer keys decimal
    strings; an object met again is written again, and one inside itself is an `EncodeError`. What has no such form
    is left as it is, for the encoder to refuse or to hand to its ``default``: bytes, NAN and INF, an object with a
    payload, a case whose backing value is not known.
    """
    check_unfolded(root, format, limits)
    projection = _Projection(format)
    value = projection.walk(root)
    # Their paths are spelled only as they are asked for: there may be as many as values, and each as long as deep.
    return value, (Loss(format_link(link), was, becomes) for link, was, becomes in projection.lost)


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
        self.lost: list[tuple[Link, object, object]] = []
        self.frames: list[_Frame] = []
        self.open: set[int] = set()  # the objects among them

    def walk(self, root: object) -> Any:
        value = self.enter(root, None)
        if value is None:
            return self.scalar(root, None)
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                link = (frame.link, step)
                inner = self.enter(child, link)
                frame.put(key, inner if inner is not None else self.scalar(child, link))
                if inner is not None:
                    break
            else:
                self.open.discard(id(frame.container))
                self.frames.pop()
        return value

    def enter(self, value: Any, link: Link) -> list[Any] | dict[Any, Any] | None:
        """Open a container and answer its empty copy, which the walk then fills; None for all else."""
        children: Iterator[tuple[Step, Any, Any]]
        if type(value) is list:
            items: list[Any] = []
            children = ((index, index, child) for index, child in enumerate(value))
            self.frames.append(_Frame(value, link, children, lambda _, copy: items.append(copy)))
            return items
        members: dict[Any, Any] = {}
        if type(value) is dict:
            if any(type(key) is int for key in value):
                self.lost.append((link, value, members))
            children = ((key, _decimal(key), child) for key, child in value.items())
        elif type(value) is PhpObject and value.payload is None:
            if id(value) in self.open:
                raise EncodeError(
                    "an object that contains itself", format=self.format, path=short_path(link_steps(link))
                )
            self.open.add(id(value))
            self.lost.append((link, value, members))
            # A name that begins with NUL is hidden from json_encode, mangled or not.
            shown = [entry for entry in value.properties if not str(entry.mangled).startswith("\0")]
            children = ((entry.name, _decimal(entry.name), entry.value) for entry in shown)
        else:
            return None
        self.frames.append(_Frame(value, link, children, members.__setitem__))
        return members

    def scalar(self, value: Any, link: Link) -> Any:
        if type(value) is PhpEnum and value.value is not None:
            self.lost.append((link, value, value.value))
            return value.value
        return value


def _decimal(key: Step) -> str | bytes:
    return str(key) if isinstance(key, int) else key
