"""The command `envelope inspect`: trees, statistics and broken documents as people see them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import envelope
from envelope import Limits
from envelope.formats import FORMATS
from tests.cli.command import run

if TYPE_CHECKING:
    from click.testing import Result

FIXTURES = Path(__file__).parents[3] / "fixtures"
VALUE = {"id": 7, "tags": ["a", "中"], "none": None, "deep": {"5": {"x y": 1.5}}}


def inspect(*arguments: str, data: bytes = b"") -> Result:
    return run("inspect", *arguments, data=data)


def lines(*arguments: str, data: bytes = b"") -> list[str]:
    """The tree or the tables, without the heading."""
    result = inspect(*arguments, data=data)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()[1:]


def test_a_tree_has_paths_kinds_sizes_and_places() -> None:
    result = inspect(data=envelope.dumps(VALUE, "serialize"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "standard input: serialize, 118 bytes",
        "$ map of 4 at 0, 118 bytes",
        "├── $.id int at 14, 4 bytes 7",
        "├── $.tags list of 2 at 29, 32 bytes",
        '│   ├── $.tags[0] str of 1 at 38, 8 bytes "a"',
        '│   └── $.tags[1] str of 1 at 50, 10 bytes "中"',
        "├── $.none null at 72, 2 bytes",
        "└── $.deep map of 1 at 85, 32 bytes",
        '    └── $.deep["5"] map of 1 at 94, 22 bytes',
        '        └── $.deep["5"]["x y"] float at 109, 6 bytes 1.5',
    ]


@pytest.mark.parametrize("format", [str(name) for name in FORMATS])
def test_every_format_has_the_same_tree(format: str) -> None:
    def without_places(line: str) -> str:
        return line.partition(" at ")[0]

    shown = lines("--from", format, data=envelope.dumps(VALUE, format))
    assert list(map(without_places, shown)) == list(map(without_places, lines(data=envelope.dumps(VALUE, "json"))))


@pytest.mark.parametrize(
    "body", sorted(FIXTURES.glob("valid/*/body.*")), ids=lambda body: f"{body.parent.name}-{body.name}"
)
def test_every_golden_file_is_shown(body: Path) -> None:
    result = inspect(str(body), "--values", "php", "--depth", "250", "--max-items", "5000", "--max-lines", "5000")
    assert (result.exit_code, result.stderr) == (0, "")
    assert not re.search(r"… and|bytes? …$", result.stdout, re.MULTILINE)
    assert "unfinished" not in result.stdout


def test_an_archive_shows_classes_visibility_and_references() -> None:
    body = b'a:3:{i:0;O:8:"App\\User":2:{s:4:"name";s:2:"\xff\xfe";s:9:"\0*\0secret";E:6:"Suit:H";}i:1;r:2;i:5;C:1:"B":3:{x;y}}'
    assert lines("--values", "php", data=body) == [
        "$ map of 3 at 0, 105 bytes",
        "├── $[0] object App\\User of 2 at 9, 68 bytes",
        "│   ├── $[0].name bytes of 2 at 38, 9 bytes b'\\xff\\xfe'",
        "│   └── $[0].secret enum protected at 63, 13 bytes Suit::H",
        "├── $[1] reference at 81, 4 bytes → $[0]",
        "└── $[5] object B at 89, 15 bytes payload b'x;y'",
    ]


def test_a_path_selects_what_is_shown() -> None:
    body = envelope.dumps(VALUE, "var_export")
    assert lines("--path", "$.tags[1]", data=body) == ['$.tags[1] str of 1 at 67, 5 bytes "中"']
    assert [line.partition(" at ")[0] for line in lines("--path", "tags[*]", data=body)] == [
        "$.tags[0] str of 1", "$.tags[1] str of 1",
    ]  # fmt: skip
    for path in ('$.deep["5"]["x y"]', '$.deep[5]["x y"]', '$[*][*]["x y"]'):
        assert lines("--path", path, data=body)[0].startswith(
            '$.deep["5"]["x y"] float' if '"5"' in path else "$.deep[5]"
        )


def test_a_path_below_a_selected_value_is_whole() -> None:
    shown = lines("--path", "$.deep", data=envelope.dumps(VALUE, "json"))
    assert [line.partition(" at ")[0] for line in shown] == [
        "$.deep map of 1", '└── $.deep["5"] map of 1', '    └── $.deep["5"]["x y"] float',
    ]  # fmt: skip


def test_a_path_that_leads_nowhere_names_the_last_place_reached() -> None:
    result = inspect("--path", "$.deep[5].z", data=envelope.dumps(VALUE, "serialize"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: nothing at that path; the last value on the way is $.deep[5]\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--path", "$..a"], "not a path"),
        (["--path", "\x1b[31m"], "not a path"),
        (["--depth", "-1"], "--depth"),
        (["--from-dialect", "plain"], "json has only typed and php"),
        (["--from", "serialize", "--from-dialect", "session"], "convert reads sessions"),
        (["nowhere.json"], "No such file"),
    ],
)
def test_mistakes_in_the_command_line_exit_2(arguments: list[str], message: str) -> None:
    result = inspect(*arguments, data=b"1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "\x1b" not in result.stderr


def test_plain_xml_is_read_by_its_dialect() -> None:
    assert lines("--from-dialect", "plain", data=b"<r><a>1</a><a/></r>") == [
        "$ map of 2 at 0, 19 bytes", '├── $.a str of 1 at 3, 8 bytes "1"', '└── $.a[1] str of 0 at 11, 4 bytes ""',
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ bounds


def test_what_is_not_shown_is_counted() -> None:
    body = envelope.dumps([[[1], [2]], *range(1253)], "json")
    assert lines("--depth", "1", "--max-items", "2", data=body) == [
        f"$ list of 1,254 at 0, {len(body):,} bytes",
        "├── $[0] list of 2 at 1, 9 bytes …",
        "├── $[1] int at 11, 1 byte 0",
        "└── … and 1,252 more",
    ]
    assert lines("--depth", "0", data=b"[1]") == ["$ list of 1 at 0, 3 bytes …"]
    assert lines("--path", "[*]", "--max-items", "1", data=b"[1,2,3]") == ["$[0] int at 1, 1 byte 1", "… and 2 more"]


def test_lines_are_bounded_in_all() -> None:
    body = envelope.dumps([[[0] * 20] * 20] * 20, "json")
    shown = lines("--max-lines", "50", data=body)
    values = [line for line in shown if "more" not in line]
    assert len(values) == 50
    assert shown[-1] == "└── … and 19 more"


def test_a_long_document_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_bytes(b"[" + b'{"a":[1,2]},' * 100_000 + b"0]")
    result = inspect(str(path))
    assert len(result.stdout.splitlines()) == 23 + 3 * 20
    assert "… and 99,981 more" in result.stdout


def test_long_texts_and_keys_are_cut() -> None:
    (_, line) = lines(data=envelope.dumps({"k" * 5000: "v" * 5000}, "json"))
    assert len(line) < 200
    assert "str of 5,000 at 5,004, 5,002 bytes" in line


def test_deep_documents_are_shown_as_deep_as_asked() -> None:
    shown = lines("--depth", "199", data=b"[" * 200 + b"]" * 200)
    assert len(shown) == 200
    assert shown[-1].startswith(" " * 4 * 198 + "└── $[0]")


# ---------------------------------------------------------------------------------------------------------- statistics


def test_statistics() -> None:
    body = envelope.dumps({"a": ["xyz", "xy", 1], "b": "x" * 100}, "json")
    assert lines("--stats", data=body) == [
        "values  6",
        "types   str 3 · int 1 · list 1 · map 1",
        "depth   2",
        "bytes   127",
        "",
        "largest strings",
        "102   80.3 %  $.b",
        "  5    3.9 %  $.a[0]",
        "  4    3.1 %  $.a[1]",
        "",
        "bytes by top-level key",
        "102   80.3 %  $.b",
        " 14   11.0 %  $.a",
    ]


def test_statistics_of_what_is_selected() -> None:
    body = envelope.dumps({"a": {"b": [1, 2.5, True]}, "c": "text"}, "serialize")
    shown = lines("--stats", "--path", "$.a", data=body)
    assert shown[:3] == ["values  5", "types   int 1 · float 1 · bool 1 · list 1 · map 1", "depth   2"]
    assert shown[-1].endswith("$.a.b")


def test_statistics_of_much_are_bounded() -> None:
    body = envelope.dumps({f"key {index}": "x" * index for index in range(1000)}, "json")
    shown = lines("--stats", data=body)
    assert shown.count("… and 990 more") == 2
    assert len(shown) == 4 + 2 * 13
    assert shown[6].endswith('$["key 999"]')


# ------------------------------------------------------------------------------------------------------- what is broken


def test_a_broken_document_is_shown_up_to_the_place() -> None:
    result = inspect(data='{"a": [1, {"b": "中"}], "c": {"d": tru}, "e": 5}'.encode())
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "standard input: json, 49 bytes",
        "$ map of 2 unfinished from 0",
        "├── $.a list of 2 at 6, 17 bytes",
        "│   ├── $.a[0] int at 7, 1 byte 1",
        "│   └── $.a[1] map of 1 at 10, 12 bytes",
        '│       └── $.a[1].b str of 1 at 16, 5 bytes "中"',
        "└── $.c map of 0 unfinished from 30",
        "    └── ✗ $.c.d byte 36: expected a value",
    ]
    assert result.stderr.splitlines() == [
        "error: cannot read json (malformed): expected a value",
        "  at    standard input, byte 36",
        "  path  $.c.d",
        '        {"a": [1, {"b": "中"}], "c": {"d": tru}, "e": 5}',
        "        " + " " * 35 + "^",
    ]


def test_a_cut_archive_says_why() -> None:
    result = inspect(data='a:1:{s:4:"name";s:5:"Zoë";}'.encode())
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "$ map of 0 unfinished from 0",
        "└── ✗ $.name byte 26: expected '\";' where the string's length ends",
    ]
    assert "hint  1 byte shorter" in result.stderr


def test_a_fault_in_a_hidden_part_is_shown_below_the_rest() -> None:
    shown = inspect("--max-items", "1", data=b"[1,2,[3,x]]").stdout.splitlines()[1:]
    assert shown == [
        "$ list of 3 unfinished from 0", "├── $[0] int at 1, 1 byte 1", "├── … and 2 more",
        "└── ✗ $[2][1] byte 8: expected a value",
    ]  # fmt: skip


def test_bytes_after_a_value_are_a_fault_after_it() -> None:
    shown = inspect(data=b"[1] x").stdout.splitlines()[1:]
    assert shown[0] == "$ list of 1 at 0, 3 bytes"
    assert shown[-1] == "└── ✗ $ byte 4: 1 byte after the value"


def test_a_fault_outside_the_selection_is_reported_but_not_in_its_tree() -> None:
    result = inspect("--path", "$.a", data=b'{"a": [1], "b": x}')
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == ["$.a list of 1 at 6, 3 bytes", "└── $.a[0] int at 7, 1 byte 1"]
    assert "  path  $.b\n" in result.stderr


def test_a_class_is_shown_where_it_is_forbidden() -> None:
    result = inspect(data=b'a:1:{s:1:"a";O:1:"A":0:{}}')
    assert result.exit_code == 1
    assert "✗ $.a byte 13: an object other than stdClass" in result.stdout
    assert "hint  --values php reads it" in result.stderr


@pytest.mark.parametrize("data", [b"", b"\xff", b"x"])
def test_empty_input_is_a_fault_too(data: bytes) -> None:
    result = inspect("--from", "json", data=data)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1].startswith("✗ $ byte 0: ")


def test_statistics_of_a_broken_document_are_of_what_could_be_read() -> None:
    result = inspect("--stats", data=b'["abc", [1, x')
    assert result.exit_code == 1
    assert "types   list 2 · str 1 · int 1" in result.stdout
    assert "cannot read json" in result.stderr


def test_what_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envelope.cli.common.source.Limits", lambda: Limits(max_bytes=10))
    result = inspect("--from", "json", data=b"[" + b"1," * 50)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "standard input: json, more than 10 bytes", "✗ $ byte 10: the input is longer than 10 bytes",
    ]  # fmt: skip


def test_no_limits_lifts_them() -> None:
    body = b"[" * 250 + b"]" * 250
    assert inspect(data=body).exit_code == 1
    assert inspect("--no-limits", data=body).exit_code == 0


# ---------------------------------------------------------------------------------------------------------- terminals


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;x\x07\x9b31m\u202e\u2066\u200f\r\n[red]\0"
    name = "A\x9b\u202e"
    path = tmp_path / "\x1b[31m.ser"
    object = envelope.PhpObject(name, {hostile: hostile, "b": envelope.PhpEnum(name, name)})
    body = envelope.dumps(
        {hostile: [hostile.encode() + b"\xff", hostile], "o": [object, object]}, "serialize", values="php"
    )
    for data in (body, body[:-3]):
        path.write_bytes(data)
        for option in ("--depth=9", "--stats"):
            result = inspect(str(path), "--values", "php", option)
            shown = result.stdout + result.stderr
            assert all(char == "\n" or char.isprintable() for char in shown)
            assert "[red]" in shown


def test_a_process_writes_utf8_without_colour_whatever_the_terminal_says() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "envelope", "inspect"],
        input='["中"]'.encode(), capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0
    assert '"中"' in ran.stdout.decode()
    assert b"\x1b" not in ran.stdout


@pytest.mark.skipif(os.name == "nt", reason="terminals")
@pytest.mark.parametrize("subcommand", [["inspect"], ["diff", "-", os.devnull, "--from-b", "json"]])
def test_a_terminal_gets_colour(subcommand: list[str], tmp_path: Path) -> None:
    import pty

    other = tmp_path / "b.json"
    other.write_bytes(b"[2]")
    subcommand = [str(other) if part == os.devnull else part for part in subcommand]
    main_end, child_end = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "envelope", *subcommand],
            input=b"[1]", stdout=child_end, stderr=child_end, timeout=60, env={**os.environ, "TERM": "xterm"}, check=False,
        )  # fmt: skip
        shown = os.read(main_end, 10_000)
    finally:
        os.close(main_end)
        os.close(child_end)
    assert b"\x1b[" in shown
    assert b"$[0]" in shown or b"[0]" in shown
