"""The generated documents: valid, complete, and true to what the library reads and writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from openapi_spec_validator import validate

import envelope
from envelope import Envelope, Lang, ResultType
from envelope.calls.media import content_type_of
from envelope.calls.openapi import envelope_schema, openapi_document, request_schema
from envelope.calls.parameters import METHODS
from envelope.calls.request import ApiRequest
from envelope.registry.codes import REGISTRY, Billing, ErrorCode
from envelope.testing.strategies import envelopes
from tests.cli.command import run
from tests.strategies import requests

FIXTURES = Path(__file__).parents[2] / "fixtures" / "valid"
DOCUMENT = openapi_document(lang="cn")
TEXT = json.dumps(DOCUMENT, ensure_ascii=False)
ENVELOPE = jsonschema.Draft202012Validator(envelope_schema())
REQUEST = jsonschema.Draft202012Validator(request_schema())


@pytest.mark.parametrize("lang", list(Lang))
def test_the_document_is_openapi(lang: Lang) -> None:
    validate(
        openapi_document(
            lang=lang,
            title="Shop",
            server="https://api.example.com/v1",
            api_type="taobao",
            api_names=["item_get", "item_search"],
            payload="item",
        )
    )
    jsonschema.Draft202012Validator.check_schema(envelope_schema())
    jsonschema.Draft202012Validator.check_schema(request_schema())


def test_every_method_format_code_and_language_is_shown() -> None:
    (operations,) = DOCUMENT["paths"].values()
    parameters = {parameter["name"]: parameter for parameter in operations["get"]["parameters"]}
    assert set(parameters["method"]["examples"]) == set(METHODS)
    assert len(METHODS) == 12
    assert parameters["result_type"]["schema"]["enum"] == [str(name) for name in ResultType]
    assert parameters["lang"]["schema"]["enum"] == ["cn", "en", "ru"]
    codes = {
        row["const"]: row
        for row in DOCUMENT["components"]["schemas"]["Envelope"]["properties"]["error_code"]["anyOf"]
        if "const" in row
    }
    assert list(codes) == [row.code for row in REGISTRY]
    for row in REGISTRY:
        said = codes[row.code]["description"]
        assert all(
            text in said for text in (row.message, row.cn, row.en, row.ru, str(row.billing), str(row.http_status))
        )
        assert ("(inferred)" in said) == (row.billing_source == "inferred")
    responses = DOCUMENT["components"]["responses"]
    assert set(operations["get"]["responses"]) == set(operations["post"]["responses"]) == set(responses)
    assert set(responses) == {str(row.http_status) for row in REGISTRY}
    for response in responses.values():
        assert list(response["content"]) == [content_type_of(name) for name in ResultType]
        assert response["headers"]["Content-Language"]["schema"]["enum"] == ["zh-Hans", "en", "ru"]
    assert list(operations["post"]["requestBody"]["content"]) == [
        "application/json",
        "application/x-www-form-urlencoded",
    ]
    assert set(parameters["_o_args"]["examples"]) <= set(METHODS)
    assert parameters["cache"]["schema"]["default"] == "yes"


def test_how_a_caller_proves_who_it_is_is_shown() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name: (scheme["in"], scheme["name"]) for name, scheme in schemes.items()} == {
        name: ("query", name) for name in ("key", "secret", "sign")
    }
    assert DOCUMENT["security"] == [{"key": [], "secret": []}, {"key": [], "sign": []}]
    right = {"key": "k", "api_name": "a", "secret": "s"}
    signed = {"key": "k", "api_name": "a", "sign": "0" * 32, "dateline": "2023-03-05 10:03:24"}
    assert REQUEST.is_valid(right)
    assert REQUEST.is_valid(signed)
    for wrong in (
        right | {"secret": ""},
        signed | {"sign": "x"},
        signed | {"dateline": "now"},
        right | {"api_name": "a/b"},
        right | {"api_name": "~"},
    ):
        assert not REQUEST.is_valid(wrong)
    for name in ("sign", "dateline"):
        assert not REQUEST.is_valid({key: item for key, item in signed.items() if key != name})


def test_the_examples_are_the_fixtures_and_what_the_library_writes() -> None:
    responses = DOCUMENT["components"]["responses"]
    for name in ("sample-success", "sample-upstream-error"):
        for result_type in ResultType:
            example = responses["200"]["content"][content_type_of(result_type)]["examples"][name]["value"]
            body = (FIXTURES / name / f"body{envelope.formats.get_format(result_type).suffix}").read_bytes()
            shown = (
                envelope.encode(Envelope.from_value(example), result_type)
                if isinstance(example, dict)
                else example.encode()
            )
            assert shown == envelope.dumps(envelope.loads(body, result_type), result_type)
            assert envelope.same(envelope.loads(shown, result_type), envelope.loads(body, result_type))
    for row in REGISTRY:
        for result_type in ResultType:
            examples = responses[str(row.http_status)]["content"][content_type_of(result_type)]["examples"]
            answers = [
                Envelope.from_value(value["value"])
                if isinstance(value["value"], dict)
                else envelope.decode(value["value"].encode(), result_type)
                for value in examples.values()
            ]
            assert row.code in [answer.error_code for answer in answers]
            assert all(ENVELOPE.is_valid(answer.to_value()) for answer in answers)


@given(envelopes())
def test_the_schema_of_the_envelope_takes_what_is_written(answer: Envelope[Any]) -> None:
    value = answer.to_value()
    is_code = len(answer.error_code) == 4 and answer.error_code.isascii() and answer.error_code.isdigit()
    assert ENVELOPE.is_valid(value) == is_code
    assert ENVELOPE.is_valid({**value, "error_code": "4003"})
    for name in ("response", "error", "last_id"):
        assert not ENVELOPE.is_valid({key: item for key, item in value.items() if key != name})
    assert not ENVELOPE.is_valid({**value, "error_code": 4003})


@given(requests())
def test_the_schema_of_the_request_takes_what_is_written(request: ApiRequest) -> None:
    params = {**request.to_params(), "sign": "0" * 32, "dateline": "2023-03-05 10:03:24"}
    assert REQUEST.is_valid(params)
    for name in ("key", "api_name"):
        assert not REQUEST.is_valid({key: item for key, item in params.items() if key != name})
    for name, wrong in (("lang", "fr"), ("result_type", "yaml"), ("cache", "maybe"), ("key", 5), ("_o_args", [1])):
        assert not REQUEST.is_valid({**params, name: wrong})


def test_an_operators_codes_are_included() -> None:
    row = ErrorCode(
        code="4100",
        name="NO_STOCK",
        message="No stock",
        billing=Billing.FREE,
        http_status=409,
        retryable=False,
        actor="caller",
    )
    made = openapi_document(registry=REGISTRY.with_codes(row))
    validate(made)
    assert made["components"]["responses"]["409"]["description"] == "4100 No stock"


@pytest.mark.parametrize("name", ["a/b", "..", "{x}", "", "a?b"])
def test_names_that_cannot_be_part_of_a_path_are_refused(name: str) -> None:
    for option in ("--api-type", "--api-name"):
        result = run("openapi", option, name)
        assert (result.exit_code, "not a valid API name" in result.stderr) == (2, True)
    assert run("openapi", "--title", "\udcff").exit_code == 2


def test_the_command(tmp_path: Path) -> None:
    assert json.loads(run("openapi", "--lang", "cn").stdout) == DOCUMENT
    target = tmp_path / "envelope.schema.json"
    assert run("openapi", "--part", "envelope", "-o", str(target)).exit_code == 0
    assert json.loads(target.read_bytes()) == envelope_schema()
    assert json.loads(run("openapi", "--part", "request").stdout) == request_schema()
    titled = json.loads(
        run(
            "openapi",
            "--title",
            "Shop",
            "--version",
            "2.1",
            "--server",
            "https://a.example",
            "--api-type",
            "t",
            "--api-name",
            "n",
            "--api-name",
            "m",
            "--payload",
            "item",
        ).stdout
    )
    assert (titled["info"]["title"], titled["info"]["version"], titled["servers"]) == (
        "Shop",
        "2.1",
        [{"url": "https://a.example"}],
    )
    assert list(titled["paths"]) == ["/t/n/", "/t/m/"]
    assert "item" in titled["components"]["schemas"]["Envelope"]["required"]
    own = tmp_path / "own.toml"
    own.write_text('[[overrides]]\ncode = "4003"\nhttp_status = 418\n')
    assert "418" in json.loads(run("openapi", "--with", str(own)).stdout)["components"]["responses"]
