"""The compiled readers beside the Python ones: for any bytes the same value, or the same error."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, Limits, PhpEnum, PhpObject, PhpProperty
from envelope.formats.json import read as json_read
from envelope.formats.serialize import read as serialize_read
from envelope.formats.serialize import write as serialize_write
from envelope.formats.var_export import read as var_export_read
from envelope.formats.var_export import write as var_export_write
from envelope.limits import DEFAULT_LIMITS
from envelope.testing.strategies import php_values, values
from tests.effort import THOROUGH
from tests.fixtures.test_fixtures import FIXTURES, read_folders
from tests.native import by_words, extension, quick_refusals, resident
from tests.test_laws import fragments, noise

Loads = Callable[..., Any]


FORMATS: dict[str, tuple[Loads, Loads]] = {
    "serialize": (by_words(serialize_read.loads), by_words(extension("serialize._read").loads)),
    "var_export": (by_words(var_export_read.loads), by_words(extension("var_export._read").loads)),
    "jsonu": (
        by_words(partial(json_read.loads, format="jsonu")),
        by_words(partial(extension("json._read").loads, format="jsonu")),
    ),
}
TWINS = {"serialize": serialize_read, "var_export": var_export_read, "jsonu": json_read}
DOMAINS = ("portable", "php")


@pytest.fixture(scope="module", params=FORMATS)
def format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answer(loads: Loads, data: object, values: str, limits: Limits) -> tuple[str, Any]:
    """What *loads* makes of *data*: a value, or everything about the exception."""
    try:
        return "value", loads(data, values, "typed", limits)
    except DecodeError as error:
        return "error", (error.kind, error.format, error.offset, error.path, error.reason, error.hint)
    except TypeError as error:
        return "misuse", str(error)


def check(format: str, data: object, limits: Limits = DEFAULT_LIMITS) -> None:
    """Both readers agree, in both domains."""
    pure, native = FORMATS[format]
    for domain in DOMAINS:
        kind, expected = answer(pure, data, domain, limits)
        found_kind, found = answer(native, data, domain, limits)
        assert found_kind == kind
        assert envelope.same(found, expected) if kind == "value" else found == expected


def body_of(value: Any, format: str, maps: Any = "array", domain: Any = "portable") -> bytes:
    return envelope.dumps(value, format, maps=maps, values=domain)


# ---- values


@given(value=values(), maps=st.sampled_from(["array", "object"]))
def test_portable_values(format: str, value: Any, maps: str) -> None:
    body = body_of(value, format, maps)
    check(format, body)
    check(format, bytearray(body))
    check(format, memoryview(b"x" + body)[1:])


def never(*arguments: Any, **options: Any) -> Any:
    raise AssertionError("the Python reader was asked")


@given(value=values(), maps=st.sampled_from(["array", "object"]))
def test_plain_documents_do_not_need_the_python_reader(format: str, value: Any, maps: str) -> None:
    body = body_of(value, format, maps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TWINS[format], "loads", never)
        FORMATS[format][1](body)


@given(value=php_values(), var_export=php_values(var_export=True))
def test_values_of_phps_domain(value: Any, var_export: Any) -> None:
    """As PHP writes them, they do not need the Python readers either."""
    for name, twin, tree in (("serialize", serialize_read, value), ("var_export", var_export_read, var_export)):
        body = body_of(tree, name, domain="php")
        check(name, body)
        if name == "var_export" and b"\0" in body:
            continue  # the name of a property, the only place of a NUL, is left to Python
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(twin, "loads", never)
            FORMATS[name][1](body, "php")


OBJECTS = r"""
    O:1:"A":0:{} O:8:"STDclass":1:{i:5;N;} O:3:"A\\B":2:{i:0;i:1;s:1:"0";i:2;} O:2:"\\A":0:{} O:2:"A\\":0:{} O:0:"":0:{}
    O:4:"A\\\\B":0:{} O:1:"A":2:{s:1:"a";i:1;s:1:"a";i:2;} a:2:{i:0;O:1:"A":0:{}i:1;r:2;} a:2:{i:0;O:1:"A":0:{}i:1;r:3;}
    a:2:{i:0;O:1:"A":0:{}i:1;r:1;} a:2:{i:0;O:1:"A":0:{}i:1;r:0;} a:2:{i:0;O:1:"A":0:{}i:1;r:-1;} O:1:"A":1:{s:1:"x";r:1;}
    a:3:{i:0;i:7;i:0;O:1:"A":0:{}i:1;r:2;} a:3:{s:1:"x";O:1:"A":0:{}s:1:"x";i:7;i:1;r:2;} r:1; E:3:"A:B"; E:4:"A:B\\";
    a:3:{s:1:"x";O:1:"A":0:{}s:1:"x";O:1:"B":0:{}i:1;r:2;} a:2:{i:0;E:3:"A:B";i:1;r:2;} a:2:{i:0;E:3:"A:B";i:1;E:3:"A:B";}
    E:2:":B"; E:2:"A:"; E:1:"A"; E:5:"A:B:C"; E:9:"A\\B:C\\DEF"; a:2:{i:0;O:1:"A":0:{}i:1;R:2;} C:1:"A":1:{x}
    a:3:{i:0;O:1:"A":0:{}i:1;C:1:"A":1:{x}i:2;r:2;} a:3:{i:0;O:1:"A":0:{}i:1;r:2;i:2;r:3;} O:1:"A":1:{N;N;} O:1:"A":1:{i:0;}
    O:1:"A":1:{s:4:"\0*\0b";N;} O:1:"A":1:{s:3:"\0*\0";N;} O:1:"A":1:{s:4:"\0A\0b";N;} O:1:"A":1:{s:1:"\0";N;}
    O:1:"A":1:{s:4:"\0*\0\xff";N;} O:1:"A":1:{s:5:"\0A-\0b";N;} O:1:"A":1:{s:2:"\xff\0";N;} O:2:"\xff\xff":0:{}
    O:1:"A":2:{s:4:"\0A\0b";i:1;s:4:"\0B\0b";i:2;} O:1:"A":1:{S:1:"\61";N;} d:NAN; d:-NAN; d:INF; d:-INF; d:INF d:+INF;
    \\A::B \\A::B\\C \\\xc3::B \\A::\xc3 E:3:"\xc3:B"; A::B \\A\\::B \\\\A::B \\A:B \\A::\xff \\stdClass::B NAN INF -INF -NAN NANA \\A::__set_state
    \\A::__set_state(array(\n)) \\A::__set_state(array(\n) \\A::__set_state(array(\n))) \\stdClass::__set_state(array(\n))
    \\STDCLASS::__set_state(array(\n)) (object)~array(\n) (object)~array(\n)) \\A::__set_state(array()) A::__set_state(array(\n))
    \\A::__set_state(array(\n~~~'a'~=>~1,\n~~~'a'~=>~2,\n)) \\A::__set_state(array(\n~~~5~=>~NAN,\n~~~'5'~=>~\\A::B,\n))
    \\A::__set_state(array(\n~~~'a'~=>~\n~~\\A::B,\n~~~'b'~=>~\n~~\\B::__set_state(array(\n~~)),\n))
    (object)~array(\n~~~5~=>~1,\n~~~'b'~=>~\n~~(object)~array(\n~~),\n) \\A::__set_state(array(\n~~~'\0*\0a'~=>~1,\n))
    array~(\n~~0~=>~\n~~\\A::B,\n~~1~=>~\\A::B,\n)
