"""Findings for people and for programs: blocks on standard error, JSON, JUnit's XML, GitHub's annotations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree
from rich.text import Text

from envelope.cli.common.report import escaped, fault_block, line_of, place, printable, show, title_of
from envelope.fixtures.rules import CASE_WORDS
from envelope.hints import HintName, in_words
from envelope.path import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envelope.fixtures.rules import Finding

__all__ = ["HINT_WORDS", "Outcome", "Place", "as_github", "as_json", "as_junit", "locate", "show_outcomes"]

HINT_WORDS: Final[Mapping[HintName, str]] = {
    **CASE_WORDS,
    "operator-codes": "--with FILE adds an operator's codes",
    "written-anew": "--update writes it",
}
"""The words for hints in a finding, which name options of `envelope validate` and fields of a `case.toml`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding's offset is in its file, for people; made while the file's bytes are at hand."""

    at: str
    line: int | None = None
    excerpt: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One checked fixture, a case or a file, with its findings, if any."""

    name: str
    findings: Sequence[tuple[Finding, Place]]


def locate(finding: Finding, data: bytes) -> Place:
    """The place of *finding* in the bytes of its file."""
    if finding.offset is None:
        return Place(title_of(finding.file))
    at, excerpt = place(finding.file, data, finding.offset)
    return Place(at, line_of(data, finding.offset), excerpt)


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Show a block for each finding, under a heading if a fixture has several."""
    for outcome in outcomes:
        if len(outcome.findings) > 1:
            show(Text(f"{printable(outcome.name)}: {len(outcome.findings)} findings", "bold"))
        for finding, where in outcome.findings:
            show(_block(finding, where))


def as_json(outcomes: Sequence[Outcome]) -> bytes:
    """A JSON document with the number of fixtures, and a record for each finding."""
    records = [
        {
            "fixture": outcome.name,
            "file": finding.file,
            "rule": finding.rule,
            "text": finding.text,
            "path": finding.path,
            "offset": finding.offset,
            "line": where.line,
            "hint": in_words(finding.hint, HINT_WORDS),
        }
        for outcome in outcomes
        for finding, where in outcome.findings
    ]
    text = json.dumps({"fixtures": len(outcomes), "findings": records}, indent=2)
    return text.replace("\x7f", "\\u007f").encode() + b"\n"  # json escapes everything else that acts on a terminal


def as_junit(outcomes: Sequence[Outcome]) -> bytes:
    """A suite with a test for each fixture, and one failure with all its findings: many readers show only one."""
    failed = [outcome for outcome in outcomes if outcome.findings]
    counts = {"tests": str(len(outcomes)), "failures": str(len(failed)), "errors": "0"}
    root = etree.Element("testsuites", counts)
    suite = etree.SubElement(root, "testsuite", {"name": "envelope validate", **counts, "skipped": "0"})
    for outcome in outcomes:
        case = etree.SubElement(suite, "testcase", name=escaped(outcome.name), classname="envelope.validate")
        if outcome.findings:
            first = outcome.findings[0][0]
            message = printable(first.text)
            if len(outcome.findings) > 1:
                message += f" (and {len(outcome.findings) - 1} more)"
            failure = etree.SubElement(case, "failure", type=first.rule, message=message)
            failure.text = "\n".join(_block(finding, where).plain for finding, where in outcome.findings)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def as_github(outcomes: Sequence[Outcome]) -> bytes:
    """A workflow command for each finding, which GitHub shows beside the line of the file."""
    lines = []
    for outcome in outcomes:
        for finding, where in outcome.findings:
            at = f",line={where.line}" if where.line is not None else ""
            hint = in_words(finding.hint, HINT_WORDS)
            text = f"{finding.path}: {finding.text}{hint and f' ({hint})'}"
            file, title = _property(escaped(finding.file)), _property(f"envelope: {finding.rule}")
            lines.append(f"::error file={file}{at},title={title}::{_message(printable(text))}\n")
    return "".join(lines).encode()


def _block(finding: Finding, where: Place) -> Text:
    title = f"{finding.text} ({finding.rule})"
    path = "" if finding.offset is None and finding.path == ROOT else finding.path  # the file as a whole
    hint = in_words(finding.hint, HINT_WORDS)
    return fault_block(title, at=where.at, path=path, excerpt=where.excerpt, hint=hint)


def _message(text: str) -> str:
    return text.replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
