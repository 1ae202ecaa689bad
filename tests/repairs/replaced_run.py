"""Search and replace in random options: `python -m tests.repairs.replaced_run --count 1000 --seed 1`.

Options are nested as WordPress has them. In each, the host is replaced as sed does it; the repair must give back what
replacing the host in the values gives, or say that it is not certain.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import click

import envelope

COUNT_IN_TESTS = 200
OLD = "old.example.com"
NEW = ("new-and-longer.example.org", "a.de", "blog.example.net", "localhost:8080", f"www.{OLD}")
WORDS = (
    "the",
    "quick",
    "brown fox",
    "Zoë;",
    "it's",
    '"here"',
    "&",
    "<b>more</b>",
    "größer",
    "{x}",
    "50%",
    "title",
    "x",
)
PARTS = ("wp-content", "uploads", "2024", "a", "logo.png")
KEYS = (
    "title",
    "url",
    "text",
    "count",
    "icon",
    "class",
    "nav_menu",
    "show_date",
    "sizes",
    "file",
    "width",
    "mime-type",
)


def random_text(rng: Random) -> str:
    """A few words, markup, or another serialized option."""
    kind = rng.random()
    if kind < 0.15:
        return rng.choice(["", "x", "on", "yes", "1"])
    if kind < 0.2:
        return envelope.dumps({"url": f"http://{OLD}/", "n": [rng.randint(0, 9)]}, "serialize").decode()
    if kind < 0.25:
        return f'<p class="x"><a href="http://{OLD}/{rng.choice(WORDS)}">{" ".join(rng.choices(WORDS, k=3))}</a>;</p>'
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))


def random_node(rng: Random, depth: int) -> Any:
    """A value within an option."""
    kind = rng.random()
    if depth and kind < 0.35:
        if rng.random() < 0.3:
            return [random_node(rng, depth - 1) for _ in range(rng.randint(0, 4))]
        return {key: random_node(rng, depth - 1) for key in rng.sample(KEYS, rng.randint(1, 6))}
    if kind < 0.55:
        return f"http://{OLD}/{'/'.join(rng.choices(PARTS, k=rng.randint(0, 4)))}"
    if kind < 0.75:
        return random_text(rng)
    return rng.choice([0, 1, 42, -1, 2.5, True, False, None])


def random_option(rng: Random) -> dict[str, Any]:
    """An option with URLs at its beginning, or not, and nested arrays."""
    option: dict[str, Any] = {"siteurl": f"http://{OLD}/blog"} if rng.random() < 0.7 else {}
    for key in rng.sample(KEYS, rng.randint(2, 8)):
        option[key] = random_node(rng, 3)
    return option


def outcome(rng: Random) -> tuple[str, bytes]:
    """How the repair of a random option went, and its broken text."""
    while True:
        body = envelope.dumps(random_option(rng), "serialize", values="php")
        if body.count(OLD.encode()):
            break
    new = rng.choice(NEW).encode()
    broken = body.replace(OLD.encode(), new)
    whole = replaced(envelope.loads(body, "serialize", values="php"), new.decode())
    many = "one string" if body.count(OLD.encode()) == 1 else "several strings"
    try:
        found = envelope.repair(broken, "serialize")
    except envelope.DecodeError:
        return f"{many}: nothing found", broken
    if found.data is None:
        return f"{many}: not certain", broken
    is_whole = found.data == envelope.dumps(whole, "serialize", values="php")
    return f"{many}: {'only reading' if is_whole else 'WRONG'}", broken


def replaced(value: Any, new: str) -> Any:
    """The *value* with the host replaced in its texts."""
    if isinstance(value, str):
        return value.replace(OLD, new)
    if isinstance(value, list):
        return [replaced(item, new) for item in value]
    if isinstance(value, dict):
        return {key: replaced(item, new) for key, item in value.items()}
    return value


@click.command()
@click.option("--count", default=1000, show_default=True, help="How many options.")
@click.option("--seed", default=1, show_default=True, help="Where the random options begin.")
def main(count: int, seed: int) -> None:
    """Repair COUNT random options after a search and replace; exit status 1 if any came back wrong."""
    rng = Random(seed)
    outcomes = Counter(outcome(rng)[0] for _ in range(count))
    for name, times in sorted(outcomes.items()):
        click.echo(f"{name}: {times}")
    if any(name.endswith("WRONG") for name in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
