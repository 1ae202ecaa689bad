"""Make the tables in the documents: `python tools/tables.py` rewrites those that are out of date.

These are, on the site, the codes in every language, the verdicts over the whole grid, the
rules of fixtures, the parameters of a call and the hints; and the rooms of the library with their imports
(ARCHITECTURE.md), which needs import-linter (pip install -e '.[dev]'). Each is between a comment that names what makes
it and a comment that ends it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envelope import Envelope
from envelope.answers.verdicts import CONTRADICTIONS, RULES, Verdict, judge
from envelope.calls.parameters import PARAMETERS
from envelope.fixtures.rules import RULES as FIXTURE_RULES
from envelope.hints import WORDS
from envelope.registry.codes import REGISTRY

ROOT = Path(__file__).parent.parent
_MADE = re.compile(r"(<!-- made by: (?P<maker>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

FILES = (
    ROOT / "ARCHITECTURE.md",
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if _MADE.search(path.read_text(encoding="utf-8"))),
)

# One HTTP status of each kind, and one response of each kind.
STATUSES = {"2xx": 200, "busy": 503, "other": 404}
RESPONSES: dict[str, Any] = {
    "": {"id": "cmpl-1"},
    ", passing error": {"error": {"type": "tokens", "code": None}},
    ", lasting error": {"error": {"type": "invalid_request_error"}},
}
UNKNOWN = "9999"


def cell(verdict: Verdict) -> str:
    """A verdict in a word: who failed, and whether to retry."""
    return "ok" if verdict.ok else f"{verdict.layer}{' ↻' if verdict.retryable else ''}"


def verdicts() -> str:
    """The grid: a row for each code, a column for each kind of HTTP status and of response."""
    heads = [f"{status}{response}" for response in RESPONSES for status in STATUSES]
    lines = [["error_code", "billing", *heads], ["---"] * (len(heads) + 2)]
    for code in [*(row.code for row in REGISTRY), UNKNOWN, None]:
        grid = [
            judge(None if code is None else Envelope(response=response, error_code=code), status)
            for response in RESPONSES.values()
            for status in STATUSES.values()
        ]
        name = "(no envelope)" if code is None else f"{code} {REGISTRY.get(code).name}"
        lines.append([name, grid[0].billing, *map(cell, grid)])
    return _table(lines)


def rules() -> str:
    """The table of rules, in the order in which they are checked."""
    return _table([["rule", "when it decides"], ["---", "---"], *([f"`{rule}`", text] for rule, text in RULES.items())])


def contradictions() -> str:
    """The table of what `lint` looks for."""
    lines = [[f"`{rule}`", text] for rule, text in CONTRADICTIONS.items()]
    return _table([["contradiction", "what contradicts what"], ["---", "---"], *lines])


def fixture_rules() -> str:
    """The table of what the fixture validator checks."""
    lines = [[f"`{rule}`", text] for rule, text in FIXTURE_RULES.items()]
    return _table([["rule", "what must be so"], ["---", "---"], *lines])


def hints() -> str:
    """The table of what may be the cause of a fault, in the library's words."""
    lines = [[f"`{name}`", words.replace("|", "\\|")] for name, words in sorted(WORDS.items())]
    return _table([["name", "words"], ["---", "---"], *lines])


def parameters() -> str:
    """The table of the parameters that every call has, as callers are told them."""
    lines = [
        [f"`{row.name}`" + f", `{row.alias}`" * bool(row.alias), "yes" if row.signed else "", row.description]
        for row in PARAMETERS
    ]
    return _table([["name", "signed", "meaning"], ["---", "---", "---"], *lines])


def _table(lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _make(maker: str) -> str:
    if maker.startswith("envelope "):
        return _output("-m", *maker.split())
    if maker.startswith("python "):
        return f"```text\n{_output(*maker.split()[1:])}```\n"
    makers = {
        "verdicts": verdicts,
        "rules": rules,
        "contradictions": contradictions,
        "fixture rules": fixture_rules,
        "hints": hints,
        "parameters": parameters,
    }
    return makers[maker]()


def _output(*command: str) -> str:
    return subprocess.run([sys.executable, *command], capture_output=True, check=True, cwd=ROOT).stdout.decode()


def made(text: str) -> str:
    """*text* with each table regenerated."""
    return _MADE.sub(lambda match: f"{match[1]}\n{_make(match['maker'])}\n{match[3]}", text)


def drifted() -> Iterator[Path]:
    """The files with a table that is out of date."""
    return (file for file in FILES if made(text := file.read_text(encoding="utf-8")) != text)


if __name__ == "__main__":
    for file in drifted():
        file.write_text(made(file.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {file.name}")
