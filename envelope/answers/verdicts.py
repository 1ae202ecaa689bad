"""Verdicts: one outcome from the HTTP status, error code and upstream error of an answer.

A gateway fails in layers. HTTP may say 200 when the code is a failure, and the code may be a success (2000) when the
upstream failed inside ``response.error``. `judge` tries the rules below in order, and the first that holds decides;
`lint` lists the places where the layers of one answer contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from envelope.answers.envelope import Envelope
from envelope.path import format_path
from envelope.registry.codes import NO_RESULT, REGISTRY, Billing, CodeRegistry, ErrorCode
from envelope.values.php_types import PhpObject

__all__ = [
    "CONTRADICTIONS",
    "RULES",
    "Contradiction",
    "ContradictionRule",
    "Layer",
    "Rule",
    "UpstreamErrors",
    "Verdict",
    "judge",
    "lint",
    "upstream_error",
    "who_pays",
]

Layer = Literal["http", "gateway", "upstream"]
"""Where a call failed: on the way to the gateway, in the gateway, or upstream of it."""

Rule = Literal["no-envelope", "unknown-code", "failure-code", "upstream-error", "http-status", "no-result", "success"]
"""By what a verdict was found; `RULES` describes each."""

RULES: Mapping[Rule, str] = MappingProxyType(
    {
        "no-envelope": "the answer is not an envelope; only HTTP says whether to retry, and nothing says who pays",
        "unknown-code": "the code is not in the registry; only HTTP says whether to retry",
        "failure-code": "the gateway's code is a failure; its row says whether to retry",
        "upstream-error": "the gateway's code is a success, but there is a response.error: its code or type says more",
        "http-status": "the envelope is a success, but the HTTP status is not 2xx",
        "no-result": "the call succeeded, and found nothing",
        "success": "the call succeeded",
    }
)
"""The rules, in the order in which they are tried, and what each means."""

UpstreamErrors = Literal["charged", "free"]
"""Who pays where the code is a success and the upstream failed inside ``response.error``: whoever the code says, or
nobody, because the upstream was not paid either."""

# Statuses after which the same request may succeed: RFC 9110 (408, 500, 502-504), RFC 6585 (429), RFC 8470 (425).
_RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})

# What OpenAI and similar APIs write into response.error's type or code when waiting helps; "tokens" and "requests" are
# the two rate-limited quantities.
_RETRYABLE_ERRORS = frozenset(
    {"tokens", "requests", "rate_limit_exceeded", "rate_limit_error", "server_error", "api_error", "overloaded_error",
     "engine_overloaded", "timeout", "timeout_error"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One outcome: whether the call is ``ok``, which ``layer`` failed (None if ok), whether the same call may succeed
    if retried a little later, who pays, and the ``rule`` of `RULES` that decided."""

    ok: bool
    layer: Layer | None
    retryable: bool
    billing: Billing
    rule: Rule

    @property
    def billable(self) -> bool:
        """Whether the caller pays; False if that is not known (``billing`` is then ``unknown``)."""
        return self.billing is Billing.CHARGED


def who_pays(
    code: str,
    response: object,
    *,
    registry: CodeRegistry = REGISTRY,
    upstream_errors: UpstreamErrors = "charged",
) -> Billing:
    """Who pays for an answer with this *code* and *response*: this alone decides, for verdicts, bills and books.

    It is the flag of the code's row, ``unknown`` if there is none; but ``free`` for an upstream's error if those are.
    """
    billing = registry[code].billing if code in registry else Billing.UNKNOWN
    if billing is Billing.CHARGED and upstream_errors == "free" and upstream_error(response) is not None:
        return Billing.FREE
    return billing


def judge(
    answer: Envelope[Any] | None,
    http_status: int | None = None,
    *,
    registry: CodeRegistry = REGISTRY,
    upstream_errors: UpstreamErrors = "charged",
) -> Verdict:
    """The outcome of one call, from *answer* (None if it was not an envelope), and *http_status* if it is known.

    Who pays is decided by `who_pays`.
    """
    _check_answer(answer)
    is_http_ok = _is_http_ok(http_status)
    is_http_retryable = http_status in _RETRYABLE_STATUSES
    if answer is None:
        return _failed("no-envelope", "http", is_http_retryable, Billing.UNKNOWN)
    billing = who_pays(answer.error_code, answer.response, registry=registry, upstream_errors=upstream_errors)
    if answer.error_code not in registry:
        return _failed("unknown-code", "gateway", is_http_retryable, billing)
    row = registry[answer.error_code]
    if not row.is_success:
        return _failed("failure-code", "gateway", row.retryable, billing)
    error = upstream_error(answer.response)
    if error is not None:
        return _failed("upstream-error", "upstream", _is_retryable(error), billing)
    if not is_http_ok:
        return _failed("http-status", "http", is_http_retryable, billing)
    rule: Rule = "no-result" if row.code == NO_RESULT else "success"
    return Verdict(ok=True, layer=None, retryable=False, billing=billing, rule=rule)


