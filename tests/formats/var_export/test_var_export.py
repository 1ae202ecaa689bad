"""var_export: each form by example, and each refusal with its kind, offset and path."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpEnum, PhpObject, PhpProperty
from envelope.errors import DecodeErrorKind
from envelope.formats import get_format
from envelope.options import DEFAULT_READING

pytestmark = pytest.mark.usefixtures("impl")


def loads(text: str | bytes, **options: Any) -> Any:
    return envelope.loads(text.encode() if isinstance(text, str) else text, "var_export", **options)


def dumps(value: object, **options: Any) -> str:
    return envelope.dumps(value, "var_export", **options).decode("utf-8", "surrogateescape")


def test_std_class_can_be_told_apart_from_maps() -> None:
    """A conversion between PHP's formats reads this way, and reads all else as portable values."""
    reading = replace(DEFAULT_READING, std_class=True)
    text = b"array (\n  'a' => \n  (object) array(\n     'b' => 1,\n  ),\n  'c' => \n  array (\n    'd' => 1,\n  ),\n)"
    assert get_format("var_export").read(text, reading, None) == {"a": PhpObject("stdClass", {"b": 1}), "c": {"d": 1}}


def refused(text: str | bytes, **options: Any) -> tuple[str, int, str]:
    with pytest.raises(DecodeError) as caught:
        loads(text, **options)
    return caught.value.kind, caught.value.offset, caught.value.path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (-(2**63), "-9223372036854775807-1"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e16, "10000000000000000.0"),
        (1e25, "1.0E+25"),
        ("it's a \\ and\n$x", "'it\\'s a \\\\ and\n$x'"),
        ("\0\0", "'' . \"\\0\" . '' . \"\\0\" . ''"),
        ([], "array (\n)"),
        ([1, [2]], "array (\n  0 => 1,\n  1 => \n  array (\n    0 => 2,\n  ),\n)"),
        ({"a": {}, "5": 1}, "array (\n  'a' => \n  array (\n  ),\n  5 => 1,\n)"),
        ({"-9223372036854775808": 1}, "array (\n  -9223372036854775808 => 1,\n)"),
        ({"a\0b": 1}, "array (\n  'a' . \"\\0\" . 'b' => 1,\n)"),
    ],
)
def test_writes_what_php_prints_and_reads_it(value: Any, text: str) -> None:
    assert dumps(value) == text
    assert envelope.same(loads(text), value if value != {"a": {}, "5": 1} else {"a": [], "5": 1})


def test_stdclass() -> None:
    text = "array (\n  'a' => \n  (object) array(\n  ),\n  'b' => \n  (object) array(\n     '0' => 1,\n  ),\n)"
    assert dumps({"a": {}, "b": {"0": 1}}, maps="object") == text
    assert loads(text) == {"a": {}, "b": {"0": 1}}
    assert dumps({0: 1}, maps="object", values="php") == "(object) array(\n   '0' => 1,\n)"


OBJECT = PhpObject("App\\User", [PhpProperty("na'me", 1), PhpProperty("a\0b", []), PhpProperty(5, PhpEnum("S", "H"))])
OBJECT_TEXT = (
    "\\App\\User::__set_state(array(\n   'na\\'me' => 1,\n   'a\0b' => \n  array (\n  ),\n   5 => \n  \\S::H,\n))"
)


def test_objects_and_enums() -> None:
    assert dumps(OBJECT, values="php") == OBJECT_TEXT
    assert loads(OBJECT_TEXT, values="php") == OBJECT
    assert dumps(PhpEnum("App\\Suit", "H"), values="php") == "\\App\\Suit::H"
    assert loads("\\App\\Suit::H", values="php") == PhpEnum("App\\Suit", "H")
    assert loads("(object) array(\n   'a' => 1,\n   0 => 2,\n)", values="php") == PhpObject(
        "stdClass", {"a": 1, "0": 2}
    )


