"""The command `envelope validate`: what it finds, how it reports it, what it writes, and hostile folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

import envelope
from envelope import Envelope, fixtures
from envelope.fixtures import cases
from envelope.formats import FORMATS
from envelope.hints import Hint
from tests.cli.command import process, run

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
ID = "1.6403f86cd67f6"
OK = envelope.encode(Envelope.ok([], request_id=ID), "json")


def validate(*arguments: str | Path) -> Result:
    return run("validate", *map(str, arguments))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of a sound case."""
    return Path(shutil.copytree(FIXTURES / "valid" / "chat", tmp_path / "chat"))


def change(path: Path, old: bytes, new: bytes) -> None:
    body = path.read_bytes()
    assert old in body
    path.write_bytes(body.replace(old, new))


# ------------------------------------------------------------------------------------------------------ what is found


def test_the_projects_own_fixtures_are_sound() -> None:
    result = validate("--canonical", FIXTURES / "valid", FIXTURES / "invalid")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(r"\d+ cases, \d+ invalid bodies: no findings\n", result.stdout)


def test_a_bad_body_is_one_block(tmp_path: Path) -> None:
    path = tmp_path / "a.serialize"
    path.write_bytes('a:1:{s:4:"name";s:5:"Zoë";}'.encode())
    result = validate(path)
    assert (result.exit_code, result.stdout) == (1, "1 other body: 1 finding\n")
    assert result.stderr == (
        "error: cannot read serialize: expected '\";' where the string's length ends (malformed)\n"
        f"  at    {path}, byte 26\n"
        "  path  $.name\n"
        '        a:1:{s:4:"name";s:5:"Zoë";}\n'
        "                                 ^\n"
        "  hint  1 byte shorter than declared: the text was re-encoded or edited after it was serialized\n"
    )


