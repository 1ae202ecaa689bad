"""`/metrics`: what all workers of this node counted, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from envelope.gateway.operation.metrics import Resting

if TYPE_CHECKING:
    from envelope.gateway.operation.glances import Glance
    from envelope.gateway.running import Running
    from envelope.gateway.settings import GatewaySettings

__all__ = ["CONTENT_TYPE", "exposition", "is_allowed"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


def is_allowed(settings: GatewaySettings, authorization: bytes) -> bool | None:
    """Whether whoever sends that header may see the metrics; None if nobody may, as there is no token."""
    if settings.metrics == "open":
        return True
    if settings.admin_token is None:
        return None
    scheme, _, token = authorization.partition(b" ")
    known = settings.admin_token.get_secret_value().encode()
    return hmac.compare_digest(token.strip(), known) and scheme.lower() == b"bearer"


async def exposition(running: Running) -> bytes:
    """All metrics, as text."""
    generation = running.current
    glance = await running.glances.look(generation.log)
    names = [upstream.name for upstream in generation.settings.upstreams]
    folder = os.environ.get(_FOLDER)
    own = CollectorRegistry()
    counted: Collector = (
        running.metrics.registry if folder is None else MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
    )
    own.register(Resting(counted.collect, names))
    own.register(_OfStore(glance))
    return await asyncio.to_thread(generate_latest, own)  # it reads files


class _OfStore(Collector):
    """What the store says, which is the same for all nodes that share it."""

    def __init__(self, glance: Glance | None) -> None:
        self._glance = glance

    def collect(self) -> Iterable[Metric]:
        """The metrics; where the store says nothing, only that."""
        glance = self._glance
        up = glance is not None
        yield GaugeMetricFamily("envelope_gateway_store_up", "1 if the store could be read within a second.", float(up))
        if glance is not None:
            yield GaugeMetricFamily(
                "envelope_gateway_open_calls", "Calls that are open on the books, of all nodes.", glance.open_calls
            )
            yield GaugeMetricFamily(
                "envelope_gateway_held_microunits",
                "What open calls hold of the accounts' balances, in millionths of a unit.",
                glance.held,
            )
            yield GaugeMetricFamily(
                "envelope_gateway_unfinished_jobs", "Image jobs that wait or are being done.", glance.jobs
            )