def test_what_older_versions_of_php_print() -> None:
    assert loads("stdClass::__set_state(array(\n   'a' => 1,\n))") == {"a": 1}
    assert loads("array (\n  0 => \n  App\\User::__set_state(array(\n  )),\n)", values="php") == [
        PhpObject("App\\User")
    ]


def test_two_private_properties_of_one_name_are_both_kept() -> None:
    text = "\\Q::__set_state(array(\n   'x' => 1,\n   'x' => 9,\n))"
    value = loads(text, values="php")
    assert [entry.value for entry in value.properties] == [1, 9]
    assert dumps(value, values="php") == text


def test_the_domain_of_php() -> None:
    assert math.isnan(loads("NAN", values="php"))
    assert loads("-INF", values="php") == -math.inf
    assert loads(b"'\xff'", values="php") == b"\xff"
    assert loads(b"'a' . \"\\0\" . '\xff'", values="php") == b"a\0\xff"
    value = {b"\xff": 1, -5: [b"\xfe\0"], "k": math.inf, b"5": 2}
    text = b"array (\n  '\xff' => 1,\n  -5 => \n  array (\n    0 => '\xfe' . \"\\0\" . '',\n  ),\n  'k' => INF,\n  5 => 2,\n)"
    assert envelope.dumps(value, "var_export", values="php") == text
    assert loads(text, values="php") == {b"\xff": 1, -5: [b"\xfe\0"], "k": math.inf, 5: 2}
    assert dumps(PhpObject("A", [PhpProperty(b"\xff'", 1)]), values="php").endswith("'\udcff\\'' => 1,\n))")


def test_what_var_export_cannot_print_is_refused() -> None:
    cycle = PhpObject("A", {"list": []})
    cycle["list"].append(cycle)
    for value, path in ((cycle, "$.list[0]"), ([PhpObject("A", payload=b"")], "$[0]")):
        with pytest.raises(EncodeError) as caught:
            dumps(value, values="php")
        assert caught.value.path == path


def test_a_shared_object_is_printed_twice_and_that_is_a_loss() -> None:
    shared = PhpObject("A")
    losses = envelope.losses([shared, shared], "var_export", values="php")
    assert [str(loss) for loss in losses] == ["$[1]: PhpObject A → PhpObject A (shared, then a copy)"]
    losses = envelope.losses(PhpObject("A", [PhpProperty("p", 1, "protected")]), "var_export", values="php")
    assert [str(loss) for loss in losses] == ["$: PhpObject A → PhpObject A (other properties)"]


