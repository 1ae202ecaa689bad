"""TOML from elsewhere: what is too much of it is refused before it is parsed."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import DecodeError
from envelope.registry.toml import _MAX_BYTES, _MAX_DEPTH, _MAX_NESTED, _MAX_PARTS, _marks, parse_toml


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ("é = 1\n" + "a." * 40_000 + "a = 1", 7 + 2 * _MAX_PARTS - 1, "a key of more than 32 parts"),
        ("[" + "'a' . " * 40_000 + "a]", 6 * _MAX_PARTS - 1, "a key of more than 32 parts"),
        ('[["a"' + "\t.a" * 40_000 + "]]", 5 + 3 * _MAX_PARTS - 2, "a key of more than 32 parts"),
        ("b = {" + "a." * 40_000 + "a = 1}", 5 + 2 * _MAX_PARTS - 1, "a key of more than 32 parts"),
        ("a = " + "[" * 40_000 + "]" * 40_000, 4 + _MAX_DEPTH, "nested too deep"),
        ("a = " + "{a = " * 4_000 + "1" + "}" * 4_000, 4 + 5 * _MAX_DEPTH, "nested too deep"),
        ("[t]\n" * 40_000, 4 * _MAX_NESTED, "more than 20000 brackets and dots"),
        ("a.b = 1\n" * 40_000, 8 * _MAX_NESTED + 1, "more than 20000 brackets and dots"),
        ("a = [" + "[]," * 40_000 + "]", 5 + 3 * (_MAX_NESTED - 1), "more than 20000 brackets and dots"),
        ("#" * (_MAX_BYTES + 1), _MAX_BYTES, "longer than 1048576 bytes"),
    ],
    ids=range(10),
)  # fmt: skip
def test_too_much_is_refused(text: str, offset: int, reason: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(DecodeError) as caught:
            parse_toml(data)
        error = caught.value
        assert (error.kind, error.offset, error.reason, error.format) == ("limit", offset, reason, "toml")
        assert error.hint is not None
        assert error.hint.name == "plain-toml"


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * _MAX_PARTS) + " = 1",
        "a = " + "[" * _MAX_DEPTH + "]" * _MAX_DEPTH,
        "[t]\n" + "\n".join(f"k{number} = [1.5, 2]" for number in range(9_000)),
        "# " + "." * 100_000 + "[" * 100_000,
        'a = "' + "." * 100_000 + "[" * 100_000 + '"',
        "a = '" + "." * 100_000 + "[" * 100_000 + "'",
        'a = """' + '."[\\"\n' * 100_000 + '"""',
        'a = """"' + ".[" * 100_000 + '""""" # ' + "." * 100,
        "a = '''''" + ".['\n" * 100_000 + "'''''",
        'a = "\\"' + "[" * 1_000 + '\\\\"',
        f"\"{'.' * 100}\".'{'[' * 100}' = 1",
    ],
    ids=range(11),
)
def test_what_is_in_strings_and_comments_does_not_count(text: str) -> None:
    assert parse_toml(text) == tomllib.loads(text)


@given(
    parts=st.lists(
        st.sampled_from(["a", ".", "[", "]", "{", "}", "=", ",", " ", "\n", "'", '"', "'''", '"""', "\\", "#", "1"])
    )
)
def test_what_counts_is_what_is_left_without_strings(parts: list[str]) -> None:
    """Whatever TOML accepts has no fewer dots and brackets than its value has tables and lists."""
    text = "".join(parts)
    try:
        value = tomllib.loads(text)
    except ValueError:
        return
    levels = 0
    nested: list[Any] = [value]
    while nested := [
        inner
        for outer in nested
        for inner in (outer.values() if isinstance(outer, dict) else outer)
        if isinstance(inner, dict | list)
    ]:
        levels += len(nested)
    assert sum(mark in "[{." for _, mark in _marks(text)) >= levels


@pytest.mark.parametrize("number", ["9" * 1001, "0x" + "f" * 6000, "1." + "1" * 1001, "1_" * 600 + "1"])
def test_a_number_is_not_longer_than_anybody_writes(number: str) -> None:
    with pytest.raises(DecodeError) as info:
        parse_toml(f"a = 1\nb = {number}")
    assert (info.value.kind, info.value.reason) == ("limit", "a number or a name of more than 1000 characters")
    assert 10 <= info.value.offset <= 12
    assert parse_toml(f"a = '{number}' # {number}") == {"a": number}
    assert str(parse_toml("a = 0x" + "f" * 998)["a"])  # Python refuses to print thousands of digits


@pytest.mark.parametrize("text", ["a = ", "'swordfish' = 1\n'swordfish' = 2", "a" * 2000])
def test_an_error_holds_no_other_that_quotes_the_file(text: str) -> None:
    with pytest.raises(DecodeError) as info:
        parse_toml(text)
    assert info.value.__context__ is None
