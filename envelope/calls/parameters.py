"""The common parameters of a call, one row each: the table for reading, writing, signing, caching and documenting it.

To add a parameter, add its row here and its field to `ApiRequest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envelope.calls.reading import NAME_PATTERN
from envelope.formats import ResultType
from envelope.registry.languages import Lang

__all__ = [
    "DATELINE_PATTERN",
    "METHODS",
    "NONCE_PATTERN",
    "PARAMETERS",
    "STRICT_SCHEME",
    "STRICT_SIGN_PATTERN",
    "Parameter",
]

DATELINE_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"

STRICT_SCHEME = "hmac-sha256"
NONCE_PATTERN = r"[A-Za-z0-9_-]{16,64}"
STRICT_SIGN_PATTERN = rf"{STRICT_SCHEME}:{NONCE_PATTERN}:[0-9a-f]{{64}}"

METHODS = {
    "v1/models": "list the models",
    "v1/completions": "complete a text",
    "v1/chat/completions": "chat",
    "v1/edits": "edit a text",
    "v1/images/generations": "make an image from a text",
    "v1/images/edits": "edit an image",
    "v1/images/variations": "vary an image",
    "v1/embeddings": "embed texts",
    "v1/audio/transcriptions": "turn speech into text",
    "v1/files": "the files for fine-tuning",
    "images/submit": "start an image; returns its id",
    "images/get": "fetch an image by its id",
}
"""The upstream's methods that the gateway's documents name; any other is passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One common parameter.

    ``name``                 as it is sent.
    ``field``                the field of `ApiRequest` that holds it, if its name differs.
    ``alias``                another name under which it is read, if its own is missing or empty.
    ``default``              the field's value if the parameter is not sent; a default is never sent. Its type says
                             how the parameter is read and written: a text, ``yes`` or ``no`` for a bool, one of an
                             enum's values, and for None the JSON of an object.
    ``sent``                 its place: in ascending order, each once; below 0 before an API's own parameters, above 0
                             after them. What is signed comes before ``sign``, what is not comes after.
    ``signed``               whether `signature` covers it.
    ``in_cache_key``         whether it is part of `cache_key`.
    ``in_client_cache_key``  whether it is one of the values in `client_cache_key`.
    ``schema``               the JSON Schema of what is sent.
    ``description``          what it means, for callers.
    """

    name: str
    field: str = ""
    alias: str = ""
    default: str | bool | None = ""
    sent: int
    signed: bool
    in_cache_key: bool
    in_client_cache_key: bool
    schema: Mapping[str, Any]
    description: str

    def __post_init__(self) -> None:
        if not self.field:
            object.__setattr__(self, "field", self.name)


PARAMETERS = (
    Parameter(
        name="key",
        sent=-5,
        signed=True,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"type": "string", "minLength": 1},
        description="The caller's key.",
    ),
    Parameter(
        name="secret",
        sent=3,
        signed=False,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"type": "string", "minLength": 1},
        description="The caller's secret; not needed if the call is signed.",
    ),
    Parameter(
        name="sign",
        sent=2,
        signed=False,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"type": "string", "pattern": f"^(?:[0-9A-F]{{32}}|{STRICT_SIGN_PATTERN})$"},
        description=(
            "MD5 of the secret, every name and its value in order of name, and the secret again. A gateway that is "
            f"stricter takes only {STRICT_SCHEME}:, a nonce, a colon and the HMAC-SHA-256 of the whole call."
        ),
    ),
    Parameter(
        name="api_name",
        sent=-4,
        signed=True,
        in_cache_key=True,
        in_client_cache_key=False,  # the key begins with it, but it is not one of the values
        schema={"type": "string", "pattern": f"^{NAME_PATTERN}$"},
        description="The name of the API; the one in the path overrides it.",
    ),
    Parameter(
        name="cache",
        default=True,
        sent=4,
        signed=False,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"enum": ["yes", "no"], "default": "yes"},
        description="Whether a cached answer will do: it is faster.",
    ),
    Parameter(
        name="result_type",
        default=ResultType.JSON,
        sent=6,
        signed=False,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"enum": [str(name) for name in ResultType], "default": "json"},
        description="The format of the answer; by default, what Accept prefers. jsonu is JSON in UTF-8.",
    ),
    Parameter(
        name="lang",
        default=Lang.CN,
        sent=5,
        signed=False,
        in_cache_key=True,
        in_client_cache_key=False,
        schema={"enum": [str(lang) for lang in Lang], "default": "cn"},
        description="The language of the answer; by default, what Accept-Language prefers.",
    ),
    Parameter(
        name="version",
        sent=1,
        signed=True,
        in_cache_key=True,
        in_client_cache_key=True,
        schema={"type": "string"},
        description="The version of the API; it is passed on.",
    ),
    Parameter(
        name="dateline",
        sent=-3,
        signed=True,
        in_cache_key=False,
        in_client_cache_key=False,
        schema={"type": "string", "pattern": f"^{DATELINE_PATTERN}$"},
        description="When the call was signed, in the gateway's time zone (UTC+8).",
    ),
    Parameter(
        name="method",
        alias="api",
        sent=-2,
        signed=True,
        in_cache_key=True,
        in_client_cache_key=True,
        schema={"type": "string"},
        description=f"The upstream's method (also called api): {', '.join(METHODS)}, or any other.",
    ),
    Parameter(
        name="_o_args",
        field="args",
        default=None,
        sent=-1,
        signed=True,
        in_cache_key=True,
        in_client_cache_key=True,
        schema={"type": "string"},
        description="The upstream's own arguments: the JSON of an object.",
    ),
)
"""All of them, in the order in which they are read (an error names the first that is wrong) and documented."""
