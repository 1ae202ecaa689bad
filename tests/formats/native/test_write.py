"""The compiled writers beside their Python twins: the same bytes or the same error for any value."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import partial
from random import Random
from typing import Any

import phpserialize
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import EncodeError, Limits, PhpEnum, PhpObject, PhpProperty
from envelope.formats.json import write as json_write
from envelope.formats.serialize import write as serialize_write
from envelope.formats.var_export import write as var_export_write
from envelope.testing.strategies import php_values, values
from tests import native
from tests.random_values import random_text, random_value

Writer = Callable[..., bytes]

TWINS: dict[str, tuple[str, Writer]] = {
    "serialize": ("serialize._write", native.by_words(serialize_write.dumps)),
    "var_export": ("var_export._write", native.by_words(var_export_write.dumps)),
    "json": ("json._write", native.by_words(partial(json_write.dumps, ascii=True))),
    "jsonu": ("json._write", native.by_words(partial(json_write.dumps, ascii=False))),
}
PHP_FORMATS = ("serialize", "var_export")

pytestmark = native.requires_native


class Pair:
    """One format's two writers."""

    def __init__(self, name: str) -> None:
        module, self.python = TWINS[name]
        self.name = name
        self.twin = {"serialize": serialize_write, "var_export": var_export_write}.get(name, json_write)
        dumps = native.extension(module).dumps
        self.compiled = native.by_words(partial(dumps, ascii=name == "json") if name.startswith("json") else dumps)

    def check(self, value: object, *options: Any) -> Any:
        """Both writers' outcome, which must be the same."""
        ours, theirs = outcome(self.compiled, value, *options), outcome(self.python, value, *options)
        assert ours == theirs
        return ours


def outcome(writer: Writer, *arguments: Any) -> Any:
    """The bytes, or all that an error says."""
    try:
        return writer(*arguments)
    except EncodeError as error:
        return type(error), error.kind, error.format, error.path, error.reason, error.hint
    except TypeError as error:
        return TypeError, str(error)


@pytest.fixture(scope="session", params=list(TWINS))
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each format's compiled writer and its Python twin."""
    return Pair(request.param)


@pytest.fixture(scope="session", params=PHP_FORMATS)
def php_pair(request: pytest.FixtureRequest) -> Pair:
    """The same for the formats that support PHP's own domain."""
    return Pair(request.param)


maps = st.sampled_from(["array", "object"])


@given(value=values(), maps=maps, domain=st.sampled_from(["portable", "php"]))
def test_portable_values(pair: Pair, value: Any, maps: str, domain: str) -> None:
    assert type(pair.check(value, domain, maps)) is bytes


@pytest.mark.parametrize("name", ["json", "jsonu"])
@given(value=values(), maps=maps)
def test_portable_values_in_json_of_php(name: str, value: Any, maps: str) -> None:
    Pair(name).check(value, "portable", maps, "php")