"""


@pytest.mark.parametrize("spelling", OBJECTS.split())
def test_spellings_of_objects(spelling: str) -> None:
    body = spelling.replace("~", " ").encode().decode("unicode_escape").encode("latin-1")
    for format in ("serialize", "var_export"):
        check(format, body)
        if format == "serialize":
            check(format, b"a:1:{i:0;" + body + b"}")
            for max_depth, max_items in ((0, 9), (1, 9), (9, 0), (9, 1)):
                check(format, body, Limits(max_depth=max_depth, max_items=max_items))


@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1))
def test_numbers(format: str, number: float) -> None:
    check(format, body_of([number], format))


@given(text=st.text(max_size=40) | st.text("aé中😀\u07ff\u0800\uffff'\\\0\"", max_size=40), times=st.integers(0, 200))
def test_texts(format: str, text: str, times: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    check(format, body_of([text * times, {text: text}], format))


@given(raw=st.binary(max_size=12), times=st.sampled_from([1, 2, 500]))
def test_bytes_that_are_almost_text(raw: bytes, times: int) -> None:
    raw = raw * times
    check("serialize", b's:%d:"%b";' % (len(raw), raw))
    check("serialize", b'a:1:{s:%d:"%b";i:1;}' % (len(raw), raw))
    check("var_export", b"'%b'" % raw)


SPELLINGS = """
    0 -0 +0 00 07 -07 +5 5. .5 -.5 . - + -- 1e5 1E5 1e+5 1.5E+22 1.5e22 1.E+5 1e 1.5E+ inf INF -inf -INF nan NAN NaN
    1e400 -1e400 1e-400 5E-324 2.0E-324 0x10 1_0 9223372036854775807 9223372036854775808 -9223372036854775808
    -9223372036854775809 99999999999999999999 1.0E+00000000000000000005 1.0e+00000000000000000005 123456789012345678
    1234567890123456789 -123456789012345678 -9223372036854775807-1 -9223372036854775807-2 -1-1 1-1 1.5.5
    9007199254740993 9007199254740993.0 9007199254740992.5 0.00000000000000000000000000012345678901234567
    0.1234567890123456789 1.23456789012345678901 0.000000000000000000000000001 18446744073709551615.5
    0.0000000000000000000000 0.00000000000000000000000 -0.00000000000000000000000 0.000000000000000000000000000
