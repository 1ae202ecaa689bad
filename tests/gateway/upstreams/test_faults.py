"""What an upstream can do wrong: the call's code, its attempts, who pays; and the next upstream answers."""

from __future__ import annotations

import asyncio

import pytest

from envelope import Envelope
from envelope.answers import judge
from envelope.gateway.demo import FAULTS, DemoUpstream, demo_upstream
from envelope.gateway.upstreams import Outcome, Upstreams
from envelope.registry import REGISTRY, Billing
from tests.client.servers import dead, http, serving
from tests.gateway.calls import HELD, KEY, QUICK, completion, times, upstream, with_demo, with_upstreams

# The code, what came of each attempt (there are two), and whether the registry bills the code.
EXPECTED: dict[str, tuple[str, list[str]]] = {
    "fault-429": ("2000", ["error", "error"]),
    "fault-429-retry-after": ("0000", ["error", "answer"]),
    "fault-500-once": ("0000", ["status", "answer"]),
    "fault-503": ("4002", ["status", "status"]),
    "fault-down-60": ("4002", ["status", "status"]),
    "fault-401": ("4002", ["status", "status"]),
    "fault-404": ("2000", ["error"]),
    "fault-404-html": ("2000", ["error"]),
    "fault-context-length": ("2000", ["error"]),
    "fault-content-filter": ("2000", ["error"]),
    "fault-error-in-200": ("2000", ["error", "error"]),
    "fault-leak": ("2000", ["error"]),
    "fault-leak-in-success": ("0000", ["answer"]),
    "fault-nothing": ("2000", ["nothing"]),
    "fault-reset": ("4001", ["network", "network"]),
    "fault-silent": ("4017", ["silent", "silent"]),
    "fault-slow-first": ("0000", ["answer"]),
    "fault-cut": ("4001", ["network", "network"]),
    "fault-stall": ("4017", ["time", "time"]),
    "fault-drip": ("4017", ["time", "time"]),
    "fault-bad-chunk": ("4002", ["body", "body"]),
    "fault-no-done": ("0000", ["answer"]),
    "fault-error-event": ("4002", ["status", "status"]),
    "fault-endless": ("4002", ["limit", "limit"]),
    "fault-10mb": ("0000", ["answer"]),
    "fault-gzip-bomb": ("4002", ["limit", "limit"]),
    "fault-html": ("4002", ["type", "type"]),
    "fault-lying-type": ("4002", ["body", "body"]),
    "fault-cut-json": ("4002", ["body", "body"]),
    "fault-deep": ("4002", ["body", "body"]),
    "fault-redirect": ("4002", ["redirect", "redirect"]),
}


def test_every_fault_is_expected() -> None:
    assert EXPECTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", EXPECTED)
def test_alone_it_says_what_it_was(fault: str) -> None:
    code, whats = EXPECTED[fault]

    async def alone() -> tuple[Outcome, DemoUpstream]:
        async with (
            # What is down is so for longer than the tries take, on a busy machine, too.
            demo_upstream(key=KEY, scale=1.0 if fault == "fault-down-60" else 0.01) as demo,
            Upstreams([demo.settings(**times(fault))], retries=1) as upstreams,
        ):
            return await upstreams.ask(completion(fault), seconds=50), demo

    outcome, demo = asyncio.run(alone())
    assert (outcome.code, [attempt.what for attempt in outcome.attempts]) == (code, whats)
    assert outcome.upstream == "demo"
    assert len(demo.served) == len(whats)
    if code not in ("0000", "2000"):
        assert outcome.response == []
        assert REGISTRY[code].billing is Billing.FREE
    verdict = judge(Envelope(response=outcome.response, error_code=code))
    assert verdict.ok == (whats[-1] in ("answer", "nothing"))
    # Retries end where the registry, or the upstream's own words, say that they are of no use.
    assert verdict.retryable == (len(whats) == 2 and whats[-1] != "answer")
    if code == "0000" and fault not in ("fault-10mb", "fault-leak-in-success"):
        assert outcome.usage is not None
        assert (outcome.usage.prompt, outcome.usage.completion) == (
            demo.served[-1].prompt_tokens,
            demo.served[-1].completion_tokens,
        )


@pytest.mark.parametrize("fault", [name for name, (_, whats) in EXPECTED.items() if len(whats) == 2])
def test_the_next_upstream_answers(fault: str) -> None:
    async def both() -> tuple[Outcome, list[int]]:
        async with demo_upstream(key=KEY) as first, demo_upstream(key="", faults=False) as second:
            settings = [second.settings("second", order=1), first.settings("first", **times(fault))]
            async with Upstreams(settings) as upstreams:
                outcome = await upstreams.ask(completion(fault), seconds=30)
                return outcome, [len(first.served), len(second.served)]

    outcome, served = asyncio.run(both())
    assert (outcome.code, outcome.upstream) == ("0000", "second")
    assert [(attempt.upstream, attempt.what) for attempt in outcome.attempts] == [
        ("first", EXPECTED[fault][1][0]),
        ("second", "answer"),
    ]
    assert served == [1, 1]


