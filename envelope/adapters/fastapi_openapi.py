"""FastAPI's own OpenAPI document, changed to what is sent: envelopes in five formats, and the codes of failures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from envelope.calls.engine import Engine
from envelope.calls.media import content_type_of
from envelope.calls.openapi import openapi_document
from envelope.calls.parameters import PARAMETERS
from envelope.formats import ResultType
from envelope.registry.languages import Lang

__all__ = ["describe"]

_VERBS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_IN_PATH: Final = re.compile(r"{([^{}]+)}")
_REPLACED: Final = ("HTTPValidationError", "ValidationError")
_ENVELOPE: Final = {"$ref": "#/components/schemas/Envelope"}


def describe(document: dict[str, Any], engine: Engine, lang: Lang) -> dict[str, Any]:
    """*document* with what every answer of *engine* is; it is changed in place, once. Failures are shown in *lang*."""
    own = openapi_document(payload=engine.payload, registry=engine.messages.registry, lang=lang)["components"]
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    schemas["Envelope"] = own["schemas"]["Envelope"]
    failures = {status: answer for status, answer in own["responses"].items() if int(status) >= 400}
    components.setdefault("responses", {}).update(failures)
    for path, operation in _operations(document):
        responses: dict[str, Any] = operation["responses"]
        if "HTTPValidationError" in str(responses.get("422")):
            del responses["422"]
        for status, answer in responses.items():
            if not status.startswith("2") or "content" not in answer:
                continue
            if (plain := answer["content"].get("text/plain") or answer["content"].get("application/json")) is not None:
                answer["content"] = _contents(plain.get("schema", {}), schemas, engine.payload)
        for status in failures:
            responses.setdefault(status, {"$ref": f"#/components/responses/{status}"})
        named = {(each.get("in"), each.get("name")) for each in operation.setdefault("parameters", [])}
        wanted = [*_in_path(path), *_common(engine)]
        operation["parameters"] += [each for each in wanted if (each["in"], each["name"]) not in named]
    return document


def _in_path(path: str) -> list[dict[str, Any]]:
    """The names in a path, of which some may be read by `CurrentCall` alone."""
    return [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string"}} for name in _IN_PATH.findall(path)
    ]


def _common(engine: Engine) -> list[dict[str, Any]]:
    defaults = {"result_type": str(engine.result_type), "lang": str(Lang(engine.lang))}
    return [
        {
            "in": "query",
            "name": row.name,
            "description": row.description,
            "schema": {**row.schema, "default": defaults[row.name]},
        }
        for row in PARAMETERS
        if row.name in defaults
    ]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document.get("paths", {}).items():
        yield from ((path, item[verb]) for verb in _VERBS if verb in item)


def _contents(schema: dict[str, Any], schemas: dict[str, Any], payload: str) -> dict[str, Any]:
    """A success whose payload has this *schema*, in the five formats."""
    is_envelope = "error_code" in _resolved(schema, schemas).get("properties", {})
    member = _resolved(schema, schemas)["properties"]["response"] if is_envelope else schema
    whole = {"allOf": [_ENVELOPE, {"type": "object", "properties": {payload: member}}]} if member else _ENVELOPE
    texts = (ResultType.XML, ResultType.SERIALIZE, ResultType.VAR_EXPORT)
    return {
        content_type_of(name): {
            "schema": {"type": "string", "description": f"The envelope in {name}."} if name in texts else whole
        }
        for name in ResultType
    }


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    found: dict[str, Any] = schemas.get(name, {}) if name else schema
    return found