"""


@pytest.mark.parametrize("spelling", SPELLINGS.split())
def test_spellings_of_numbers(format: str, spelling: str) -> None:
    number = spelling.encode()
    for pattern in {
        "serialize": [b"i:%b;", b"d:%b;", b"a:1:{i:%b;N;}", b'O:8:"stdClass":1:{i:%b;N;}', b"a:2:{i:0;N;i:%b;N;}"],
        "var_export": [
            b"%b",
            b"array (\n  %b => %b,\n)",
            b"array (\n  0 => %b,\n  %b => 1,\n)",
            b"array (\n  '%b' => 1,\n)",
        ],
        "jsonu": [b"%b", b"[%b]", b'{"a":%b}'],
    }[format]:
        check(format, pattern.replace(b"%b", number))


@given(keys=st.lists(st.sampled_from([0, 1, 2, 3, -1, "0", "1", "01", "-0", "a", "", "2", "\0a", "é"]), max_size=6))
def test_keys_in_any_order(keys: list[Any]) -> None:
    for head in (b"a:%d:{", b'O:8:"stdClass":%d:{'):
        members = b"".join(serialize_write.dumps(key) + b"i:%d;" % index for index, key in enumerate(keys))
        check("serialize", head % len(keys) + members + b"}")
    for head, indent in ((b"array (\n", b"  "), (b"(object) array(\n", b"   ")):
        members = b"".join(
            indent + var_export_write.dumps(key) + b" => %d,\n" % index for index, key in enumerate(keys)
        )
        check("var_export", head + members + b")")


RUN_MEMBERS = {
    "number": lambda index: b"%d => %d,\n" % (index, -index),
    "float": lambda index: b"%d => 0.25,\n" % index,
    "string": lambda index: b"%d => 'a',\n" % index,
    "array": lambda index: b"%d => \n~array (\n~),\n" % index,
    "no number": lambda index: b"%d => 01,\n" % index,
    "least integer": lambda index: b"%d => -9223372036854775807-1,\n" % index,
    "another index": lambda index: b"%d => 1,\n" % (index + 1),
    "the index before": lambda index: b"%d => 1,\n" % (index - 1),
    "a name": lambda index: b"'%d' => 1,\n" % index,
    "a wider indent": lambda index: b" %d => 1,\n" % index,
    "no indent": lambda index: b"\n%d => 1,\n" % index,
    "no line": lambda index: b"%d => 1," % index,
}


@pytest.mark.parametrize("depth", [1, 2, 4, 31, 32, 33, 34])
@pytest.mark.parametrize("last", RUN_MEMBERS)
def test_runs_of_numbers(last: str, depth: int) -> None:
    """In lists whose indexes have one, two and three digits, up to a member that may be something else.

    Three digits only at the depths where something ends, unless asked to be thorough.
    """
    counts = (1, 2, 9, 10, 11, 99, 100, 101) if THOROUGH or depth in (1, 32, 33) else (1, 2, 9, 10, 11)
    outer = "".join(f"array (\n{'  ' * step}0 => \n{'  ' * step}" for step in range(1, depth)).encode()
    tails = "".join(f",\n{'  ' * step})" for step in range(depth - 2, -1, -1)).encode()
    indent, close = b"  " * depth, b"  " * (depth - 1) + b")"
    for count in counts:
        members = [RUN_MEMBERS["number"](index) for index in range(count)]
        members += [RUN_MEMBERS[last](count), RUN_MEMBERS["float"](count + 1)]
        lines = b"".join(indent + member.replace(b"~", indent) for member in members)
        body = outer + b"array (\n" + lines + close + tails
        check("var_export", body)
        for max_items in range(depth + count - 2, depth + count + 3):
            check("var_export", body, Limits(max_items=max_items))


# ---- bytes


@given(data=noise)
def test_noise(format: str, data: bytes) -> None:
    check(format, data)


@given(value=values(max_leaves=8) | php_values(max_leaves=8), data=st.data())
def test_broken_bodies(format: str, value: Any, data: st.DataObject) -> None:
    try:
        body = bytearray(body_of(value, format, "object", "php"))
    except envelope.EncodeError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(fragments | st.binary(max_size=2))
    check(format, bytes(body))


@given(value=values(max_leaves=10), limits=st.tuples(st.integers(0, 80), st.integers(0, 3), st.integers(0, 8)))
def test_small_limits(format: str, value: Any, limits: tuple[int, int, int]) -> None:
    body = body_of(value, format, "object")
    max_bytes, max_depth, max_items = limits
    check(format, body, Limits(max_bytes=max_bytes))
    check(format, body, Limits(max_depth=max_depth))
    check(format, body, Limits(max_items=max_items))


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, Limits(max_depth=10**30), Limits.unlimited()])
def test_depths(format: str, limits: Limits) -> None:
    head, tail = {"serialize": (b"a:1:{i:0;", b"}"), "jsonu": (b"[", b"]"), "var_export": (b"", b"")}[format]
    for depth in (1, 199, 200, 201, 255, 256, 257, 258, 300):
        body = head * depth + b"N;" + tail * depth
        if format == "var_export":
            heads = "".join(f"array (\n{'  ' * step}0 => \n{'  ' * step}" for step in range(1, depth))
            tails = "".join(f"{'  ' * step}),\n" for step in range(depth - 1, 0, -1))
            body = f"{heads}array (\n{'  ' * depth}0 => 1,\n{tails})".encode()
        check(format, body, limits)


@pytest.mark.parametrize("last", ["1", "1e19", "9223372036854775807", "9223372036854775808"])
@pytest.mark.parametrize("first", ["[[]]", "[[[0]]]", "9223372036854775808", '"[[[{,,,"', "1e19", '[{"[":[]}]'])
def test_a_repeated_json_member(first: str, last: str) -> None:
    body = f'{{"a":{first},"a":{last}}}'.encode()
    for max_depth in range(1, 5):
        for max_items in (2, 3, 4, 5, 100):
            check("jsonu", body, Limits(max_depth=max_depth, max_items=max_items))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_files(path: Any) -> None:
    data = path.read_bytes()
    for format in FORMATS:
        check(format, data)


def mutants(bodies: list[bytes], seed: int, count: int) -> list[bytes]:
    """*bodies* with a byte changed, cut short, doubled in part, or with a piece of another in them."""
    rng, made = random.Random(seed), []
    for _ in range(count):
        body = bytearray(rng.choice(bodies))
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(body) + 1)
            other = rng.choice(bodies)
            start = rng.randrange(len(other) + 1)
            match rng.randrange(5):
                case 0 if at < len(body):
                    body[at] = rng.choice(
                        [body[at] ^ 1 << rng.randrange(8), rng.randrange(256), *b"0123456789:;{}'\" \n"]
                    )
                case 1:
                    del body[at:]
                case 2:
                    del body[at : at + rng.randint(1, 4)]
                case 3:
                    body[at:at] = body[at : at + rng.randint(1, 12)]
                case _:
                    body[at : at + rng.randint(0, 8)] = other[start : start + rng.randint(1, 30)]
        made.append(bytes(body))
    return made


def test_mutants_of_files(format: str) -> None:
    bodies = [case.body(format) for case in read_folders() if format in case.formats()]
    for body in mutants([body for body in bodies if len(body) < 3000], seed=1, count=3000):
        check(format, body)


# ---- interrupts, options and memory


def test_an_interrupt_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's handler may raise wherever Python code runs, as it does for names that begin with NUL."""
    body = b'O:1:"A":1:{s:4:"\0*\0b";N;}'
    from_mangled = PhpProperty.from_mangled
    interrupts = [KeyboardInterrupt, TimeoutError]
    left = list(interrupts)

    def interrupted(mangled: Any, value: Any) -> PhpProperty:
        if left:
            raise left.pop()
        return from_mangled(mangled, value)

    monkeypatch.setattr(PhpProperty, "from_mangled", interrupted)
    for interrupt in reversed(interrupts):
        with pytest.raises(interrupt):
            FORMATS["serialize"][1](body, "php")
    assert FORMATS["serialize"][1](body, "php").properties[0].visibility == "protected"