@pytest.mark.parametrize("name", ["json", "jsonu"])
def test_json_of_php_mostly_needs_no_python_writer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only floats and maps that are lists to PHP do; a slash and the two line ends are written otherwise than in typed."""
    pair = Pair(name)
    text = "a/b\u2028c\u2029d中/"
    tree: Any = {"text": text, "é/": [1, None, True, {"n": "{}"}], "x": [[], ["1.5"]]}
    expected = pair.python(tree, dialect="php")
    refused: list[Any] = [1.5, {}, {"0": 1}, {"a": [{"0": "x", "1": "y"}]}, [[2.0]]]
    outcomes = [pair.python(value, dialect="php") for value in refused]
    asked: list[object] = []

    def ask(value: object, *_: object, **__: object) -> bytes:
        asked.append(value)
        return b""

    monkeypatch.setattr(json_write, "dumps", ask)
    assert pair.compiled(tree, dialect="php") == expected
    assert not asked
    assert [pair.compiled(value, dialect="php") for value in refused] == [b""] * len(refused)
    assert asked == refused
    monkeypatch.undo()
    assert [pair.compiled(value, dialect="php") for value in refused] == outcomes


@given(value=php_values(), maps=maps, domain=st.sampled_from(["portable", "php"]))
def test_values_of_php(php_pair: Pair, value: Any, maps: str, domain: str) -> None:
    php_pair.check(value, domain, maps)


def never(*arguments: Any) -> Any:
    raise AssertionError("the Python writer was asked")


@given(tree=php_values(var_export=True), maps=maps)
def test_objects_do_not_need_the_python_writer(php_pair: Pair, tree: Any, maps: str) -> None:
    value = [tree, PhpObject("A", {"a": tree, "b": PhpEnum("Suit", "H")}), PhpEnum("Suit", "H")]
    try:
        body = php_pair.python(value, "php", maps)
    except EncodeError:  # a shared value may be too large when written out
        return
    keys = [key for key in keys_of(tree) if type(key) is bytes]
    has_nul_name = php_pair.name == "var_export" and b"\0" in body  # no other place has a NUL; it is left to Python
    with pytest.MonkeyPatch.context() as patch:
        if not keys and not has_nul_name:
            patch.setattr(php_pair.twin, "dumps", never)
        php_pair.compiled(value, "php", maps)


def keys_of(value: Any) -> Iterator[Any]:
    """The keys of all maps in *value*; objects are passed through once."""
    left, met = [value], set()
    while left:
        value = left.pop()
        if id(value) in met:
            continue
        met.add(id(value))
        if type(value) is dict:
            yield from value
            left += value.values()
        elif type(value) is list:
            left += value
        elif type(value) is PhpObject:
            left += [entry.value for entry in value.properties]


@given(value=st.recursive(values(max_leaves=3), lambda inner: st.lists(inner, max_size=3)), bound=st.integers(0, 60))
def test_limits_are_met_at_the_same_place(pair: Pair, value: Any, bound: int) -> None:
    for limits in (Limits(max_bytes=bound), Limits(max_items=bound // 4), Limits(max_depth=bound // 12)):
        pair.check(value, "portable", "array", "typed", None, limits)
        if pair.name.startswith("json"):
            pair.check(value, "portable", "array", "php", None, limits)


def test_many_random_values(pair: Pair) -> None:
    rng = Random(7)
    for _ in range(3000):
        value = random_value(rng, 5)
        pair.check(value)
        pair.check(value, "php", "object")


def test_many_random_floats(pair: Pair) -> None:
    rng = Random(8)
    powers = [float(f"{digits}e{power}") for power in range(-320, 309) for digits in ("1", "9.5", "1.2345678901234567")]
    numbers = [*powers, *struct.unpack("<20000d", rng.randbytes(160_000)), *(rng.gauss(0, 0.02) for _ in range(5000))]
    numbers += near_neighbours(rng)
    finite = [number for number in numbers if number - number == 0]
    pair.check([*finite, *(-number for number in finite)])
    pair.check(numbers, "php")


def near_neighbours(rng: Random) -> Iterator[float]:
    """Powers of two, whose lower neighbour is nearer than the upper, and short decimals, each with its neighbours."""
    centres = [2.0**power for power in range(-90, 70)]
    centres += [float(f"{rng.randrange(1, 10 ** rng.randrange(1, 17))}e{rng.randrange(-25, 3)}") for _ in range(2000)]
    centres += [rng.randrange(2**54) / rng.choice([1, 2, 8, 10, 1000, 1024]) for _ in range(2000)]
    for centre in centres:
        yield from (centre, math.nextafter(centre, math.inf), math.nextafter(centre, 0.0))


def test_texts_of_every_width(pair: Pair) -> None:
    rng = Random(9)
    alphabets = ("a", "a'\\\0", "aé\xff", "a中'\u0800\u07ff\0\\", "a中😀\U0010ffff\uffff'\0", "0123456789-", "中", "é")
    for alphabet in alphabets:
        for length in (*range(40), 100, 1000, 5000):
            text = "".join(rng.choices(alphabet, k=length))
            pair.check({text: text, "x": [text] * 3})


def test_a_document_that_keeps_growing(pair: Pair) -> None:
    assert len(pair.check([f"{number:04}\u4e2d" * 1000 for number in range(1600)])) > 10 << 20


def test_array_keys(pair: Pair) -> None:
    keys = [sign + digits + str(2**63 + step) for step in range(-2, 3) for sign in ("", "-") for digits in ("", "0")]
    keys += [
        "0",
        "-0",
        "-",
        "",
        "--1",
        "00",
        "01",
        "-01",
        "1 ",
        " 1",
        "1.",
        "+1",
        "１",
        "9" * 18,
        "9" * 19,
        "1" + "0" * 18,
    ]
    keys += ["1" + "0" * 19, "-" + "9" * 19, "18446744073709551617", "é", "1é"]
    pair.check(dict.fromkeys(keys, 1))
    for size in (0, 1, 2, 11, 101):
        indexes = [str(index) for index in range(size)]
        for each in (
            indexes,
            [*indexes, "x"],
            indexes[::-1],
            [*indexes, str(size + 1)],
            [f"0{key}" for key in indexes],
        ):
            pair.check(dict.fromkeys(each), "portable", "object")
            pair.check(dict.fromkeys(each), "php", "object")
            pair.check({int(key) if key.isdecimal() else key: [key] for key in each}, "php", "object")


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Real(float):
    pass


class Row(dict[str, int]):
    pass


class Rows(list[int]):
    pass


class Name(StrEnum):
    PORTABLE = "portable"


class Level(IntEnum):
    LOW = 1


class Visible(StrEnum):
    PUBLIC = "public"
    PROTECTED = "protected"
    PRIVATE = "private"


Seen: Any = Visible


def forced(value: Any, **fields: Any) -> Any:
    """*value* with fields that its class refuses."""
    for name, field in fields.items():
        object.__setattr__(value, name, field)
    return value


def nested(depth: int, inner: Any = None) -> list[Any]:
    value: list[Any] = [] if inner is None else [inner]
    for _ in range(depth - 1):
        value = [value]
    return value


def cyclic_list() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


def cyclic_map() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = {"inner": value}
    return value


def cyclic_object() -> PhpObject:
    value = PhpObject("A", {"self": None})
    object.__setattr__(value, "properties", (PhpProperty("self", [value]),))
    return value


def unfolding() -> list[Any]:
    """A small value that is 2^40 when it is written out."""
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    return value


def phpserialize_object() -> Any:
    return phpserialize.phpobject("A", {"a": 1})


SHARED = PhpObject("A", {"a": 1})

IRREGULAR: dict[str, Any] = {
    "str": Text("a"), "int": Number(1), "float": Real(1.5), "dict": Row(a=1), "list": Rows([1]), "StrEnum": Name.PORTABLE,
    "IntEnum": Level.LOW, "tuple": (1,), "set": {1}, "object": object(), "bytearray": bytearray(b"a"), "decimal": Decimal(1),
    "complex": 1j, "class": str, "bytes": b"\xff'\\\0", "text as bytes": b"abc", "nan": float("nan"), "inf": float("inf"),
    "-inf": float("-inf"), "2^63": 2**63, "-2^63": -(2**63), "below": -(2**63) - 1, "2^64": 2**64, "2^200": 2**200,
    "surrogate": "a\ud800", "low surrogate": "\udfff", "surrogate, wide": "\U0001f600\udc80", "surrogate and quote": "'\0\udc80",
    "surrogate in a key": {"a": {"\ud800": 1}}, "surrogate in a wide key": {"\U0001f600\ud800": 1},
    "int key": {1: 2}, "bool key": {True: 1}, "None key": {None: 1}, "float key": {1.0: 1}, "tuple key": {(1,): 1},
    "str subclass key": {Text("a"): 1}, "int subclass key": {Number(1): 1}, "big key": {2**63: 1}, "-big key": {-(2**63) - 1: 1},
    "one key twice": {5: 1, "5": 2}, "the other way": {"5": 1, 5: 2}, "-0": {0: 1, "-0": 2}, "mixed keys": {0: 1, "a": 2, -5: 3},
    "indexes of two kinds": {0: 1, "1": 2, 2: 3}, "twice 0": {0: 1, "0": 2}, "int keys in order": {0: 1, 1: 2},
    "bytes key": {b"\xff": 1}, "decimal as bytes": {b"5": 1}, "twice as bytes": {b"a": 1, "a": 2}, "bytes 0": {b"0": 1},
    "object of PHP": SHARED, "shared": [SHARED, SHARED, {"x": SHARED}], "enum": [PhpEnum("A", "B"), PhpEnum("A", "B")],
    "payload": PhpObject("A", payload=b"abc"), "private": PhpObject("A", [PhpProperty("b", 1, "private", "A")]),
    **{
        f"properties {number}": PhpObject("A", properties)
        for number, properties in enumerate((
            [PhpProperty("a", 1), PhpProperty("a", 2)],
            [PhpProperty("a", 1, "protected"), PhpProperty("\0*\0a", 2)],
            [PhpProperty("a", 1, "private", "A"), PhpProperty("a", 2, "private", "B"), PhpProperty("a", 3)],
            [PhpProperty("a", 1, "private", "A"), PhpProperty(b"a", 2, "private", "A")],
            [PhpProperty(5, 1), PhpProperty("5", 2)], [PhpProperty(5, 1), PhpProperty(-5, PhpEnum("A\\B", "Ж"))],
            [PhpProperty(b"a", 1), PhpProperty("a", 2)], [PhpProperty(b"\xff'\\", 1), PhpProperty("\0", 2)],
            [PhpProperty("it's\\ n\0l", 1), PhpProperty(b"n\0l", 1), PhpProperty("", 1), PhpProperty("ключ中", [{}])],
            [PhpProperty(f"p{number}", number, "protected") for number in range(100)],
            [PhpProperty("a", 1, Seen.PUBLIC), PhpProperty(5, 1, Seen.PUBLIC), PhpProperty("b", 1, Seen.PRIVATE, "A")],
            [PhpProperty("c", 1, Seen.PROTECTED), forced(PhpProperty("a", 1), visibility="odd")],
            [forced(PhpProperty("a", 1, "protected"), declared_in="A"), forced(PhpProperty(5, 1), visibility="protected")],
            [forced(PhpProperty("a", 1), visibility="private"), forced(PhpProperty("b", 1, "private", "A"), declared_in="")],
        ))
    },
    "stdClass": PhpObject("stdClass", {"5": 1, "a": PhpObject("STDCLASS")}), "long name": PhpObject("A\\" * 300 + "Ж", {"a": 1}),
    "cyclic object": cyclic_object(), "objects behind lists": [[1, [SHARED]], SHARED, {"a": [SHARED, {}]}],
    "two cases of one name": [forced(PhpEnum("A", "C"), class_name="A:B"), forced(PhpEnum("A", "C"), case="B:C")],
    "surrogate in an object": PhpObject("A", {"a": "\ud800"}), "enum behind objects": [SHARED, PhpEnum("A", "B"), [PhpEnum("A", "B")]],
    "phpobject": phpserialize_object(), "cyclic list": cyclic_list(), "cyclic map": cyclic_map(),
    **{f"depth {depth}": nested(depth) for depth in (199, 200, 201, 254, 255, 256, 257, 512, 3000)},
}  # fmt: skip


@pytest.mark.parametrize("name", IRREGULAR)
def test_irregular_values(pair: Pair, name: str) -> None:
    value = IRREGULAR[name]
    deep = Limits(max_depth=10_000)
    for wrapped in (value, {"a": [1, value, 2]}):
        for domain in ("portable", "php"):
            for how in ("array", "object"):
                pair.check(wrapped, domain, how)
                pair.check(wrapped, domain, how, "typed", lambda _: "default")
            pair.check(wrapped, domain, "array", "typed", None, deep)


@pytest.mark.parametrize(
    "options",
    [
        ("other",), (None,), (1,), (Name.PORTABLE,), (Text("portable"),), ("".join(["port", "able"]),),
        ("portable", "other"), ("portable", None), ("portable", Text("object")), ("portable", "array", "php"),
        ("portable", "array", "plain"), ("portable", "array", None), ("portable", "array", "typed", 5),
        ("portable", "array", "typed", None, None), ("portable", "array", "typed", None, 5),
        ("portable", "array", "typed", None, Limits.unlimited()),
        ("portable", "array", "typed", None, Limits(max_bytes=2**70, max_depth=2**70, max_items=2**70)),
        ("portable", "array", "typed", None, Limits(max_bytes=0)), ("portable", "array", "typed", None, Limits(max_items=0)),
        ("portable", "array", "typed", None, Limits(max_depth=0)), ("portable", "array", "typed", None, Limits(max_depth=1)),
    ],
)  # fmt: skip
def test_options(pair: Pair, options: tuple[Any, ...]) -> None:
    for value in (None, [], [1], {"0": [5]}, {"a": {"b": "中"}}):
        pair.check(value, *options)


def test_each_limit_is_exact(pair: Pair) -> None:
    value = {"a": [1.5, "中\0'", {"5": None, "é": [True, -(2**63)]}], "0": "x" * 2000}
    size = len(pair.check(value))
    for limits in (Limits(max_bytes=size), Limits(max_items=9), Limits(max_depth=4)):
        assert type(pair.check(value, "portable", "array", "typed", None, limits)) is bytes
    for limits in (Limits(max_bytes=size - 1), Limits(max_items=8), Limits(max_depth=3)):
        assert pair.check(value, "portable", "array", "typed", None, limits)[1] == "limit"


def test_a_small_value_that_unfolds_meets_the_limit(pair: Pair) -> None:
    for domain in ("portable", "php"):
        assert pair.check(unfolding(), domain, "array", "typed", None, Limits(max_items=5000))[1] == "limit"


@pytest.mark.parametrize("kind", [PhpObject, PhpProperty, PhpEnum])
def test_an_object_without_its_fields_is_safe(php_pair: Pair, kind: type) -> None:
    value: Any = object.__new__(kind)
    if kind is PhpProperty:
        value, entry = PhpObject("A", {"a": 1}), value
        object.__setattr__(value, "properties", (entry,))
    for writer in (php_pair.compiled, php_pair.python):
        with pytest.raises(AttributeError):
            writer(value, "php")


# Imports run Python code, which may be anyone's, and may switch to another thread.
DURING_IMPORT = """
import builtins, sys
from importlib import import_module
from pathlib import Path
from envelope.options import WriteOptions
from envelope.values.php_types import PhpEnum
writer = import_module(f"envelope.formats.{sys.argv[1]}._write")
case = PhpEnum("A", "B")
php = WriteOptions(values="php")
value, interrupts, imported = [case, *range(1000)], [True], builtins.__import__
def importing(name, *arguments):
    if name == "envelope.values.php_types":
        if interrupts:
            interrupts.clear()
            raise KeyboardInterrupt
        value.clear()
    return imported(name, *arguments)
