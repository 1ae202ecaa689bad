"""A PHP file, statement by statement; the grammar is in `envelope.formats.var_export.php_file`."""

from __future__ import annotations

import re
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.input import as_bytes
from envelope.formats.var_export.php_file.arrays import MISSING, PhpArray
from envelope.formats.var_export.php_file.expressions import Expressions
from envelope.formats.var_export.php_file.source import FORMAT, shown
from envelope.options import ReadOptions, Unknown
from envelope.path import short_path

__all__ = ["loads"]


def loads(data: object, options: ReadOptions, unknown: Unknown | None = None) -> Any:
    """Return the value of the PHP file *data*; `DecodeError` if it is not known without running it.

    *unknown* is called with the name of what is not known, and its arguments if it is a call; it returns the value.
    """
    return _File(as_bytes(data, FORMAT, options.limits, options.encoding), options, unknown).read()


_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OPENING: Final = re.compile(rb"[ \t\r\n]*+<\?php(?=[ \t\r\n]|\Z)", re.IGNORECASE)
_CLOSING: Final = re.compile(rb"\?>(?:\r\n|\n|\r)?")
_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_VARIABLE: Final = re.compile(rb"\$[A-Za-z_\x80-\xff]")
_STRICT_TYPES: Final = re.compile(rb"strict_types", re.IGNORECASE)


