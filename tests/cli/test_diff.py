"""What differs between two values, and the command `envelope diff` that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

import envelope
from envelope import PhpEnum, PhpObject, PhpProperty
from envelope.formats import FORMATS
from envelope.testing.strategies import php_values, values
from envelope.values.comparison import changes
from envelope.values.glimpse import glimpse
from tests.cli.command import run

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

VALUE = {"id": 7, "price": 1.0, "name": "中国", "tags": ["a", None]}


def told(before: object, after: object) -> list[str]:
    return list(map(str, changes(before, after)))


# ------------------------------------------------------------------------------------------------------------- values


@given(before=values(), after=values())
def test_values_have_changes_if_and_only_if_they_are_not_the_same(before: Any, after: Any) -> None:
    assert (told(before, after) == []) == envelope.same(before, after)
    assert told(before, before) == []


@given(before=php_values(), after=php_values())
def test_the_same_holds_in_phps_domain(before: Any, after: Any) -> None:
    assert (told(before, after) == []) == envelope.same(before, after)
    again = envelope.loads(envelope.dumps(before, "serialize", values="php"), "serialize", values="php")
    assert told(before, again) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1.0, ["~ $: 1 → 1.0"]),
        (0.0, -0.0, ["~ $: 0.0 → -0.0"]),
        (True, 1, ["~ $: true → 1"]),
        ("1", 1, ['~ $: "1" → 1']),
        ({}, [], ["~ $: map of 0 → list of 0"]),
        ({"a": 1, "b": {"c": 1}}, {"b": {"c": 2}, "d": None}, ["- $.a: 1", "+ $.d: null", "~ $.b.c: 1 → 2"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 3}, ["~ $: the same keys in another order", "~ $.a: 1 → 3"]),
        ([1, [2], 3], [1, [4]], ["- $[2]: 3", "~ $[1][0]: 2 → 4"]),
        ([], ["x"], ['+ $[0]: "x"']),
        ({"5": 1}, {5: 1}, ['- $["5"]: 1', "+ $[5]: 1"]),
        (b"a", "a", ["~ $: b'a' → \"a\""]),
        (PhpObject("A"), PhpObject("B"), ["~ $: object A of 0 → object B of 0"]),
        (PhpObject("A", payload=b"x"), PhpObject("A", payload=b"y"), ["~ $: object A with b'x' → object A with b'y'"]),
        (PhpObject("A", {"x": 1}), PhpObject("A", {"x": 2, "y": 3}), ["+ $.y: 3", "~ $.x: 1 → 2"]),
        (PhpEnum("S", "H"), PhpEnum("S", "D"), ["~ $: S::H → S::D"]),
    ],
)  # fmt: skip
def test_changes(before: object, after: object, expected: list[str]) -> None:
    assert told(before, after) == expected


def test_visibility_is_a_change() -> None:
    one, other = PhpProperty("x", 1), PhpProperty("x", 1, "protected")
    assert told(PhpObject("A", [one]), PhpObject("A", [other])) == ["- $.x: 1", "+ $.x: 1"]


def test_properties_of_one_name_are_compared_in_order() -> None:
    before = PhpObject("A", [PhpProperty("x", 1), PhpProperty("x", 2)])
    after = PhpObject("A", [PhpProperty("x", 1), PhpProperty("x", 3)])
    assert told(before, after) == ["~ $.x: 2 → 3"]


def test_sharing_is_a_change() -> None:
    one = PhpObject("A")
    assert told([one, one], [PhpObject("A"), PhpObject("A")]) == ["~ $[1]: shared, then a copy"]


def test_cycles_and_depth_are_safe() -> None:
    def cyclic(number: int) -> PhpObject:
        first = PhpObject("A")
        object.__setattr__(first, "properties", (PhpProperty("self", first), PhpProperty("n", number)))
        return first

    assert told(cyclic(1), cyclic(1)) == []
    assert told(cyclic(1), cyclic(2)) == ["~ $.n: 1 → 2"]
    deep: tuple[Any, Any] = (1, 2)
    for _ in range(50_000):
        deep = [deep[0]], [deep[1]]
    (change,) = changes(*deep)
    assert len(change.path) == 1 + 3 * 50_000
    assert len(str(change)) < 100


def test_long_texts_are_shown_where_they_differ() -> None:
    (line,) = told("a" * 500 + "b" + "c" * 500, "a" * 500 + "d")
    assert line == f'~ $: …"{"a" * 10}b{"c" * 49}"… → …"{"a" * 10}d"'


def test_a_glimpse_is_one_harmless_line() -> None:
    assert glimpse("\x1b[31m\u202e\n中\0") == '"\\u001b[31m\\u202e\\n中\\u0000"'
    assert glimpse("x" * 1000) == f'"{"x" * 60}"…'
    assert glimpse(PhpObject("A\x9b")) == "object A\\u009b of 0"
    assert glimpse(object()) == "object"


# ------------------------------------------------------------------------------------------------------------ command


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for row in FORMATS.values():
        (tmp_path / f"same{row.suffix}").write_bytes(envelope.dumps(VALUE, row.name))
        (tmp_path / f"other{row.suffix}").write_bytes(
            envelope.dumps({**VALUE, "price": 1, "more": {}}, row.name, maps="object")
        )
    return tmp_path


def diff(*arguments: str, data: bytes = b"") -> Result:
    return run("diff", *arguments, data=data)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("second", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("first", FORMATS.values(), ids=FORMATS)
def test_any_two_formats(first: Any, second: Any) -> None:
    same = diff(f"same{first.suffix}", f"same{second.suffix}")
    assert (same.exit_code, same.output) == (0, "")
    other = diff(f"same{first.suffix}", f"other{second.suffix}")
    assert (other.exit_code, other.stdout) == (1, "+ $.more: map of 0\n~ $.price: 1.0 → 1\n")
    assert other.stderr == ""


def test_standard_input_is_one_of_the_two(files: Path) -> None:
    assert diff("same.json", "-", data=(files / "same.xml").read_bytes()).exit_code == 0
    assert diff("-", "same.json", data=b"7").stdout == "~ $: 7 → map of 4\n"


@pytest.mark.usefixtures("files")
def test_options_reach_the_reader() -> None:
    body = b'O:1:"A":1:{s:1:"x";i:1;}'
    assert diff("-", "same.json", "--values", "php", data=body).stdout == "~ $: object A of 1 → map of 4\n"
    assert diff("-", "same.json", "--from-a", "xml", "--from-dialect", "plain", data=b"<a/>").stdout.startswith(
        '~ $: "" →'
    )
    deep = b"[" * 250 + b"]" * 250
    assert diff("-", "same.json", data=deep).exit_code == 2
    assert diff("-", "same.json", "--no-limits", data=deep).exit_code == 1


@pytest.mark.usefixtures("files")
def test_a_document_that_cannot_be_read_is_shown_and_exits_2() -> None:
    result = diff("same.json", "-", data=b"[1, x]")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot read json (malformed)" in result.stderr
    assert "  at    standard input, byte 4" in result.stderr


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'A'"),
        (["same.json"], "Missing argument 'B'"),
        (["-", "-"], "only one of A and B"),
        (["same.json", "nowhere.json"], "No such file"),
        (["same.json", "-"], "--from-b"),
    ],
)
def test_mistakes_in_the_command_line_exit_2(arguments: list[str], message: str) -> None:
    result = diff(*arguments, data=b"hello")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.usefixtures("files")
def test_lines_are_bounded() -> None:
    result = diff("-", "same.json", "--from-a", "json", "--max-lines", "2", data=b'{"a":1,"b":2,"c":3}')
    assert result.stdout == "- $.a: 1\n- $.b: 2\n… and 5 more\n"


@pytest.mark.usefixtures("files")
def test_nothing_hostile_reaches_the_terminal() -> None:
    hostile = "\x1b]0;x\x07\x9b\u202e\r\n[red]"
    result = diff("-", "same.json", data=envelope.dumps({hostile: hostile, "id": hostile}, "json"))
    assert all(char == "\n" or char.isprintable() for char in result.output)
    assert result.stdout.count("[red]") == 3


def test_what_is_ignored_is_not_compared(tmp_path: Path) -> None:
    a, b = tmp_path / "a.json", tmp_path / "b.serialize"
    a.write_bytes(b'{"id": 1, "rows": [{"at": 1, "v": 2}], "last": "x"}')
    b.write_bytes(envelope.dumps({"id": 2, "rows": [{"at": 5, "v": 2}]}, "serialize"))
    options = ["--ignore", "$.id", "--ignore", "rows[*].at", "--ignore", "$.last"]
    assert run("diff", str(a), str(b), *options).exit_code == 0
    result = run("diff", str(a), str(b), *options[:4])
    assert (result.exit_code, result.stdout) == (1, '- $.last: "x"\n')
    assert run("diff", str(a), str(b), "--ignore", "$..").exit_code == 2
