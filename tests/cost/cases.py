"""The cases: each a kind of input, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any, Final

import click

import envelope
from envelope.calls import Engine, HttpRequest
from envelope.cli.command import envelope as command
from envelope.conversion import project
from envelope.formats import get_format
from envelope.limits import Limits
from envelope.registry.toml import parse_toml
from envelope.values import PhpObject, PhpProperty
from tests.cost.inputs import (
    BROKEN,
    CELLS,
    DOCUMENTS,
    FOREIGN,
    FORMS,
    KEPT,
    LINES,
    OBJECTS,
    TAGGED,
    TOML,
    TWISTED,
    WRAPPED,
    Make,
)

__all__ = ["CASES", "Case"]

Job = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Case:
    """``prepare`` makes an input of this many bytes, in this folder if it is a file, and returns what is measured."""

    group: str
    name: str
    prepare: Callable[[int, Path], Job]

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


def _read(format: str, make: Make) -> Callable[[int, Path], Job]:
    name, _, dialect = format.partition(" ")
    words: dict[str, Any] = {"dialect": dialect} if dialect else {}
    if name in ("serialize", "var_export"):
        words["values"] = "php"

    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: envelope.loads(data, name, **words)

    return prepare


def _repair(make: Make) -> Callable[[int, Path], Job]:
    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: envelope.repair(data, "serialize")

    return prepare


# Paths through deep documents that are as many places as they can be.
_LISTS: Final = [f"{step * depth}.a" for step in (".a[*]", ".item[*]", "[*]") for depth in range(1, 99, 20)]


def _read_foreign(word: Any, make: Make) -> Callable[[int, Path], Job]:
    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        lists = [path.removeprefix(".") for path in _LISTS]
        return lambda: envelope.loads(data, "xml", dialect="plain", attributes=word, namespaces=word, lists=lists)

    return prepare


# By how many bytes a value's member takes, so that a value has about the size that is asked for.
_VALUES: Final[dict[str, Callable[[int], object]]] = {
    "a text": lambda size: "a" * size,
    "a text to escape": lambda size: "'\"&<\\" * (size // 5),
    "a text of line ends": lambda size: "\r\n" * (size // 2),
    "a text of é": lambda size: "é" * size,
    "a text of emoji": lambda size: "😀" * (size // 4),
    "a text of controls": lambda size: "\1" * size,
    "a text of NULs": lambda size: "\0" * size,
    "a lone surrogate at the end": lambda size: "é" * size + "\ud800",
    "integers": lambda size: [1] * (size // 8),
    "floats": lambda size: [1.5] * (size // 8),
    "texts": lambda size: ["abc"] * (size // 8),
    "texts to escape": lambda size: ["é'\"&\n"] * (size // 8),
    "integers, then a fault": lambda size: [1] * (size // 8) + [object()],
    "empty maps": lambda size: [{}] * (size // 8),
    "lists": lambda size: [[None] for _ in range(size // 88)],
    "a map": lambda size: {f"a{number}": None for number in range(size // 100)},
    "bytes": lambda size: b"\xff" * size,
    "objects": lambda size: [PhpObject("A", [PhpProperty("b", 1)])] * (size // 8),
}


def _write(format: str, make: Callable[[int], object]) -> Callable[[int, Path], Job]:
    name, _, dialect = format.partition(" ")
    words: dict[str, Any] = {"dialect": dialect} if dialect else {}
    if name in ("serialize", "var_export"):
        words["values"] = "php"

    def prepare(size: int, _: Path) -> Job:
        value = make(size)
        return lambda: envelope.dumps(value, name, **words)

    return prepare


def _keep(make: Make) -> Callable[[int, Path], Job]:
    """References read, written back, and found to be the same."""

    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: envelope.convert(data, "serialize", "serialize", values="php", references="keep")

    return prepare


def _show(objects: Any, make: Make) -> Callable[[int, Path], Job]:
    """Objects on the way to json, read and projected."""
    row, limits = get_format("serialize"), Limits()

    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        reading = replace(row.reading("php", "typed", limits), open_payloads=True)
        return lambda: project(row.loads(data, reading), "json", limits, objects)

    return prepare


def _tag(source: str, target: str, make: Make) -> Callable[[int, Path], Job]:
    """To tagged JSON, or from it."""

    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: envelope.convert(data, source, target, objects="tagged")

    return prepare


def _answer(media_type: str, make: Make) -> Callable[[int, Path], Job]:
    engine = Engine(secrets=lambda _: "secret", clock=lambda: 0)

    def prepare(size: int, _: Path) -> Job:
        http = HttpRequest(path="/a/b/", query="key=k&sign=s", body=make(size), content_type=media_type)
        return lambda: engine.answer(http, lambda _: None)

    return prepare


def _unwrap(make: Make) -> Callable[[int, Path], Job]:
    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: envelope.unwrap(data)

    return prepare


def _toml(make: Make) -> Callable[[int, Path], Job]:
    def prepare(size: int, _: Path) -> Job:
        data = make(size)
        return lambda: parse_toml(data)

    return prepare


def _command(*arguments: str, suffix: str = "", **files: Make) -> Callable[[int, Path], Job]:
    """The command with these arguments, in which ``{name}`` is the path of the file that is made for it."""

    def prepare(size: int, folder: Path) -> Job:
        paths = {name: folder / f"{name}{suffix}" for name in files}
        for name, make in files.items():
            paths[name].write_bytes(make(size // len(files)))
        return _in_command(*(argument.format(**paths, out=folder / "out") for argument in arguments))

    return prepare


def _cycles(size: int, folder: Path) -> Job:
    """`diff` of two objects that lead back to themselves, after ways whose lengths have no common factor."""
    for name, steps in (("a", size // 50), ("b", size // 50 + 1)):
        links = b"".join(b'i:%d;O:1:"A":1:{s:1:"b";r:%d;}' % (at, at + 3) for at in range(steps - 1))
        last = b'i:%d;O:1:"A":1:{s:1:"b";r:2;}' % (steps - 1)
        (folder / name).write_bytes(b"a:%d:{%b}" % (steps, links + last))
    options = ["--values", "php", "--from-a", "serialize", "--from-b", "serialize"]
    return _in_command("diff", *options, str(folder / "a"), str(folder / "b"))


def _in_command(*words: str) -> Job:
    def run() -> str:
        with suppress(click.ClickException, click.exceptions.Exit), redirect_stderr(StringIO()) as said:
            command.main(list(words), "envelope", standalone_mode=False)
        return "limit" if "(limit)" in said.getvalue() else ""

    return run


def _cases() -> Iterator[Case]:
    for format, kinds in DOCUMENTS.items():
        for name, make in kinds.items():
            yield Case(f"read {format}", name, _read(format, make))
    for word in ("keep", "drop"):
        for name, make in FOREIGN.items():
            yield Case(f"read foreign xml, {word}", name, _read_foreign(word, make))
    for format in DOCUMENTS:
        for name, value in _VALUES.items():
            yield Case(f"write {format}", name, _write(format, value))
    for name, make in KEPT.items():
        yield Case("convert, references kept", name, _keep(make))
    for name, make in DOCUMENTS["json"].items():
        yield Case("a call, json", name, _answer("application/json", make))
    for name, make in FORMS.items():
        yield Case("a call, form", name, _answer("application/x-www-form-urlencoded", make))
    for name, make in TOML.items():
        yield Case("TOML", name, _toml(make))
    for name, make in WRAPPED.items():
        yield Case("unwrap", name, _unwrap(make))
        yield Case("read json, wrapped", name, _read("json", make))
    yield from _objects()
    yield from _tagged()
    yield from (Case("repair", name, _repair(make)) for name, make in BROKEN.items())
    yield from _commands()


def _tagged() -> Iterator[Case]:
    for name, make in (KEPT | DOCUMENTS["serialize"]).items():
        yield Case("convert, to tagged json", name, _tag("serialize", "json", make))
    for name, make in TAGGED.items():
        yield Case("convert, from tagged json", name, _tag("json", "serialize", make))


def _objects() -> Iterator[Case]:
    for objects in ("public", "all"):
        for name, make in OBJECTS.items():
            yield Case(f"show objects, {objects}", name, _show(objects, make))


def _commands() -> Iterator[Case]:
    for format, kinds in DOCUMENTS.items():
        name_of_format, _, dialect = format.partition(" ")
        options = ["--from", name_of_format, *(["--from-dialect", dialect] if dialect else [])]
        for name, make in kinds.items():
            yield Case(f"inspect {format}", name, _command("inspect", "{a}", *options, a=make))
    for format in ("json", "serialize", "var_export", "xml"):
        for name, make in DOCUMENTS[format].items():
            yield Case(
                f"convert, {format} by its look",
                name,
                _command("convert", "{a}", "--to", "jsonu", "-o", "{out}", a=make),
            )
    yield Case("diff", "cycles without a common factor", _cycles)
    json = DOCUMENTS["json"]
    for name in ("empty maps", "maps", "integers", "texts", "a map"):
        a, b = json[name], TWISTED[name]
        to_php = ("convert", "{a}", "--from", "json", "--to", "serialize", "-o", "{out}")
        yield Case("convert with losses", name, _command(*to_php, a=a))
        yield Case("convert --strict", name, _command(*to_php, "--strict", a=a))
        yield Case("diff", name, _command("diff", "--from-a", "json", "--from-b", "json", "{a}", "{b}", a=a, b=b))
        yield Case("validate", name, _command("validate", "{a}", suffix=".json", a=a))
    for name, make in LINES.items():
        lines = ("convert", "--lines", "--from", "serialize", "--to", "jsonu", "{a}", "-o", "{out}")
        yield Case("convert --lines", name, _command(*lines, a=make))
    for name, make in CELLS.items():
        cells = ("convert", "--csv", "b", "--from", "serialize", "--to", "jsonu", "{a}", "-o", "{out}")
        yield Case("convert --csv", name, _command(*cells, a=make))


CASES: Final = tuple(_cases())
