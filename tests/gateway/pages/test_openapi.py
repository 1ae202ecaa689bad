"""The gateway's own OpenAPI document: it is one, and the gateway answers as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envelope import ResultType
from envelope.calls.media import content_type_of
from envelope.gateway.pages.openapi import gateway_document
from envelope.registry.codes import REGISTRY
from tests.gateway.pages.conformity import check
from tests.gateway.pages.visitor import get
from tests.gateway.served import served


@pytest.mark.parametrize("statuses", ["registry", "ok"])
@pytest.mark.parametrize("script", ["registry", "ok"])
def test_it_is_valid(statuses: str, script: str) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    document = gateway_document(["custom"], REGISTRY, statuses, script)
    validator.validate(json.loads(json.dumps(document)))
    called, scripted = document["paths"].values()
    for path, rule in ((called, statuses), (scripted, script)):
        for verb in ("get", "post"):
            assert ([*path[verb]["responses"]] == ["200"]) == (rule == "ok")


def test_every_answer_may_be_in_each_format() -> None:
    document = gateway_document(["custom", "batch"], REGISTRY, "registry", "ok")
    types = {content_type_of(name) for name in ResultType}
    assert all({*response["content"]} == types for response in document["components"]["responses"].values())


@pytest.mark.parametrize("settings", [{}, {"statuses": "ok", "script_statuses": "registry"}])
def test_no_answer_is_outside_it(tmp_path: Path, settings: Any) -> None:
    pytest.importorskip("schemathesis")
    with served(tmp_path, **settings) as world:
        check(world, 20)


def test_it_has_the_operators_own_codes(tmp_path: Path) -> None:
    (tmp_path / "codes.toml").write_text(
        '[[codes]]\ncode = "4099"\nname = "TOO_LOUD"\nmessage = "Too loud"\ncn = "太吵"\nen = "Too loud"\nru = "Громко"\nbilling = "free"\nhttp_status = 418\n'
        'retryable = false\nactor = "caller"\n'
    )
    with served(tmp_path, codes="codes.toml") as world:
        document = json.loads(get(world, "/openapi.json").body)
        assert "418" in document["paths"]["/{api_type}/{api_name}/"]["get"]["responses"]
        assert "Too loud" in get(world, "/docs").body.decode()