@pytest.mark.parametrize(
    ("text", "kind", "offset", "path"),
    [
        ("", "malformed", 0, "$"),
        ("null", "malformed", 0, "$"),
        ("TRUE", "malformed", 0, "$"),
        ("NULL;", "malformed", 4, "$"),
        ("01", "malformed", 1, "$"),
        ("-0", "malformed", 0, "$"),
        ("+1", "malformed", 0, "$"),
        ("1_000", "malformed", 1, "$"),
        ("0x1A", "malformed", 1, "$"),
        ("1e5", "malformed", 1, "$"),
        (".5", "malformed", 0, "$"),
        ("1.", "malformed", 1, "$"),
        ("5-1", "malformed", 1, "$"),
        ("9223372036854775808", "limit", 0, "$"),
        ("-9223372036854775808", "limit", 0, "$"),
        ("1.0E+999", "limit", 0, "$"),
        ("NAN", "forbidden", 0, "$"),
        ("'a", "malformed", 2, "$"),
        ("'a\\'", "malformed", 4, "$"),
        ("'a\\n'", "malformed", 2, "$"),
        ("'a\0'", "malformed", 2, "$"),
        ("'a\\", "malformed", 3, "$"),
        ('"a"', "malformed", 0, "$"),
        ('"\\0"', "malformed", 0, "$"),
        ("'a'.'b'", "malformed", 3, "$"),
        ("'a' . 'b'", "malformed", 6, "$"),
        ("'a' . \"\\x41\" . 'b'", "malformed", 8, "$"),
        ("'a' . \"\\0\"", "malformed", 10, "$"),
        (b"'\xff'", "forbidden", 1, "$"),
        ("array()", "malformed", 0, "$"),
        ("array (1)", "malformed", 0, "$"),
        ("[1]", "malformed", 0, "$"),
        ("array (\n  1,\n)", "malformed", 10, "$"),
        ("array (\n  0 => 1\n)", "malformed", 16, "$[0]"),
        ("array (\n  0 => 1,\n", "malformed", 18, "$"),
        ("array (\n 0 => 1,\n)", "malformed", 9, "$"),
        ("array (\n  0 => array (\n  ),\n)", "malformed", 15, "$[0]"),
        ("array (\n  0 => \n  1,\n)", "malformed", 18, "$[0]"),
        ("array (\n  0 => \n array (\n  ),\n)", "malformed", 17, "$[0]"),
        ("array (\n  'k' => \n  array (\n    7 => x,\n  ),\n)", "malformed", 37, '$.k["7"]'),
        ("array (\n  0 => 1, // c\n)", "malformed", 17, "$[0]"),
        ("array (\n  'a' => system('id'),\n)", "malformed", 17, "$.a"),
        ("PHP_OS", "malformed", 0, "$"),
        ("__DIR__", "malformed", 0, "$"),
        ("$x", "malformed", 0, "$"),
        ("`id`", "malformed", 0, "$"),
        ("new X", "malformed", 0, "$"),
        ("<<<A\nA", "malformed", 0, "$"),
        ("fn() => 1", "malformed", 0, "$"),
        ("<?php return 1;", "malformed", 0, "$"),
        ("\\A::__set_state(array(\n))", "forbidden", 0, "$"),
        ("\\A::B", "forbidden", 0, "$"),
        ("\\stdClass::B", "forbidden", 0, "$"),
        ("array (\n  0 => \n  \\A::B,\n)", "forbidden", 18, "$[0]"),
        ("\\A::b()", "forbidden", 0, "$"),
        (b"\\\xff::B", "forbidden", 0, "$"),
        ("array (\n  99999999999999999999 => 1,\n)", "limit", 10, "$"),
    ],
)
def test_refuses(text: str | bytes, kind: DecodeErrorKind, offset: int, path: str) -> None:
    assert refused(text) == (kind, offset, path)


def test_calls_are_refused_in_the_domain_of_php_too() -> None:
    assert refused("\\A::b()", values="php") == ("malformed", 5, "$")
    assert refused("\\A::__set_state(array(\n   'a' => \\B::c(),\n))", values="php")[0] == "malformed"


def test_limits() -> None:
    nested = "array (\n  0 => \n  array (\n  ),\n)"
    assert refused(nested, limits=Limits(max_depth=1)) == ("limit", 18, "$[0]")
    assert refused(nested, limits=Limits(max_items=0))[0] == "limit"
    assert loads(nested, limits=Limits(max_depth=2, max_items=1)) == [[]]
    deep = "".join(f"{'  ' * n}array (\n{'  ' * n}  0 => \n" for n in range(250)) + "  " * 250 + "array (\n"
    assert refused(deep)[0] == "limit"


def test_many_nuls_are_read_in_linear_time() -> None:
    value = "\0" * 100_000
    assert loads(dumps(value)) == value


def test_long_lists_and_many_keys() -> None:
    value = {"list": list(range(5000)), "map": {f"key {n}": n for n in range(5000)}}
    assert loads(dumps(value)) == value


def test_a_value_with_too_much_indent_is_refused_before_it_is_built() -> None:
    value: Any = list(range(1000))
    for _ in range(150):
        value = [value]
    with pytest.raises(EncodeError, match="longer than") as caught:
        dumps(value, limits=Limits(max_bytes=100_000))
    assert caught.value.kind == "limit"


def test_the_bound_is_on_bytes() -> None:
    value = [[[["a"] * 5] * 3, {"k": [1]}], "b"]
    body = dumps(value)
    assert dumps(value, limits=Limits(max_bytes=len(body))) == body
    with pytest.raises(EncodeError, match="longer than"):
        dumps(value, limits=Limits(max_bytes=len(body) - 1))
