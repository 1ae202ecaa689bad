"""The formats by their names, and when a conversion may take a shortcut between two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import envelope
from envelope import ResultType
from envelope.formats import FORMATS, get_format, get_shortcut
from envelope.options import DEFAULT_READING, DEFAULT_WRITING


def test_formats_by_name() -> None:
    assert ResultType("xml").media_type == "application/xml"
    assert [row.name for row in FORMATS.values()] == list(ResultType)
    assert get_format(ResultType.XML) is get_format("xml")
    for name in ("yaml", "", "JSON"):
        with pytest.raises(envelope.UnknownFormat):
            envelope.dumps(1, name)
    unknown: Any
    for unknown in ("yaml", "x" * 1000, 5, ["x" * 1000]):
        with pytest.raises(ValueError, match="is not a") as caught:
            ResultType(unknown)
        assert len(str(caught.value)) < 200
    for wrong in (5, None, b"json"):
        with pytest.raises(TypeError):
            get_format(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        get_format([])  # type: ignore[arg-type]


def test_a_shortcut_is_for_documents_that_are_read_and_written_as_they_are() -> None:
    shortcut = get_shortcut("serialize", DEFAULT_READING, "json", DEFAULT_WRITING)
    assert get_shortcut("serialize", replace(DEFAULT_READING), "json", replace(DEFAULT_WRITING)) is shortcut
    assert get_shortcut("json", DEFAULT_READING, "json", DEFAULT_WRITING) is None
    readings = replace(DEFAULT_READING, values="php"), replace(DEFAULT_READING, encoding="gbk")
    for reading in (*readings, replace(DEFAULT_READING, dialect="session")):
        assert get_shortcut("serialize", reading, "json", DEFAULT_WRITING) is None
    for writing in (replace(DEFAULT_WRITING, values="php"), replace(DEFAULT_WRITING, dialect="php")):
        assert get_shortcut("serialize", DEFAULT_READING, "json", writing) is None
