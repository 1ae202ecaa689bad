"""The reading of a document in which one text was replaced by another everywhere, and the lengths stayed.

Each length is then off by the same difference for each time that the string holds the new text. For one difference
there is seldom a second way, because a string that takes in others has become longer than the new text allows. So all
differences are tried that the first wrong length can come from, with every text at once, and all readings must agree.
The new text is taken to hold no quote and no semicolon, and the old one at least a byte. It is evidence only if two
strings hold it, and if it is as often in each string as the length says.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import isqrt
from typing import Final

from envelope.repairs.readings import Exhausted, Reading, Search
from envelope.repairs.rewriting import Rewriting
from envelope.repairs.tokens import TOKEN

__all__ = ["find_replaced"]

# So many bytes that are in so many strings whose lengths are wrong, and in no other, are no accident.
_LEAST_TEXT: Final = 4
_LEAST_STRINGS: Final = 2
_MAX_TEXTS: Final = 1000
_MAX_COUNTED: Final = 1_000_000
_BYTES_PER_STEP: Final = 16
_UNCLEAN: Final = re.compile(rb'[";]')
_CLEAN: Final = re.compile(rb'[^";]+')


def find_replaced(data: bytes, max_depth: int) -> Reading | None:
    """Return the only reading in which the replacement of one text explains all lengths; None if it is not certain."""
    search = _Search(data, max_depth)
    only: Reading | None = None
    is_explained = False
    try:
        for difference in sorted({off for start in _suspects(data) for off in search.differences(start)}):
            reading = search.with_difference(difference)
            if reading is None:
                continue
            if reading.other is not None or (only is not None and only.ends != reading.ends):
                return None
            only = reading
            is_explained = is_explained or search.explains(reading, difference)
    except Exhausted:
        return None
    return only if is_explained and search.steps >= 0 else None


def _suspects(data: bytes) -> Iterator[int]:
    """Where strings begin, up to the place from which the document cannot be read as it was declared.

    The first length that is wrong is one of theirs: it may fit by chance, where a later string ends.
    """
    straight = Rewriting(data)
    straight.run()
    pos = 0
    while pos <= straight.whole_until and (match := TOKEN.match(data, pos)):
        pos = match.end()
        if match.lastgroup == "string":
            yield pos
            pos += int(match["string"]) + 2
        elif match.lastgroup == "payload":
            pos += int(match["payload"]) + 1


class _Search(Search):
    """Searches in which a string's length is off by a multiple of one difference, as its text allows."""

    def __init__(self, data: bytes, max_depth: int) -> None:
        super().__init__(data, max_depth, keeps_fitting=False)
        self.unclean = array("q", (match.start() for match in _UNCLEAN.finditer(data)))
        self.each = 0

    def with_difference(self, difference: int) -> Reading | None:
        """The first reading with this *difference*, and whether there is a second."""
        self.each = difference
        del self.trail[:], self.around[:]
        return self.run()

    def differences(self, start: int) -> set[int]:
        """The differences that the string at *start* may be off by, for one time that it holds the new text."""
        declared = start + self.size(start) + 2
        found: set[int] = set()
        for place in sorted({*self.within(self.after_key, start), *self.within(self.after_value, start)}):
            off = place - declared
            root = isqrt(abs(off))
            self.step(1 + root // _BYTES_PER_STEP)
            for factor in range(1, root + 1):
                if off % factor == 0:
                    both = (off // factor, factor if off > 0 else -factor)
                    found.update(each for each in both if self.holds(start, place - 2, each))
        return found

    def size(self, start: int) -> int:
        """The declared length of the string at *start*."""
        return int(self.data[self.data.rindex(b"s:", 0, start) + 2 : start - 2])

    def within(self, places: array[int], start: int) -> array[int]:
        """Those of the *places* where the string at *start* may end: quotes and semicolons are as they were."""
        index = bisect_left(self.unclean, start) + self.size(start) + 1
        last = self.unclean[index] + 1 if index < len(self.unclean) else len(self.data)
        return places[bisect_left(places, start + 2) : bisect_right(places, last)]

    def holds(self, start: int, end: int, difference: int) -> bool:
        """Whether the string may hold a text so often that it is off by *difference* for each time."""
        times = (end - start - self.size(start)) // difference
        # The old text had one byte at least.
        if times < 0 or times * max(1, -difference) > self.size(start):
            return False
        self.step(1 + (end - start) // _BYTES_PER_STEP)
        if difference < 0:
            return True  # by a text that may be empty
        length = difference + 1
        runs = [run for run in _CLEAN.findall(self.data, start, end) if len(run) >= length]
        if sum(len(run) // length for run in runs) < times:
            return False
        if times == 1 or (end - start) * length > _MAX_COUNTED:
            return True  # where counting takes too long, it may be so
        self.step(sum(map(len, runs)) // 4)
        return max(Counter(_texts(runs, length)).values()) >= times

    def only_end(self, start: int, number: int) -> int:
        found = list(self.ends(start, number))
        return found[0] if len(found) == 1 else -min(len(found), 1)

    def ends(self, start: int, number: int) -> Iterator[int]:
        places = self.after_key if self.lacks[number] % 2 == 0 else self.after_value
        indexes = self.range_of(start, number)
        if not indexes:
            return
        low, high = places[indexes[0]], places[indexes[-1]]
        declared = start + self.size(start) + 2
        for place in self.within(places, start):
            if not low <= place <= high:
                continue
            off = place - declared
            if off == 0 or (off % self.each == 0 and self.holds(start, place - 2, self.each)):
                yield place

    def explains(self, reading: Reading, difference: int) -> bool:
        """Whether there is a text that all strings that are off hold as often as they are, and that is nowhere else."""
        bodies = [
            (self.data[start : end - 2], off // difference)
            for start, end in reading.ends.items()
            if (off := end - 2 - start - self.size(start))
        ]
        if len(bodies) < _LEAST_STRINGS:
            return False
        total = sum(times for _, times in bodies)
        length = max(_LEAST_TEXT, difference + 1)
        shortest = min((body for body, _ in bodies), key=len)
        return any(
            all(body.count(text) == times for body, times in bodies) and self.data.count(text) == total
            for text in islice(_texts(_CLEAN.findall(shortest), length), _MAX_TEXTS)
        )


def _texts(runs: list[bytes], length: int) -> Iterator[bytes]:
    """Each text of this *length* within the *runs*, as often as it is there."""
    return (run[at : at + length] for run in runs for at in range(len(run) - length + 1))
