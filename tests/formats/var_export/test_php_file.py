"""PHP files of data: what is read, what is refused by its name, what PHP makes of the same files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpEnum, PhpObject, same
from envelope.formats.var_export.php_file.names import CONSTANTS
from envelope.hints import Hint
from envelope.testing.php import Php
from envelope.testing.strategies import values
from tests import php as php_process
from tests.formats.var_export import php_files_run, styles_run

pytestmark = pytest.mark.usefixtures("impl")


def read(text: str | bytes, **options: Any) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return envelope.loads(data, "var_export", dialect="file", **options)


def refused(text: str | bytes, **options: Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        read(text, **options)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<?php return ['a' => [1, 'b'], 'c',];", {"a": [1, "b"], "0": "c"}),
        ("<?php\nreturn array(1, array());\n?>\n", [1, []]),
        ("\ufeff<?php return 1 ?>\n\n", 1),
        ("<?php return 1 ?>\n<?php", 1),
        ("return ['a'];", ["a"]),
        ("['a', 'b' => [1, true, NULL]]", {"0": "a", "b": [1, True, None]}),
        ("array(1)\n", [1]),
        ("<?php $CONFIG = array (\n  'a' => 1,\n);", {"a": 1}),
        ("<?php $a['x']['y'] = 1; $a['x'][] = 2; $b = FALSE;", {"a": {"x": {"y": 1, "0": 2}}, "b": False}),
        ("<?php $a['x'] = 1;", {"a": {"x": 1}}),
        ("<?php $a = [1]; $a[] = 2; $a[1] = 3;", {"a": [1, 3]}),
        ("<?php $a = ['x' => null]; $a['x']['y'] = [1]; $a['x']['y'][] = 2;", {"a": {"x": {"y": [1, 2]}}}),
        ("<?php $a = []; $a[-3] = 1; $a[] = 2;", {"a": {"-3": 1, "0": 2}}),
        ("<?php $a = ['k' => 1, 2 => 3]; $a[] = 4;", {"a": {"k": 1, "2": 3, "3": 4}}),
        ("<?php define('A', 1); const B = 'x', C = [2];", {"A": 1, "B": "x", "C": [2]}),
        ("<?php namespace N; const B = 1; \\define('C', B\\D::class,);", {"N\\B": 1, "C": "N\\B\\D"}),
        ("<?php $x = 1; return [2];", [2]),
        ("<?php 5; 'x'; return 1;", 1),
        ("<?php use function A\\f; use const A\\{B, C as D,}; use A\\{function g, B\\C as E}; return E\\F::class;", "A\\B\\C\\F"),
        ("<?php return (object) [1, 'a' => (object) []];", {"0": 1, "a": {}}),
        ("<?php return (object) (object) ['a' => 1];", {"a": 1}),
        ("<?php return stdClass::__set_state(array('a' => 1,));", {"a": 1}),
        ("<?php return \\stdClass::__set_state([1, 'a' => 2],);", {"0": 1, "a": 2}),
        ("<?php return [new stdClass, new \\stdClass()];", [{}, {}]),
        ("<?php return 'a' . true . false . null . 5 . \"\\n\" . PHP_EOL;", "a15\n\n"),
        ("<?php return \"\\xc3\" . \"\\xa9\";", "é"),
        ("<?php return [-9223372036854775807-1, -9223372036854775807 - 1, -PHP_INT_MIN];", [-(2**63), -(2**63), 2.0**63]),
        ("<?php return [" + "(" * 100 + "1" + ")" * 100 + "];", [1]),
        ("<?php # a ?><?php // b\n /* c */ return 1;", 1),
    ],
)  # fmt: skip
def test_reads(text: str, value: object) -> None:
    assert same(read(text), value)


def test_reads_the_domain_of_php() -> None:
    text = '<?php return [\\A\\B::__set_state([\'c\' => 1, 2]), E::Case, new stdClass, "\\xff", "\\xff" => NAN];'
    first, second, third, fourth = list(read(text, values="php").values())[:4]
    assert first["c"] == 1
    assert (first.class_name, list(first)) == ("A\\B", ["c", 1])
    assert (second, third, fourth) == (PhpEnum("E", "Case"), PhpObject("stdClass"), b"\xff")
    assert same(
        read("<?php return (object) ['a' => 1, 5 => 2];", values="php"), PhpObject("stdClass", {"a": 1, "5": 2})
    )
    assert same(read("<?php $a['5'] = [1, 'x' => 2];", values="php"), {"a": {5: {0: 1, "x": 2}}})


@pytest.mark.parametrize(
    ("text", "kind", "offset", "path", "reason"),
    [
        ("<?php return env('X', 'y');", "forbidden", 13, "$", "a call of env() is not data, line 1"),
        ("<?php\nreturn [\n  'a' => [1, $x],\n];", "forbidden", 28, "$.a[1]", "the variable $x is not data, line 3"),
        ("<?php return APP_ENV;", "forbidden", 13, "$", "the constant APP_ENV is not data"),
        ("<?php return __DIR__ . '/x';", "forbidden", 13, "$", "the constant __DIR__ is not data"),
        ("<?php return A\\B::c(1);", "forbidden", 13, "$", "a call of A\\B::c() is not data"),
        ("<?php return A::__set_state(1);", "forbidden", 13, "$", "a call of A::__set_state() is not data"),
        ("<?php return PDO::ATTR;", "forbidden", 13, "$", "the constant or enum case PDO::ATTR is not data"),
        ("<?php return \\A::__set_state(array());", "forbidden", 13, "$", "an object of the class A"),
        ("<?php return --1;", "forbidden", 13, "$", "the operator --"),
        ("<?php return [] . 'a';", "forbidden", 16, "$", "the operator . beside"),
        ("<?php return 1.5 . 'a';", "forbidden", 17, "$", "a float as text"),
        ("<?php return 'a' .5;", "forbidden", 17, "$", "the operator ."),
        ("<?php return new Foo(1);", "forbidden", 13, "$", "a new object of the class Foo"),
        ("<?php return new class {};", "forbidden", 13, "$", "a new object of the class class"),
        ("<?php return new 5;", "forbidden", 13, "$", "the keyword new"),
        ("<?php return static::x;", "forbidden", 13, "$", "the keyword static"),
        ("<?php return A::$b;", "forbidden", 13, "$", "the variable A::$b"),
        ("<?php return A::{'b'};", "malformed", 16, "$", "expected a name"),
        ("<?php return fn() => 1;", "forbidden", 13, "$", "the keyword fn"),
        ("<?php return $$x;", "forbidden", 13, "$", "a variable"),
        ("<?php return `id`;", "malformed", 13, "$", "expected a value"),
        ("<?php return \"a $b\";", "forbidden", 16, "$", "the variable $b in a string"),
        ("<?php return \"a {$b}\";", "forbidden", 16, "$", "the variable $b in a string"),
        ("<?php return \"${b}\";", "forbidden", 14, "$", "a variable in a string"),
        ("<?php return \"$ab", "forbidden", 14, "$", "the variable $ab in a string"),
        ("<?php return \"a", "malformed", 15, "$", "the input ends"),
        ("<?php return 'a", "malformed", 15, "$", "the input ends"),
        ("<?php return \"\\u{110000}\";", "malformed", 13, "$", "a \\u{…} that is no code point"),
        ("<?php return \"\\u{x}\";", "malformed", 13, "$", "a \\u{…} that is no code point"),
        ("<?php return <<<A\n$b\nA;", "forbidden", 18, "$", "the variable $b in a string"),
        ("<?php return <<<A\nb\n", "malformed", 20, "$", "the input ends"),
        ("<?php return <<<A\n  a\n b\n  A;", "malformed", 23, "$", "a heredoc's line"),
        ("<?php return <<<'A'\n \ta\n \tA;", "malformed", 22, "$", "a heredoc's line"),
        ("<?php return 1__0;", "malformed", 13, "$", "an underscore"),
        ("<?php return 0x1_;", "malformed", 13, "$", "an underscore"),
        ("<?php return 08;", "malformed", 13, "$", "an octal number"),
        ("<?php return INF;", "forbidden", 13, "$", "not a finite number"),
        (b"<?php return '\xff';", "forbidden", 13, "$", "a string that is not UTF-8"),
        (b"<?php return \xff;", "forbidden", 13, "$", "a name that is not UTF-8"),
        (b"<?php return $\xff;", "forbidden", 13, "$", "a variable is not data"),
        (b"<?php return A::$\xff;", "forbidden", 13, "$", "the variable A::"),
        ("<?php return [[] => 1];", "malformed", 14, "$[0]", "a key that is neither"),
        ("<?php return [9223372036854775807 => 1, 2];", "malformed", 40, "$", "no index is left"),
        ("<?php return [1 2];", "malformed", 16, "$[0]", "expected ',' or ']'"),
        ("<?php return (1, 2);", "malformed", 15, "$", "expected ',' or ')'"),
        ("<?php return [,];", "malformed", 14, "$[0]", "expected a value"),
        ("<?php return [1 => ];", "malformed", 19, '$["1"]', "expected a value"),
        ("<?php return 1; echo 2;", "malformed", 16, "$", "code after return"),
        ("<?php return 1 ?> x", "malformed", 18, "$", "text outside <?php"),
        ("<?php return 1", "malformed", 14, "$", "the input ends; expected ';'"),
        ("<?php if (1) {}", "forbidden", 6, "$", "the keyword if"),
        ("<?php exit;?>a:0:{}", "forbidden", 6, "$", "the keyword exit"),
        ("<?php 5;", "malformed", 8, "$", "the input ends; expected return"),
        ("<?php", "malformed", 5, "$", "the input ends; expected return"),
        ("1; 2", "malformed", 4, "$", "the input ends; a second value"),
        ("<?php $a .= 1;", "forbidden", 9, "$.a", "the operator .="),
        ("<?php $a == 1;", "forbidden", 9, "$.a", "the operator =="),
        ("<?php $a->b = 1;", "forbidden", 8, "$.a", "the operator ->"),
        ("<?php $a = 5; $a['x'] = 1;", "malformed", 14, "$.a.x", "an element of what is no array"),
        ("<?php $a = (object) []; $a[] = 1;", "malformed", 24, "$.a[0]", "an element of what is no array"),
        ("<?php $a[9223372036854775807] = 1; $a[] = 1;", "malformed", 35, "$.a[0]", "no index is left"),
        ("<?php define('A', 1); define('A', 2);", "malformed", 22, "$.A", "a constant that is there already: A"),
        ("<?php define(5, 1);", "malformed", 13, "$", "a constant's name"),
        ("<?php define('A', 1, true);", "malformed", 21, "$", "expected ')'"),
        ("<?php use function a\\define; define('A', 1);", "forbidden", 29, "$", "a call of define()"),
        ("<?php use const a\\M_PI; return M_PI;", "forbidden", 31, "$", "the constant M_PI"),
        ("<?php $A = 1; define('A', 2);", "malformed", 29, "$", "the input ends; a variable and a constant of one name: A"),
        ("<?php const = 1;", "malformed", 12, "$", "expected a name"),
        ("<?php declare(ticks=1);", "malformed", 14, "$", "expected strict_types"),
        ("<?php namespace;", "malformed", 15, "$", "expected a name"),
        ("<?php use ;", "malformed", 10, "$", "expected a name"),
        ("<?php use A as ;", "malformed", 15, "$", "expected a name"),
        ("<?php return 1 /* a", "malformed", 19, "$", "the input ends; expected the comment to end"),
        ("<?php #[A]\nreturn 1;", "malformed", 6, "$", "expected a value"),
        ("<?php return " + "[" * 201, "limit", 213, "$" + "[0]" * 8 + "…" + "[0]" * 8, "nested deeper than 200"),
    ],
)  # fmt: skip
def test_refuses_by_name(text: str | bytes, kind: str, offset: int, path: str, reason: str) -> None:
    error = refused(text)
    assert (error.kind, error.offset, error.path) == (kind, offset, path)
    assert reason in error.reason
    assert ", line " in error.reason


def test_limits() -> None:
    assert refused("[[1]]", limits=Limits(max_depth=1)).kind == "limit"
    assert refused("[1, 2]", limits=Limits(max_items=1)).kind == "limit"
    assert refused("<?php $a[1][2] = 3;", limits=Limits(max_depth=2)).kind == "limit"
    assert refused("[1]", limits=Limits(max_bytes=2)).kind == "limit"


def known(name: str, arguments: list[Any] | None) -> Any:
    if name == "env" and arguments:
        return arguments[1] if len(arguments) > 1 else None
    return {"__DIR__": "/srv", "$base": {"a": [1]}, "Foo::BAR": 5, "now": 1}[name]


def test_the_caller_may_know_what_is_unknown() -> None:
    text = "<?php ini(env('A', 1)); return [__DIR__ . '/x', env('K', env('L', ['d',]),), env('M'), $base, Foo::BAR, now()];"
    answers: list[Any] = ["/srv/x", ["d"], None, {"a": [1]}, 5, 1]
    assert read(text.replace("ini(env('A', 1)); ", ""), unknown=known) == answers
    assert read("<?php ini(1); return 1;", unknown=lambda name, arguments: None) == 1
    assert refused(text, unknown=known).reason == "a call of ini(): unknown raised KeyError, line 1"
    assert refused("<?php return f();", unknown=lambda *_: object()).reason.startswith(
        "a call of f(): unknown returned"
    )
    assert refused("<?php return f(a: 1);", unknown=known).reason == "the named argument a is not data, line 1"
    assert read("<?php return f(A::b);", unknown=lambda name, arguments: [name, arguments]) == ["f", [["A::b", None]]]
    assert envelope.convert(b"[env('A', 'b')]", "var_export", "json", source_dialect="short", unknown=known) == b'["b"]'
    with pytest.raises(TypeError, match="unknown= is for"):
        envelope.loads(b"1", "json", unknown=known)


def test_what_is_refused_says_what_to_do() -> None:
    assert refused("<?php return env('X');").hint == Hint("unknown")
    assert refused("<?php return 1 xor 1;").hint == Hint("not-run")
    assert refused("<?php return A::B;").hint == Hint("values-php-inert")
    assert refused('<?php return "$a";').hint == Hint("escape-dollar")
    for text in (b"<?php return 1;", b"[1]", b"array(1)", b"$a = 1;"):
        with pytest.raises(DecodeError) as caught:
            envelope.loads(text, "var_export")
        assert caught.value.hint == Hint("file-dialect")


@given(values())
def test_both_dialects_write_what_they_read(value: Any) -> None:
    for dialect in ("file", "short"):
        body = envelope.dumps(value, "var_export", dialect=dialect, maps="object")
        assert same(read(body), value)
        assert len(body) >= 1
        with pytest.raises(EncodeError):
            envelope.dumps(value, "var_export", dialect=dialect, maps="object", limits=Limits(max_bytes=len(body) - 1))


def test_the_file_is_var_export_returned() -> None:
    value = {"a": [1, None]}
    body = envelope.dumps(value, "var_export", dialect="file")
    assert body == b"<?php\n\nreturn " + envelope.dumps(value, "var_export") + b";\n"


def test_the_short_style() -> None:
    value = {
        "list": [1, -(2**63), "it's", 1.0], "5": None, "map": {"a": True, "none": []},
        "o": PhpObject("A\\B", {"x": [PhpEnum("E", "C")]}), "s": PhpObject("stdClass", {"5": 1}), "e": PhpObject("F"),
    }  # fmt: skip
    body = envelope.dumps(value, "var_export", dialect="short", values="php")
    assert (
        body.decode()
        == r"""[
    'list' => [
        1,
        PHP_INT_MIN,
        'it\'s',
        1.0,
    ],
    5 => null,
    'map' => [
        'a' => true,
        'none' => [],
    ],
    'o' => \A\B::__set_state([
        'x' => [
            \E::C,
        ],
    ]),
    's' => (object) [
        '5' => 1,
    ],
    'e' => \F::__set_state([]),
]"""
    )
    assert envelope.dumps({"a": {}}, "var_export", dialect="short", maps="object") == b"[\n    'a' => (object) [],\n]"
    with pytest.raises(EncodeError):
        envelope.dumps(PhpObject("A", payload=b""), "var_export", dialect="short", values="php")


@given(
    st.lists(
        st.sampled_from(
            [
                "<?php",
                "return",
                "[",
                "]",
                "(",
                ")",
                "=>",
                ",",
                ";",
                "'",
                '"',
                "\\",
                "$a",
                "=",
                "1",
                ".",
                "-",
                "0x",
                "/*",
                "*/",
                "//",
                "\n",
                "<<<A",
                "A::",
                "define",
                "const",
                "use",
                "{",
            ]
        )
    )
)
def test_no_text_makes_another_error(words: list[str]) -> None:
    for text in (" ".join(words), "<?php " + "".join(words)):
        try:
            read(text, unknown=lambda *_: 1)
        except DecodeError as error:
            assert 0 <= error.offset <= len(text.encode())


def test_nothing_is_ever_run(tmp_path: Path) -> None:
    """Reading compiles, imports, opens and starts nothing, whatever the file calls."""
    read('<?php return ["\\x41", <<<A\nb\nA, (int) "5" ** 2 . "x" ?: 1 <=> [2][0] ?? f()];')
    refused("<?php system('x');")
    events: list[str] = []
    is_on = True
    sys.addaudithook(lambda event, _: events.append(event) if is_on else None)
    try:
        for call in ("system('touch x')", "`touch x`", "eval('1')", "include 'x'", "new Foo", "$f()", "(fn() => 1)()"):
            refused(f"<?php return ['a' => {call}];")
            refused(f"<?php return (bool) 1 ? 2 . {call} : 3;")
            refused(f"<?php {call};")
    finally:
        is_on = False
    assert not [
        event
        for event in events
        if event.split(".")[0] in ("compile", "exec", "import", "open", "os", "subprocess", "socket")
    ]


@pytest.mark.php
def test_random_files_are_what_php_includes() -> None:
    with php_process.start() as php:  # of its own: their constants stay
        assert not php_files_run.compare(php, seed=1, count=500)


@pytest.mark.php
def test_the_styles_of_frameworks_are_what_php_includes() -> None:
    assert len(styles_run.FILES) >= 100
    with php_process.start() as php:
        assert not styles_run.compare(php)


@pytest.mark.php
def test_the_constants_are_phps(php: Php) -> None:
    names = list(CONSTANTS)
    answer = php.ask_one("eval", f"[{', '.join(names)}]".encode())
    assert answer == envelope.dumps(list(CONSTANTS.values()), "serialize", values="php")


@pytest.mark.php
@given(values())
def test_php_includes_what_we_write(php: Php, value: Any) -> None:
    for dialect in ("file", "short"):
        body = envelope.dumps(value, "var_export", dialect=dialect, maps="object")
        source = body if dialect == "file" else b"<?php return %b;" % body
        assert php.ask_one("include", source) == envelope.dumps(value, "serialize", maps="object")
