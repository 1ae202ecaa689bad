"""One typed value, five formats: json, jsonu, xml, PHP serialize and PHP var_export; and the envelope around it.

`dumps` and `loads` carry values, `encode` and `decode` an `Envelope`, `convert` goes from format to format, and
`losses` says what a format would not keep. Their options are described in `envelope.api`.

`envelope.codes` is the registry of error codes, `envelope.verdicts` makes one outcome of an answer, `envelope.bills`
counts what answers cost, `envelope.messages` and `envelope.translation` speak the caller's language.
`envelope.request`, `envelope.signing`, `envelope.cache_keys` and `envelope.engine` are the two ends of a call, and
`envelope.openapi` describes it.
"""

import importlib
from typing import TYPE_CHECKING

from envelope.api import convert, decode, dumps, encode, loads, losses
from envelope.errors import (
    DecodeError,
    EncodeError,
    EnvelopeError,
    LossError,
    LossWarning,
    RequestError,
    UnknownCode,
    UnknownFormat,
    ValidationError,
)
from envelope.formats import NATIVE, ResultType
from envelope.limits import Limits
from envelope.model import Envelope, Note

__all__ = [
    "NATIVE",
    "DecodeError",
    "EncodeError",
    "Envelope",
    "EnvelopeError",
    "Lang",
    "Limits",
    "Loss",
    "LossError",
    "LossWarning",
    "Note",
    "PhpEnum",
    "PhpObject",
    "PhpProperty",
    "RequestError",
    "RequestIds",
    "ResultType",
    "UnknownCode",
    "UnknownFormat",
    "ValidationError",
    "convert",
    "decode",
    "dumps",
    "encode",
    "from_phpserialize",
    "loads",
    "losses",
    "same",
    "to_phpserialize",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from envelope import bills as bills
    from envelope import cache_keys as cache_keys
    from envelope import codes as codes
    from envelope import engine as engine
    from envelope import fixtures as fixtures
    from envelope import lang as lang
    from envelope import messages as messages
    from envelope import openapi as openapi
    from envelope import request as request
    from envelope import request_id as request_id
    from envelope import signing as signing
    from envelope import translation as translation
    from envelope import values as values
    from envelope import verdicts as verdicts
    from envelope.lang import Lang
    from envelope.phpserialize_bridge import from_phpserialize, to_phpserialize
    from envelope.request_id import RequestIds
    from envelope.values import Loss, PhpEnum, PhpObject, PhpProperty, same
else:
    # Those who only convert never need these: they are imported when they are asked for.
    _MODULES = {
        "bills", "cache_keys", "codes", "engine", "fixtures", "lang", "messages", "openapi", "request", "request_id",
        "signing", "translation", "values", "verdicts",
    }  # fmt: skip
    _NAMES = {
        "Lang": "lang",
        "RequestIds": "request_id",
        "from_phpserialize": "phpserialize_bridge", "to_phpserialize": "phpserialize_bridge",
        "Loss": "values", "PhpEnum": "values", "PhpObject": "values", "PhpProperty": "values", "same": "values",
    }  # fmt: skip

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return importlib.import_module(f"envelope.{name}")
        if name in _NAMES:
            globals()[name] = getattr(importlib.import_module(f"envelope.{_NAMES[name]}"), name)
            return globals()[name]
        raise AttributeError(f"module 'envelope' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES, *_NAMES})
