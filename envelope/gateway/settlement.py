"""What the books are told as a call ends: what is charged, who pays, and which answer is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.answers.envelope import Envelope
from envelope.gateway.books.cache import CacheEntry
from envelope.gateway.books.settling import Settlement

if TYPE_CHECKING:
    from envelope.answers.verdicts import Verdict
    from envelope.gateway.call import Call
    from envelope.gateway.upstreams.outcome import Outcome

__all__ = ["settlement_of", "stored_value"]

# A longer answer might not fit in another format's limits, which is known only once the call is charged for.
_MOST_CACHED: Final = 1 << 20


def settlement_of(call: Call, number: int, outcome: Outcome, answer: Envelope[Any], verdict: Verdict) -> Settlement:
    """How call *number* is settled that ended with *outcome*, of which its caller is told *answer*."""
    ok, seconds = verdict.ok, call.seconds_cached
    value = stored_value(answer) if ok and (call.key or seconds) and not call.is_stream else None
    if value is not None and len(value) > _MOST_CACHED:
        seconds = 0
    return Settlement(
        call=number,
        request_id=call.request_id,
        code=outcome.code,
        ok=ok,
        billing=verdict.billing,
        charge=_charge(call, outcome) if verdict.billable else 0,
        prompt_tokens=outcome.usage.prompt if outcome.usage else 0,
        completion_tokens=outcome.usage.completion if outcome.usage else 0,
        attempts=len(outcome.attempts),
        upstream=outcome.upstream,
        answer=value,
        cache=CacheEntry(call.scope, call.digest, seconds) if ok and seconds else None,
        has_key=bool(call.key),
    )


def _charge(call: Call, outcome: Outcome) -> int:
    """What a call costs: by the usage that was told, else by what was delivered; never more than it holds."""
    is_counted = outcome.usage is not None or not call.price.completion
    delivered = 0
    if not is_counted:
        delivered = len(orjson.dumps(outcome.response)) if call.stream is None else call.stream.delivered
    return min(call.price.charge(outcome.usage, size=call.size, delivered=delivered), call.hold)


def stored_value(answer: Envelope[Any]) -> bytes:
    """What a repeat or a cached answer is made of: JSON, whatever format was asked for."""
    return orjson.dumps({"response": answer.response})
