"""A case's own JSON Schema, as a check for payloads."""

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
    """A check by the JSON Schema in *data*. `DecodeError` if it is not JSON, `ValidationError` if not a schema.

    References only resolve within the schema itself: nothing is fetched.
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
        raise ValidationError("a schema must be an object")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about an unknown $schema: the newest draft is used
            kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        validator = kind(schema, registry=Registry())
    except SchemaError as exc:
        raise ValidationError(f"not a JSON Schema: {exc.message}") from None
    except Exception as exc:  # jsonschema may raise anything if an invalid schema gets past its own check
        raise ValidationError(f"not a JSON Schema: {type(exc).__name__}") from None

    def check(response: Any) -> Iterator[tuple[list[str | int], str]]:
        try:
            for fault in islice(validator.iter_errors(response), _MAX_FAULTS):
                yield list(fault.absolute_path), fault.message
        except Unresolvable as exc:
            yield [], f"the schema refers to something outside it: {exc.ref}"
        except Exception as exc:  # as above; RecursionError if a schema refers to itself
            yield [], f"the schema cannot be applied: {type(exc).__name__}"

    return check
