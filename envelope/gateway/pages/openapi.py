"""The gateway's own OpenAPI document: what `envelope.calls.openapi` says of any gateway, for the paths of this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import envelope
from envelope.calls.openapi import openapi_document
from envelope.calls.reading import NAME_PATTERN
from envelope.gateway.pages import RESERVED
from envelope.registry.codes import CodeRegistry

__all__ = ["gateway_document"]

_TYPE: Final = {
    "in": "path",
    "name": "api_type",
    "required": True,
    "description": "The API's type: any name will do, but those that the gateway needs itself.",
    "schema": {"type": "string", "pattern": f"^{NAME_PATTERN}$", "not": {"enum": ["admin", "v1", *RESERVED]}},
    "example": "openai",
}
# What HTTP itself may refuse; such an answer is an envelope, too.
_OF_HTTP: Final = {
    "404": "There is nothing at this path.",
    "405": "Neither GET nor POST.",
    "408": "The body did not arrive in time.",
    "413": "The body is too long.",
}


def gateway_document(
    apis: Sequence[str], registry: CodeRegistry, statuses: str, script_statuses: str
) -> dict[str, Any]:
    """The document of a gateway with these *apis*; under the statuses ``"ok"`` every answer is 200."""
    document = openapi_document(
        title="Gateway", version=envelope.__version__, api_names=apis or ("custom",), registry=registry
    )
    del document["servers"]  # it is where the document is
    responses = document["components"]["responses"]
    every = next(iter(responses.values()))
    for status, words in _OF_HTTP.items():
        responses.setdefault(status, {**_without_examples(every), "description": words})
    responses["any"] = {**_without_examples(every), "description": "Every code, as one HTTP status."}
    [first, *_] = document["paths"].values()
    name = {
        "in": "path",
        "name": "api_name",
        "required": True,
        "description": "The API.",
        "schema": {"type": "string", "pattern": f"^{NAME_PATTERN}$", "examples": [*apis]},
        "example": apis[0] if apis else "custom",
    }
    asked = {**name, "in": "query", "required": False}
    document["paths"] = {
        "/{api_type}/{api_name}/": _path(first, "call", [_TYPE, name], [*responses], statuses),
        "/{api_type}/api_call.php": _path(first, "script", [_TYPE], [*responses], script_statuses, asked),
    }
    return document


def _path(
    operations: dict[str, Any],
    name: str,
    parameters: list[dict[str, Any]],
    statuses: list[str],
    rule: str,
    *queried: dict[str, Any],
) -> dict[str, Any]:
    listed = {each: {"$ref": f"#/components/responses/{each}"} for each in sorted(statuses) if each != "any"}
    answers = {"200": {"$ref": "#/components/responses/any"}} if rule == "ok" else listed
    made: dict[str, Any] = {"parameters": parameters}
    for verb, operation in operations.items():
        of_query = [*queried, *operation.get("parameters", ())]
        made[verb] = {**operation, "operationId": f"{verb}_{name}", "responses": answers}
        if of_query:
            made[verb]["parameters"] = of_query
    return made


def _without_examples(response: dict[str, Any]) -> dict[str, Any]:
    content = {media: {"schema": one["schema"]} for media, one in response["content"].items()}
    return {**response, "content": content}
