"""One pass over a broken document: the edits that make its lengths, names and counts right, or that close what is cut.

Unlike a reader it takes lengths from a reading that was found before, or counts as they are; it makes no values, and
what it makes is read by the reader afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from envelope.formats.serialize.lengths import length_hint
from envelope.hints import Hint
from envelope.path import Step, short_path
from envelope.repairs.report import Cause, Edit, Missing
from envelope.repairs.tokens import CUT, KEYS, TOKEN
from envelope.values.php_rules import array_key, text_or_bytes

__all__ = ["Outcome", "Rewriting"]

Outcome = Literal["whole", "cut", "broken"]


@dataclass(slots=True)
class _Open:
    """A container: where its count is, what was declared, how many members are whole, and the key of the next.

    ``is_list``: it is an array whose keys are 0 … n-1 so far.
    """

    count_at: int
    digits: bytes
    class_name: bytes
    is_array: bool
    is_list: bool
    members: int = 0
    key: Any = None
    begins: int = 0  # the member whose key that is

    @property
    def declared(self) -> int:
        return int(self.digits)

    def name_next(self, key: str | bytes | int) -> None:
        """Set the key of the next member, as an array or an object has it."""
        if self.is_array:
            self.key = array_key(key) if type(key) is str else key
            self.is_list = self.is_list and type(self.key) is int and 0 <= self.key <= self.members
        else:
            self.key = str(key) if type(key) is int else key

    def step(self, *, php: bool) -> Step:
        """The key, as a reader in that domain names it: in the portable one only a list has integers."""
        key: Step = self.key
        return key if php or self.is_list or type(key) is not int else str(key)


@dataclass(slots=True)
class Rewriting:
    """``ends`` says where each string ends, by where it begins; None is: as declared. *counts* says they may be wrong.

    *php* says in which domain's words paths are: in the portable one the keys of a map are text.

    `run` says how it went: to the end of the input, to where it was cut, or to something else.
    """

    data: bytes
    ends: Mapping[int, int] | None = None
    counts: bool = False
    php: bool = True
    edits: list[Edit] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)
    whole_until: int = 0
    """Where the token begins that was last looked at."""
    watched: int = -1
    watched_path: str = ""
    """The path of the string that begins at ``watched``."""
    cut_string: int = -1
    """Where the string begins that the input's end cut off, -1 if none was."""

    def run(self) -> Outcome:  # noqa: C901  # one loop
        """Go as far as possible."""
        data, opened = self.data, self.opened
        pos = 0
        while True:
            match = TOKEN.match(data, pos)
            self.whole_until = pos
            if match is None:
                return "cut" if CUT.match(data, pos) else "broken"
            kind, start, pos = str(match.lastgroup), pos, match.end()
            inner = opened[-1] if opened else None
            is_key = inner is not None and inner.key is None
            if kind == "close":
                if inner is None or not is_key or not self.closes(inner):
                    return "broken"
                opened.pop()
            elif is_key and (kind not in KEYS or not self.has_room(inner)):
                return "broken"
            elif kind == "string":
                end = self.string(match, is_key=is_key)
                if end <= 0:
                    return "cut" if end < 0 else "broken"
                pos = end
            elif kind in ("array", "object"):
                self.class_length(match)
                is_array = kind == "array"
                opened.append(_Open(match.start(kind), match[kind], match["class"] or b"", is_array, is_list=is_array))
                continue
            elif kind == "case":
                self.length(match, "enum", match["case"])
            elif kind == "payload":
                pos += int(match["payload"]) + 1
                if data[pos - 1 : pos] != b"}":
                    return "cut" if pos > len(data) else "broken"
            if is_key and kind != "close":
                self.name(start, data[match.end() : pos - 2] if kind == "string" else match[0][2:-1], kind)
            elif not opened:
                return "whole" if pos == len(data) else "broken"
            else:
                opened[-1].members += 1
                opened[-1].key = None

    def has_room(self, inner: _Open | None) -> bool:
        """Whether a container may have one more member."""
        return self.counts or inner is None or inner.members < inner.declared

    def closes(self, inner: _Open) -> bool:
        """Whether the container may end here, with its count mended if that may be wrong."""
        if inner.members != inner.declared:
            if not self.counts:
                return False
            self.recount(inner)
        return True

    def recount(self, inner: _Open) -> None:
        """Mend the count of the innermost container."""
        right = b"%d" % inner.members
        self.edit(inner.count_at, inner.digits, right, "count", path=self.path(len(self.opened) - 1))

    def name(self, start: int, raw: bytes, kind: str) -> None:
        """Note the key of the next value."""
        inner = self.opened[-1]
        inner.name_next(text_or_bytes(raw) if kind == "string" else int(raw))
        inner.begins = start

    def string(self, match: Any, *, is_key: bool) -> int:
        """The place behind the string, with its length mended; 0 if it does not end there, -1 if the input ends."""
        data, start = self.data, match.end()
        size = int(match["string"])
        if self.ends is None:
            end: int = start + size + 2
            if data[end - 2 : end] == b'";':
                return end
            is_cut = end > len(data) and data[start + size : start + size + 1] in (b"", b'"')
            self.cut_string = start if is_cut else -1
            return -1 if is_cut else 0
        end = self.ends[start]
        if start == self.watched:
            self.watched_path = self.path(len(self.opened), data[start : end - 2] if is_key else None)
        body = data[start : end - 2]
        if size != len(body):
            mangled = _with_nuls(body, size, self.opened[-1].class_name) if is_key else None
            if mangled is not None:
                self.edit(start, body, mangled, "name", Hint("nul-gone"), body)
                return end
            self.length(match, "string", body, length_hint(body, size), body if is_key else None)
        elif match["string"] != b"%d" % size:
            self.length(match, "string", body, None, body if is_key else None)
        return end

    def class_length(self, match: Any) -> None:
        """Mend the length of a class, if the container has one."""
        if match["class"] is not None:
            self.length(match, "class_size", match["class"])

    def length(self, match: Any, group: str, body: bytes, hint: Hint | None = None, key: bytes | None = None) -> None:
        """Mend the length of *body* in the *group* of a token."""
        right = b"%d" % len(body)
        if match[group] != right:
            self.edit(match.start(group), match[group], right, "length", hint, key)

    def edit(
        self,
        offset: int,
        before: bytes,
        after: bytes,
        cause: Cause,
        hint: Hint | None = None,
        key: bytes | None = None,
        *,
        path: str = "",
    ) -> None:
        """Report an edit of what is at *path*, by default the value, or the *key*, that is looked at."""
        path = path or self.path(len(self.opened), key)
        words = "" if hint is None else str(hint)
        self.edits.append(Edit(offset, before, after, path, cause, words, is_only=True))

    def path(self, depth: int, key: bytes | None = None) -> str:
        """The path to what the first *depth* open containers have open, or to a *key* of the last of them."""
        # Of a long path only so many steps are shown, from both ends.
        shown = self.opened[:depth] if depth < 18 else self.opened[:8] + self.opened[depth - 9 : depth]
        steps: list[Step] = [outer.step(php=self.php) for outer in shown if outer.key is not None]
        return short_path(steps if key is None else [*steps, text_or_bytes(key)])

    def close(self) -> bool:
        """Drop the member that was cut off, and close what is open; whether anything whole is left."""
        if not self.opened:
            return False
        inner = self.opened[-1]
        offset = inner.begins if inner.key is not None else self.whole_until
        for depth, outer in enumerate(self.opened):
            whole = outer.members + (depth < len(self.opened) - 1)
            if whole != outer.declared:
                path = self.path(depth)
                self.edit(outer.count_at, outer.digits, b"%d" % whole, "count", path=path)
                self.missing.append(Missing(path=path, count=outer.declared - whole))
        path = self.path(len(self.opened) - 1)
        self.edit(offset, self.data[offset:], b"}" * len(self.opened), "cut", path=path)
        return True


_NUL: Final = b"\0"


def _with_nuls(name: bytes, size: int, class_name: bytes) -> bytes | None:
    """A property's name with the NULs that PHP writes around `*` or the class, if these two bytes are what lacks."""
    if not class_name or size != len(name) + 2:
        return None
    for head in (b"*", class_name):
        if name.startswith(head) and len(name) > len(head):
            return _NUL + head + _NUL + name[len(head) :]
    return None
