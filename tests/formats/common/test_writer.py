"""Large documents are packed as they are written, which changes none of their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.testing.strategies import php_values, values
from tests.native import by_words, pick_pure

COUNTS = st.sampled_from([1, 2, 3])


@contextmanager
def packed_each(count: int) -> Iterator[None]:
    """Within it, so few pieces are packed, and such small containers are large."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("common.writer", "serialize.writer", "var_export.write", "xml.write"):
            patch.setattr(import_module(f"envelope.formats.{name}"), "MANY_PARTS", count)
        yield


@pytest.mark.parametrize("format", ["serialize", "var_export", "xml"])
@given(value=values(), count=COUNTS)
def test_portable_values(format: str, value: Any, count: int) -> None:
    write = by_words(pick_pure(format, "write").dumps)
    expected = write(value)
    with packed_each(count):
        assert write(value) == expected


@pytest.mark.parametrize("format", ["serialize", "var_export"])
@given(value=php_values(var_export=True), count=COUNTS)
def test_php_values(format: str, value: Any, count: int) -> None:
    """Objects that come again are references to their places in serialize, which packing does not move."""
    write = by_words(pick_pure(format, "write").dumps)
    expected = write([value, value], values="php")
    with packed_each(count):
        assert write([value, value], values="php") == expected


@pytest.mark.parametrize("format", ["serialize", "var_export", "xml"])
def test_what_was_packed_before_a_value_that_needs_default_is_dropped(format: str) -> None:
    write = by_words(pick_pure(format, "write").dumps)
    with packed_each(1):
        assert write([[1], [2], (3,)], default=list) == write([[1], [2], [3]])
