"""What `.ci/run` checks, nox does too."""

from __future__ import annotations

import re

import pytest

from tests.documents import ROOT

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
NOX = re.sub(r'", *"', " ", (ROOT / "noxfile.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "check",
    [
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
        "codespell",
        "envelope validate --canonical fixtures/valid fixtures/invalid",
        "python -m tests.sanitized -k",
    ],
)
def test_both_have_every_check(check: str) -> None:
    assert re.search(rf"^{check}\b", CI, re.MULTILINE)
    assert f'"{check}' in NOX
