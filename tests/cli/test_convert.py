"""`envelope convert` of one document: formats, files, errors and losses as people see them."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import envelope
from envelope import Limits
from envelope.cli.common.detect import detect
from envelope.cli.common.pretty import pretty
from envelope.cli.common.report import printable, window
from envelope.formats import FORMATS
from tests.cli.command import run

if TYPE_CHECKING:
    from click.testing import Result

NAMES = [str(name) for name in FORMATS]
VALUE = {"id": 7, "ok": True, "none": None, "half": 0.5, "text": "中文 <&> \t\n\u202e\0", "list": [1, [], "a"]}
BAD_SERIALIZE = 'a:1:{s:4:"name";s:3:"中文";}'.encode()


def convert(*arguments: str, data: bytes = b"") -> Result:
    return run("convert", *arguments, data=data)


# ---------------------------------------------------------------------------------------------- formats and options


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_every_pair_of_formats_through_standard_input(source: str, target: str) -> None:
    result = convert("--from", source, "--to", target, data=envelope.dumps(VALUE, source))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == envelope.dumps(VALUE, target)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jsonu.json", "jsonu"), ("a.json", "json"), ("a.XML", "xml"), ("a.serialize", "serialize"),
        ("a.ser", "serialize"), ("a.var_export.php", "var_export"), ("a.php", "var_export"),
    ],
)  # fmt: skip
def test_auto_goes_by_the_name_first(name: str, format: str) -> None:
    assert detect(name, b"[]") == format


@pytest.mark.parametrize("format", ["json", "xml", "serialize", "var_export"])
@pytest.mark.parametrize("value", [{"a": 1}, [1], "text", None, 1.5, -3, True, [], -(2**63)])
def test_auto_falls_back_to_the_content(value: object, format: str) -> None:
    body = envelope.dumps(value, format)
    found = detect("-", body)
    assert found is not None
    assert envelope.same(envelope.loads(body, found), envelope.loads(body, format))


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"\xef\xbb\xbf \n<root/>", "xml"), (b'O:3:"Foo":0:{}', "serialize"), (b"d:NAN;", "serialize"),
        (b"\\Foo\\Bar::Baz", "var_export"), (b"stdClass::__set_state(array(\n))", "var_export"),
        (b"NULL", "var_export"), (b"null", "json"), (b"", None), (b"hello", None), (b"<?php return 1;", "var_export"),
        (b"\x1f\x8b", None),
    ],
)  # fmt: skip
def test_auto_on_other_beginnings(data: bytes, format: str | None) -> None:
    assert detect("-", data) == format


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"['a' => [1]]", "var_export"), (b'["a" => 1]', "var_export"), (b"[1, 2,]", "var_export"), (b"[1, 2 3]", "json"),
        (b"[1, 2]", "json"), (b"array('a' => 1)", "var_export"), (b"name|i:1;", "serialize"), (b"\4namei:1;", "serialize"),
        (b"1700000000\na:0:{}", "serialize"), (b"cb([1])", "json"), (b"YTowOnt9", "serialize"), (b"<html></html>", None),
        (b"\x1f\x8b\x08", None), (b"eJwDAA", None), (b"<br />\n<b>Notice</b>:  a on line <b>1</b><br />\n{}", "json"),
    ],
)  # fmt: skip
def test_auto_knows_dialects_and_what_is_wrapped(data: bytes, format: str | None) -> None:
    assert detect("-", data) == format


def test_auto_reads_a_session_and_a_short_array() -> None:
    for data in (b"name|i:1;", b"\4namei:1;", b"['name' => 1]", b"array('name' => 1)"):
        assert convert("--to", "json", data=data).stdout == '{"name":1}'


def test_auto_on_what_is_too_much_unwrapped() -> None:
    assert detect("-", zlib.compress(b"[" * 100), Limits(max_bytes=99)) is None


def test_auto_that_cannot_tell_asks_for_from() -> None:
    result = convert("--to", "json", data=b"hello")
    assert result.exit_code == 2
    assert "--from" in result.stderr


def test_values_maps_and_dialects_reach_the_library() -> None:
    assert convert("--to", "json", "--values", "php", data=b'O:3:"Foo":1:{s:1:"a";i:1;}').stdout == '{"a":1}'
    assert convert("--to", "serialize", "--maps", "object", data=b"{}").stdout == 'O:8:"stdClass":0:{}'
    assert convert("--to", "json", "--to-dialect", "php", data=b'"/"').stdout == '"\\/"'
    assert convert("--to", "json", "--from-dialect", "plain", data=b"<root><a>1</a></root>").stdout == '{"a":"1"}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "serialize"),
        (["--to", "yaml"], "var_export"),
        (["--to", "json", "nowhere.json"], "No such file"),
        (["--to", "json", "."], "directory"),
        (["--to", "xml", "--to-dialect", "php"], "xml has only typed and plain"),
        (["--to", "xml", "--from", "json", "--from-dialect", "plain"], "json has only typed and php"),
        (["--to", "serialize", "--pretty"], "no white space"),
        (["--to", "json", "--pretty", "--to-dialect", "php"], "json_encode"),
    ],
)
def test_mistakes_in_the_command_line_exit_2(arguments: list[str], message: str) -> None:
    result = convert(*arguments, data=b"1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


# ------------------------------------------------------------------------------------------------------------ pretty


@pytest.mark.parametrize("target", ["json", "jsonu", "xml", "var_export"])
def test_pretty_is_read_back_the_same(target: str) -> None:
    value = {**VALUE, "deep": [[{}], {"a": {"b": " "}}, ""], "1 <k>": "  >\n<  ", "e": 1e22, "z": -0.0}
    result = convert("--to", target, "--pretty", "--maps", "object", data=envelope.dumps(value, "json"))
    assert result.stdout.count("\n  ") > 10
    assert envelope.same(envelope.loads(result.stdout_bytes, target), value)


@pytest.mark.parametrize("target", ["json", "jsonu"])
def test_pretty_spells_like_the_compact_form(target: str) -> None:
    body = '["中\u2028\\u0000\\u001f/",1e22,-0.0,0.1,1e-7,5e-324]'.encode()
    indented = convert("--to", target, "--pretty", data=body).stdout
    assert indented.startswith("[\n  ")
    assert re.sub(r"\n *", "", indented) == convert("--to", target, data=body).stdout


def test_pretty_xml() -> None:
    typed = convert("--to", "xml", "--pretty", data=b'{"a":[1,{}],"b":""}').stdout
    assert typed == (
        '<?xml version="1.0" encoding="utf-8"?>\n<root type="map">\n  <a type="list">\n    <item type="int">1</item>\n'
        '    <item type="map"/>\n  </a>\n  <b/>\n</root>'
    )
    plain = convert("--to", "xml", "--pretty", "--to-dialect", "plain", data=b'{"a":["  ","x"]}').stdout_bytes
    assert b"\n    <item>" in plain
    assert envelope.loads(plain, "xml", dialect="plain") == {"a": ["  ", "x"]}


@pytest.mark.parametrize("format", ["json", "xml"])
def test_pretty_keeps_to_the_limit(format: str) -> None:
    body = envelope.dumps([[[1]] * 5], format)
    size = len(pretty(body, format, Limits()))
    assert len(pretty(body, format, Limits(max_bytes=size))) == size
    with pytest.raises(envelope.EncodeError):
        pretty(body, format, Limits(max_bytes=size - 1))


# ------------------------------------------------------------------------------------------------------------ errors


def test_a_bad_body_is_shown_with_its_place() -> None:
    result = convert("--to", "json", data=BAD_SERIALIZE)
    assert (result.exit_code, result.stdout) == (1, "")
    title, *rows = result.stderr.splitlines()
    assert title.startswith("error: cannot read serialize (malformed): ")
    assert rows[:4] == [
        "  at    standard input, byte 24",
        "  path  $.name",
        '        a:1:{s:4:"name";s:3:"中文";}',
        "        " + " " * (len('a:1:{s:4:"name";s:3:"中') + 1) + "^",  # 中 is two columns wide
    ]
    assert rows[4].startswith("  hint  3 bytes longer than declared: ")


def test_lines_are_counted_where_there_are_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": 1,\n "b": tru}')
    result = convert(str(path), "--to", "xml")
    assert f"{path}, byte 15, line 2\n" in result.stderr
    assert '        {"a": 1,\\n "b": tru}\n' in result.stderr


def test_the_window_is_40_bytes_either_side() -> None:
    text, column = window(b"a" * 100 + b"!" + b"b" * 100, 100)
    assert (text, column) == ("…" + "a" * 40 + "!" + "b" * 39 + "…", 41)
    assert window(b"", 0) == ("", 0)
    assert window(b"abc", 99) == ("abc", 3)


def test_the_window_cuts_characters_only_at_the_place() -> None:
    data = "中".encode() * 40
    text, column = window(data, 60)
    assert (text.strip("…").strip("中"), column) == ("", 1 + 2 * 14)
    assert window(data[:6], 4) == ("中\\xe4\\xb8\\xad", 2 + 4)
    assert window(b"\x80" * 100, 50)[0].strip("…") == "\\x80" * 80


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;x\x07\x9b31m\u202e\u2066\u200f\r\n[red]".encode() + b"\xff\xfe"
    path = tmp_path / "\x1b[31m.json"
    path.write_bytes(b'{"' + "\x9b\u202e".encode() + b'": [' + hostile)
    result = convert(str(path), "--to", "xml")
    assert result.exit_code == 1
    assert all(char == "\n" or char.isprintable() for char in result.stderr)
    assert "\\x1b]0;x\\x07\\x9b31m\\u202e\\u2066\\u200f\\r\\n[red]\\xff\\xfe" in result.stderr
    # A class name may contain C1 controls and more; it is shown in the reason, and in losses.
    name = "A\x9b\u202e"
    for values in ("portable", "php"):
        body = f'O:{len(name.encode())}:"{name}":0:{{}}'.encode()
        result = convert("--to", "json", "--values", values, data=body)
        assert "A\\x9b\\u202e" in result.stderr
        assert all(char == "\n" or char.isprintable() for char in result.stderr)


def test_sessions_are_read_and_written() -> None:
    body = b'_sf2_attributes|a:1:{s:5:"hello";s:5:"world";}'
    assert (
        convert("--to", "json", "--from-dialect", "session", data=body).stdout
        == '{"_sf2_attributes":{"hello":"world"}}'
    )
    back = convert("--to", "serialize", "--to-dialect", "session", data=b'{"a": 1}')
    assert (back.exit_code, back.stdout, back.stderr) == (0, "a|i:1;", "")


def test_a_large_session_is_compared_whole() -> None:
    """Its losses, too, are those of the whole: a variable alone is no session."""
    body = b'{"a":{"0":1},"b":"%b"}' % (b"x" * 1_100_000)
    result = convert("--to", "serialize", "--to-dialect", "session", data=body)
    assert result.exit_code == 0
    assert result.stderr == "warning: serialize: $.a: map of 1 → list of 1\n"


def test_hints_name_options() -> None:
    assert "hint  --values php reads it" in convert("--to", "json", data=b'O:3:"Foo":0:{}').stderr
    assert "hint  --no-limits lifts" in convert("--to", "xml", data=b"[" * 201 + b"]" * 201).stderr
    plain = convert("--to", "json", data=b"<a><b>1</b></a>").stderr
    assert "hint  without types it may be a document for --from-dialect plain\n" in plain
    typed = convert("--to", "json", "--from-dialect", "plain", data=b'<root type="map"/>').stderr
    assert "hint  --from-dialect typed reads types\n" in typed
    session = convert("--to", "json", "--from-dialect", "typed", data=b"_sf2_meta|a:1:{").stderr
    assert "hint  this is a PHP session: --from-dialect session reads it\n" in session
    infinite = convert("--to", "json", "--values", "php", data=b"d:INF;").stderr
    assert infinite.endswith("hold it, with --values php\n")


def test_what_cannot_be_written_has_a_path_and_no_window() -> None:
    result = convert("--to", "json", "--values", "php", data=b'a:1:{s:1:"a";d:NAN;}')
    assert result.exit_code == 1
    assert result.stderr.startswith("error: cannot write json (unrepresentable): ")
    assert "\n  path  $.a\n" in result.stderr
    assert "^" not in result.stderr


def test_an_error_in_reading_the_output_back_has_no_place_in_the_input() -> None:
    body = b"a:1:{i:0;" * 3000 + b"i:1;" + b"}" * 3000
    result = convert("--to", "xml", "--to-dialect", "plain", "--no-limits", data=body)
    assert result.exit_code == 1
    assert "cannot write xml (limit)" in result.stderr
    assert " byte " not in result.stderr


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_make_a_traceback(seed: int) -> None:
    data = bytearray(envelope.dumps(VALUE, NAMES[seed % 5]))
    data[seed * 7 % len(data)] = seed * 37 % 256
    for format in ("auto", *NAMES):
        assert convert("--from", format, "--to", "xml", data=bytes(data)).exit_code in (0, 1, 2)


def test_printable_cuts_what_is_long() -> None:
    assert len(printable("a" * 10_000)) == 241


# ------------------------------------------------------------------------------------------------------------ losses


def test_losses_are_warnings() -> None:
    result = convert("--to", "serialize", data=b'{"a":{},"b":[{}]}')
    assert (result.exit_code, result.stdout) == (0, 'a:2:{s:1:"a";a:0:{}s:1:"b";a:1:{i:0;a:0:{}}}')
    assert result.stderr == "warning: serialize: $.a: {} → []\nwarning: serialize: $.b[0]: {} → []\n"


def test_at_most_20_losses_are_shown() -> None:
    result = convert("--to", "serialize", data=b"[" + b",".join([b"{}"] * 23) + b"]")
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) == 21
    assert result.stderr.endswith("and 3 more\n")


def test_strict_makes_losses_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.ser"
    result = convert("--to", "serialize", "--strict", "-o", str(path), data=b'{"a":{}}')
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: serialize would lose (--strict):\n  $.a: {} → []\n"
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------- files


def test_output_replaces_a_file_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "out.ser", tmp_path / "link.ser"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    assert convert("--to", "serialize", "-o", str(link), data=b"1").exit_code == 0
    assert path.read_bytes() == b"i:1;"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, path]


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    path, other = tmp_path / "out.json", tmp_path / "other"
    other.touch()
    assert convert("--to", "json", "-o", str(path), data=b"1").exit_code == 0
    assert path.stat().st_mode == other.stat().st_mode


def test_a_file_may_be_converted_in_place(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_bytes(b" [1]")
    assert convert(str(path), "--to", "json", "-o", str(path)).exit_code == 0
    assert path.read_bytes() == b"[1]"


def test_bad_input_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    assert convert("--to", "json", "-o", str(path), data=BAD_SERIALIZE).exit_code == 1
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_to_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def fail(_: int) -> None:
        raise failure

    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    result = convert("--to", "json", "-o", str(path), data=b"1")
    assert result.exit_code == (1 if isinstance(failure, OSError) else 130)
    assert result.stderr.splitlines()[:1] in ([], [f"Error: cannot write {path}: No space left on device"])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_directory_is_one_line(tmp_path: Path) -> None:
    result = convert("--to", "json", "-o", str(tmp_path / "no" / "file"), data=b"1")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_a_device_is_written_to_and_stays_a_device() -> None:
    assert convert("--to", "json", "-o", os.devnull, data=b"1").exit_code == 0
    assert not os.path.isfile(os.devnull)


def test_output_to_a_dash_is_standard_output() -> None:
    assert convert("-", "--to", "json", "-o", "-", data=b"[1]").stdout_bytes == b"[1]"


def test_no_more_is_read_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envelope.cli.common.source.Limits", lambda: Limits(max_bytes=10))
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b"1,2" * 100)
    result = convert(str(path), "--to", "json")
    assert result.exit_code == 1
    assert "cannot read json (limit): the input is longer than 10 bytes" in result.stderr
    assert ", byte 10\n" in result.stderr


def test_no_limits_lifts_them() -> None:
    body = b"[" * 250 + b"]" * 250
    assert convert("--to", "json", data=body).exit_code == 1
    assert convert("--to", "json", "--no-limits", data=body).stdout_bytes == body


@pytest.mark.parametrize("name", ["", "folder/"])
def test_an_output_that_names_no_file_is_refused(tmp_path: Path, name: str) -> None:
    result = convert("--to", "json", "-o", f"{tmp_path}/{name}" if name else "", data=b"1")
    assert result.exit_code == 1
    assert "not a file name" in result.stderr
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------- PHP files


PHP_FILE = b"<?php\n\nreturn [\n    'a' => [1],\n];\n"


def test_a_php_file_is_known_by_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "config.php").write_bytes(PHP_FILE)
    for result in (
        convert(str(tmp_path / "config.php"), "--to", "json"),
        convert("--to", "json", data=PHP_FILE),
        convert("--from", "var_export", "--from-dialect", "file", "--to", "json", data=b"['a' => [1]]"),
    ):
        assert (result.exit_code, result.stdout, result.stderr) == (0, '{"a":[1]}', "")
    body = envelope.dumps({"a": [1]}, "json")
    (tmp_path / "a.json").write_bytes(body)
    assert run("diff", str(tmp_path / "a.json"), str(tmp_path / "config.php")).exit_code == 0
    assert "convert it first" in run("inspect", str(tmp_path / "config.php")).stderr


def test_what_a_php_file_does_not_tell_is_shown_with_its_line() -> None:
    result = convert("--to", "json", data=b"<?php\nreturn env('X');")
    assert result.exit_code == 1
    assert "cannot read var_export (forbidden): a call of env() is not data, line 2" in result.stderr
    assert "a PHP file is never run; in Python" in result.stderr
    bare = convert("--from", "var_export", "--from-dialect", "typed", "--to", "json", data=b"['a' => 1]")
    assert "--from-dialect file reads PHP files" in bare.stderr


def test_a_php_file_that_php_would_print_is_noted(tmp_path: Path) -> None:
    for name, dialect, note in (
        ("a.php", "typed", True),
        ("a.php", "short", True),
        ("a.php", "file", False),
        ("a.var_export.php", "typed", False),
    ):
        result = convert("--to", "var_export", "--to-dialect", dialect, "-o", str(tmp_path / name), data=b"[1]")
        assert result.exit_code == 0
        assert ("note: PHP prints" in result.stderr) == note
        assert envelope.loads((tmp_path / name).read_bytes(), "var_export", dialect="file") == [1]


# ------------------------------------------------------------------------- layers, and documents inside of documents

ROW = b'a:1:{s:2:"id";i:7;}'


def test_layers_are_taken_off_and_told() -> None:
    wrapped = base64.b64encode(ROW) + b"\n"
    for layers in ("auto", "line-end,base64"):
        result = run("convert", "--unwrap", layers, "--to", "json", data=wrapped)
        assert (result.exit_code, result.stdout_bytes) == (0, b'{"id":7}')
        assert result.stderr == "note: standard input: line-end, base64 taken off\n"
    assert run("convert", "--unwrap", "auto", "--to", "json", data=ROW).stderr == ""
    missing = run("convert", "--unwrap", "gzip", "--from", "serialize", "--to", "json", data=ROW)
    assert (missing.exit_code, missing.stdout_bytes) == (1, b"")
    assert "cannot read this (malformed): no gzip here" in missing.stderr
    assert "byte 0" in missing.stderr
    assert run("convert", "--unwrap", "nonsense", "--to", "json", data=ROW).exit_code == 2


def test_a_document_inside_a_document() -> None:
    outer = json.dumps({"data": [{"command": ROW.decode()}]}).encode()
    at = ["--at", "$.data[0].command"]
    assert run("convert", *at, "--to", "json", data=outer).stdout_bytes == b'{"id":7}'
    assert run("convert", "--at", "data[0].command", "--to", "json", data=outer).stdout_bytes == b'{"id":7}'
    assert "$ map of 1" in run("inspect", *at, data=outer).stdout
    packed = json.dumps({"data": [{"command": base64.b64encode(ROW).decode()}]}).encode()
    for layers in ("auto", "base64"):
        assert run("convert", *at, "--unwrap", layers, "--to", "json", data=packed).stdout_bytes == b'{"id":7}'
    serialized = envelope.dumps({"data": [{"command": ROW.decode()}]}, "serialize")
    assert run("convert", *at, "--to", "json", data=serialized).stdout_bytes == b'{"id":7}'


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("$.data.x", 1, "nothing at that path; the last value on the way is $.data"),
        ("$.data[0].command.deeper", 1, "nothing at that path; the last value on the way is $.data[0].command"),
        ("$.data[3]", 1, "nothing at that path; the last value on the way is $.data"),
        ("$.data", 1, "no document at $.data: it is list of 1, not a string"),
        ("$.data[*].command", 2, "one document is at a path without [*]"),
        ("$..", 2, "not a path"),
    ],
)
def test_a_path_to_no_document(path: str, status: int, message: str) -> None:
    outer = json.dumps({"data": [{"command": ROW.decode()}]}).encode()
    result = run("convert", "--at", path, "--to", "json", data=outer)
    assert (result.exit_code, result.stdout_bytes) == (status, b"")
    assert message in result.stderr


@pytest.mark.parametrize("codec", ["cp1252", "utf-16"])
def test_text_inside_is_decoded_once(codec: str) -> None:
    inner = '{"é":1}'
    options = ["--at", "d", "--encoding", codec, "--from", "json", "--to", "jsonu"]
    packed = base64.b64encode(inner.encode(codec)).decode()
    for text, layers in ((inner, []), (f"0 {inner}", ["--unwrap", "notice"]), (packed, ["--unwrap", "base64"])):
        outer = json.dumps({"d": text}, ensure_ascii=False).encode(codec)
        assert run("convert", *options, *layers, data=outer).stdout_bytes == inner.encode()


def test_a_fault_inside_says_where() -> None:
    outer = json.dumps({"command": 'a:1:{s:2:"id";i:x;}'}).encode()
    result = run("convert", "--at", "$.command", "--to", "json", data=outer)
    assert result.exit_code == 1
    assert "standard input at $.command, byte 16" in result.stderr


# ------------------------------------------------------------------------------------- options of reading and writing


def test_options_of_reading_reach_the_reader() -> None:
    gbk = 's:4:"北京";'.encode("gbk")
    assert run("convert", "--encoding", "gbk", "--to", "jsonu", data=gbk).stdout_bytes == '"北京"'.encode()
    shared = b'a:2:{i:0;s:1:"x";i:1;R:2;}'
    options = ["--values", "php", "--from", "serialize", "--to", "serialize", "--strict"]
    assert run("convert", *options, "--references", "keep", data=shared).stdout_bytes == shared
    for given in (options, options[:-1]):
        result = run("convert", *given, data=shared)
        assert result.exit_code == (given == options)
        assert result.stderr.endswith("note: --references keep writes value references as they were read\n")
    assert "--references" not in run("convert", *options[:-2], "var_export", data=shared).stderr
    xml = b'<r xmlns="u:x"><a k="v">1</a></r>'
    foreign = ["--attributes", "drop", "--namespaces", "drop", "--lists", "a"]
    assert run("convert", *foreign, "--to", "json", data=xml).stdout_bytes == b'{"a":["1"]}'
    assert run("convert", *foreign[:4], "--lists", "repeated", "--to", "json", data=xml).stdout_bytes == b'{"a":"1"}'
    big = b"[98765432109876543210]"
    flags = ["--flags", "JSON_BIGINT_AS_STRING"]
    assert run("convert", *flags, "--from", "json", "--to", "serialize", data=big).stdout_bytes == (
        b'a:1:{i:0;s:20:"98765432109876543210";}'
    )
    many = ["--flags", "JSON_BIGINT_AS_STRING,JSON_PRETTY_PRINT", "--flags", "JSON_UNESCAPED_SLASHES"]
    result = run("convert", *many, "--from", "json", "--to", "json", "--to-dialect", "php", data=b'["a/b"]')
    assert result.stdout_bytes == b'[\n    "a/b"\n]'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--encoding", "gbk", "--from", "xml", "--from-dialect", "typed"], "--encoding: xml with types is UTF-8"),
        (["--encoding", "utf-7", "--from", "json"], "utf-7"),
        (["--references", "keep", "--from", "serialize"], "--references keep is for serialize, with --values php"),
        (["--references", "keep", "--from", "json", "--values", "php"], "--references keep is for serialize"),
        (["--lists", "a", "--from", "json"], "--attributes, --namespaces and --lists are for xml"),
        (["--lists", "a[0]", "--from", "xml"], "a[0]"),
        (["--flags", "JSON_BIGINT_AS_STRING", "--from", "serialize"], "--flags JSON_BIGINT_AS_STRING"),
        (["--flags", "JSON_PRETTY_PRINT", "--from", "json"], "it is for json and jsonu with --to-dialect php"),
        (["--flags", "JSON_THROW_ON_ERROR", "--from", "json"], "JSON_THROW_ON_ERROR is not one of"),
        (["--at", "$.a", "--lines", "--from", "json"], "--at"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(options: list[str], message: str) -> None:
    result = run("convert", *options, "--to", "json", data=b"[]")
    assert (result.exit_code, result.stdout_bytes) == (2, b"")
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_one_line_end_is_taken(end: bytes) -> None:
    for body in (ROW, b"array (\n  'id' => 7,\n)"):
        assert run("convert", "--to", "json", data=body + end).stdout_bytes == b'{"id":7}'
        assert run("convert", "--to", "json", data=body + 2 * end).exit_code == 1
    assert run("repair", data=ROW + end).stdout_bytes == ROW
