"""Books with a month behind them, so that charts have something to show."""

from __future__ import annotations

from envelope.gateway.stores import Transaction
from tests.gateway.served import Served

_DAY = 86_400_000_000
_PROMPTS = ("hello", "地球", "Привет, мир", "Why is the sky blue?", "向日葵", "fault")
_AGE = "UPDATE call SET opened = opened - :age, ended = ended - :age WHERE id = :call"
_CALLS_OF_A_DAY = (3, 5, 4, 6, 2, 1, 1)


def make_history(world: Served, days: int = 30) -> None:
    """Calls on each of the last *days*, more on some of them; a few fail."""
    number = 0
    for back in reversed(range(days)):
        for turn in range(_CALLS_OF_A_DAY[back % 7] + back % 3):
            number += 1
            failing = number % 11 == 5
            model = "fault-503" if failing else ("fault-404" if number % 17 == 9 else "text-davinci-003")
            args = {"prompt": _PROMPTS[number % 5] * (1 + (back * 7 + turn * 3) % 9), "max_tokens": 200, "model": model}
            method = "v1/embeddings" if number % 5 == 3 else "v1/completions"
            if method == "v1/embeddings":
                args = {"input": args["prompt"]}
            key = ("demo", "alice", "Северный ветер")[number % 3]
            got = world.call(method, args, key=key)
            age_call(
                world,
                int(got.envelope.last_id),
                max(back * _DAY - (turn * 3 + number % 3) * 900_000_000 + 4 * 3_600_000_000, 0),
            )


def age_call(world: Served, call: int, micros: int) -> None:
    """Make a call one of an earlier time."""

    def steps(db: Transaction) -> None:
        db.execute(_AGE, age=micros, call=call)

    world.store.write_now(steps)
