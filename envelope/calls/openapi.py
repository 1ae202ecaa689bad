"""Generated documentation: JSON Schemas of the envelope and the request, and OpenAPI 3.1 of a gateway.

It is all made from what the library uses itself: the registry's codes, the formats' writers, the request's parameters.
The result is plain data, to be written as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import orjson

from envelope.answers.envelope import Envelope
from envelope.api import encode
from envelope.calls.media import FORM_TYPE, content_type_of
from envelope.calls.parameters import METHODS, PARAMETERS, STRICT_SCHEME
from envelope.calls.reading import is_name
from envelope.formats import ResultType
from envelope.path import MAX_SHOWN
from envelope.registry.codes import REGISTRY, CodeRegistry, ErrorCode
from envelope.registry.languages import Lang

__all__ = ["envelope_schema", "openapi_document", "request_schema"]

_ARGS = {
    "v1/completions": '{"prompt":"中国队什么时候进世界杯","max_tokens":200}',
    "v1/images/generations": '{"prompt":"地球","n":10}',
    "images/submit": '{"prompt":"向日葵"}',
    "images/get": '{"imgid":"1987378144113570"}',
}

_EXAMPLES = {
    "method": {name: {"summary": text, "value": name} for name, text in METHODS.items()},
    "_o_args": {name: {"value": text} for name, text in _ARGS.items()},
}

# The credentials: OpenAPI has these as security schemes, not as parameters.
_CREDENTIALS = {
    "key": "The caller's key.",
    "secret": "The caller's secret, in clear text.",
    "sign": "The signature of the call, instead of the secret; it needs a dateline. An MD5, or at a stricter gateway "
    f"{STRICT_SCHEME}:, a nonce, a colon and an HMAC-SHA-256.",
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAMPLES = orjson.loads((files("envelope.calls") / "samples.json").read_bytes())


def envelope_schema(registry: CodeRegistry = REGISTRY, payload: str = "response") -> dict[str, Any]:
    """The JSON Schema of an envelope with the codes of *registry*; it allows fields beyond the six."""
    texts = {
        "error": "Empty if the call succeeded, else the code's message.",
        "reason": "Empty if the call succeeded, else why it failed, in the caller's language.",
    }
    return {
        "$schema": _DIALECT,
        "title": "Envelope",
        "description": "A gateway's answer to any call.",
        "type": "object",
        "required": [payload, "error", "reason", "error_code", "request_id", "last_id"],
        "properties": {
            payload: {"description": "Whatever the upstream answered; [] if there is nothing."},
            **{name: {"type": "string", "description": text} for name, text in texts.items()},
            "error_code": {
                "description": "The outcome of the call, and who pays for it. A string: a number would lose its zeros.",
                "type": "string",
                "pattern": "^[0-9]{4}$",
                "anyOf": [*map(_code_schema, registry), {"description": "a code that is not in this table"}],
            },
            "request_id": {"type": "string", "description": "The id of the call.", "examples": ["1.6403f86cd67f6"]},
            "last_id": {"type": "string", "description": "The id of the gateway's record.", "examples": ["1593583206"]},
        },
    }


def _code_schema(row: ErrorCode) -> dict[str, Any]:
    source = " (inferred)" if row.billing_source == "inferred" else ""
    texts = " · ".join(f"{lang}: {row.text(lang)}" for lang in Lang)
    retry = "the same call may succeed later" if row.retryable else "the same call fails again"
    end = "" if row.is_success else f"; {retry}; {row.actor} must act"
    return {
        "const": row.code,
        "title": row.name,
        "description": f"{row.message}. {texts}. Billing: {row.billing}{source}; HTTP {row.http_status}{end}.",
    }


def request_schema() -> dict[str, Any]:
    """The JSON Schema of a call's parameters, as a JSON body carries them; an API may add its own."""
    return {
        "$schema": _DIALECT,
        "title": "Request",
        "description": "The parameters of a call. The key also goes in the URL, whatever the carrier.",
        "type": "object",
        "required": ["key", "api_name"],
        "anyOf": [{"required": ["secret"]}, {"required": ["sign", "dateline"]}],
        "properties": {row.name: {**row.schema, "description": row.description} for row in PARAMETERS},
    }


