"""One typed value, five formats: json, jsonu, xml, PHP serialize and PHP var_export; and the envelope around it.

`dumps` and `loads` carry values, `encode` and `decode` an `Envelope`, `convert` goes from format to format, and
`losses` says what a format would not keep. Their options are described in `envelope.api`.

Everything else is in packages of its own:

`envelope.values`      what a value is, PHP's own types, and when two values are the same
`envelope.formats`     the table of the five formats
`envelope.conversion`  from format to format, also many documents at once
`envelope.repairs`     broken documents made readable, on request: `repair`
`envelope.layers`      what stands around a document taken off, on request: `unwrap`
`envelope.registry`    the error codes: their texts in three languages, and who pays
`envelope.answers`     the envelope, verdicts, bills, request ids, translation
`envelope.calls`       a call at both ends: requests, signatures, cache keys, the engine, OpenAPI
`envelope.client`      calls over HTTP: fail-over, retries, a cache (extra ``client``)
`envelope.fixtures`    the rules that fixtures must keep
`envelope.adapters`    the library inside other systems (servers, Arrow, Spark, phpserialize)
`envelope.gateway`     a gateway of one's own (extra ``gateway``)
`envelope.testing`     for tests of your own
"""

from envelope import start as _start  # noqa: F401  # before what takes long

# isort: split
from typing import TYPE_CHECKING

from envelope.answers.envelope import Envelope, Note
from envelope.api import convert, decode, dumps, encode, loads, loads_first, losses
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
from envelope.lazy import door
from envelope.limits import Limits

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
    "PhpReference",
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
    "loads_first",
    "losses",
    "repair",
    "same",
    "to_phpserialize",
    "unwrap",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from envelope import adapters as adapters
    from envelope import answers as answers
    from envelope import calls as calls
    from envelope import client as client
    from envelope import conversion as conversion
    from envelope import fixtures as fixtures
    from envelope import layers as layers
    from envelope import registry as registry
    from envelope import repairs as repairs
    from envelope import testing as testing
    from envelope import values as values
    from envelope.adapters.phpserialize import from_phpserialize, to_phpserialize
    from envelope.answers.request_ids import RequestIds
    from envelope.layers.search import unwrap
    from envelope.registry.languages import Lang
    from envelope.repairs.serialize import repair
    from envelope.values.php_types import Loss, PhpEnum, PhpObject, PhpProperty, PhpReference, same
else:
    # Code that only converts never needs these, so they are imported on first use.
    __getattr__, __dir__, _late = door(
        __name__,
        {
            "adapters": "", "calls": "", "client": "", "conversion": "", "fixtures": "", "registry": "", "testing": "",
            "layers": "", "repairs": "",
            "adapters.phpserialize": "from_phpserialize to_phpserialize",
            "answers": "",
            "answers.request_ids": "RequestIds",
            "layers.search": "unwrap",
            "registry.languages": "Lang",
            "repairs.serialize": "repair",
            "values": "",
            "values.php_types": "Loss PhpEnum PhpObject PhpProperty PhpReference same",
        },
    )  # fmt: skip
