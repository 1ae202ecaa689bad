"""upstreams.md: the example prints what it says, the tables are those of the code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from envelope.gateway.upstreams.settings import UpstreamSettings
from envelope.gateway.upstreams.statuses import STATUSES, row_of_status
from envelope.registry import REGISTRY
from tests.documents import text_of

TEXT = text_of("upstreams.md")
ROW = re.compile(r"^\| (\d)(xx|\d\d) \| (\d{4}) \| (yes|no|) \| (yes|no) \|", re.MULTILINE)


def test_the_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    [(source, printed)] = re.findall(r"^```python\n(.*?)^```$\n\n^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    exec(source, {"__name__": __name__})
    assert capsys.readouterr().out == printed


def test_the_table_of_statuses() -> None:
    rows = ROW.findall(TEXT)
    assert {int(digit + rest) for digit, rest, *_ in rows if rest != "xx"} == {*STATUSES}
    assert {digit for digit, rest, *_ in rows if rest == "xx"} == {*"2345"}
    for digit, rest, code, retried, rests in rows:
        row = row_of_status(int(digit + rest.replace("xx", "99")))
        assert (row.code, row.rest) == (code, rests == "yes")
        assert (row.retry or REGISTRY[code].retryable) == (retried == "yes")


def test_the_table_of_settings() -> None:
    table = TEXT[TEXT.index("## Settings") : TEXT.index("## Methods")]
    rows: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`.*?`) \| (.*?) ?\|", table, re.MULTILINE):
        rows |= dict.fromkeys(re.findall("`(.*?)`", names), default)
    fields: dict[str, Any] = UpstreamSettings.model_fields
    assert {*rows} == {*fields}
    for name, default in rows.items():
        if digits := re.match(r"\d+", default):
            assert float(digits[0]) == fields[name].default
