"""What every adapter must do with every failure: an envelope in the caller's format and language."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

from envelope import Envelope, Lang, ResultType
from envelope.calls.engine import Engine
from envelope.calls.media import content_type_of
from envelope.registry.codes import REGISTRY

CALLERS: Final = list(product(ResultType, Lang))
"""Every format in every language."""

IDS: Final = [f"{result_type}-{lang}" for result_type, lang in CALLERS]


def query_of(caller: tuple[ResultType, Lang]) -> str:
    return f"result_type={caller[0]}&lang={caller[1]}"


def check_failure(
    engine: Engine,
    caller: tuple[ResultType, Lang],
    headers: Any,
    body: bytes,
    code: str,
    *,
    reason: str = "",
) -> Envelope[Any]:
    """It is an envelope of *code* as *caller* wants it; *reason* is its own, if it is not the code's."""
    result_type, lang = caller
    assert headers["Content-Type"] == content_type_of(result_type)
    assert headers["Content-Language"] == lang.tag
    assert headers["Content-Length"] == str(len(body))
    answer = engine.parse(body, headers["Content-Type"], result_type=result_type)
    row = REGISTRY[code]
    assert (answer.error_code, answer.error, answer.response) == (code, row.message, [])
    assert answer.reason.startswith(reason or row.text(lang)), answer.reason
    assert not answer.notes
    return answer
