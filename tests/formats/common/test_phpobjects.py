"""The encoders take phpserialize's objects as PHP's."""

from __future__ import annotations

from typing import Any

import phpserialize
import pytest

import envelope
from envelope import EncodeError, PhpObject, PhpProperty

pytestmark = pytest.mark.usefixtures("impl")


def test_the_encoders_take_its_objects_as_they_are(php_fmt: str) -> None:
    theirs = phpserialize.phpobject("User", {"name": "x", b"\xff": 1, b"raw": [1]})
    ours = PhpObject("User", [PhpProperty("name", "x"), PhpProperty(b"\xff", 1), PhpProperty("raw", [1])])
    assert envelope.dumps([theirs], php_fmt, values="php") == envelope.dumps([ours], php_fmt, values="php")
    with pytest.raises(EncodeError):
        envelope.dumps(theirs, php_fmt)


def test_its_shared_and_cyclic_objects() -> None:
    theirs = phpserialize.phpobject("A", {})
    theirs.__php_vars__["self"] = [theirs]
    body = b'a:2:{i:0;O:1:"A":1:{s:4:"self";a:1:{i:0;r:2;}}i:1;r:2;}'
    assert envelope.dumps([theirs, theirs], "serialize", values="php") == body


@pytest.mark.parametrize("name", ["A B", 5])
def test_one_whose_class_no_php_has_is_refused(php_fmt: str, name: Any) -> None:
    with pytest.raises(EncodeError, match="name"):
        envelope.dumps(phpserialize.phpobject(name, {}), php_fmt, values="php")


@pytest.mark.parametrize("members", [{1.5: 1}, 5])
def test_one_whose_properties_no_php_has_is_refused(php_fmt: str, members: Any) -> None:
    with pytest.raises(EncodeError, match="name"):
        envelope.dumps(phpserialize.phpobject("A", members), php_fmt, values="php")