builtins.__import__ = importing
try:
    writer.dumps(value, php)
except KeyboardInterrupt:
    print(writer.dumps(value, php).decode())
"""


def test_python_code_that_runs_on_import_is_safe(php_pair: Pair) -> None:
    command = [sys.executable, "-c", DURING_IMPORT, php_pair.name]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, php_pair.compiled([]).decode() + "\n"), ran.stderr


@pytest.mark.memory
def test_nothing_leaks(pair: Pair) -> None:
    fine = {"text": "x" * 3000, "more": ["é", 1.5, 2**40, {"a": None}]}
    bad = {**fine, "bad": 2**64}
    user = PhpObject(
        "App\\User", [PhpProperty("a", fine), PhpProperty(b"\xff" * 99, 1.5), PhpProperty(7, PhpEnum("A", "B"))]
    )
    domain = "php" if pair.name in PHP_FORMATS else "portable"
    if domain == "php":
        fine, bad = {"users": [user, user]}, {"users": [user, user, 2**64]}

    def run(count: int) -> None:
        for _ in range(count):
            pair.compiled(fine, domain)
            outcome(pair.compiled, bad, domain)

    run(500)
    before = native.resident()
    run(100)
    with native.quick_refusals(pair.twin, "dumps"):
        run(10_000)
    assert native.resident() - before < 2_000_000


def test_a_value_changed_by_another_thread_is_safe(pair: Pair) -> None:
    rng = Random(10)
    value: dict[str, Any] = {"list": [], "map": {}}
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            value["list"].append(random_text(rng))
            value["map"][random_text(rng)] = [1.5]
            if len(value["list"]) > 500:
                value["list"].clear()
                value["map"].clear()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(2000):
            assert pair.compiled(value)
    finally:
        ended.set()
        thread.join()