@pytest.mark.parametrize(
    ("fault", "rests"),
    [
        ("fault-503", True),
        ("fault-429", True),
        ("fault-silent", True),
        ("fault-reset", True),
        ("fault-html", False),
        ("fault-endless", False),
        ("fault-redirect", False),
        ("fault-error-in-200", False),
    ],
)
def test_an_upstream_rests_after_a_failure_that_no_caller_can_bring_about(fault: str, rests: bool) -> None:
    async def story() -> list[str]:
        async with demo_upstream(key=KEY) as first, demo_upstream(key="", faults=False) as second:
            settings = [first.settings("first", **times(fault)), second.settings("second", order=1)]
            async with Upstreams(settings) as upstreams:
                outcomes = [await upstreams.ask(completion(name), seconds=30) for name in (fault, "gpt-4o-mini")]
                return [outcome.upstream for outcome in outcomes]

    assert asyncio.run(story()) == ["second", "second" if rests else "first"]


def test_an_upstream_at_rest_is_asked_last_and_an_answer_ends_its_rest() -> None:
    async def story() -> list[list[str]]:
        async with demo_upstream(key=KEY) as first:
            settings = [first.settings("first", rest=1000), upstream("dead", dead(), order=1, rest=0)]
            async with Upstreams(settings, retries=0) as upstreams:
                models = ("fault-503", "gpt-4o-mini", "gpt-4o-mini")
                outcomes = [await upstreams.ask(completion(model), seconds=30) for model in models]
        return [[attempt.upstream for attempt in outcome.attempts] for outcome in outcomes]

    assert asyncio.run(story()) == [["first", "dead"], ["dead", "first"], ["first"]]


def test_a_broken_answer_is_never_billed_twice_by_the_demo() -> None:
    """Of all that was served, only whole answers have tokens that count: what the books are compared with."""

    async def story(demo: DemoUpstream, upstreams: Upstreams) -> tuple[Outcome, int]:
        outcome = await upstreams.ask(completion("fault-500-once"), seconds=30)
        return outcome, sum(served.completion_tokens for served in demo.served if served.is_whole)

    outcome, delivered = with_demo(story)
    assert outcome.usage is not None
    assert outcome.usage.completion == delivered


def test_the_registry_says_what_is_tried_again() -> None:
    registry = REGISTRY.override("4002", retryable=False).override("0000", retryable=True)

    async def story(demo: DemoUpstream, upstreams: Upstreams) -> list[int]:
        outcomes = [
            await upstreams.ask(completion(name), seconds=30)
            for name in ("fault-503", "fault-429", "fault-reset", "gpt-4o-mini")
        ]
        return [len(outcome.attempts) for outcome in outcomes]

    assert with_demo(story, retries=1, registry=registry) == [1, 2, 2, 1]


@pytest.mark.parametrize("fault", ["fault-down-60", "fault-drip"])
def test_a_fault_that_passes_is_outlasted(fault: str) -> None:
    async def story() -> Outcome:
        async with demo_upstream(key=KEY, scale=0.001) as demo, Upstreams([demo.settings()], retries=9) as upstreams:
            return await upstreams.ask(completion(fault), seconds=60)

    assert asyncio.run(story()).code == "0000"


@pytest.mark.parametrize(("retry_after", "attempts"), [("0", 2), ("1", 2), ("3600", 1)])
def test_a_retry_after_beyond_the_deadline_is_not_waited_for(retry_after: str, attempts: int) -> None:
    reply = http(429, b'{"error": {"type": "requests"}}', f"Retry-After: {retry_after}")

    async def story(upstreams: Upstreams) -> Outcome:
        return await upstreams.ask(completion(), seconds=5)

    with serving(lambda _: [reply]) as server:
        outcome = with_upstreams([upstream("a", server.url)], story, retries=1)
    assert len(outcome.attempts) == attempts
    assert (outcome.code, outcome.status, outcome.response) == ("2000", 429, {"error": {"type": "requests"}})


def test_all_faults_at_once_on_the_loop_that_servers_use() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def story() -> dict[str, str]:
        async with demo_upstream(key=KEY, scale=0.1) as demo:  # what is down is so for longer than the tries take
            patient, quick = demo.settings(first_byte=20, total=40), demo.settings(**QUICK)
            async with Upstreams([patient], retries=1) as slow, Upstreams([quick], retries=1) as fast:
                outcomes = await asyncio.gather(
                    *((fast if fault in HELD else slow).ask(completion(fault), seconds=60) for fault in EXPECTED)
                )
        return {fault: outcome.code for fault, outcome in zip(EXPECTED, outcomes, strict=True)}

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(story()) == {fault: code for fault, (code, _) in EXPECTED.items()}
