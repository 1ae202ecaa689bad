"""What `Engine.respond` costs over `encode` alone, on the *models* document: `python -m tests.bench.respond`."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable

import envelope
from envelope import Envelope, RequestIds, ResultType
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest
from tests.bench.documents import documents

ROUNDS, CALLS = 20, 50


def best(call: Callable[[], object]) -> float:
    """Microseconds of one call, in the best of several rounds."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def main() -> None:
    payload = documents()["models"]
    engine = Engine(request_id=RequestIds(time.time_ns), last_id=lambda: "1593583206")
    answer = Envelope.ok(payload, request_id="1.6403f86cd67f6", last_id="1593583206")
    for name in ResultType:
        asker = ApiRequest(key="k", api_name="custom", result_type=name)
        alone = best(lambda name=name: envelope.encode(answer, name))  # type: ignore[misc]
        whole = best(lambda asker=asker: engine.respond(asker, payload))  # type: ignore[misc]
        print(f"{name:10} encode {alone:7.1f} µs, respond {whole:7.1f} µs: {whole / alone:.2f}")


if __name__ == "__main__":
    main()
