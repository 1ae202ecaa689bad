"""Settings of upstreams: what is wrong is told by the field's name, and never shown."""

from __future__ import annotations

from typing import Any

import pytest

from envelope import ValidationError
from envelope.gateway.upstreams import UpstreamSettings, read_upstreams

KEY = "sk-0123456789"
ADDRESS = "https://api.example.com/openai"
GOOD = {"name": "main", "address": ADDRESS, "key": KEY}

WRONG: dict[str, dict[str, Any]] = {
    "name": {"name": "a b"},
    "address": {"address": f"https://user:{KEY}@api.example.com"},
    "key": {"key": f"{KEY}\r\nX: y"},
    "weight": {"weight": 0},
    "order": {"order": -1},
    "connect": {"connect": 0},
    "first_byte": {"first_byte": float("nan")},
    "total": {"total": f"{KEY} seconds"},
    "rest": {"rest": -1},
    "ca_file": {"ca_file": f"/nowhere/{KEY}"},
    "certificate": {"certificate": f"/nowhere/{KEY}"},
    "certificate ": {"certificate": __file__},
    "ca_file ": {"ca_file": __file__},
    "secret": {"secret": KEY},
}


@pytest.mark.parametrize("field", WRONG)
def test_an_error_names_the_field_and_shows_nothing(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_upstreams([GOOD, {**GOOD, "name": "second", **WRONG[field]}])
    assert caught.value.path == f"$.upstreams[1].{field.strip()}"
    assert KEY not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    with pytest.raises(ValueError, match=field.strip()) as direct:
        UpstreamSettings.model_validate({**GOOD, **WRONG[field]})
    assert KEY not in str(direct.value)


@pytest.mark.parametrize(
    ("rows", "path"),
    [
        ([], "$.upstreams"),
        ([GOOD, GOOD], "$.upstreams[1].name"),
        ([1], "$.upstreams[0]"),
        ([{}], "$.upstreams[0].name"),
    ],
)
def test_upstreams_together(rows: list[Any], path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_upstreams(rows)
    assert caught.value.path == path


def test_neither_key_nor_address_is_in_the_repr() -> None:
    [upstream] = read_upstreams([GOOD])
    assert KEY not in repr(upstream)
    assert "example.com" not in repr(upstream)
    assert KEY not in str(upstream.model_dump())
    assert KEY not in upstream.model_dump_json()


def test_an_address_may_end_in_a_slash() -> None:
    assert read_upstreams([{**GOOD, "address": ADDRESS + "/"}])[0].address == ADDRESS
