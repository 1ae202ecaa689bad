"""Operators, casts and variables in PHP files: what they give, what is not evaluated, and what is refused by name.

What PHP makes of random ones is compared in `php_files_run`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import envelope
from envelope import DecodeError, Limits, PhpEnum, PhpObject, same
from envelope.hints import Hint


def read(text: str, **options: Any) -> Any:
    return envelope.loads(f"<?php {text}".encode(), "var_export", dialect="file", **options)


def refused(text: str, **options: Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        read(text, **options)
    return caught.value


def known(name: str, arguments: list[Any] | None) -> Any:
    values = {"$_ENV": {"A": "x", "LIST": ["a"], "5": {"k": 1}}, "PHP_VERSION_ID": 80200, "Foo::BAR": 4}
    if arguments is None:
        return values[name]
    functions: dict[str, Callable[..., Any]] = {
        "env": lambda name, default=None: {"A": "x", "B": "1", "é": "é"}.get(name, default),
        "explode": lambda separator, text: text.split(separator),
        "pairs": lambda: {"k": 1, "5": 2},
        "object": lambda: PhpObject("A"),
        "all": lambda *all: list(all),
        "bytes": lambda: b"\xff",
    }
    return functions[name](*arguments)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # How operators bind.
        ("2 + 3 * 4 ** 2 / 8 - 1", 7),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512),
        ("!1 + 1", 1),
        ("(int) '2' ** 3 . 'x'", "8x"),
        ("'a' . 1 + 2 . 'b' . 1 << 2", "a3b4"),
        ("1 | 2 ^ 3 & 4", 3),
        ("1 + 1 == 2 && 1 < 2 || false", True),
        ("null ?? null ?: 'c' ?: 'd'", "c"),
        ("0 ?: '' ?: 'd'", "d"),
        ("1 ? 0 ? 'a' : 'b' : 'c'", "b"),
        ("1 ?'a':'b'", "a"),
        ("[true ? 'k' : 'l' => 1 ? 2 : 3]", {"k": 2}),
        ("1 - 1 - 1", -1),
        ("- -1 - - +1", 2),
        ("~5 & 0xff", 250),
        ("-9223372036854775807 - 1", -(2**63)),
        ("-9223372036854775808", -(2.0**63)),
        # Numbers.
        ("[9223372036854775807 + 1, PHP_INT_MAX * 2, PHP_INT_MIN - 1, -PHP_INT_MIN]", [2.0**63, 2.0**64, -(2.0**63), 2.0**63]),
        ("[6 / 3, 7 / 2, PHP_INT_MIN / -1, 1.0 / 4]", [2, 3.5, 2.0**63, 0.25]),
        ("[-7 % 3, 7 % -3, PHP_INT_MIN % -1, 7.9 % '2']", [-1, 1, 0, 1]),
        ("[2 ** 62, 2 ** 63, 2 ** 64, 3 ** 41, (-3) ** 41, 0 ** 0, 1.5 ** 2]", [2**62, 2.0**63, 2.0**64, 3.0**41, (-3.0) ** 41, 1, 2.25]),
        ("[1 << 63, 1 << 64, -8 >> 1, -8 >> 99, ~1.9]", [-(2**63), 0, -4, -1, -2]),
        ("['5' + ' 1.5 ', true + null, -'3', +'1e1']", [6.5, 1, -3, 10.0]),
        # Casts.
        ("[(int) '12abc', (int) ' 7', (int) 'x', (int) 1e19, (int) '1e19', (int) '-1e19', (int) 1.9, (int) NAN]",
         [12, 7, 0, 10**19 - 2**64, 2**63 - 1, -(2**63), 1, 0]),
        ("[(integer) null, (int) [], (int) [0], (int) true, (int) '9223372036854775808']", [0, 0, 1, 1, 2**63 - 1]),
        ("[(float) '1.5x', (double) 2, (float) 'x', (float) -0.0, (float) null]", [1.5, 2.0, 0.0, -0.0, 0.0]),
        ("[(bool) '0', (boolean) '0.0', (bool) [], (bool) [0], (bool) (object) [], !'']", [False, True, False, True, True, True]),
        ("[(string) 5, (binary) null, ( STRING ) true, (string) 'a']", ["5", "", "1", "a"]),
        ("[(array) 'a', (array) null, (array) [1]]", [["a"], [], [1]]),
        ("[(object) 'a', (object) null]", [{"scalar": "a"}, {}]),
        # Comparisons.
        ("['a' == 0, '1' == '01', '10' == '1e1', 100 == '1e2', 'abc' == 'ABC', null == false, [] == false]",
         [False, True, True, True, False, True, True]),
        ("[1 === 1.0, 'a' === 'a', 1 !== '1', null === null, [] === [], [] === [1], [1] === null]",
         [False, True, True, True, True, False, False]),
        ("[1 <=> 2, 'b' <=> 'a', '9' < '10', 'a' < 'b', 2 >= 2, 3 > '2', null < 'a', 'a' > null, 1 <> 1]",
         [-1, 1, True, True, True, True, True, True, False]),
        ("['9223372036854775808' == '9223372036854775809', '1e1000' == '1e1001', 5 < 'a', 1.5 < 2]", [False, False, True, True]),
        ("['a' == null, '1e1' == '10']", [False, True]),
        ("[1 != true, null <=> null, 9223372036854775807 == 9223372036854775808, '1e20' == '100000000000000000000']",
         [False, 0, True, True]),
        # Arrays.
        ("['a' => 1] + ['a' => 2, 'b' => 3]", {"a": 1, "b": 3}),
        ("[1, 2] + [5, 6, 7]", [1, 2, 7]),
        ("[0, ...[1, 2], ...['k' => 3, 9 => 4], 5,]", {"0": 0, "1": 1, "2": 2, "k": 3, "3": 4, "4": 5}),
        ("array(...[], ...[1])", [1]),
        ("[[1, ['k' => 'v']][1]['k'], ['a'][0], ['a' => 1]['b'] ?? 2, 5['a'] ?? 3, null['a']['b'] ?? 4]", ["v", "a", 2, 3, 4]),
    ],
)  # fmt: skip
def test_known_values(expression: str, value: object) -> None:
    assert same(read(f"return {expression};"), value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("true || f($x, new_one(a\\B), [...$y], $z['k'], -A::b . 'x')", True),
        ("false && f()['a']['b']", False),
        ("true ?: f() . g() * 2", True),
        ("'a' ?? f()", "a"),
        ("'a' ?? f() ?? g()", "a"),
        ("null ?? 'a' ?? f()", "a"),
        ("true ? 'a' : f(g() ? h() : i() ?? j())", "a"),
        ("false ? (f() && !g()) : 'b'", "b"),
        ("false ? (f() ? 1 : g()) : 'b'", "b"),
        ("false ? (f() ?: 1) : ['k' => true ? 1 : f()]", {"k": 1}),
        ("false ? [f() => (int) g(), [] . (bool) h()] : 'b'", "b"),
    ],
)
def test_what_php_would_not_evaluate_need_not_be_known(expression: str, value: object) -> None:
    assert read(f"return {expression};") == value

    def never(name: str, arguments: list[Any] | None) -> Any:
        raise AssertionError

    assert read(f"return {expression};", unknown=never) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(bool) env('APP_DEBUG', false)", False),
        ("env('X') ?: 'y'", "y"),
        ("env('X') ?? 'b'", "b"),
        ("!env('X')", True),
        ("[...explode(',', env('HOSTS', 'a,b')), 'c']", ["a", "b", "c"]),
        ("env('A') === 'x' ? 1 : 2", 1),
        ("env('é') . 'é' === 'éé' && env('é') == 'é'", True),
        ("env('A' . (1 ? '' : f()), 5 * 2) . '_cache_' . 1", "x_cache_1"),
        ("PHP_VERSION_ID >= 80000", True),
        ("$_ENV['A']", "x"),
        ("$_ENV['X'] ?? 'y'", "y"),
        ("$_ENV['X']['Y'] ?? $_ENV['LIST'][1] ?? $_ENV['LIST'][0] ?? 'y'", "a"),
        ("$_ENV[5]['k'] + $_ENV['5']['k']", 2),
        ("Foo::BAR | 3", 7),
        ("all(...['a', 'b'], ...[1])", ["a", "b", 1]),
        ("[...pairs()]", {"k": 1, "0": 2}),
        ("[5 => 1] + pairs()", {"5": 1, "k": 1}),
    ],
)
def test_operators_on_what_the_caller_knows(expression: str, value: object) -> None:
    assert same(read(f"return {expression};", unknown=known), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a = 'x'; return $a . $a;", "xx"),
        (
            "$a['x']['y'] = 1; $b = $a; $a['x']['y'] = 2; return [$b, $a['x'], $a['x']['y'] + 1];",
            [{"x": {"y": 1}}, {"y": 2}, 3],
        ),
        ("$a['x'] = 1; $b['c'] = $a; $b['c']['x'] = 2;", {"a": {"x": 1}, "b": {"c": {"x": 2}}}),
        ("$a = [1]; $a[] = $a; return $a;", [1, [1]]),
        ("$a = ['k' => (object) ['x' => 'y']]; return $a['k'];", {"x": "y"}),
        ("define('A', 2); const B = A * 3; return A + B + \\B;", 14),
        ("namespace N; const B = 1; \\define('C', 5); return B + namespace\\B + \\N\\B + C;", 8),
    ],
)
def test_what_the_file_assigned_is_known(text: str, value: object) -> None:
    assert same(read(text), value)


@pytest.mark.parametrize(
    ("text", "offset", "path", "reason"),
    [
        ("return (bool) env('APP_DEBUG', false);", 20, "$", "a call of env() is not data"),
        ("return ['a' => 1 + $x];", 25, "$.a", "the variable $x is not data"),
        ("return env('A') === 'x' ? 1 : 2;", 13, "$", "a call of env() is not data"),
        ("return true ? f() : 1;", 20, "$", "a call of f() is not data"),
        ("return null ?? f();", 21, "$", "a call of f() is not data"),
        ("return 1 / 0;", 15, "$", "a division by zero"),
        ("return 1 % 0.5;", 15, "$", "a division by zero"),
        ("return 1 << -1;", 15, "$", "a shift by a negative number"),
        ("return 1 + [];", 15, "$", "the operator + beside what is no number"),
        ("return 1 + '5 apples';", 15, "$", "the operator + beside text that is no number"),
        ("return -'x';", 13, "$", "the operator - beside text that is no number"),
        ("return ~'x';", 13, "$", "the operator ~ before what is no number"),
        ("return 'a' | 'b';", 17, "$", "the operator | on the bytes of texts"),
        ("return [1] == [1];", 17, "$", "the operator == beside an array or an object"),
        ("return [1] === [1];", 17, "$", "the operator === between arrays or objects"),
        ("return 1.5 == 'a';", 17, "$", "a float as text"),
        ("return (string) 1.5;", 13, "$", "a float as text"),
        ("return (string) [];", 13, "$", "the operator . beside what is no text"),
        ("return (int) (object) [];", 13, "$", "the cast (int) of an object"),
        ("return (object) [] + [];", 25, "$", "the operator + beside an object"),
        ("return 1 * (object) [];", 15, "$", "the operator * beside an object"),
        ("return (unset) 1;", 13, "$", "the cast (unset)"),
        ("return 1 < 2 < 3;", 19, "$", "the operator <"),
        ("return 1 ? 2 : 3 ? 4 : 5;", 23, "$", "the operator ?"),
        ("return 1 and 2;", 15, "$", "the operator and"),
        ("return 1 instanceof A;", 15, "$", "the operator instanceof"),
        ("return @$x;", 13, "$", "the operator @"),
        ("return [...5];", 17, "$[0]", "the operator ... before what is no array"),
        ("return [1 => ...[1]];", 19, '$["1"]', "the operator ..."),
        ("return \\stdClass::__set_state([...[1]]);", 37, "$[0]", "the operator ..."),
        ("return 'abc'[0];", 18, "$", "an element of what is no array"),
        ("return ['a' => 1]['b'];", 28, "$", "the element b, which is not there,"),
        ("return ['a' => 1]['b'] . 'c' ?? 1;", 29, "$", "the element b, which is not there,"),
        ("return -['a' => 1]['b'] ?? 1;", 30, "$", "the element b, which is not there,"),
        ("$a = []; return $a[0]['b'];", 32, "$", "the element 0, which is not there,"),
        ("return ['a'][];", 19, "$", "expected a value"),
        ("return 1 ? 2;", 18, "$", "expected ',' or ':'"),
        ("return $this->a;", 13, "$", "the variable $this"),
        ("use const a\\X; define('X', 1); return X;", 44, "$", "the constant X"),
        ("return 1e308 * 10;", 13, "$", "not a finite number"),
        ("return [fn() => 1];", 14, "$[0]", "the keyword fn"),
        ("return true ? 1 : new Foo(1);", 24, "$", "a new object of the class Foo"),
        ("return require 'x.php';", 13, "$", "the keyword require"),
    ],
)  # fmt: skip
def test_refuses_by_name(text: str, offset: int, path: str, reason: str) -> None:
    error = refused(text)
    assert (error.offset, error.path) == (offset, path), error
    assert reason in error.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("return f(default: 1);", "the named argument default is not data"),
        ("return all(...pairs());", "a named argument in an array is not data"),
        ("return 1 + object();", "the operator + beside an object"),
        ("return (array) object();", "the cast (array) of an object"),
        ("return $_ENV->a;", "the operator ->"),
        ("return bytes()['a'];", "an element of what is no array"),
    ],
)
def test_refuses_what_is_made_of_answers(text: str, reason: str) -> None:
    assert reason in refused(text, unknown=known, values="php").reason


def test_in_the_domain_of_php() -> None:
    assert same(read("return [NAN ** 1, 0 ** -1, (-8) ** 0.5 <=> 0];", values="php"), [float("nan"), float("inf"), 1])
    text = "return [1e308 * 10, (-1e200) ** 3, 1e200 ** 2, (-0.0) ** -3, (-0.0) ** -2];"
    inf = float("inf")
    assert same(read(text, values="php"), [inf, -inf, inf, -inf, inf])
    assert read('return "\\xff" . "é" === "\\xffé";', values="php")
    assert read('return ["\\xff" => 1]["\\xff"] + [7 => 2][7];', values="php") == 3
    assert read("return bytes() . 'é';", unknown=known, values="php") == b"\xff\xc3\xa9"
    assert read("return 1 ? A::B : 2;", values="php") == PhpEnum("A", "B")
    assert read("return (object) new stdClass;", values="php") == PhpObject("stdClass")
    assert read("$a = (object) ['k' => [1]]; return [$a];", values="php") == [PhpObject("stdClass", {"k": [1]})]
    for text in (
        "A::B | 1",
        "1 | A::B",
        "A::B ? 1 : 2",
        "A::B . 'x'",
        "'x' . A::B",
        "'x' . 'y' . A::B",
        "(object) A::B",
        "[...A::B]",
    ):
        error = refused(f"return {text};", values="php")
        assert error.reason.startswith("the constant or enum case A::B is not data")
        assert error.hint == Hint("unknown")
    assert "the element \ufffd, which" in refused('return [1]["\\xff"];', values="php").reason


def test_what_operators_make_is_bounded() -> None:
    doubled = "$a = 'xxxxxxxxxxxxxxxx';" + "$a = $a . $a;" * 40 + "return 1;"
    assert refused(doubled).kind == "limit"
    assert "more than 1000 bytes" in refused(doubled, limits=Limits(max_bytes=1000)).reason
    nested = "$a = [1];" + "$a = [$a, $a];" * 40 + "return 1;"
    assert refused(nested, limits=Limits(max_items=10_000)).kind == "limit"
    deep = "$a = [1];" + "$a = [$a];" * 10 + "return 1;"
    assert refused(deep, limits=Limits(max_depth=9)).kind == "limit"
    assert refused("return [1, 2] + [3, 4];", limits=Limits(max_items=6)).kind == "limit"
    assert refused("return [...[1, 2]];", limits=Limits(max_items=3)).kind == "limit"
    assert read("return " + "!" * 20_000 + "1;") is True
    assert read("return " + "1 ** " * 20_000 + "1;") == 1
