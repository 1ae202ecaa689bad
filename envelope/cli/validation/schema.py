"""A case's own JSON Schema, as a check of payloads."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from envelope.api import loads
from envelope.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.fixtures.cases import ResponseCheck

__all__ = ["response_check"]

_MAX_FAULTS: Final = 20


def response_check(data: bytes) -> ResponseCheck:
    """The check that the JSON Schema in *data* is. `DecodeError` where it is no JSON, `ValidationError` if no schema.

    References lead nowhere but into the schema itself: nothing is fetched.
    """
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for
        from referencing import Registry
        from referencing.exceptions import Unresolvable
    except ModuleNotFoundError as exc:
        message = f"a response.schema.json needs {exc.name}: pip install 'envelope-engine[cli]'"
        raise click.ClickException(message) from None

    schema = loads(data, "json")
    if not isinstance(schema, dict):
        raise ValidationError("a schema is an object")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a $schema that is not known: the newest draft is meant
            kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        validator = kind(schema, registry=Registry())
    except SchemaError as exc:
        raise ValidationError(f"no JSON Schema: {exc.message}") from None
    except Exception as exc:  # jsonschema raises as it comes where what is no schema gets past its own check
        raise ValidationError(f"no JSON Schema: {type(exc).__name__}") from None

    def check(response: Any) -> Iterator[tuple[list[str | int], str]]:
        try:
            for fault in islice(validator.iter_errors(response), _MAX_FAULTS):
                yield list(fault.absolute_path), fault.message
        except Unresolvable as exc:
            yield [], f"the schema refers to what is not in it: {exc.ref}"
        except Exception as exc:  # as above; of a schema that leads back to itself it is a RecursionError
            yield [], f"the schema cannot be applied: {type(exc).__name__}"

    return check
