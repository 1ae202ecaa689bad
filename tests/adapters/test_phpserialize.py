"""Against phpserialize: equal if it is right; its mistakes are listed here, case by case."""

from __future__ import annotations

import math
import subprocess
import sys
from random import Random
from typing import Any

import phpserialize
import pytest

import envelope
from envelope import DecodeError, EncodeError, PhpEnum, PhpObject, PhpProperty
from tests.random_values import random_value

pytestmark = pytest.mark.usefixtures("impl")


def spelled_alike(value: Any) -> bool:
    """Whether phpserialize writes *value* as PHP does: no floats that PHP spells differently, no keys it makes int."""
    if isinstance(value, float):
        return f"d:{value!r};".encode() == envelope.dumps(value, "serialize")
    if isinstance(value, dict):
        return all(envelope.values.array_key(key) == key for key in value) and all(map(spelled_alike, value.values()))
    return all(map(spelled_alike, value)) if isinstance(value, list) else True


def as_phpserialize_reads(value: Any) -> Any:
    """Its form of *value*: lists are dicts there, like every array."""
    if isinstance(value, list):
        return {index: as_phpserialize_reads(item) for index, item in enumerate(value)}
    if isinstance(value, dict):
        return {envelope.values.array_key(key): as_phpserialize_reads(item) for key, item in value.items()}
    return value


def test_equal_if_it_is_right() -> None:
    rng = Random(30)
    compared = 0
    for _ in range(5000):
        value = random_value(rng)
        body = envelope.dumps(value, "serialize")
        assert phpserialize.loads(body, decode_strings=True) == as_phpserialize_reads(value)
        if spelled_alike(value):
            assert phpserialize.dumps(value) == body
            compared += 1
    assert compared > 1000


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (1.0, b"d:1.0;"),
        (1e22, b"d:1e+22;"),
        (1e-7, b"d:1e-07;"),
        ({"5": 1}, b'a:1:{s:1:"5";i:1;}'),
    ],
)
def test_what_it_writes_unlike_php(value: Any, wrong: bytes) -> None:
    assert phpserialize.dumps(value) == wrong != envelope.dumps(value, "serialize")


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**63])
def test_what_it_writes_and_no_php_reads(value: Any) -> None:
    assert phpserialize.dumps(value) in (b"d:nan;", b"d:inf;", b"i:9223372036854775808;")
    with pytest.raises(EncodeError):
        envelope.dumps(value, "serialize")


@pytest.mark.parametrize(
    "body", [b"b:7;", b"i:1_000;", b"i: 5;", b"d:1_0;", b"d:infinity;", b"a:-1:{}", b"s:+1:\"a\";", b"i:1;trailing", b"i:9223372036854775808;"]
)  # fmt: skip
def test_what_it_takes_and_no_php_writes(body: bytes) -> None:
    phpserialize.loads(body)
    with pytest.raises(DecodeError):
        envelope.loads(body, "serialize")


@pytest.mark.parametrize("body", [b"a:2:{i:0;i:5;i:1;R:2;}", b'E:3:"A:B";', b'C:1:"A":1:{x}', b'S:1:"\\61";'])
def test_what_it_does_not_support(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        phpserialize.loads(body)
    envelope.loads(body, "serialize", values="php")


# ---- its objects


def test_its_objects_are_translated() -> None:
    body = b'O:4:"User":3:{s:4:"name";s:1:"x";s:6:"\0*\0age";i:5;s:7:"\0User\0p";a:1:{i:0;O:1:"A":0:{}}}'
    theirs = phpserialize.loads(body, object_hook=phpserialize.phpobject)
    ours = envelope.from_phpserialize(theirs)
    assert ours == envelope.loads(body, "serialize", values="php")
    assert ours.properties[1] == PhpProperty("age", 5, "protected")
    back = envelope.to_phpserialize(ours)
    assert phpserialize.dumps(back, object_hook=None) == body
    assert envelope.to_phpserialize(ours, decode_strings=True)._asdict()["name"] == "x"


@pytest.mark.parametrize("theirs", [phpserialize.phpobject("A B", {}), phpserialize.phpobject(5, {}), phpserialize.phpobject("A", {1.5: 1}), phpserialize.phpobject("A", 5)])  # fmt: skip
def test_its_objects_that_no_php_has_are_refused(theirs: Any) -> None:
    with pytest.raises(EncodeError):
        envelope.from_phpserialize(theirs)


def test_what_it_cannot_take_is_refused() -> None:
    shared = PhpObject("A")
    for value in (PhpObject("B", {"a": shared, "b": shared}), PhpObject("B", {"a": PhpEnum("S", "H")})):
        with pytest.raises(EncodeError, match="phpserialize"):
            envelope.to_phpserialize(value)


def test_it_is_not_imported_for_objects_that_cannot_be_its_own() -> None:
    code = "import sys, envelope\ntry: envelope.dumps(object(), 'serialize', values='php')\nexcept envelope.EncodeError: print('phpserialize' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