@pytest.mark.parametrize(
    ("name", "data", "hint"),
    [
        ("a.serialize", b'O:1:"A":0:{}', 'values = "php" in case.toml reads it, inert'),
        ("a.serialize", b's:1:"\xff";', 'values = "php" in case.toml reads it as bytes'),
        ("a.xml", b"<a/>", 'without types it may be a plain document: dialect = "plain" in case.toml reads it'),
        ("a.json", b"[" * 201 + b"]" * 201, ""),
        ("a.json", OK.replace(b"0000", b"9999"), "--with FILE adds an operator's codes"),
    ],
)
def test_hints_name_what_fixtures_and_the_command_have(tmp_path: Path, name: str, data: bytes, hint: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert [finding["hint"] for finding in json.loads(validate("--format", "json", tmp_path).stdout)["findings"]] == [
        hint
    ]
    shown = validate(tmp_path).stderr
    assert shown.endswith(f"  hint  {hint}\n") if hint else "\n  hint" not in shown
    assert (f" ({hint})\n" if hint else "\n") in validate("--format", "github", tmp_path).stdout


def test_findings_of_one_case_stand_together(case: Path) -> None:
    change(case / "body.xml", b"0000", b"0001")
    change(case / "body.serialize", b"prompt_tokens", b"prompt_tokenz")
    result = validate(case.parent)
    assert (result.exit_code, result.stdout) == (1, "1 case: 2 findings\n")
    heading, *rows = result.stderr.splitlines()
    assert heading == f"{case}: 2 findings"
    assert [row for row in rows if row.startswith("  at")] == [
        f"  at    {case}/body.serialize",
        f"  at    {case}/body.xml",
    ]
    assert "key 'prompt_tokens' → 'prompt_tokenz' (value)" in result.stderr


def test_any_file_of_a_case_stands_for_the_case(case: Path) -> None:
    change(case / "body.xml", b"0000", b"0001")
    for paths in ([case / "body.json"], [case / "case.toml", case / "body.json", case, case.parent]):
        assert validate(*paths).stdout == "1 case: 1 finding\n"


def test_an_invalid_body_is_checked_by_the_toml_beside_it(tmp_path: Path) -> None:
    body, beside = tmp_path / "a.json", tmp_path / "a.json.toml"
    body.write_bytes(b"[1")
    beside.write_text('kind = "malformed"\noffset = 2\npath = "$[0]"\n')
    for path in (tmp_path, body, beside):
        assert validate(path).stdout == "1 invalid body: no findings\n"
    body.write_bytes(b"[1 ")
    assert "(other-fault)" in validate(body).stderr
    body.write_bytes(b"[1]")
    assert "(accepted)" in validate(body).stderr
    body.unlink()
    assert "(unreadable)" in validate(tmp_path).stderr


@pytest.mark.parametrize("format", ["text", "json", "junit", "github"])
def test_files_that_are_no_fixtures_are_told(case: Path, format: str) -> None:
    folder = case.parent
    (folder / "a.json").write_bytes(OK)
    validate_all = ("--format", format, folder, folder, case)
    sound = validate(*validate_all)
    assert (sound.exit_code, sound.stderr) == (0, "")
    (folder / "a.ser").write_bytes(b"")
    one = validate(*validate_all)
    suffixes = "the names of bodies end in .json, .jsonu.json, .xml, .serialize, .var_export.php"
    assert one.stderr == f"note: 1 file was not looked at, {folder}/a.ser; {suffixes}\n"
    for name in ("b.JSON", ".hidden", "a.toml", "chat/c.txt", "chat/body.json.toml"):
        (folder / name).write_bytes(b"")
    more = validate(*validate_all)
    assert more.stderr == (
        f"note: 3 files were not looked at, such as {folder}/a.ser; {suffixes}\n"
        f"note: 2 files were not looked at, such as {folder}/a.toml; the file about a.json is a.json.toml\n"
    )
    assert [(result.exit_code, result.stdout) for result in (one, more)] == [(0, sound.stdout)] * 2


def test_a_folder_of_wrong_names_is_told_the_right_ones(tmp_path: Path) -> None:
    (tmp_path / "a.ser").write_bytes(b"")
    result = validate(tmp_path)
    assert result.exit_code == 2
    assert f"nothing to validate in {tmp_path}: the names of bodies end in .json, .jsonu.json" in result.stderr


def test_an_operators_codes_and_the_payloads_name_are_options(tmp_path: Path) -> None:
    path, own = tmp_path / "a.json", tmp_path / "own.txt"
    answer: Envelope[object] = Envelope(response=[], error_code="4100", error="No stock", request_id=ID)
    path.write_bytes(envelope.encode(answer, "json", payload="items"))
    assert "(envelope)" in validate(path).stderr
    assert "(error-code)" in validate("--payload", "items", path).stderr
    own.write_text(
        '[[codes]]\ncode="4100"\nname="NO_STOCK"\nmessage="No stock"\ncn="无货"\nen="Out"\nru="Нет"\nbilling="free"\n'
        'http_status=409\nretryable=false\nactor="caller"\n',
        encoding="utf-8",
    )
    assert validate("--payload", "items", "--with", own, path).exit_code == 0


# ------------------------------------------------------------------------------------------------------------ schemas


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"properties": {"id": {"type": "string"}}}, None),
        ({"properties": {"id": {"type": "integer"}}}, "path  $.response.id"),
        ({"required": ["nothing"]}, "'nothing' is a required property"),
        ({"type": "objekt"}, "not a JSON Schema"),
        ([], "a schema must be an object"),
        ({"$ref": "https://schemas.example.com/answer.json"}, "refers to something outside it"),
        ({"$ref": "#"}, "cannot be applied: RecursionError"),
        ({"$id": "http://[x"}, None),
        ({"$ref": "http://[x"}, "(schema)"),
        ({"$schema": []}, "(schema)"),
        ({"$schema": {}}, "(schema)"),
        ({"pattern": "("}, "not a JSON Schema"),
        ({"multipleOf": 0}, "not a JSON Schema"),
        ({"properties": {"id": {"$ref": "#/nowhere"}}}, "refers to something outside it"),
        ({"$schema": "https://schemas.example.com/draft", "maxProperties": 0}, "(schema)"),
    ],
)
def test_a_case_may_have_a_schema_for_its_payload(case: Path, schema: object, text: str | None) -> None:
    (case / "response.schema.json").write_text(json.dumps(schema))
    result = validate(case)
    assert result.exit_code == (text is not None)
    assert (text or "") in result.stderr
    assert validate(case / "response.schema.json").exit_code == result.exit_code


def test_a_schema_that_is_not_json_is_shown_with_its_place(case: Path) -> None:
    (case / "response.schema.json").write_text('{"type": \n}')
    assert f"{case}/response.schema.json, byte 10, line 2" in validate(case).stderr


