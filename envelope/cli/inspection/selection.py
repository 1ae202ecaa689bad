"""`--path`: select the values at a path and everything below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from envelope.path import Link, format_path, link_steps, short_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envelope.cli.inspection.spans.sink import Sink, Steps

__all__ = ["Selection"]

_Place: TypeAlias = tuple[int | None, Link]
"""How many of the wanted steps led to a value (None if it is off the path), and where it is."""


class Selection:
    """A `Sink` that passes on to *sink* what is at a path, as returned by `envelope.path.parse_path`.

    A selected value becomes a root, whose steps are the whole path to it.
    """

    def __init__(self, wanted: Sequence[str | int | None], sink: Sink) -> None:
        # Steps are compared by their spelling.
        self.wanted = [None if step is None else format_path([step]) for step in wanted]
        self.sink = sink
        self.outside: list[_Place] = []  # for each open container that is not passed on
        self.inside = 0
        self.found = 0
        self.deepest = -1
        self.nearest: Link = None

    @property
    def nearest_path(self) -> str:
        """The deepest value on the way to a path that does not exist."""
        return short_path(link_steps(self.nearest))

    def leaf(self, steps: Steps, start: int, end: int, value: Any, note: str = "") -> None:
        """Pass on a value if it is wanted."""
        if not self.inside:
            place = self.advance(steps)
            if not self.is_wanted(place):
                return
            steps = tuple(link_steps(place[1]))
        self.sink.leaf(steps, start, end, value, note)

    def open(self, steps: Steps, start: int, note: str = "", class_name: str = "") -> None:
        """Enter a container, and pass it on if it is wanted."""
        if not self.inside:
            place = self.advance(steps)
            if not self.is_wanted(place):
                self.outside.append(place)
                return
            steps = tuple(link_steps(place[1]))
        self.inside += 1
        self.sink.open(steps, start, note, class_name)

    def close(self, end: int | None, kind: str) -> None:
        """Leave a container."""
        if self.inside:
            self.inside -= 1
            self.sink.close(end, kind)
        else:
            self.outside.pop()

    def is_wanted(self, place: _Place) -> bool:
        """Whether all wanted steps lead to *place*; also remembers the deepest place on the way."""
        passed, link = place
        if passed is not None and passed > self.deepest:
            self.deepest, self.nearest = passed, link
        if passed != len(self.wanted):
            return False
        self.found += 1
        return True

    def advance(self, steps: Steps) -> _Place:
        """How many of the wanted steps lead to the value, and where it is."""
        passed, link = self.outside[-1] if self.outside else (0, None)
        if passed is None:
            return None, None
        for step in steps:
            if passed == len(self.wanted):
                return None, None
            wanted = self.wanted[passed]
            if isinstance(step, int) and wanted == format_path([str(step)]):
                step = str(step)  # the array may be a map, whose keys the reader returns as str
            elif wanted is not None and wanted != format_path([step]):
                return None, None
            passed, link = passed + 1, (link, step)
        return passed, link
