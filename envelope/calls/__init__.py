"""One call to a gateway, from either end: read from HTTP or written to it, signed, cached, answered, documented.

`Engine`                           reads calls and answers them; `Caller` is who asks, the rest is HTTP
`ApiRequest`                       one call, written as a query, a form or JSON
`sign`, `sign_strictly`            signatures: the gateway's own, and one over the whole call
`cache_key`                        the same for a call however it was sent
`parse_query`, `build_query`       query strings as PHP reads and writes them
`negotiate_format`, `negotiate_lang`  what a caller's headers prefer
`openapi_document`                 a description of a gateway
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.calls.bounds import REQUEST_LIMITS as REQUEST_LIMITS
    from envelope.calls.cache_keys import cache_key as cache_key
    from envelope.calls.cache_keys import client_cache_key as client_cache_key
    from envelope.calls.caller import Caller as Caller
    from envelope.calls.engine import Asker as Asker
    from envelope.calls.engine import Engine as Engine
    from envelope.calls.http import HttpRequest as HttpRequest
    from envelope.calls.http import Rendered as Rendered
    from envelope.calls.http import Upload as Upload
    from envelope.calls.media import content_type_of as content_type_of
    from envelope.calls.media import format_of_content_type as format_of_content_type
    from envelope.calls.negotiation import negotiate_format as negotiate_format
    from envelope.calls.negotiation import negotiate_lang as negotiate_lang
    from envelope.calls.openapi import envelope_schema as envelope_schema
    from envelope.calls.openapi import openapi_document as openapi_document
    from envelope.calls.openapi import request_schema as request_schema
    from envelope.calls.parameters import METHODS as METHODS
    from envelope.calls.payloads import plain as plain
    from envelope.calls.php_query import build_query as build_query
    from envelope.calls.php_query import parse_query as parse_query
    from envelope.calls.request import ApiRequest as ApiRequest
    from envelope.calls.request import Carrier as Carrier
    from envelope.calls.signing import CHINA as CHINA
    from envelope.calls.signing import sign as sign
    from envelope.calls.signing import signature as signature
    from envelope.calls.signing import verify as verify
    from envelope.calls.statuses import Statuses as Statuses
    from envelope.calls.statuses import code_of_status as code_of_status
    from envelope.calls.strict_signing import sign_strictly as sign_strictly
    from envelope.calls.strict_signing import verify_strictly as verify_strictly
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "bounds": "REQUEST_LIMITS",
            "cache_keys": "cache_key client_cache_key",
            "caller": "Caller",
            "parameters": "METHODS",
            "engine": "Asker Engine",
            "http": "HttpRequest Rendered Upload",
            "media": "content_type_of format_of_content_type",
            "negotiation": "negotiate_format negotiate_lang",
            "openapi": "envelope_schema openapi_document request_schema",
            "payloads": "plain",
            "php_query": "build_query parse_query",
            "request": "ApiRequest Carrier",
            "signing": "CHINA sign signature verify",
            "statuses": "Statuses code_of_status",
            "strict_signing": "sign_strictly verify_strictly",
        },
    )
