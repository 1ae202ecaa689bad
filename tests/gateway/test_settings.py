"""Settings: every wrong field is named by its path, and no value is shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.errors import DecodeError, ValidationError
from envelope.gateway.money import UNIT
from envelope.gateway.settings import GatewaySettings, made_settings, read_settings

SECRET = "sk-4f9c1d7e2b"
UPSTREAM = {"name": "a", "address": "https://a.test"}
GOOD: dict[str, Any] = {"upstreams": [UPSTREAM]}

# A wrong value of each field, at its path.
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("$.store", {"store": 5}),
    ("$.key_file", {"key_file": [SECRET]}),
    ("$.codes", {"codes": 5}),
    ("$.apis", {"apis": SECRET}),
    ("$.apis[1]", {"apis": ["custom", SECRET + "/"]}),
    ("$.apis[0]", {"apis": ["api_call.php"]}),
    ("$.apis[0]", {"apis": [5]}),
    *[("$.openai_api", {"openai_api": value}) for value in (5, SECRET)],
    *[("$.seconds", {"seconds": value}) for value in (0, -1, 3601, float("nan"), float("inf"), SECRET)],
    *[("$.retries", {"retries": value}) for value in (-1, 11, 1.5, SECRET)],
    *[(f"$.{name}", {name: SECRET}) for name in ("statuses", "script_statuses", "upstream_errors", "json_dialect", "receipts", "log")],
    ("$.origins", {"origins": SECRET}),
    *[("$.origins[0]", {"origins": [value]}) for value in (5, "", "*", "null", SECRET, "https://a.test/", "https://A.test",
      "https://a.test:443", "http://a.test:80", "ftp://a.test", "https://*.a.test", "https://a.test\n", "https://")],
    *[("$.keep_days", {"keep_days": value}) for value in (0, 1.5, 40_000, SECRET)],
    *[("$.admin_token", {"admin_token": value}) for value in (5, SECRET)],  # too short
    ("$.metrics", {"metrics": SECRET}),
    ("$.upstreams", {"upstreams": []}),
    ("$.upstreams", {"upstreams": SECRET}),
    ("$.upstreams[0].key", {"upstreams": [{**UPSTREAM, "key": SECRET + " "}]}),
    ("$.upstreams[0].address", {"upstreams": [{**UPSTREAM, "address": f"ftp://{SECRET}"}]}),
    ("$.upstreams[1].name", {"upstreams": [UPSTREAM, {**UPSTREAM, "name": SECRET + "\n"}]}),
    ("$.upstreams[1].name", {"upstreams": [UPSTREAM, UPSTREAM]}),
    ("$.upstreams[0].other", {"upstreams": [{**UPSTREAM, "other": SECRET}]}),
    ("$.prices", {"prices": SECRET}),
    *[(f"$.prices[0].{name}", {"prices": [{name: value}]}) for name in ("call", "cached", "prompt", "completion")
      for value in (0.5, 1, SECRET, "-1", "1.2345678", "1e3", "", "10000000000", True, None)],
    ("$.prices[1].max_completion", {"prices": [{}, {"max_completion": 0}]}),
    ("$.prices[0].model", {"prices": [{"model": 5}]}),
    ("$.prices[0].currency", {"prices": [{"currency": SECRET}]}),
    *[("$.cache.seconds", {"cache": {"seconds": value}}) for value in (-1, 366 * 86_400 + 1, SECRET)],
    ('$.cache.methods["v1/models"]', {"cache": {"methods": {"v1/models": SECRET}}}),
    ("$.cache.shared", {"cache": {"shared": SECRET}}),
    *[(f"$.limits.{name}", {"limits": {name: value}}) for name in ("body", "files", "answer") for value in (-1, 2**60, SECRET)],
    ("$.limits.other", {"limits": {"other": SECRET}}),
    *[(f"$.{name}", {name: SECRET}) for name in ("other", "_env_file", "_secrets_dir", "_build_sources", "__pydantic_self__", "self", "model_config")],
]  # fmt: skip


@pytest.mark.parametrize(("path", "change"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_field_is_named_and_its_value_is_not_shown(path: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as info:
        made_settings({**GOOD, **change})
    assert info.value.path == path
    assert SECRET not in "".join(traceback.format_exception(info.value))
    assert info.value.__cause__ is info.value.__context__ is None


def test_every_field_is_tried() -> None:
    assert {path.split(".")[1].split("[")[0] for path, _ in WRONG} >= GatewaySettings.model_fields.keys()


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("UPSTREAMS", f'[{{"name": "a", "key": "{SECRET}"', "$.upstreams"),
        ("LIMITS", SECRET, "$.limits"),
        ("PRICES", f'[{{"call": "{SECRET}"}}]', "$.prices[0].call"),
        ("SECONDS", SECRET, "$.seconds"),
        ("CACHE__SECONDS", SECRET, "$.cache.seconds"),
    ],
)
def test_and_so_is_a_wrong_variable(name: str, value: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ENVELOPE_GATEWAY_{name}", value)
    with pytest.raises(ValidationError) as info:
        made_settings(GOOD)
    assert info.value.path == path
    assert SECRET not in "".join(traceback.format_exception(info.value))
    assert info.value.__cause__ is info.value.__context__ is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = st.sampled_from(sorted(GatewaySettings.model_fields)) | st.text(max_size=12)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_is_in_a_file_it_is_read_or_a_field_is_named(table: dict[str, Any]) -> None:
    try:
        settings = made_settings({**GOOD, **table})
    except ValidationError as error:
        assert error.path.startswith("$")
    else:
        assert settings.upstreams


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        'seconds = 3\ncodes = "codes.toml"\n[[prices]]\ncall = "0.5"\n[[upstreams]]\nname = "a"\naddress = "https://a.test"\n'
    )
    monkeypatch.setenv("ENVELOPE_GATEWAY_SECONDS", "7")
    monkeypatch.setenv("ENVELOPE_GATEWAY_CACHE__SHARED", "true")
    settings = read_settings(file)
    assert (settings.seconds, settings.cache.shared, settings.cache.seconds) == (7, True, 86_400)
    assert (settings.store, settings.codes) == (str(tmp_path / "gateway.db"), tmp_path / "codes.toml")
    assert settings.tariff.of("x", "").call == UNIT // 2


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'key = "{SECRET}')
    with pytest.raises(DecodeError) as info:
        read_settings(file)
    assert SECRET not in "".join(traceback.format_exception(info.value))
    file.write_text("seconds = 5\n")
    with pytest.raises(ValidationError, match="upstreams"):
        read_settings(file)
