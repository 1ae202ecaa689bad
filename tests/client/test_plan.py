"""Laws of the plan, on a clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.client.plan import CONNECT, Attempt, FailOver, Plan, Rests, Wait


@dataclass
class Failure:
    """What comes of an attempt, and after how much of its time."""

    share: float
    sent: bool
    mendable: bool
    rest: bool
    retry_after: float | None


@dataclass
class Story:
    """All attempts of one call: when each began and ended, and what came of it."""

    deadline: float
    attempts: list[tuple[Attempt, float, float, Failure]] = field(default_factory=list)
    end: float = 0.0


FAILURES = st.builds(
    Failure,
    share=st.floats(0, 1),
    sent=st.booleans(),
    mendable=st.sampled_from([True, True, True, False]),
    rest=st.booleans(),
    retry_after=st.none() | st.floats(0, 100),
)


def play(
    addresses: int, failures: list[Failure], *, deadline: float, failover: FailOver, retries: int, jitter: float,
    rests: Rests, fallback: bool = False,
) -> Story:  # fmt: skip
    plan = Plan(
        rests,
        addresses,
        deadline=deadline,
        retries=retries,
        failover=failover,
        fallback=fallback,
        random=lambda: jitter,
    )
    story, now = Story(deadline), 0.0
    while (step := plan.next(now)) is not None:
        if isinstance(step, Wait):
            assert step.seconds > 0
            now += step.seconds
            continue
        failure = failures[len(story.attempts) % len(failures)]
        began, now = now, now + step.total * failure.share
        story.attempts.append((step, began, now, failure))
        plan.failed(
            step.address,
            now,
            sent=failure.sent,
            mendable=failure.mendable,
            rest=failure.rest,
            retry_after=failure.retry_after,
        )
    story.end = now
    return story


GAMES: Any = {
    "addresses": st.integers(1, 5),
    "failures": st.lists(FAILURES, min_size=1, max_size=12),
    "deadline": st.floats(0, 120),
    "failover": st.sampled_from(["always", "unsent"]),
    "retries": st.integers(0, 4),
    "jitter": st.floats(0, 1, exclude_max=True),
}


@given(**GAMES, fallback=st.booleans())
def test_everything_ends_at_the_deadline(fallback: bool, **game: Any) -> None:
    story = play(**game, rests=Rests(game["addresses"], 30.0), fallback=fallback)
    assert story.end <= story.deadline + 1e-6
    for attempt, began, _, _ in story.attempts:
        assert 0 < attempt.total <= story.deadline - began + 1e-6
        assert 0 < attempt.connect <= min(CONNECT, attempt.total)
    assert len(story.attempts) <= game["addresses"] * (1 if fallback else 1 + game["retries"])


@given(**GAMES)
def test_nothing_follows_what_no_attempt_can_mend(**game: Any) -> None:
    story = play(**game, rests=Rests(game["addresses"], 30.0))
    for _, _, _, failure in story.attempts[:-1]:
        assert failure.mendable
        assert game["failover"] == "always" or not failure.sent


@given(**GAMES)
def test_a_retry_after_is_obeyed(**game: Any) -> None:
    story = play(**game, rests=Rests(game["addresses"], 30.0))
    earliest: dict[int, float] = {}
    for attempt, began, ended, failure in story.attempts:
        assert began >= earliest.get(attempt.address, 0.0) - 1e-6
        if failure.retry_after is not None:
            earliest[attempt.address] = ended + failure.retry_after


@given(**GAMES)
def test_each_round_tries_each_address_once(**game: Any) -> None:
    story = play(**game, rests=Rests(game["addresses"], 30.0))
    tried = [attempt.address for attempt, _, _, _ in story.attempts]
    size = game["addresses"]
    for start in range(0, len(tried), size):
        part = tried[start : start + size]
        assert len(part) == len(set(part))


@given(st.integers(2, 5), st.data())
def test_an_address_at_rest_comes_after_all_others(addresses: int, data: st.DataObject) -> None:
    rests = Rests(addresses, 30.0)
    resting = data.draw(st.lists(st.integers(0, addresses - 1), unique=True))
    for place, address in enumerate(resting):
        rests.begin(address, -20.0 + place)
    failure = Failure(share=0.0, sent=True, mendable=True, rest=False, retry_after=None)
    story = play(addresses, [failure], deadline=60, failover="always", retries=0, jitter=0, rests=rests)
    awake = [address for address in range(addresses) if address not in resting]
    assert [attempt.address for attempt, _, _, _ in story.attempts] == [*awake, *resting]


@pytest.mark.parametrize("is_awake_again", [True, False])
def test_a_rest_ends_with_its_time_or_an_answer(is_awake_again: bool) -> None:
    rests = Rests(2, 30.0)
    rests.begin(0, 0.0)
    assert sorted(range(2), key=lambda address: rests.rank(address, 29.9)) == [1, 0]
    if is_awake_again:
        rests.end(0)
    assert sorted(range(2), key=lambda address: rests.rank(address, 29.9 if is_awake_again else 30.0)) == [0, 1]


def test_pauses_grow_between_rounds() -> None:
    plan = Plan(Rests(1, 30.0), 1, deadline=1000, retries=8, failover="always", fallback=False, random=lambda: 0.999999)
    now, pauses = 0.0, []
    while (step := plan.next(now)) is not None:
        if isinstance(step, Wait):
            pauses.append(round(step.seconds, 3))
            now += step.seconds
        else:
            plan.failed(0, now, sent=True, mendable=True, rest=True)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
