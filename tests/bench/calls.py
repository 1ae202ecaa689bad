"""What a call costs on its way through the engine, beside what it cannot do without: `python -m tests.bench.calls`."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import envelope
from envelope import Envelope, RequestIds, ResultType
from envelope.calls import ApiRequest, Engine, HttpRequest, cache_key, sign, signature
from tests.bench.documents import documents

ROUNDS, CALLS = 20, 500
QUERY = urlencode(
    {
        "key": "test_api_key",
        "secret": "test_secret",
        "method": "v1/completions",
        "result_type": "jsonu",
        "_o_args": '{"model":"gpt-3.5-turbo-instruct","prompt":"Hello"}',
    }
)


def main() -> None:
    engine = Engine(
        secrets={"test_api_key": "test_secret"}.get,
        clock=time.time_ns,
        request_id=RequestIds(time.time_ns),
        last_id=lambda: "1593583206",
    )
    http = HttpRequest(path="/openai/custom/", query=QUERY)
    request = engine.read(http)
    compare(
        f"a query of {len(QUERY)} bytes",
        {
            "urllib.parse.parse_qsl": lambda: parse_qsl(QUERY),
            "Engine.read": lambda: engine.read(http),
            "Engine.caller": lambda: engine.caller(http),
            "signature": lambda: signature(request, "test_secret"),
            "cache_key": lambda: cache_key(request),
            "sign": lambda: sign(request, "test_secret", time.time_ns),
            "write, as a form": lambda: request.write("form"),
        },
    )
    for document in ("completion", "models"):
        payload = documents()[document]
        answer = Envelope.ok(payload, request_id="1.6403f86cd67f6", last_id="1593583206")
        for name in ResultType:
            asker = ApiRequest(key="k", api_name="custom", result_type=name)
            compare(
                f"{document}, {name}",
                {
                    "encode": lambda answer=answer, name=name: envelope.encode(answer, name),  # type: ignore[misc]
                    "respond": lambda asker=asker, payload=payload: engine.respond(asker, payload),  # type: ignore[misc]
                },
            )


def compare(title: str, ways: dict[str, Callable[[], object]]) -> None:
    """Print the best time of each way in microseconds, and how many times that of the first; they take turns."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            best[name] = min(best[name], timeit.timeit(way, number=CALLS, timer=time.process_time) / CALLS * 1e6)
    first = next(iter(best.values()))
    print(title)
    for name, passed in best.items():
        print(f"  {name:24} {passed:8.2f} µs {passed / first:6.2f}")


if __name__ == "__main__":
    main()