def test_without_jsonschema_one_line_says_what_to_install(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "jsonschema"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert validate(case).exit_code == 0
    (case / "response.schema.json").write_text("{}")
    result = validate(case)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "needs jsonschema: pip install 'envelope-engine[cli]'" in result.stderr


# -------------------------------------------------------------------------------------------------- other programs


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with sound and bad bodies, and names that would control a terminal or break a report."""
    folder = tmp_path / "a\x1b[31m\u202e,%:b\n]]>"
    folder.mkdir()
    (folder / "sound.json").write_bytes(OK)
    (folder / "bad\x9b\x7f.json").write_bytes(b'{"\x1b\x7f\n": ')
    key = "\x1b]0;x\x07\u202e"
    (folder / "more.json").write_bytes(envelope.dumps({key: 1, "error_code": key, "request_id": 7}, "json"))
    shutil.copytree(FIXTURES / "valid" / "chat", folder / "case")
    change(folder / "case" / "body.jsonu.json", b"tokens", b"tok\xc2\x9bns")
    change(folder / "case" / "body.xml", b"stop", "st\u202ep".encode())
    return folder


def harmless(text: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in text)


@pytest.mark.parametrize("format", ["text", "json", "junit", "github"])
def test_nothing_hostile_reaches_the_terminal(hostile: Path, format: str) -> None:
    result = validate("--format", format, hostile)
    assert result.exit_code == 1
    assert harmless(result.stdout + result.stderr)
    assert len(result.stdout + result.stderr) > 500
    assert (format == "text") == bool(result.stderr)


def test_json_has_a_record_for_each_finding(hostile: Path) -> None:
    document = json.loads(validate("--format", "json", hostile).stdout)
    assert document["fixtures"] == 4
    records = document["findings"]
    assert {record["rule"] for record in records} <= set(fixtures.RULES)
    (bad,) = [record for record in records if record["rule"] == "malformed"]
    assert (bad["file"], bad["offset"]) == (f"{hostile}/bad\x9b\x7f.json", 2)
    assert {record["fixture"] for record in records if "body." in record["file"]} == {f"{hostile}/case"}
    assert json.loads(validate("--format", "json", FIXTURES / "valid").stdout)["findings"] == []


def test_junit_is_valid_by_its_schema(hostile: Path) -> None:
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))
    result = validate("--format", "junit", hostile, FIXTURES / "invalid" / "xml")
    report = etree.fromstring(result.stdout_bytes)
    schema.assertValid(report)
    assert [report.get(name) for name in ("failures", "errors")] == ["3", "0"]
    assert len(report.findall(".//testcase")) == int(str(report.get("tests")))
    assert len(report.findall(".//failure")) == 3
    assert not schema.validate(etree.fromstring("<testsuites tests='1' failures='0'/>"))


def test_github_annotations_have_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "100%,a:b.json").write_bytes(b"{\n1")
    result = validate("--format", "github", tmp_path)
    (line,) = result.stdout.splitlines()
    folder = str(tmp_path).replace(":", "%3A").replace(",", "%2C")
    assert line.startswith(f"::error file={folder}/100%25%2Ca%3Ab.json,line=2,title=envelope%3A malformed::$: cannot")


# ------------------------------------------------------------------------------------------------------------ update


def test_update_writes_the_other_bodies_and_shows_what_changed(case: Path) -> None:
    golden = {path.name: path.read_bytes() for path in case.iterdir()}
    assert validate("--update", case).stdout == "1 case: no findings\n"
    change(case / "body.xml", b"0000", b"2000")
    (case / "body.serialize").unlink()
    (case / "body.var_export.php").write_bytes(b"broken")
    result = validate("--update", case)
    assert (result.exit_code, result.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in case.iterdir()} == golden
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"changed {case}/body.xml, ")
    assert {"  -2000</error_code>", "  +0000</error_code>", "  -broken"} <= set(lines)
    assert any(line.startswith(f"new {case}/body.serialize, ") for line in lines)
    assert lines[-1] == "1 case: no findings"


def test_update_takes_the_body_that_it_is_told_to(case: Path) -> None:
    change(case / "body.xml", b"<last_id>", b"<last_id>9")
    assert validate("--update", "--from", "xml", case).exit_code == 0
    for format in FORMATS:
        body = (case / fixtures.body_name(format)).read_bytes()
        assert envelope.decode(body, format).last_id.startswith("9")


def test_update_makes_nothing_from_an_unsound_body(case: Path) -> None:
    change(case / "body.json", b'"0000"', b"0")
    before = {path.name: path.read_bytes() for path in case.iterdir()}
    result = validate("--update", case)
    assert result.exit_code == 1
    assert "(string-ids)" in result.stderr
    assert {path.name: path.read_bytes() for path in case.iterdir()} == before
    (case / "case.toml").write_text("title =")
    assert validate("--update", case).exit_code == 1
    assert validate("--update", "--from", "xml", FIXTURES / "invalid" / "xml").exit_code == 0


def test_update_that_goes_beyond_the_limits_is_one_line(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise envelope.EncodeError("too long", kind="limit", format="xml", hint=Hint("raise-limit", "max_bytes"))

    monkeypatch.setattr(cases, "dumps", refuse)
    result = validate("--update", case)
    assert (result.exit_code, result.stderr) == (1, f"Error: cannot update {case}: xml: limit at $: too long\n")


def test_update_does_not_follow_links(case: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (case / "body.xml").unlink()
    (case / "body.xml").symlink_to(outside)
    assert validate("--update", case).exit_code == 1
    assert outside.read_bytes() == b"precious"


def test_the_changes_shown_are_bounded(case: Path) -> None:
    for count, shown in ((100, "more lines"), (5000, "changed")):
        for name in ("body.json", "body.jsonu.json"):
            data = envelope.encode(Envelope.ok(list(range(count)), request_id=ID), "json")
            (case / name).write_bytes(data)
        result = validate("--update", case)
        assert result.exit_code == 0
        assert shown in result.stdout
        assert len(result.stdout.splitlines()) < 250


# --------------------------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["nowhere"], "nowhere does not exist"),
        ([""], "a file without a name does not exist"),
        (["pyproject.toml"], "does not end in .json, .jsonu.json, .xml, .serialize, .var_export.php"),
        (["tools"], "nothing to validate in tools"),
        (["--update", "--format", "json", "fixtures/valid"], "--update"),
        (["--from", "xml", "fixtures/valid"], "--from"),
        (["--payload", "error", "fixtures/valid"], "--payload"),
        (["--format", "yaml", "fixtures/valid"], "junit"),
    ],
)
def test_mistakes_in_the_command_line_exit_2(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    result = validate(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


# ---------------------------------------------------------------------------------------------- hostile folders


def test_a_cycle_of_links_ends(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "round").symlink_to(tmp_path)
    (inner / "self.json").symlink_to("self.json")
    (inner / "nowhere.xml").symlink_to("nowhere")
    (inner / "a.json").write_bytes(OK)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.json").write_bytes(b"{")
    result = validate(tmp_path)
    assert result.stdout == "3 other bodies: 2 findings\n"
    assert result.stderr.count("(unreadable)") == 2


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to("/dev/zero")
    (tmp_path / "c.json").mkdir()
    result = validate(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "2 other bodies: 2 findings\n")
    assert result.stderr.count("not a regular file (unreadable)") == 2


def test_a_body_of_a_case_that_cannot_be_read_is_a_finding(case: Path) -> None:
    (case / "body.xml").unlink()
    (case / "body.xml").symlink_to("nowhere")
    result = validate("--update", case)
    assert (result.exit_code, result.stdout) == (1, "1 case: 1 finding\n")
    assert "(unreadable)" in result.stderr
    (case / "body.json").unlink()
    (case / "body.json").symlink_to("nowhere")
    assert validate("--update", case).stdout == "1 case: 2 findings\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(OK)
    (tmp_path / "a.json").chmod(0)
    (tmp_path / "folder").mkdir(0)
    assert validate(tmp_path).stderr.count("(unreadable)") == 2


def test_a_folder_that_cannot_be_read_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    result = validate(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: cannot read the folder: Permission denied (unreadable)\n")


def test_a_file_beyond_the_limit_is_a_finding(tmp_path: Path) -> None:
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    assert "(limit)" in validate(tmp_path).stderr
    (tmp_path / "a.json.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    (tmp_path / "a.json").write_bytes(b"[")
    assert "the input is longer than 1048576 bytes (limit)" in validate(tmp_path).stderr


@pytest.mark.parametrize(
    "text", [b"title = ", b"\xff", b"[" * 5000, b"title = 1", b"a" * 10_000, b'title = "a"\n"\\u001b[1m" = 1']
)
def test_an_invalid_case_toml_is_one_block(case: Path, text: bytes) -> None:
    (case / "case.toml").write_bytes(text)
    result = validate(case)
    assert (result.exit_code, result.stdout) == (1, "1 case: 1 finding\n")
    assert result.stderr.count("error: ") == 1
    assert f"  at    {case}/case.toml" in result.stderr
    assert "(about)" in result.stderr
    assert harmless(result.stderr)


# --------------------------------------------------------------------------------------------------------- processes


def test_a_process_has_no_colour_or_progress() -> None:
    ran = process("validate", str(FIXTURES / "valid"), str(FIXTURES / "invalid"))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"\x1b" not in ran.stdout


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_a_terminal_gets_progress_and_colour(case: Path) -> None:
    import pty
    import subprocess

    change(case / "body.xml", b"0000", b"0001")
    main_end, child_end = pty.openpty()
    try:
        command = [sys.executable, "-m", "envelope", "validate", str(case)]
        environment = {**os.environ, "TERM": "xterm"}
        ran = subprocess.run(command, stdout=child_end, stderr=child_end, timeout=60, env=environment, check=False)
        shown = os.read(main_end, 10_000)
    finally:
        os.close(main_end)
        os.close(child_end)
    assert ran.returncode == 1
    assert b"validating" in shown
    assert b"\x1b[1;31merror: " in shown


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    import subprocess

    command = [sys.executable, "-m", "envelope", "validate", "--format", "json", str(FIXTURES / "valid")]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr.decode() == "Error: cannot write standard output: No space left on device\n"
