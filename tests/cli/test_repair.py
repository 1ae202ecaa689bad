"""`envelope repair`: the document on standard output, what was changed on standard error."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.command import run

EDITED = b'a:1:{s:4:"site";s:10:"new.example.org";}'
MENDED = b'a:1:{s:4:"site";s:15:"new.example.org";}'
TWO_WAYS = b'a:3:{s:1:"n";s:99:"bob";s:1:"r";s:5:"admin";s:1:"q";s:35:"x";s:1:"r";s:4:"user";s:1:"c";s:1:"d";}'


def repair(*arguments: str, data: bytes = b"") -> Result:
    return run("repair", *arguments, data=data)


def test_an_edited_document() -> None:
    result = repair(data=EDITED)
    assert (result.exit_code, result.stdout_bytes) == (0, MENDED)
    assert result.stderr == (
        "standard input, byte 18, $.site: length 10 becomes 15 "
        "(5 bytes longer than declared: the text was re-encoded or edited after it was serialized)\n"
    )


def test_a_valid_document_and_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "a.ser", tmp_path / "b.ser"
    file.write_bytes(MENDED)
    result = repair(str(file), "-o", str(out))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert out.read_bytes() == MENDED


def test_what_was_cut_off_is_counted() -> None:
    result = repair(data=b'a:3:{s:1:"a";i:1;s:1:"b";s:99:"a long text that was cut off')
    assert (result.exit_code, result.stdout) == (0, 'a:1:{s:1:"a";i:1;}')
    assert result.stderr.splitlines() == [
        "standard input, byte 2, $: count 3 becomes 1",
        'standard input, byte 17, $: cut s:1:"b";s:99:"a long tex… (42 bytes) becomes }',
        "$: 2 members missing",
    ]


def test_two_ways_are_shown_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "b.ser"
    result = repair("-o", str(out), data=TWO_WAYS)
    assert result.exit_code == 1
    assert not out.exists()
    assert result.stderr.splitlines() == [
        "standard input, byte 15, $.n: not certain: a string may end in either place",
        "  either byte 15: length 99 becomes 40",
        "  either byte 15: length 99 becomes 31",
        "note: nothing was written; --guess writes the likeliest reading",
    ]
    guessed = repair("--guess", data=TWO_WAYS)
    assert (guessed.exit_code, guessed.stdout_bytes) == (0, TWO_WAYS.replace(b"s:99:", b"s:40:"))


def test_the_report() -> None:
    report = json.loads(repair("--report", data=EDITED).stdout)
    assert report["repaired"] is True
    assert report["edits"][0]["before"] == "10"
    assert report["edits"][0]["only_reading"] is True
    uncertain = repair("--report", data=TWO_WAYS)
    assert uncertain.exit_code == 1
    report = json.loads(uncertain.stdout)
    assert [reading[0]["after"] for reading in report["choices"][0]["readings"]] == ["40", "31"]
    cut = json.loads(repair("--report", data=b"a:2:{i:0;N;").stdout)
    assert cut["missing"] == [{"path": "$", "count": 1}]


def test_the_examples_of_help_run(tmp_path: Path) -> None:
    text = run("repair", "--help").stdout
    examples = [line.strip() for line in text[text.index("Examples:") :].splitlines()[1:]]
    assert len(examples) == 3
    python = f"{shlex.quote(sys.executable)} -m envelope"
    for example in examples:
        script = example.replace("| envelope", f"| {python}")
        env = {**os.environ, "PYTHONPATH": os.getcwd()}
        ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, timeout=60)
        assert ran.returncode == 0
        assert b"becomes" in ran.stderr
    assert (tmp_path / "mended.ser").read_bytes() == b'a:1:{s:1:"a";i:1;}'


def test_many_edits_are_counted() -> None:
    body = b"a:60:{" + b"".join(b'i:%d;s:3:"abcd";' % index for index in range(60)) + b"}"
    lines = repair(data=body).stderr.splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 10 more edits"


@pytest.mark.parametrize("data", [b"x", b'a:1:{s:1:"\x1b[31m";x', b""])
def test_what_cannot_be_repaired(data: bytes) -> None:
    result = repair(data=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: cannot read serialize (malformed)")
    assert "\x1b" not in result.stderr
    assert repair("nowhere.ser").exit_code == 2
