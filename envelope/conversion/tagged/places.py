"""Where in a JSON document a value stands that was read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelope.formats.common.charsets import UTF_8, checked_charset
from envelope.formats.common.decoded import decoded
from envelope.formats.common.input import as_bytes
from envelope.formats.json.scan import JsonScanner
from envelope.path import short_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envelope.errors import DecodeError
    from envelope.hints import Hint
    from envelope.options import ReadOptions
    from envelope.path import Step

__all__ = ["fault_at"]


class _Finder(JsonScanner):
    """Scans a document without faults for the value at *wanted*; of a key that is repeated, the last counts."""

    __slots__ = ("found", "steps", "wanted")

    def find(self, wanted: Sequence[Step]) -> int:
        self.wanted = list(wanted)
        self.found = 0
        self.bad_utf8 = len(self.data)
        self.steps: list[Step | None] = []
        self.document(self.steps)
        return self.found

    def members(self, pos: int, index: int) -> tuple[int, int]:
        """Skip nothing: it may be the value."""
        return pos, index

    def enter(self, depth: int, items: int, offset: int) -> None:  # noqa: ARG002
        """A value begins, or (then it has no *items*) a container opens."""
        steps, wanted = self.steps, self.wanted
        if items and len(steps) == len(wanted) and steps[-1:] == wanted[-1:] and steps == wanted:
            self.found = offset


def fault_at(
    steps: Sequence[Step], reason: str, hint: Hint | None, data: object, reading: ReadOptions, format: str
) -> DecodeError:
    """Return the error for the value at *steps* of the JSON document *data*, which was read with *reading*."""
    raw = as_bytes(data, format, reading.limits, reading.encoding)
    charset = checked_charset(reading.encoding)
    source = None if charset is UTF_8 else decoded(raw, charset, format)
    finder = _Finder(
        raw if source is None else source.utf8,
        format,
        reading.limits,
        source,
        big_as_text="JSON_BIGINT_AS_STRING" in reading.flags,
    )
    return finder.fail(reason, finder.find(steps), path=short_path(steps), hint=hint)