# Each allocation of a first call fails in turn, in a process of its own because some things are made only once.
WITHOUT_MEMORY = """
import sys
from importlib import import_module
from _testcapi import remove_mem_hooks, set_nomemory
from envelope.options import ReadOptions
from envelope.values.php_types import same
format, body = sys.argv[1], bytes.fromhex(sys.argv[2])
native = import_module(f"envelope.formats.{format}._read").loads
php = ReadOptions(values="php")
twin = import_module(f"envelope.formats.{format}.read")
expected = twin.loads(body, php)
for many in (1, 1000):
    for count in range(300):
        set_nomemory(count, count + many)
        try:
            value = native(body, php)
        except MemoryError:
            continue
        finally:
            remove_mem_hooks()
        assert same(value, expected)
print("sound")
"""


@pytest.mark.memory
@pytest.mark.parametrize(
    ("module", "body"),
    [
        ("var_export", b"(object) array(\n   'a' => \n  \\A::__set_state(array(\n     'b' => NAN,\n  )),\n)"),
        ("var_export", b"array (\n  0 => \n  \\A::B,\n  'it\\'s' => 'a' . \"\\0\" . '\xc3\xa9',\n)"),
        ("var_export", b"array (\n  0 => 1,\n  1 => 0.5,\n  2 => 70000,\n  3 => -1.5,\n)"),
        ("serialize", b'a:3:{i:0;O:8:"stdClass":1:{s:1:"5";s:2:"\xc3\xa9";}i:1;r:2;s:1:"k";E:3:"A:B";}'),
        ("serialize", b'O:1:"A":2:{s:4:"\0*\0b";N;s:4:"\0A\0b";s:1:"\xff";}'),
    ],
)
def test_memory_may_run_out_anywhere(module: str, body: bytes) -> None:
    pytest.importorskip("_testcapi")
    command = [sys.executable, "-c", WITHOUT_MEMORY, module, body.hex()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "sound\n"), ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (None,), (b"1", "other"), (b"1", None), (b"1", "php", "other"), (b"1", "portable", "typed", None),
        ("text", "other"), (b"1", "portable", "typed", object()), (b"1", ["portable"]),
    ],
)  # fmt: skip
def test_misuse(format: str, arguments: tuple[Any, ...]) -> None:
    errors = []
    for loads in FORMATS[format]:
        with pytest.raises(TypeError) as caught:
            loads(*arguments)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


