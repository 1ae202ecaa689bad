"""Laws of the plan, on a clock that only the test moves."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.upstreams.plan import MAX_REST, Attempt, Plan, Rests, Wait
from envelope.gateway.upstreams.settings import UpstreamSettings


class Failure(NamedTuple):
    """What an attempt takes of its time, and what the upstream asks for."""

    share: float
    retry_after: float | None


class Step(NamedTuple):
    attempt: Attempt
    began: float
    ended: float
    failure: Failure


SECONDS = st.floats(0.01, 100)
UPSTREAMS = st.lists(
    st.builds(
        lambda **times: UpstreamSettings(name="a", address="http://a.example", **times),
        order=st.integers(0, 2),
        weight=st.integers(1, 5),
        connect=SECONDS,
        first_byte=SECONDS,
        total=SECONDS,
        rest=st.floats(0, 60),
    ),
    min_size=1,
    max_size=5,
)
FAILURES = st.lists(st.builds(Failure, st.floats(0, 1), st.none() | st.floats(0, 100)), min_size=1, max_size=12)

GAMES: Any = {
    "upstreams": UPSTREAMS,
    "failures": FAILURES,
    "deadline": st.floats(0, 120),
    "retries": st.integers(0, 4),
    "seed": st.integers(0, 2**32),
}


def play(
    upstreams: list[UpstreamSettings],
    failures: list[Failure],
    *,
    deadline: float,
    retries: int,
    seed: int,
    rests: Rests | None = None,
) -> tuple[list[Step], float]:
    """Every attempt fails; returns all, and when there was nothing more to do."""
    plan = Plan(upstreams, rests or Rests(upstreams), deadline=deadline, retries=retries, random=Random(seed).random)
    steps: list[Step] = []
    now = 0.0
    while (step := plan.next(now)) is not None:
        if isinstance(step, Wait):
            assert step.seconds > 0
            now += step.seconds
            continue
        failure = failures[len(steps) % len(failures)]
        began, now = now, now + step.total * failure.share
        steps.append(Step(step, began, now, failure))
        plan.failed(step.upstream, now, retry_after=failure.retry_after)
    return steps, now


@given(**GAMES)
def test_everything_ends_at_the_deadline(**game: Any) -> None:
    steps, end = play(**game)
    assert end <= game["deadline"] + 1e-6
    for attempt, began, _, _ in steps:
        times = game["upstreams"][attempt.upstream]
        left = game["deadline"] - began + 1e-6
        assert 0 < attempt.connect <= min(times.connect, left)
        assert 0 < attempt.first_byte <= min(times.first_byte, left)
        assert 0 < attempt.total <= min(times.total, left)


@given(**GAMES)
def test_each_round_asks_each_upstream_once(**game: Any) -> None:
    steps, _ = play(**game)
    asked = [step.attempt.upstream for step in steps]
    size = len(game["upstreams"])
    assert len(asked) <= size * (1 + game["retries"])
    for start in range(0, len(asked), size):
        part = asked[start : start + size]
        assert len(part) == len(set(part))


@given(**GAMES)
def test_a_retry_after_is_obeyed(**game: Any) -> None:
    earliest: dict[int, float] = {}
    for attempt, began, ended, failure in play(**game)[0]:
        assert began >= earliest.get(attempt.upstream, 0.0) - 1e-6
        if failure.retry_after is not None:
            earliest[attempt.upstream] = ended + failure.retry_after


@given(UPSTREAMS, st.data())
def test_those_at_rest_come_last_and_the_others_by_their_order(
    upstreams: list[UpstreamSettings], data: st.DataObject
) -> None:
    rests = Rests(upstreams)
    resting = data.draw(st.sets(st.integers(0, len(upstreams) - 1)))
    for upstream in resting:
        rests.begin(upstream, -1.0, retry_after=10.0 + upstream)
    steps, _ = play(
        upstreams, [Failure(0.0, None)], deadline=60, retries=0, seed=data.draw(st.integers(0, 99)), rests=rests
    )
    ranks = [(rests.until(step.attempt.upstream, 0.0), upstreams[step.attempt.upstream].order) for step in steps]
    assert len(ranks) == len(upstreams)
    assert ranks == sorted(ranks)


def test_weights_are_shares_of_the_first_attempts() -> None:
    upstreams = [
        UpstreamSettings(name=name, address="http://a.example", weight=weight) for name, weight in (("a", 1), ("b", 3))
    ]
    random = Random(1)
    firsts = Counter[int]()
    for _ in range(4000):
        step = Plan(upstreams, Rests(upstreams), deadline=1, retries=0, random=random.random).next(0.0)
        assert isinstance(step, Attempt)
        firsts[step.upstream] += 1
    assert 0.22 < firsts[0] / 4000 < 0.28


@given(st.floats(0, 1e12), st.floats(0, 100))
def test_no_rest_is_longer_than_the_longest(retry_after: float, rest: float) -> None:
    rests = Rests([UpstreamSettings(name="a", address="http://a.example", rest=rest)])
    rests.begin(0, 5.0, retry_after)
    assert rests.until(0, 5.0 + max(MAX_REST, rest) + 1e-6) == 0.0


@given(st.floats(0, 10), st.floats(0, 10))
def test_only_an_answer_to_what_was_asked_since_ends_a_rest(failed: float, asked: float) -> None:
    rests = Rests([UpstreamSettings(name="a", address="http://a.example", rest=30)])
    rests.begin(0, failed)
    rests.end(0, asked)
    assert rests.until(0, 10.0) == (0.0 if asked >= failed else failed + 30)