def _failed(rule: Rule, layer: Layer, retryable: bool, billing: Billing) -> Verdict:  # noqa: FBT001  # as in Verdict
    return Verdict(ok=False, layer=layer, retryable=retryable, billing=billing, rule=rule)


def _check_answer(answer: object) -> None:
    if not isinstance(answer, Envelope | None):
        raise TypeError(f"an answer is an Envelope, not {type(answer).__name__}")


def _is_http_ok(http_status: int | None) -> bool:
    """Whether the HTTP status is a success, or unknown."""
    if not isinstance(http_status, int | None):
        raise TypeError(f"an HTTP status is an int, not {type(http_status).__name__}")
    return http_status is None or 200 <= http_status <= 299


def upstream_error(response: object) -> Any:
    """What *response*, a map, has under ``error``; None if that is missing or empty."""
    error = response.get("error") if isinstance(response, dict | PhpObject) else None
    return None if _is_nothing(error) else error


def _is_nothing(value: object) -> bool:
    """Whether PHP would call it empty; so is an object without properties, because it stands for an empty map."""
    if isinstance(value, PhpObject):
        return not value.properties and value.payload is None
    return not value or value == "0"


def _is_retryable(error: object) -> bool:
    """Whether waiting may help, by the name in the error: its code if there is one, else its type."""
    if not isinstance(error, dict | PhpObject):
        return False
    code = error.get("code")
    name = error.get("type") if _is_nothing(code) else code
    if isinstance(name, int):
        return name in _RETRYABLE_STATUSES
    return isinstance(name, str) and (name in _RETRYABLE_ERRORS or name in map(str, _RETRYABLE_STATUSES))


ContradictionRule = Literal[
    "success-with-upstream-error",
    "no-result-with-response",
    "success-with-error",
    "success-with-http-error",
    "failure-with-response",
]
"""What `lint` looks for; `CONTRADICTIONS` describes each."""

CONTRADICTIONS: Mapping[ContradictionRule, str] = MappingProxyType(
    {
        "success-with-upstream-error": "the code is a success, but there is a response.error",
        "no-result-with-response": "the code says that nothing was found, but there is a response",
        "success-with-error": "the code is a success, but error says something else",
        "success-with-http-error": "the code is a success, but the HTTP status is not 2xx",
        "failure-with-response": "the code is a failure, but there is a response, and no upstream error in it",
    }
)
"""What `lint` looks for. A failure under HTTP 200 is not one: it is how PHP gateways answer."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two parts of an answer that cannot both be right: which of `CONTRADICTIONS`, where, and in what words."""

    rule: ContradictionRule
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text} ({self.rule})"


def lint(
    answer: Envelope[Any], http_status: int | None = None, *, registry: CodeRegistry = REGISTRY
) -> list[Contradiction]:
    """The contradictions in one answer; those with HTTP only if *http_status* is known.

    A code that is not in the registry contradicts nothing, because its meaning is unknown.
    """
    _check_answer(answer)
    is_http_ok = _is_http_ok(http_status)
    if answer.error_code not in registry:
        return []
    row = registry[answer.error_code]
    if not row.is_success:
        return list(_failure_lint(answer, row))
    found = list(_success_lint(answer, row))
    if not is_http_ok:
        text = f"{row.code} is a success, HTTP says {http_status}"
        found.append(Contradiction("success-with-http-error", format_path(["error_code"]), text))
    return found


def _success_lint(answer: Envelope[Any], row: ErrorCode) -> Iterator[Contradiction]:
    is_success = f"{row.code} is a success"
    if upstream_error(answer.response) is not None:
        yield Contradiction("success-with-upstream-error", format_path(["response", "error"]), is_success)
    elif row.code == NO_RESULT and not _is_nothing(answer.response):
        yield Contradiction("no-result-with-response", format_path(["response"]), f"{row.code} says there is none")
    if answer.error not in ("", row.message):
        yield Contradiction("success-with-error", format_path(["error"]), is_success)


def _failure_lint(answer: Envelope[Any], row: ErrorCode) -> Iterator[Contradiction]:
    if upstream_error(answer.response) is None and not _is_nothing(answer.response):
        yield Contradiction("failure-with-response", format_path(["response"]), f"{row.code} is a failure")