@pytest.mark.memory
def test_memory_is_freed(format: str) -> None:
    value = {"k": [1.5, "中" * 50, "x" * 100, {"a": [10**15] * 20}, {"5": [], "z": None}], "l": list(range(300, 400))}
    bodies = {"portable": body_of(value, format, "object")}
    if format != "jsonu":
        properties = [PhpProperty("a", value, "private", "App\\A"), PhpProperty(b"\xff", float("nan"), "protected")]
        user = PhpObject("App\\User", [PhpProperty("id", 7), *(properties if format == "serialize" else [])])
        shared = [user, PhpEnum("Suit", "H"), {"one": user}, PhpObject("stdClass", {"5": [user]})]
        bodies["php"] = body_of(shared, format, domain="php")
    native = FORMATS[format][1]

    def round(calls: int) -> None:
        for domain, body in bodies.items():
            for _ in range(calls):
                native(body, domain)
                with pytest.raises(DecodeError):
                    native(body[:-1], domain)

    round(500)
    before = resident()
    round(100)
    with quick_refusals(TWINS[format], "loads"):
        round(10_000)
    assert resident() - before < 4 << 20


def test_threads_share_the_cache_of_keys(format: str) -> None:
    pure, native = FORMATS[format]
    name = "json" if format == "jsonu" else format
    documents = [
        envelope.dumps([{f"key{thread}-{number}": number} for number in range(500)], name) for thread in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda data: [native(data, "portable", "typed", DEFAULT_LIMITS) for _ in range(20)], documents)
        )
    for data, answers in zip(documents, found, strict=True):
        expected = pure(data, "portable", "typed", DEFAULT_LIMITS)
        assert all(envelope.same(answer, expected) for answer in answers)
