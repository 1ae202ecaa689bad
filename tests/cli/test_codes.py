"""The command `envelope codes`: the table for people, the records for programs, an operator's file and its faults."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from envelope.registry.codes import REGISTRY, CodeRegistry
from envelope.registry.languages import Lang
from tests.cli.command import run

if TYPE_CHECKING:
    from pathlib import Path

OWN = '[[codes]]\ncode="4100"\nname="NO_STOCK"\nmessage="No\\u202e | \\u001b[1mstock"\ncn="无货"\nen="Out"\nru="Нет"\nbilling="free"\nhttp_status=409\nretryable=false\nactor="caller"\n'


@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_table_has_every_row_whole(lang: Lang, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = run("codes", "--lang", lang.value)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    assert "…" not in result.stdout
    for row in REGISTRY:
        assert f"{row.code}  {row.name}" in result.stdout
        assert columns == "80" or row.text(lang) in result.stdout
    assert "charged*" in result.stdout
    assert "* inferred" in result.stdout


def test_json_is_a_list_of_records() -> None:
    records = json.loads(run("codes", "--format", "json").stdout)
    assert type(records) is list
    assert records == [asdict(row) for row in REGISTRY]
    assert records[0]["code"] == "0000"


def test_toml_is_what_a_registry_reads() -> None:
    text = run("codes", "--format", "toml", "--lang", "ru").stdout
    assert CodeRegistry().with_toml(text) == REGISTRY
    assert type(tomllib.loads(text)["codes"]) is list


def test_an_operators_file_is_added_and_its_text_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, encoding="utf-8")
    markdown = run("codes", "--with", str(own), "--format", "markdown", "--lang", "cn").stdout
    assert markdown.count("\n") == 2 + len(REGISTRY) + 1
    assert "| 4100 | NO_STOCK | No\\\\u202e \\| \\\\x1b\\[1mstock | 无货 | free | 409 | no | caller |\n" in markdown
    assert "4100  NO_STOCK" in run("codes", "--with", str(own)).stdout
    assert "4100  NO_STOCK" in run("codes", "--with", "-", data=OWN.encode()).stdout


def test_hostile_text_is_escaped_for_programs_too(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        OWN.replace("Out", "a\\u009b1m\\u202e\\u007f\\U000e0001:warning:<b>[x](y)" + "z" * 300), encoding="utf-8"
    )
    rows = [REGISTRY.with_toml(own.read_bytes())["4100"]]
    text = run("codes", "--with", str(own), "--format", "json").stdout
    assert json.loads(text)[-1] == asdict(rows[0])
    toml = run("codes", "--with", str(own), "--format", "toml").stdout
    assert CodeRegistry().with_toml(toml)["4100"] == rows[0]
    markdown = run("codes", "--with", str(own), "--format", "markdown").stdout
    assert "\\<b>\\[x](y)" + "z" * 300 in markdown
    table = run("codes", "--with", str(own)).stdout
    for shown in (text, toml, markdown, table):
        assert all(char.isprintable() or char == "\n" for char in shown)
        assert ":warning:" in shown


@pytest.mark.parametrize("lang", ["zh-CN", "CN", "zh_Hans"])
def test_a_language_has_its_other_names(lang: str) -> None:
    assert "参数缺失" in run("codes", "--lang", lang).stdout
    result = run("codes", "--lang", "fr")
    assert (result.exit_code, "'fr' is not one of cn, en, ru" in result.stderr) == (2, True)


def test_a_file_that_is_too_long_is_not_cut(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("#" * 1024 * 1024 + '\n[[overrides]]\ncode = "4003"\nbilling = "free"\n', encoding="utf-8")
    result = run("codes", "--with", str(own))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the input is longer than 1048576 bytes" in result.stderr
    assert "\n  hint" not in result.stderr  # no option lifts this limit


def test_a_fault_in_an_operators_file_is_one_block(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN.replace("4100", "4003"), encoding="utf-8")
    result = run("codes", "--with", str(own))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: code 4003 already exists\n  at    {own}\n  path  $.codes[0].code\n  hint  an override changes a row\n"
    )
    assert "at    standard input\n" in run("codes", "--with", "-", data=own.read_bytes()).stderr
    own.write_text("[[codes]]\ncode = \n", encoding="utf-8")
    result = run("codes", "--with", str(own))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"at    {own}, byte 17, line 2" in result.stderr
    assert run("codes", "--with", str(tmp_path / "none.toml")).exit_code == 2
