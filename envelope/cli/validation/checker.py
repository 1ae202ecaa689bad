"""Read a fixture from its files and check it: whatever is wrong with a file is a finding."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from envelope.cli.common.files import check_size, open_at_once
from envelope.cli.validation.findings import Outcome, locate
from envelope.cli.validation.schema import response_check
from envelope.cli.validation.units import beside
from envelope.errors import DecodeError, ValidationError
from envelope.fixtures.bodies import check_body, check_refusal, decode_finding, format_of_file
from envelope.fixtures.cases import ABOUT, SCHEMA, check_case
from envelope.fixtures.rules import Finding
from envelope.fixtures.statements import read_case, read_refusal
from envelope.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from envelope.cli.validation.units import Unit
    from envelope.fixtures.rules import Rule
    from envelope.options import Dialect
    from envelope.registry.codes import CodeRegistry

__all__ = ["Checker", "FileFault", "read_body", "read_statement"]

_MAX_STATEMENT: Final = 1024 * 1024  # bytes of a case.toml, of a schema

_T = TypeVar("_T")


class FileFault(Exception):
    """A file cannot be read, or its content is not valid."""

    def __init__(self, finding: Finding, data: bytes = b"") -> None:
        super().__init__(finding.text)
        self.finding = finding
        self.data = data


def read_body(path: str) -> bytes:
    """The bytes of a body; `FileFault` if it cannot be read, or is too large."""
    return _read(path, str(format_of_file(path)), DEFAULT_LIMITS.max_bytes)


def read_statement(path: str, reader: Callable[[bytes], _T], rule: Rule) -> _T:
    """What *reader* makes of a file that describes bodies; `FileFault`, a breach of *rule*, if it is not valid."""
    data = _read(path, "toml", _MAX_STATEMENT)
    try:
        return reader(data)
    except DecodeError as error:
        raise FileFault(replace(decode_finding(path, error), rule=rule), data) from None
    except ValidationError as error:
        fault = Finding(file=path, rule=rule, text=error.reason, path=error.path, hint=error.hint)
        raise FileFault(fault) from None


def _read(path: str, format: str, max_bytes: int) -> bytes:
    try:
        with open(path, "rb", opener=open_at_once) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise FileFault(Finding(file=path, rule="unreadable", text="not a regular file"))
            # Only as much as there is: Python allocates the size that it is asked for, here mostly far too large.
            data = file.read(min(about.st_size, max_bytes + 1))
    except OSError as exc:
        text = f"cannot read the file: {exc.strerror}"
        raise FileFault(Finding(file=path, rule="unreadable", text=text)) from None
    try:
        check_size(data, format, max_bytes)
    except DecodeError as error:
        raise FileFault(decode_finding(path, error), data) from None
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """The checks with the options of the command."""

    registry: CodeRegistry
    canonical: bool
    payload: str
    dialect: Sequence[Dialect]
    ignore: Sequence[str]

    def outcome(self, unit: Unit) -> Outcome:
        """What is wrong with one fixture."""
        files: dict[str, bytes] = {}
        found = list(self._findings(unit, files))
        return Outcome(unit.path, [(finding, locate(finding, files.get(finding.file, b""))) for finding in found])

    def _findings(self, unit: Unit, files: dict[str, bytes]) -> Iterator[Finding]:
        """The findings; fills *files* with the bytes that they are about."""
        try:
            if unit.kind == "case":
                yield from self._case_findings(unit, files)
                return
            data = files[unit.path] = read_body(unit.path)
            if unit.kind == "invalid":
                refusal = read_statement(beside(unit.path), read_refusal, "about")
                yield from check_refusal(unit.path, data, refusal)
            else:
                yield from check_body(
                    unit.path,
                    data,
                    payload=self.payload,
                    dialect=self.dialect,
                    registry=self.registry,
                    canonical=self.canonical,
                )
        except FileFault as fault:
            files[fault.finding.file] = fault.data
            yield fault.finding

    def _case_findings(self, unit: Unit, files: dict[str, bytes]) -> Iterator[Finding]:
        case = read_statement(os.path.join(unit.path, ABOUT), read_case, "about")
        schema = os.path.join(unit.path, SCHEMA)
        check = None
        if os.path.lexists(schema):
            try:
                check = read_statement(schema, response_check, "schema")
            except FileFault as fault:
                files[schema] = fault.data
                yield fault.finding
        bodies, unread = {}, set()
        for name in unit.bodies:
            path = os.path.join(unit.path, name)
            try:
                bodies[name] = files[path] = read_body(path)
            except FileFault as fault:
                files[path] = fault.data
                unread.add(name)
                yield fault.finding
        found = check_case(
            case,
            bodies,
            registry=self.registry,
            canonical=self.canonical,
            response_check=check,
            ignore=self.ignore,
        )
        for finding in found:
            if finding.file not in unread:  # it was already reported as unreadable
                yield replace(finding, file=os.path.join(unit.path, finding.file))