class _File(Expressions):
    """One file. ``returned``, ``lone`` and ``assigned`` are what it has said so far."""

    __slots__ = ("assignments", "lone", "returned")

    def read(self) -> Any:
        self.returned = self.lone = MISSING
        self.assignments = 0
        try:
            return self.file()
        except DecodeError as error:
            error.path = short_path(self.path())
            raise

    def file(self) -> Any:
        data = self.data
        pos = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
        opening = _OPENING.match(data, pos)
        if opening:
            pos = opening.end()
        pos = self.skip(pos)
        while pos < len(data):
            if self.returned is not MISSING and not data.startswith(b"?>", pos):
                raise self.fail("code after return", pos)
            pos = self.skip(self.statement(pos, is_pasted=opening is None))
        if self.returned is not MISSING:
            return self.returned
        if self.assigned:
            return self.all_assigned()
        if self.lone is not MISSING and opening is None:
            return self.lone
        raise self.fail("expected return, a variable or a constant", len(data))

    def statement(self, pos: int, *, is_pasted: bool) -> int:
        """Read a statement and its end; what was pasted without an opening may end without a semicolon."""
        data = self.data
        if data.startswith(b";", pos):
            return pos + 1
        if data.startswith(b"?>", pos):
            return self.outside(pos)
        name, after = self.name_at(pos)
        word = name.lower()
        if word == "return":
            self.returned, pos = self.value(after)
        elif word in _STATEMENTS:
            pos = _STATEMENTS[word](self, after)
        elif word.removeprefix("\\") == "define" and data.startswith(b"(", self.skip(after)):
            pos = self.define(pos, self.skip(after) + 1)
        elif _VARIABLE.match(data, pos):
            pos = self.assignment(pos)
        else:
            is_first = self.lone is MISSING
            self.lone, pos = self.value(pos)
            if is_pasted and not is_first:
                raise self.fail("a second value", pos)
        pos = self.skip(pos)
        if data.startswith(b";", pos):
            return pos + 1
        if data.startswith(b"?>", pos) or (is_pasted and pos == len(data)):
            return pos
        raise self.unexpected(pos, "';'")

    def outside(self, pos: int) -> int:
        """``?>``, and the space up to the next ``<?php`` or the end."""
        pos = _CLOSING.match(self.data, pos).end()  # type: ignore[union-attr]  # it was seen
        if opening := _OPENING.match(self.data, pos):
            return opening.end()
        end = _BLANK.match(self.data, pos).end()  # type: ignore[union-attr]  # it always matches
        if end < len(self.data):
            raise self.fail("text outside <?php", end)
        return end

    # ---- what is assigned

    def assignment(self, pos: int) -> int:
        """$name ([ [key] ])* = expression"""
        start = pos
        name, pos = self.name_at(pos + 1)
        keys: list[Any] = []  # MISSING for []
        self.steps = [name]
        pos = self.skip(pos)
        while self.data.startswith(b"[", pos):
            pos = self.skip(pos + 1)
            key: Any = MISSING
            if not self.data.startswith(b"]", pos):
                key, pos = self.key(pos)
            pos = self.skip(self.token(b"]", pos))
            keys.append(key)
            self.steps.append(0 if key is MISSING else key)
            self.enter(len(self.steps), 1, start)
        if not self.data.startswith(b"=", pos) or self.data[pos + 1 : pos + 2] in (b"=", b">"):
            raise self.unexpected(pos, "'='")
        value, end = self.value(pos + 1)
        self.assign(name, keys, value, start)
        self.steps = []
        return end

    def assign(self, name: str, keys: list[Any], value: Any, pos: int) -> None:
        """Set the element of the variable *name* to which *keys* lead."""
        self.assignments += 1 + len(keys)
        self.enter(1, 1, pos)
        if not keys:
            self.assigned[f"${name}"] = value
            return
        array = self.array_of(self.assigned.get(f"${name}", MISSING), pos)
        self.assigned[f"${name}"] = array
        for key in keys[:-1]:
            inner = self.array_of(MISSING if key is MISSING else array.get(key), pos)
            self.put_into(array, key, inner, pos)
            array = inner
        self.put_into(array, keys[-1], value, pos)

    def array_of(self, value: Any, pos: int) -> PhpArray:
        """*value* as an array that can grow; an array comes to be where there was nothing."""
        if type(value) is PhpArray:
            return value
        if value is MISSING or value is None:
            return PhpArray(php=self.php)
        if type(value) is list or (type(value) is dict and id(value) not in self.objects):
            return PhpArray.of(value, php=self.php)
        raise self.fail("an element of what is no array", pos)

    def define(self, pos: int, start: int) -> int:
        """define('NAME', expression)"""
        if "define" in self.names.own_constants:
            raise self.refused("a call of define()", pos)
        name, end = self.value(start)
        if type(name) is not str or not name:
            raise self.fail("a constant's name that is no text", start)
        self.steps = [name]
        value, end = self.value(self.token(b",", end))
        end = self.skip(end)
        self.set_constant(name, value, pos)
        return self.token(b")", end + self.data.startswith(b",", end))

    def constants(self, pos: int) -> int:
        """const NAME = expression (, NAME = expression)*"""
        while True:
            start = self.skip(pos)
            name, pos = self.name_at(start)
            if not name or "\\" in name:
                raise self.fail("expected a name", start)
            self.steps = [name]
            value, pos = self.value(self.token(b"=", pos))
            self.set_constant(self.names.full(name), value, start)
            self.names.own_constants.add(name)
            pos = self.skip(pos)
            if not self.data.startswith(b",", pos):
                return pos
            pos += 1

    def set_constant(self, name: str, value: Any, pos: int) -> None:
        if name in self.assigned:
            raise self.fail(f"a constant that is there already: {shown(name)}", pos)
        self.assignments += 2  # constants stand by their names even if there is one
        self.enter(1, 1, pos)
        self.assigned[name] = value
        self.steps = []

    def all_assigned(self) -> Any:
        """The value of a lone variable that was assigned as a whole, else a map of all."""
        if self.assignments == 1:
            (value,) = self.assigned.values()
            return value
        members: dict[str, Any] = {}
        for name, value in self.assigned.items():
            if name.startswith("$") and name[1:] in self.assigned:
                raise self.fail(f"a variable and a constant of one name: {shown(name[1:])}", len(self.data))
            members[name.removeprefix("$")] = value
        # Assignments put arrays that can grow into arrays that can grow, and nowhere else.
        todo: list[PhpArray | dict[str, Any]] = [members]
        while todo:
            container = todo.pop()
            children: Any = container if type(container) is dict else container.finish()  # type: ignore[union-attr]
            for key, child in list(children.items() if type(children) is dict else enumerate(children)):
                if type(child) is PhpArray:
                    children[key] = child.finish()
                    todo.append(child)
        return members

    # ---- what is passed over

    def declare(self, pos: int) -> int:
        """declare(strict_types=1)"""
        pos = self.skip(self.token(b"(", pos))
        match = _STRICT_TYPES.match(self.data, pos)
        if match is None:
            raise self.fail("expected strict_types", pos)
        _, pos = self.value(self.token(b"=", match.end()))
        return self.token(b")", pos)

    def namespace(self, pos: int) -> int:
        """namespace A\\B"""
        start = self.skip(pos)
        name, pos = self.name_at(start)
        if not name:
            raise self.fail("expected a name", start)
        self.names.namespace = name
        self.names.imports = {}
        return pos

    def imports(self, pos: int) -> int:
        r"""use [function | const] A\B [as C], …, or use A\{B [as C], …}"""
        kind, pos = self.kind_of_import(self.skip(pos))
        prefix, closing = "", False
        while True:
            inner, pos = self.kind_of_import(self.skip(pos)) if closing else (kind, self.skip(pos))
            if closing and self.data.startswith(b"}", pos):
                return pos + 1
            start = pos
            name, pos = self.name_at(start)
            if not name:
                raise self.fail("expected a name", start)
            if not closing and self.data.startswith(b"\\", pos):
                prefix, closing = f"{name}\\", True
                pos = self.token(b"{", pos + 1)
                continue
            alias, pos = self.alias(name, self.skip(pos))
            self.bring_in(inner or kind, prefix + name, alias)
            pos = self.skip(pos)
            if self.data.startswith(b",", pos):
                pos += 1
            elif closing:
                return self.token(b"}", pos)
            else:
                return pos

    def kind_of_import(self, pos: int) -> tuple[str, int]:
        word, end = self.name_at(pos)
        return (word.lower(), self.skip(end)) if word.lower() in ("function", "const") else ("", pos)

    def alias(self, name: str, pos: int) -> tuple[str, int]:
        word, end = self.name_at(pos)
        if word.lower() != "as":
            return name.rpartition("\\")[2], pos
        alias, after = self.name_at(self.skip(end))
        if not alias:
            raise self.fail("expected a name", after)
        return alias, after

    def bring_in(self, kind: str, name: str, alias: str) -> None:
        if kind:
            self.names.own_constants.add(alias)
            self.names.imported.add(alias)
        else:
            self.names.imports[alias.lower()] = name.removeprefix("\\")


_STATEMENTS: Final = {
    "const": _File.constants,
    "declare": _File.declare,
    "namespace": _File.namespace,
    "use": _File.imports,
}
