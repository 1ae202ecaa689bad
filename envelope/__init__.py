"""One typed value, five formats: json, jsonu, xml, PHP serialize and PHP var_export; and the envelope around it.

`dumps` and `loads` carry values, `encode` and `decode` an `Envelope`, `convert` goes from format to format, and
`losses` says what a format would not keep. Their options are described in `envelope.api`.
"""

from typing import Final

from envelope.api import convert, decode, dumps, encode, loads, losses
from envelope.errors import (
    DecodeError,
    EncodeError,
    EnvelopeError,
    LossError,
    LossWarning,
    UnknownCode,
    UnknownFormat,
    ValidationError,
)
from envelope.formats import ResultType
from envelope.limits import Limits
from envelope.model import Envelope, Note
from envelope.phpserialize_bridge import from_phpserialize, to_phpserialize
from envelope.request_id import RequestIds
from envelope.values import Loss, PhpEnum, PhpObject, PhpProperty, same

__all__ = [
    "NATIVE",
    "DecodeError",
    "EncodeError",
    "Envelope",
    "EnvelopeError",
    "Limits",
    "Loss",
    "LossError",
    "LossWarning",
    "Note",
    "PhpEnum",
    "PhpObject",
    "PhpProperty",
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

NATIVE: Final = False
"""Whether the compiled codecs are in use."""
