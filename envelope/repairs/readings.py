"""The ways to read a document whose strings may end anywhere: whether there is one, and whether there is another.

Counts hold as declared. So a string that ended too early would leave more members than there may be, one too late
fewer, and seldom is there a second way. The search goes from place to place (a byte, and how many elements each open
container lacks), visits none twice, and gives up after a number of steps that is in proportion to the document.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from envelope.formats.serialize.lengths import STRING_END
from envelope.repairs.tokens import KEYS, START, TOKEN

__all__ = ["Exhausted", "Reading", "Search", "find_reading"]

_STEPS: Final = 50_000
_STEPS_PER_TOKEN: Final = 20
_MAX_STEPS: Final = 2_000_000
_DONE: Final = 1  # the place outside all containers, with the root read


@dataclass(frozen=True, slots=True)
class Reading:
    """Where each string ends, by where its bytes begin, and (if there is another reading) the first that differs.

    ``is_searched``: there was time to look for all that keep the lengths that fit. ``other`` is where a string begins,
    and where else it may end.
    """

    ends: dict[int, int]
    other: tuple[int, int] | None
    is_searched: bool


def find_reading(data: bytes, max_depth: int) -> Reading | None:
    """Return the reading whose strings end nearest to where they were declared to; None if none was found."""
    kept = Search(data, max_depth, keeps_fitting=True).run()
    if kept is not None and kept.other is not None:
        return kept
    # A length may fit by chance, or because somebody meant it to. A long document has too many ways for this search,
    # but whatever it finds counts.
    free = Search(data, max_depth, keeps_fitting=False).run()
    if kept is None or free is None:
        return kept or free
    other = free.other
    if free.ends != kept.ends:
        other = next((start, end) for start, end in free.ends.items() if kept.ends.get(start) != end)
    return Reading(kept.ends, other, kept.is_searched)


class Exhausted(Exception):
    """The search has taken all its steps."""


class Search:
    """One search; if it *keeps_fitting* lengths, a string ends where it was declared to if it can."""

    def __init__(self, data: bytes, max_depth: int, *, keeps_fitting: bool) -> None:
        self.data = data
        self.max_depth = max_depth
        self.keeps_fitting = keeps_fitting
        # Where strings may end (behind `";`), as keys and as values, and where tokens may begin.
        self.after_key, self.after_value = array("q"), array("q")
        for match in STRING_END.finditer(data):
            end = match.end()
            if match[1] is not None:
                self.after_key.append(end)
            if match[1] is None or match[1][:1] in (b"i", b"s"):
                self.after_value.append(end)
        self.starts = array("q", [0, *(match.start() for match in START.finditer(data))])
        self.steps = min(_STEPS + _STEPS_PER_TOKEN * len(self.starts), _MAX_STEPS)
        # The open containers are numbered: what is around one, the elements (keys and values) that it lacks, its depth,
        # and the tokens that are needed until the end of the document.
        self.numbers: dict[tuple[int, int], int] = {}
        self.outer, self.lacks, self.depth, self.needs = array("q"), array("q"), array("q"), array("q")
        self.root = self.container(-1, 1)
        self.container(-1, 0)  # _DONE
        self.around = array("q")  # of each string: the container around it
        self.trail = array("q")  # of each string: where it begins, and the place behind it
        # Behind the last choice of the first reading: the container around each string, by where that begins. Whoever
        # comes here meets the same tokens, and so gets to the end with the same containers alone.
        self.settled: dict[int, int] = {}

    def container(self, outer: int, lacks: int) -> int:
        """The number of a container within *outer* that lacks so many elements."""
        number = self.numbers.setdefault((outer, lacks), len(self.lacks))
        if number == len(self.lacks):
            self.outer.append(outer)
            self.lacks.append(lacks)
            self.depth.append(self.depth[outer] + 1 if outer >= 0 else 0)
            self.needs.append(lacks + (self.needs[outer] + 1 if outer >= 0 else 0))
        return number

    def run(self) -> Reading | None:
        """Return the first reading, and whether there is a second; None if none was found."""
        first: array[int] | None = None
        # The strings that may end elsewhere: their place, what is left of their ends, and the trail before them.
        open_: list[tuple[tuple[int, int], Iterator[int], int, int]] = []
        leads: dict[tuple[int, int], bool] = {}  # whether a place leads to the end
        pos, number = 0, self.root
        is_searched = True
        try:
            while True:
                place = self.advance(pos, number)
                found = place == (len(self.data), _DONE) or (place is not None and leads.get(place, False))
                if found:
                    if first is not None:
                        return Reading(_ends(first), self.difference(first), is_searched=True)
                    first = self.trail[:]
                    self.settle(open_[-1][0][0] if open_ else 0)
                    leads.update((frame[0], True) for frame in open_)
                elif place is not None and place not in leads and place[1] != _DONE:
                    leads[place] = False
                    open_.append((place, *self.string(*place), len(self.trail)))
                # ---- the next end of the innermost string that has one
                while open_:
                    (start, _), ends, after, size = open_[-1]
                    del self.trail[size:], self.around[size // 2 + 1 :]
                    end = next(ends, None)
                    if end is not None:
                        self.trail.extend((start, end))
                        pos, number = end, after
                        break
                    open_.pop()
                else:
                    break
        except Exhausted:
            is_searched = False
        return None if first is None else Reading(_ends(first), None, is_searched)

    def advance(self, pos: int, number: int) -> tuple[int, int] | None:  # noqa: C901  # one loop
        """The next place with a choice (where a string begins), or the end; None if this leads nowhere."""
        data, lacks = self.data, self.lacks
        while True:
            self.step()
            match = TOKEN.match(data, pos)
            if number == _DONE or match is None:
                return (pos, number) if number == _DONE else None
            kind = str(match.lastgroup)
            is_key = lacks[number] % 2 == 0
            if kind == "close":
                if lacks[number]:
                    return None
                pos, number = match.end(), self.outer[number]
                continue
            if not lacks[number] or (is_key and kind not in KEYS):
                return None
            if kind == "string":
                place = (match.end(), number)
                if place[0] in self.settled:
                    return (len(data), _DONE) if self.settled[place[0]] == number else None
                self.around.append(number)
                pos = self.only_end(match.end(), number)
                if pos < 0:
                    return place
                if pos == 0:
                    return None
                self.trail.extend((place[0], pos))
                number = self.container(self.outer[number], lacks[number] - 1)
                continue
            number, pos = self.container(self.outer[number], lacks[number] - 1), match.end()
            if kind in ("array", "object"):
                count = int(match[kind])
                if self.depth[number] >= self.max_depth or count > len(self.starts):
                    return None
                number = self.container(number, 2 * count)
                if self.needs[number] > len(self.starts) - bisect_left(self.starts, pos):
                    return None
            elif kind == "payload":
                pos += int(match["payload"]) + 1
                if data[pos - 1 : pos] != b"}":
                    return None

    def settle(self, last: int) -> None:
        """Note the strings of the trail behind the place *last*, as far as their lengths fit."""
        for index in range(len(self.trail) - 2, 0, -2):
            start, end = self.trail[index : index + 2]
            match = STRING_END.match(self.data, self.declared_end(start))
            if not self.keeps_fitting or start <= last or match is None or match.end() != end:
                break
            self.settled[start] = self.around[index // 2]

    def declared_end(self, start: int) -> int:
        """Where the bytes of the string at *start* were declared to end, if that is within the input."""
        size = int(self.data[self.data.rindex(b"s:", 0, start) + 2 : start - 2])
        return min(start + size, len(self.data))

    def only_end(self, start: int, number: int) -> int:
        """Where the string at *start* ends: 0 if it cannot end, -1 if there is a choice."""
        ends = self.after_key if self.lacks[number] % 2 == 0 else self.after_value
        indexes = self.range_of(start, number)
        if self.keeps_fitting and (match := STRING_END.match(self.data, self.declared_end(start))):
            index = bisect_left(ends, match.end(), indexes.start, indexes.stop)
            return match.end() if index < indexes.stop and ends[index] == match.end() else 0
        return ends[indexes[0]] if len(indexes) == 1 else -min(len(indexes), 1)

    def range_of(self, start: int, number: int) -> range:
        """Which of the ends the string at *start* may have, as indexes, so that enough tokens follow."""
        ends = self.after_key if self.lacks[number] % 2 == 0 else self.after_value
        needs = self.needs[number] - 1
        if needs > len(self.starts):
            return range(0)
        last = self.starts[len(self.starts) - needs] if needs else len(self.data)
        low, high = bisect_left(ends, start + 2 if needs else max(start + 2, last)), bisect_right(ends, last)
        return range(low, high)

    def string(self, start: int, number: int) -> tuple[Iterator[int], int]:
        """The ends that the string at *start* may have, the nearest to its declared one first; the container then."""
        after = self.container(self.outer[number], self.lacks[number] - 1)
        return self.ends(start, number), after

    def ends(self, start: int, number: int) -> Iterator[int]:
        """The ends that the string at *start* may have, the nearest to its declared one first."""
        is_key = self.lacks[number] % 2 == 0
        places = self.after_key if is_key else self.after_value
        indexes = self.range_of(start, number)
        closes = self.lacks[number] == 1 and self.outer[number] >= 0
        declared = self.declared_end(start) + 2
        above = bisect_left(places, declared, indexes.start, indexes.stop)
        below = above - 1
        while below >= indexes.start or above < indexes.stop:
            self.step()
            is_above = above < indexes.stop and (
                below < indexes.start or places[above] - declared <= declared - places[below]
            )
            place = places[above] if is_above else places[below]
            above, below = (above + 1, below) if is_above else (above, below - 1)
            if is_key or (self.data[place : place + 1] == b"}") == closes:
                yield place

    def step(self, count: int = 1) -> None:
        """Take *count* of the steps that are left."""
        self.steps -= count
        if self.steps < 0:
            raise Exhausted

    def difference(self, first: array[int]) -> tuple[int, int]:
        """Where the string begins that this reading ends elsewhere than the *first*, and where."""
        index = next(index for index, (one, two) in enumerate(zip(first, self.trail, strict=False)) if one != two)
        return self.trail[index - 1], self.trail[index]


def _ends(trail: array[int]) -> dict[int, int]:
    return dict(zip(trail[::2], trail[1::2], strict=True))
