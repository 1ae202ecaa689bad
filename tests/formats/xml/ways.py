"""XML's codec for tests, in the current implementation, and what it refuses."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from envelope.errors import DecodeError
from envelope.formats import get_format
from envelope.formats.xml import read
from envelope.limits import DEFAULT_LIMITS, Limits

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'


def dumps(value: object, **options: Any) -> bytes:
    row = get_format("xml")  # of the current implementation
    return row.dumps(value, row.writing(**options))


def loads(data: Any, **options: Any) -> Any:
    row = get_format("xml")
    return row.loads(data, row.reading(**options))


def written(value: object, **options: Any) -> bytes:
    """What follows the declaration."""
    body = dumps(value, **options)
    assert body.startswith(DECLARATION)
    return body.removeprefix(DECLARATION)


def plain(value: object) -> bytes:
    return written(value, dialect="plain")


def refused(data: bytes, dialect: str = "typed", limits: Limits = DEFAULT_LIMITS) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        loads(data, dialect=dialect, limits=limits)
    error = caught.value
    assert error.format == "xml"
    assert error.reason
    assert 0 <= error.offset <= len(data)
    assert len(error.path) < 700
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    return error


def place(data: bytes, dialect: str = "typed", limits: Limits = DEFAULT_LIMITS) -> tuple[str, int, str]:
    error = refused(data, dialect, limits)
    return error.kind, error.offset, error.path


def read_as_usual(data: bytes, dialect: str) -> Any:
    return loads(data, dialect=dialect)


def read_exactly(data: bytes, dialect: str) -> Any:
    """Read it the way large documents are read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "_LARGE", 0)
        return loads(data, dialect=dialect)
