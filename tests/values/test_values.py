"""The value model: keys, sameness, objects, and what is outside the domain."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections import OrderedDict
from datetime import date
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given

import envelope
from envelope import EncodeError, Limits, Loss, PhpEnum, PhpObject, PhpProperty, ResultType, same
from envelope.path import format_path, short_path
from envelope.testing.strategies import php_values, values
from envelope.values.php_rules import array_key

pytestmark = pytest.mark.usefixtures("impl")


@pytest.mark.parametrize("key", ["0", "1", "-1", "4000", "9223372036854775807", "-9223372036854775808"])
def test_keys_that_php_turns_into_integers(key: str) -> None:
    assert array_key(key) == int(key)


@pytest.mark.parametrize(
    "key",
    ["", "01", "-0", "+1", " 1", "1 ", "1.5", "1e3", "0000", "9223372036854775808", "-9223372036854775809", "١", "1\n"],
)
def test_keys_that_stay_text(key: str) -> None:
    assert array_key(key) == key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0), (1, True), (0.0, -0.0), ([], {}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("1", 1), (None, False), ({1: 1}, {"1": 1}),
        ({1: 1}, {True: 1}), ([1], [1, 2]), (b"a", "a"), (PhpObject("A"), PhpObject("B")), (PhpObject("A"), {}),
        (PhpObject("A", {"a": 1}), PhpObject("A", [PhpProperty("a", 1, "protected")])), (PhpObject("A", payload=b""), PhpObject("A")),
        (PhpEnum("A", "B"), PhpEnum("A", "C")),
    ],
)  # fmt: skip
def test_what_is_not_the_same(a: Any, b: Any) -> None:
    assert not same(a, b)
    assert not same([{"x": a}], [{"x": b}])


@given(value=values() | php_values())
def test_a_copy_is_the_same(value: Any) -> None:
    assert same(value, copy.deepcopy(value))
    assert same(value, pickle.loads(pickle.dumps(value)))


def test_sharing_is_part_of_sameness() -> None:
    shared = PhpObject("A")
    assert not same([shared, shared], [PhpObject("A"), PhpObject("A")])
    assert not same([PhpObject("A"), PhpObject("A")], [shared, shared])
    assert same([shared, shared], copy.deepcopy([shared, shared]))


def test_objects() -> None:
    assert PhpObject("A", {"a": 1}) == PhpObject("A", [PhpProperty("a", 1)])
    assert PhpObject("A") != "A"
    assert list(PhpObject("A", {"a": 1, "b": 2})) == ["a", "b"]
    assert "a" in PhpObject("A", {"a": 1})
    assert 1 not in PhpObject("A", {"a": 1})
    assert PhpEnum("S", "H", "h") == PhpEnum("S", "H")
    assert repr(PhpObject("A", payload=b"xy")) == "<PhpObject A (), payload of 2 bytes>"
    with pytest.raises(KeyError):
        PhpObject("A")["a"]
    with pytest.raises(AttributeError):
        PhpObject("A").class_name = "B"  # type: ignore[misc]


def test_a_cyclic_object_is_copied_pickled_and_compared() -> None:
    inner: list[Any] = []
    value = PhpObject("A", {"list": inner})
    inner.append(value)
    for other in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == value
        assert other["list"][0] is other


@pytest.mark.parametrize(
    "make",
    [
        lambda: PhpObject("A B"), lambda: PhpObject("A;system('id')"), lambda: PhpObject(""), lambda: PhpObject("\\A"), lambda: PhpObject("A\\"),
        lambda: PhpEnum("A", "b()"), lambda: PhpEnum("A", "\ud800"), lambda: PhpProperty("a", 1, "hidden"),  # type: ignore[arg-type]
        lambda: PhpProperty("a", 1, "private"), lambda: PhpProperty("a", 1, "public", "A"), lambda: PhpProperty("\ud800", 1),
        lambda: PhpProperty(2**63, 1), lambda: PhpProperty("a", 1, "private", "*"), lambda: PhpProperty(5, 1, "protected"), lambda: PhpProperty("a", 1, "private", "A\0"),
    ],
)  # fmt: skip
def test_what_is_not_a_php_object(make: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make()


def test_arguments_of_a_wrong_type() -> None:
    wrong: list[Any] = [
        lambda: PhpProperty(1.5, 1),  # type: ignore[arg-type]
        lambda: PhpObject("A", [1]),  # type: ignore[list-item]
        lambda: PhpObject("A", payload=""),  # type: ignore[arg-type]
        lambda: PhpObject("A", [PhpProperty("a", 1)], payload=b""),
    ]
    for make in wrong:
        with pytest.raises(TypeError):
            make()


def test_a_loss_is_described_without_its_text() -> None:
    cases = [
        (Loss("$", {"a": "secret"}, ["secret"]), "$: map of 1 → list of 1"),
        (Loss("$.a", {}, []), "$.a: {} → []"),
        (Loss("$.a", 1.0, 1), "$.a: float → int"),
        (Loss("$.a", None, ""), "$.a: null → str of 0"),
        (Loss("$.a", "secret", b"secret"), "$.a: str of 6 → bytes of 6"),
        (Loss("$.a", {"1": 1}, {1: 1}, "other keys"), "$.a: map of 1 → map of 1 (other keys)"),
        (Loss("$.a", PhpEnum("S", "H"), "h"), "$.a: PhpEnum S → str of 1"),
        (Loss("$.a", date(2020, 1, 1), "x"), "$.a: date → str of 1"),
    ]
    for loss, text in cases:
        assert str(loss) == text


def test_losses_in_document_order() -> None:
    value = {"a": {"x": {"0": {}}}, "b": {"0": 1}, "c": [{}, {"y": {}}]}
    paths = ["$.a.x", '$.a.x["0"]', "$.b", "$.c[0]", "$.c[1].y"]
    assert [loss.path for loss in envelope.losses(value, "serialize")] == paths
    assert [loss.path for loss in envelope.losses([1.0, {"a": -0.0}], "json", dialect="php")] == ["$[0]", "$[1].a"]


def test_paths() -> None:
    assert (
        format_path(["a", 3, "any key", 'q"', "", "中", "\n", b"\xff"])
        == r'$.a[3]["any key"]["q\""][""]["中"]["\n"]["\\xff"]'
    )
    assert short_path(["x" * 40]) == f'$["{"x" * 32}…"]'
    assert short_path(range(20)) == "$" + "".join(f"[{n}]" for n in range(8)) + "…" + "".join(
        f"[{n}]" for n in range(12, 20)
    )


# ---- default


class Colour(IntEnum):
    RED = 1


def test_default_is_asked_for_types_outside_the_domain(fmt: ResultType) -> None:
    value = [date(2020, 1, 2), {"a": (1, Colour.RED)}, OrderedDict(x=1)]

    def default(item: Any) -> Any:
        if isinstance(item, date):
            return item.isoformat()
        return int(item) if isinstance(item, Colour) else dict(item) if isinstance(item, dict) else list(item)

    body = envelope.dumps(value, fmt, default=default)
    assert envelope.loads(body, fmt) == ["2020-01-02", {"a": [1, 1]}, {"x": 1}]
    lost = [loss.path for loss in envelope.losses(value, fmt, default=default)]
    assert lost == ["$[0]", "$[1].a", "$[2]"]


def test_a_default_that_fails_is_an_encode_error(fmt: ResultType) -> None:
    def default(item: Any) -> Any:
        raise RuntimeError("secret")

    with pytest.raises(EncodeError, match="RuntimeError") as caught:
        envelope.dumps({"a": [object()]}, fmt, default=default)
    assert caught.value.path == "$.a[0]"
    assert "secret" not in str(caught.value)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_default_that_returns_its_argument_ends(fmt: ResultType) -> None:
    with pytest.raises(EncodeError, match="still returns"):
        envelope.dumps(object(), fmt, default=lambda item: item)
    with pytest.raises(EncodeError, match="deeper") as caught:
        envelope.dumps(object(), fmt, default=lambda item: [item])
    assert caught.value.kind == "limit"


def test_default_keeps_objects_shared() -> None:
    shared = PhpObject("A", {"day": date(2020, 1, 2), "self": []})
    shared["self"].append(shared)
    body = envelope.dumps([shared, shared], "serialize", values="php", default=str)
    assert body == b'a:2:{i:0;O:1:"A":2:{s:3:"day";s:10:"2020-01-02";s:4:"self";a:1:{i:0;r:2;}}i:1;r:2;}'


# ---- faults, the same in every format


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, {"a": {2}}], "$[1].a"), ([{1: 2}], "$[0]"), ([[2**63]], "$[0][0]"), ({"a": "\ud800"}, "$.a"),
        ({"a": {"\udc00": 1}}, "$.a"), ({"a": [0.0, float("nan")]}, "$.a[1]"), ([b"x"], "$[0]"), ([PhpObject("A")], "$[0]"),
    ],
)  # fmt: skip
def test_faults_have_paths(fmt: ResultType, value: Any, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        envelope.dumps(value, fmt)
    assert (caught.value.path, caught.value.kind) == (path, "unrepresentable")


def test_a_value_that_contains_itself(fmt: ResultType) -> None:
    loop: dict[str, Any] = {"a": []}
    loop["a"].append(loop)
    for limits in (Limits(), Limits.unlimited()):
        with pytest.raises(EncodeError, match="contains itself") as caught:
            envelope.dumps(loop, fmt, limits=limits)
        assert caught.value.path == "$.a[0]"


def test_limits_of_writing(fmt: ResultType) -> None:
    nested: Any = []
    for _ in range(199):
        nested = [nested]
    assert same(envelope.loads(envelope.dumps(nested, fmt), fmt), nested)
    for value, limits in (
        ([nested], Limits()),
        ([1, 2], Limits(max_items=1)),
        ("x" * 1000, Limits(max_bytes=900)),
        ([1] * 1000, Limits(max_bytes=900)),
    ):
        with pytest.raises(EncodeError) as caught:
            envelope.dumps(value, fmt, limits=limits)
        assert caught.value.kind == "limit"


def test_a_repeated_text_is_bounded_before_it_is_built(fmt: ResultType) -> None:
    value: Any = "x" * 1_000_000
    for _ in range(6):
        value = [value] * 10  # 1 TB
    with pytest.raises(EncodeError) as caught:
        envelope.dumps(value, fmt)
    assert caught.value.kind == "limit"


@pytest.mark.parametrize(
    "value",
    [{"k" * 200_000: None}, "😀" * 256, "й" * 4000, b"\xff" * 200_000, PhpObject("C" * 200_000), PhpObject("A", {"p" * 200_000: None})],
    ids=["key", "emoji", "cyrillic", "bytes", "class", "property"],
)  # fmt: skip
def test_a_small_value_repeated_often_is_bounded_before_it_is_built(fmt: ResultType, value: Any) -> None:
    is_php = isinstance(value, bytes | PhpObject)
    if is_php and (fmt not in ("serialize", "var_export") or (fmt == "serialize" and not isinstance(value, bytes))):
        value = {"k" * 200_000: None}  # other formats do not hold such a value, or write it only once
        is_php = False
    times = 50_000 if isinstance(value, str) else 5000  # 50 MB or more of short texts, 1 GB of what is long
    limits = Limits(max_bytes=4_000_000)
    tracemalloc.start()
    with pytest.raises(EncodeError) as caught:
        envelope.dumps([value] * times, fmt, values="php" if is_php else "portable", limits=limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.kind == "limit"
    assert peak < 100_000_000


def test_losses_below_a_long_key_do_not_each_repeat_it() -> None:
    value: dict[str, Any] = {"k" * 500_000: [{}] * 4000}  # 2 GB, if each spelled it
    tracemalloc.start()
    losses = envelope.losses(value, "serialize")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(losses) == 4000
    assert peak < 50_000_000
    assert len(str(losses[0])) < 100
    assert len(losses[0].path) > 500_000


def test_what_contains_itself_is_compared_too() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert same(loop, loop)
    tree: Any = 1
    for _ in range(60):
        tree = [tree, tree]
    assert same(tree, copy.deepcopy(tree))


def test_a_default_that_changes_its_container(fmt: ResultType) -> None:
    value: dict[str, Any] = {"a": object(), "b": 1}
    body = envelope.dumps(value, fmt, default=lambda _: value.setdefault(str(len(value)), 1))
    assert envelope.loads(body, fmt) == {"a": 1, "b": 1}


def test_limits_are_checked() -> None:
    with pytest.raises(TypeError):
        Limits(max_depth=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Limits"):
        envelope.loads(b"1", "json", limits=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 0"):
        Limits(max_items=-1)
