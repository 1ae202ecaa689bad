"""Calling `dumps` and `loads`: the compiled ones cannot be told from the Python functions that they replace."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

import envelope
from envelope import Limits, ResultType, api
from envelope.fixtures import bodies
from envelope.formats import FORMATS, get_format
from tests.native import extension

calls = extension("native._calls")


def twin(call: Callable[..., Any]) -> Callable[..., Any]:
    """The Python function that *call* replaces."""
    python: Callable[..., Any] = inspect.unwrap(call)
    return python


PAIRS = {
    "dumps": (calls.make_dumps(get_format, FORMATS), twin(api.dumps)),
    "loads": (calls.make_loads(get_format, FORMATS), twin(api.loads)),
}


def outcome(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return call(*arguments, **options)
    except (envelope.EnvelopeError, TypeError) as error:
        return type(error), str(error)


def test_compiled_functions_look_like_the_python_ones() -> None:
    for call in (envelope.dumps, envelope.loads):
        python = twin(call)
        assert (call.__name__, call.__doc__, call.__module__) == (python.__name__, python.__doc__, "envelope.api")
        assert inspect.signature(call) == inspect.signature(python)
        assert pickle.loads(pickle.dumps(call)) is call


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("format", [*FORMATS, *ResultType, "JSON", "", 5, None, b"json", ("json",), ["json"]], ids=repr)
def test_formats(name: str, format: Any) -> None:
    compiled, python = PAIRS[name]
    argument = [1, {"a": None}] if name == "dumps" else b"i:1;"
    assert outcome(compiled, argument, format) == outcome(python, argument, format)


OPTIONS: list[dict[str, Any]] = [
    {"values": "php"}, {"values": "other"}, {"maps": "object"}, {"maps": None}, {"dialect": "php"}, {"dialect": "plain"},
    {"limits": Limits(max_bytes=3)}, {"limits": None}, {"default": str},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("format", FORMATS)
def test_options(format: str, options: dict[str, Any]) -> None:
    compiled, python = PAIRS["dumps"]
    for value in ({"0": 1.0}, {"a": (1,)}):
        assert outcome(compiled, value, format, **options) == outcome(python, value, format, **options)
    compiled, python = PAIRS["loads"]
    options = {name: option for name, option in options.items() if name not in ("maps", "default")}
    body = envelope.dumps({"0": 1.0}, format)
    for data in (body, bytearray(body), body[:-1], body.decode(), "text", None):
        assert outcome(compiled, data, format, **options) == outcome(python, data, format, **options)


@pytest.mark.parametrize("name", PAIRS)
def test_wrong_calls(name: str) -> None:
    for call in PAIRS[name]:
        for arguments, options in (
            ((), {}),
            ((b"1",), {}),
            ((b"1", "json", "php"), {}),
            ((b"1", "json"), {"other": 1}),
        ):
            with pytest.raises(TypeError):
                call(*arguments, **options)


def test_the_fixture_impl_reaches_every_caller(impl: str) -> None:
    for module in (envelope, api, bodies):
        assert isinstance(module.loads, FunctionType)
    assert isinstance(get_format("serialize").loads, FunctionType) == (impl == "pure")