def openapi_document(
    *,
    title: str = "API gateway",
    version: str = "1.0.0",
    server: str = "/",
    api_type: str = "openai",
    api_names: Sequence[str] = ("custom",),
    payload: str = "response",
    lang: Lang | str = Lang.EN,
    registry: CodeRegistry = REGISTRY,
) -> dict[str, Any]:
    """An OpenAPI 3.1 document of a gateway: its APIs, methods, formats, codes and languages.

    *server* is the address before the paths ``/<api_type>/<api_name>/``; failures are shown in *lang*. `ValueError`
    if a name cannot be part of a path.
    """
    for name in (api_type, *api_names):
        if not is_name(name):
            raise ValueError(f"not a valid API name: {name[:MAX_SHOWN]!r}")
    responses = _responses(registry, Lang(lang), payload)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": "Every call is answered with one envelope, in the format and language the caller chooses.",
        },
        "servers": [{"url": server}],
        # Either the secret itself, or a signature with a dateline.
        "security": [{"key": [], "secret": []}, {"key": [], "sign": []}],
        "paths": {f"/{api_type}/{name}/": _operations(name, list(responses)) for name in api_names},
        "components": {
            "schemas": {
                "Envelope": _without(envelope_schema(registry, payload), "$schema"),
                # Nothing is required: the URL has the key and the API's name.
                "Request": _without(request_schema(), "$schema", "required", "anyOf"),
            },
            "responses": responses,
            "securitySchemes": {
                name: {"type": "apiKey", "in": "query", "name": name, "description": text}
                for name, text in _CREDENTIALS.items()
            },
        },
    }


def _operations(api_name: str, statuses: Sequence[str]) -> dict[str, Any]:
    """The two ways to call an API: with a query string, and with a body."""
    answers = {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
    query = [
        {"in": "query", "name": row.name, "description": row.description, "schema": dict(row.schema)}
        | ({"examples": _EXAMPLES[row.name]} if row.name in _EXAMPLES else {})
        for row in PARAMETERS
        if row.name not in _CREDENTIALS and row.name != "api_name"  # the path has it
    ]
    examples = {name: {"value": {"method": name, "_o_args": text}} for name, text in _ARGS.items()}
    content = {"schema": {"$ref": "#/components/schemas/Request"}, "examples": examples}
    return {
        "get": {
            "operationId": f"get_{api_name}",
            "summary": "Call the API with a query string.",
            "parameters": query,
            "responses": answers,
        },
        "post": {
            "operationId": f"post_{api_name}",
            "summary": "Call the API with a form or a JSON body.",
            "requestBody": {
                "content": {ResultType.JSON.media_type: content, FORM_TYPE: content},
            },
            "responses": answers,
        },
    }


def _without(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in names}


def _responses(registry: CodeRegistry, lang: Lang, payload: str) -> dict[str, Any]:
    """The responses by HTTP status, each with its codes, and their examples in all formats."""
    responses: dict[str, Any] = {}
    for status in sorted({row.http_status for row in registry}):
        rows = [row for row in registry if row.http_status == status]
        answers = {name: answer for row in rows for name, answer in _examples(row, lang).items()}
        responses[str(status)] = {
            "description": "; ".join(f"{row.code} {row.message}" for row in rows),
            "headers": {"Content-Language": {"schema": {"enum": [each.tag for each in Lang]}}},
            "content": {content_type_of(name): _content(name, answers, payload) for name in ResultType},
        }
    return responses


def _examples(row: ErrorCode, lang: Lang) -> dict[str, Envelope[Any]]:
    samples = {name: Envelope.from_value(value) for name, value in _SAMPLES.items()}
    own = {name: answer for name, answer in samples.items() if answer.error_code == row.code}
    if own or row.is_success:
        return own
    return {row.name: Envelope.fail(row.code, error=row.message, reason=row.text(lang), request_id="1.6403f86cd67f6")}


def _content(result_type: ResultType, answers: dict[str, Envelope[Any]], payload: str) -> dict[str, Any]:
    if result_type in (ResultType.JSON, ResultType.JSONU):
        schema: dict[str, Any] = {"$ref": "#/components/schemas/Envelope"}
        examples: dict[str, Any] = {name: {"value": answer.to_value(payload)} for name, answer in answers.items()}
    else:
        schema = {"type": "string", "description": f"The envelope in {result_type}."}
        examples = {
            name: {"value": encode(answer, result_type, payload=payload).decode()} for name, answer in answers.items()
        }
    return {"schema": schema, **({"examples": examples} if examples else {})}
