"""PHP's domain as portable values: what `json_encode` would show of it, and a list of what that loses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envelope.errors import EncodeError, EncodeErrorKind
from envelope.limits import Limits
from envelope.path import Step, format_path, short_path
from envelope.values import Loss, PhpEnum, PhpObject

__all__ = ["project"]


def project(root: object, format: str, limits: Limits) -> tuple[Any, list[Loss]]:
    """*root* with portable containers, and a `Loss` for each place that changed, in document order.

    An object becomes the map of its public properties, an enum's case its backing value, integer keys decimal
    strings; an object met again is written again, and one inside itself is an `EncodeError`. What has no such form
    is left as it is, for the encoder to refuse or to hand to its ``default``: bytes, NAN and INF, an object with a
    payload, a case whose backing value is not known.
    """
    projection = _Projection(format, limits)
    return projection.walk(root), projection.losses


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children (step, key in the copy, value), and where copies go."""

    container: object
    children: Iterator[tuple[Step, Any, Any]]
    put: Callable[[Any, Any], None]
    step: Step = 0


class _Projection:
    def __init__(self, format: str, limits: Limits) -> None:
        self.format = format
        self.limits = limits
        self.losses: list[Loss] = []
        self.items = -1  # the root is none
        self.frames: list[_Frame] = []

    def walk(self, root: object) -> Any:
        result: list[Any] = []
        self.frames.append(_Frame(None, iter([(0, 0, root)]), lambda _, copy: result.append(copy)))
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                frame.step = step
                inner = self.enter(child)
                frame.put(key, inner if inner is not None else self.scalar(child))
                if inner is not None:
                    break
            else:
                self.frames.pop()
        return result[0]

    def enter(self, value: Any) -> list[Any] | dict[Any, Any] | None:
        """Open a container and answer its empty copy, which the walk then fills; None for all else."""
        self.items += 1
        if self.items > self.limits.max_items:
            raise self.fault(f"more than {self.limits.max_items} items once objects are written out", "limit")
        children: Iterator[tuple[Step, Any, Any]]
        if type(value) is list:
            items: list[Any] = []
            children = ((index, index, child) for index, child in enumerate(value))
            self.frames.append(_Frame(value, children, lambda _, copy: items.append(copy)))
            return items
        members: dict[Any, Any] = {}
        if type(value) is dict:
            if any(type(key) is int for key in value):
                self.lose(value, members)
            children = ((key, str(key) if type(key) is int else key, child) for key, child in value.items())
        elif type(value) is PhpObject and value.payload is None:
            if any(value is frame.container for frame in self.frames):
                raise self.fault("an object that contains itself", "unrepresentable")
            self.lose(value, members)
            children = (
                (entry.name, str(entry.name) if type(entry.name) is int else entry.name, entry.value)
                for entry in value.properties
                if entry.visibility == "public" and str(entry.name)[:1] != "\0"
            )
        else:
            return None
        self.frames.append(_Frame(value, children, members.__setitem__))
        return members

    def scalar(self, value: Any) -> Any:
        if type(value) is PhpEnum and value.value is not None:
            self.lose(value, value.value)
            return value.value
        return value

    def lose(self, was: object, becomes: object) -> None:
        self.losses.append(Loss(format_path(self.steps()), was, becomes))

    def fault(self, reason: str, kind: EncodeErrorKind) -> EncodeError:
        return EncodeError(reason, kind=kind, format=self.format, path=short_path(self.steps()))

    def steps(self) -> list[Step]:
        return [frame.step for frame in self.frames[1:]]
