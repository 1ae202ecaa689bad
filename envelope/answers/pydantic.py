"""`Envelope[Model]` to pydantic, which asks for it: the payload is validated and dumped as a *Model*.

Imported only by pydantic's question (`Envelope.__get_pydantic_core_schema__`), so that nothing else needs the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

if TYPE_CHECKING:
    from envelope.answers.envelope import Envelope

__all__ = ["envelope_core_schema"]


def envelope_core_schema(
    kind: type[Envelope[Any]], source: Any, handler: GetCoreSchemaHandler
) -> core_schema.CoreSchema:
    """The schema of *source*, an ``Envelope[T]`` or ``Envelope``: it takes an envelope, its map, or a T alone.

    *kind* is the class `Envelope`. All of its fields are dumped, in their order.
    """
    members = partial(_members, kind)
    texts = [field.name for field in fields(kind) if field.type == "str"]
    payload = handler.generate_schema((get_args(source) or (Any,))[0])
    required = core_schema.typed_dict_field
    shape = core_schema.typed_dict_schema(
        {
            # A failure has no payload: PHP's empty array stands for it.
            "response": required(core_schema.union_schema([payload, core_schema.list_schema(max_length=0)])),
            **{name: required(core_schema.str_schema()) for name in texts},
            "extras": required(core_schema.dict_schema()),
            "notes": required(core_schema.any_schema()),
        }
    )
    return core_schema.no_info_after_validator_function(
        lambda read: kind(**read),
        core_schema.no_info_before_validator_function(members, shape),
        serialization=core_schema.wrap_serializer_function_ser_schema(
            lambda envelope, dump: dump(members(envelope)), schema=shape
        ),
    )


def _members(kind: type[Envelope[Any]], value: Any) -> dict[str, Any]:
    """The fields of an envelope, of its map on the wire, or of the success that carries *value*."""
    if not isinstance(value, kind):
        is_map = isinstance(value, Mapping) and {"response", "error_code"} <= value.keys()
        value = kind.from_value(value) if is_map else kind.ok(value)
    return {field.name: getattr(value, field.name) for field in fields(kind)} | {"extras": dict(value.extras)}
