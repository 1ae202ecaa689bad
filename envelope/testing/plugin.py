"""The pytest plugin: folders of fixtures as tests, golden files rewritten, and a PHP to ask.

In pytest's own configuration, ``envelope_cases`` names folders; below them, each folder with a `case.toml` is a test
that runs `envelope.fixtures.check_case` on it. With ``envelope_canonical`` its bodies must also be byte for byte what
this library writes; ``envelope_codes`` names files of an operator's own codes. A case's `response.schema.json` is left
to `envelope validate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from envelope.errors import EnvelopeError
from envelope.fixtures.bodies import body_name, format_of_file
from envelope.fixtures.cases import ABOUT, SCHEMA, canonical_bodies, check_case
from envelope.fixtures.rules import CASE_WORDS, Finding
from envelope.fixtures.statements import Case, read_case
from envelope.formats import FORMATS
from envelope.hints import HintName, in_words
from envelope.registry.codes import REGISTRY
from envelope.testing import php

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

__all__ = ["HINT_WORDS", "CaseFile", "CaseItem"]

HINT_WORDS: Final[Mapping[HintName, str]] = {
    **CASE_WORDS,
    "operator-codes": "envelope_codes adds an operator's codes",
    "written-anew": "--update-goldens writes it",
}
"""The wording of hints in a failure, with the options of the plugin and of a `case.toml`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings described above."""
    parser.getgroup("envelope").addoption(
        "--update-goldens",
        action="store_true",
        help="rewrite the bodies of portable cases from body.json, or from the first body there is",
    )
    parser.addini("envelope_cases", "folders in which each folder with a case.toml is a test", type="paths", default=[])
    parser.addini("envelope_codes", "files of an operator's own error codes", type="paths", default=[])
    parser.addini("envelope_canonical", "whether bodies must be what the library writes", type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a `case.toml` in one of the folders of ``envelope_cases``."""
    folders: list[Path] = parent.config.getini("envelope_cases")
    if file_path.name == ABOUT and any(file_path.is_relative_to(folder) for folder in folders):
        return CaseFile.from_parent(parent, path=file_path)
    return None


@pytest.fixture(scope="session")
def envelope_php() -> Iterator[php.Php]:
    """A real PHP to ask, `envelope.testing.php.Php`; the test is skipped if there is none."""
    if why := php.missing():
        pytest.skip(why)
    with php.Php() as process:
        yield process


class CaseFile(pytest.File):
    """A `case.toml`: one test, named after its folder."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield that test."""
        yield CaseItem.from_parent(self, name=self.path.parent.name)


class _Unsound(Exception):
    """What is wrong with a case."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(_line, findings)))


class CaseItem(pytest.Item):
    """The test of one case."""

    def runtest(self) -> None:
        """Check the case; if its bodies were rewritten there is nothing to check, so it is skipped."""
        folder = self.path.parent
        case = read_case(self.path.read_bytes())
        bodies = {
            file.name: file.read_bytes()
            for file in sorted(folder.iterdir())
            if file.is_file() and file.name != SCHEMA and format_of_file(file.name) is not None
        }
        if self.config.getoption("--update-goldens") and (written := _update(folder, case, bodies)):
            pytest.skip(f"rewritten: {', '.join(written)}")
        registry = REGISTRY
        for file in self.config.getini("envelope_codes"):
            registry = registry.with_toml(file.read_bytes())
        canonical: bool = self.config.getini("envelope_canonical")
        if findings := check_case(case, bodies, registry=registry, canonical=canonical):
            raise _Unsound(findings)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """The findings alone, without a traceback: no Python line is at fault."""
        if isinstance(excinfo.value, _Unsound | EnvelopeError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The heading of a failure."""
        return self.path, None, f"case {self.name}"


def _update(folder: Path, case: Case, bodies: dict[str, bytes]) -> list[str]:
    """Rewrite the bodies of a portable case; returns the names of those that changed."""
    source = next((name for name in map(body_name, FORMATS) if name in bodies), None)
    if source is None:
        return []
    made = canonical_bodies(case, source, bodies[source])
    changed = [name for name, body in made.items() if body != bodies.get(name)]
    for name in changed:
        (folder / name).write_bytes(made[name])
    return changed


def _line(finding: Finding) -> str:
    place = finding.path if finding.offset is None else f"byte {finding.offset}, {finding.path}"
    hint = in_words(finding.hint, HINT_WORDS)
    return f"{finding.file}: {finding.rule} at {place}: {finding.text}{hint and f' ({hint})'}"
