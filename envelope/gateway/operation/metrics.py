"""What is counted and measured, by prometheus_client. No label holds what a caller chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from envelope.gateway.jobs import GET, SUBMIT
from envelope.gateway.logs import CallLog, Ended
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.upstreams.methods import HOW

if TYPE_CHECKING:
    from envelope.calls.request import ApiRequest
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.upstreams.outcome import Attempted

__all__ = ["CountingLog", "Metrics", "Resting"]

OTHER: Final = "other"
"""The label of an API or method that the settings do not name."""

_RESTING: Final = "envelope_gateway_upstream_resting"
_WHOLE: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_ALONE: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_KNOWN: Final = frozenset({*HOW, "v1/files", SUBMIT, GET})


class Metrics:
    """The metrics of one process. With several workers, prometheus_client keeps them in files that all workers read."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"envelope_gateway_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Iterable[float], *labels: str) -> Histogram:
            return Histogram(f"envelope_gateway_{name}", text, labels, buckets=tuple(buckets), registry=registry)

        self.calls = counter(
            "calls_total", "Calls on the books, by how they ended.", "api", "method", "code", "billing"
        )
        self.repeats = counter("repeats_total", "Calls that got the stored answer of an earlier one, for nothing.")
        self.refused = counter("refused_calls_total", "Calls that were not let in, by the code of the answer.", "code")
        self.unanswered = counter(
            "unanswered_calls_total", "Calls that were answered with a failure that the books do not have.", "code"
        )
        self.closed = counter("closed_calls_total", "Calls that recovery closed, free, by their code.", "code")
        self.charged = counter("charged_microunits_total", "What calls were charged, in millionths of a unit.")
        self.tokens = counter("tokens_total", "Tokens of the upstreams' usage, of prompts and of completions.", "kind")
        self.seconds = histogram("call_seconds", "How long calls took, from their beginning to the settling.", _WHOLE)
        self.alone = histogram(
            "call_own_seconds", "The same without the time in which upstreams were asked: the gateway alone.", _ALONE
        )
        self.attempts = counter(
            "upstream_attempts_total", "Requests to upstreams, by what came of them.", "upstream", "outcome"
        )
        self.attempt_seconds = histogram(
            "upstream_attempt_seconds", "How long one request to an upstream took.", _WHOLE, "upstream"
        )
        # It holds until when each one rests, by a clock that all processes of the machine share; see `Resting`.
        self.resting = Gauge(
            _RESTING, "1 while the upstream rests after failures, in any worker; else 0.", ("upstream",),
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self.store_failures = counter("store_failures_total", "Transactions that the store could not do.")
        self.faults = counter("faults_total", "Failures of the gateway's own that nobody foresaw.")
        self.reloads = counter(
            "settings_reloads_total", "How often a worker read the settings again, and whether they would do.", "result"
        )
        # Looking for the metric of some labels takes longer than counting; there are few of them.
        self.ended = cache(self.calls.labels)
        self._attempts = cache(self.attempts.labels)
        self._attempt_seconds = cache(self.attempt_seconds.labels)
        self._until: dict[str, float] = {}
        for result in ("taken", "refused"):
            self.reloads.labels(result)

    def attempted(self, attempted: Attempted, until: float) -> None:
        """An upstream was asked, and rests *until* then."""
        name, what = attempted.upstream, attempted.what
        self._attempts(name, what).inc()
        self._attempt_seconds(name).observe(attempted.seconds)
        if until != self._until.get(name):
            self.rests(name, until)

    def rests(self, upstream: str, until: float) -> None:
        """An upstream rests *until* then, 0 if it is awake."""
        self._until[upstream] = until
        self.resting.labels(upstream).set(until)


class CountingLog(CallLog):
    """A log that counts what it is told, for the calls of a gateway of these settings."""

    def __init__(self, settings: GatewaySettings, metrics: Metrics) -> None:
        super().__init__(settings.log)
        self._metrics = metrics
        self._apis = frozenset(settings.apis)
        self._methods = _KNOWN | settings.cache.methods.keys() | {row.method for row in settings.prices}
        self._prompt = metrics.tokens.labels("prompt")
        self._completion = metrics.tokens.labels("completion")
        for upstream in settings.upstreams:
            metrics.rests(upstream.name, 0.0)

    def ended(self, request: ApiRequest, ended: Ended) -> None:
        """A call is on the books."""
        metrics = self._metrics
        api = request.api_name if request.api_name in self._apis else OTHER
        method = request.method if request.method in self._methods else OTHER
        metrics.ended(api, method, ended.code, ended.billing).inc()
        metrics.seconds.observe(ended.seconds)
        metrics.alone.observe(ended.seconds - ended.asking)
        if ended.charge:
            metrics.charged.inc(ended.charge)
        usage = ended.outcome.usage if ended.outcome is not None else None
        if usage is not None:
            self._prompt.inc(usage.prompt)
            self._completion.inc(usage.completion)
        super().ended(request, ended)

    def refused(self, code: str) -> None:
        """A call was not let in."""
        self._metrics.refused.labels(code).inc()
        super().refused(code)

    def repeated(self) -> None:
        """A call got the answer of an earlier one, which the books have."""
        self._metrics.repeats.inc()
        super().repeated()

    def unanswered(self, code: str) -> None:
        """A call got *code* in place of an answer, whatever the books have of it."""
        self._metrics.unanswered.labels(code).inc()
        super().unanswered(code)

    def closed(self, call: int, code: str) -> None:
        """Recovery closed a call."""
        self._metrics.closed.labels(code).inc()
        super().closed(call, code)

    def fault(self, error: Exception) -> None:
        """Something of ours failed."""
        (self._metrics.store_failures if isinstance(error, StoreError) else self._metrics.faults).inc()
        super().fault(error)


class Resting(Collector):
    """The metrics that *collected* returns, with what they say of upstreams' rests as it is now.

    The upstreams are those of *names*: of others, which the settings had before, nothing is told any more.
    """

    def __init__(
        self,
        collected: Callable[[], Iterable[Metric]],
        names: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collected = collected
        self._names = frozenset(names)
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        now = self._clock()
        for metric in self._collected():
            if metric.name == _RESTING:
                metric.samples = [
                    sample._replace(value=float(sample.value > now))
                    for sample in metric.samples
                    if sample.labels["upstream"] in self._names
                ]
            yield metric
