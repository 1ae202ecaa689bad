"""What to validate: the cases, invalid bodies and lone bodies below some paths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import click

from envelope.cli.common.report import printable
from envelope.fixtures.bodies import SUFFIXES, format_of_file
from envelope.fixtures.cases import ABOUT, SCHEMA
from envelope.fixtures.rules import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["BESIDE", "Found", "Unit", "beside", "find_units"]

BESIDE: Final = ".toml"
"""What is appended to the name of an invalid body, for the file that describes it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One fixture: the folder of a case with the names of its bodies, or one body's file."""

    kind: Literal["case", "invalid", "body"]
    path: str
    bodies: tuple[str, ...] = ()


class Found(NamedTuple):
    """What is below some paths: fixtures, a finding for each folder that cannot be read, and files that are of none."""

    units: list[Unit]
    unread: list[Finding]
    others: list[str]


def find_units(paths: Sequence[str]) -> Found:
    """The fixtures at or below *paths*, each once, in order, and what else is there.

    A file of a case means the whole case. A path that does not exist, or has no fixtures, is a usage error.
    """
    units: dict[str, Unit] = {}
    unread: list[Finding] = []
    others: dict[str, str] = {}
    for path in paths:
        before = len(unread)
        is_empty = True
        for unit in _below(path, unread, others) if os.path.isdir(path) else _of_file(path):
            units.setdefault(os.path.abspath(unit.path), unit)
            is_empty = False
        if is_empty and len(unread) == before:
            raise click.UsageError(f"nothing to validate in {printable(path)}: the names of bodies end in {SUFFIXES}")
    return Found(list(units.values()), unread, list(others.values()))


def beside(path: str) -> str:
    """The file that says how the invalid body *path* must be refused."""
    return path + BESIDE


def _below(path: str, unread: list[Finding], others: dict[str, str]) -> Iterator[Unit]:
    """The units in the folder *path* and below it; links to folders are not followed, so there are no cycles.

    *others* gets the files that are of no unit, by their absolute paths.
    """
    folders = [path]
    while folders:
        folder = folders.pop()
        names, deeper = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        deeper.append(os.path.join(folder, entry.name))
                    elif not os.path.isdir(entry.path):
                        names.append(entry.name)
        except OSError as exc:
            unread.append(Finding(file=folder, rule="unreadable", text=f"cannot read the folder: {exc.strerror}"))
        folders += sorted(deeper, reverse=True)
        names.sort()
        units = list(_in_folder(folder, names))
        yield from units
        for name in _of_no_unit(names, units):
            other = os.path.join(folder, name)
            others.setdefault(os.path.abspath(other), other)


def _in_folder(folder: str, names: Sequence[str]) -> Iterator[Unit]:
    if ABOUT in names:
        yield _case(folder, names)
        return
    there = set(names)
    for name in names:
        path = os.path.join(folder, name)
        if format_of_file(name) is not None:
            yield Unit("invalid" if beside(name) in there else "body", path)
        elif (body := _stem(name)) and body not in there:
            yield Unit("invalid", os.path.join(folder, body))  # missing, as reading it will report


def _of_no_unit(names: Sequence[str], units: Sequence[Unit]) -> list[str]:
    """Those of a folder's files that belong to none of its *units*."""
    used = {ABOUT, SCHEMA} if ABOUT in names else set()
    for unit in units:
        name = os.path.basename(unit.path)
        used |= {*unit.bodies} if unit.kind == "case" else {name, beside(name)}
    return [name for name in names if name not in used]


def _case(folder: str, names: Iterable[str]) -> Unit:
    return Unit("case", folder, tuple(name for name in names if name != SCHEMA and format_of_file(name) is not None))


def _stem(name: str) -> str:
    """The body that the file *name* describes, or an empty string if it is not such a file."""
    stem = name.removesuffix(BESIDE)
    return stem if stem != name and format_of_file(stem) is not None else ""


def _of_file(path: str) -> list[Unit]:
    if not os.path.lexists(path):
        raise click.UsageError(f"{printable(path) or 'a file without a name'} does not exist")
    folder, name = os.path.split(path)
    if os.path.lexists(os.path.join(folder, ABOUT)):
        folder = folder or os.curdir
        try:
            return [_case(folder, sorted(os.listdir(folder)))]
        except OSError as exc:
            raise click.UsageError(f"cannot read {printable(folder)}: {exc.strerror}") from None
    if body := _stem(name):
        return [Unit("invalid", os.path.join(folder, body))]
    if format_of_file(name) is None:
        raise click.UsageError(f"{printable(path)} is not a body: its name does not end in {SUFFIXES}")
    return [Unit("invalid" if os.path.lexists(beside(path)) else "body", path)]
