"""Calls compared with PHP: `python -m tests.calls.php_request_run --count 10000`.

Random parameter sets go through PHP's http_build_query and parse_str, the client's signature and cache key, and the
strict signature, and through ours; every one must be equal, and the signatures the same in all three carriers.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, get_args

import click

import envelope
from envelope.calls.cache_keys import client_cache_key
from envelope.calls.php_query import build_query, parse_query
from envelope.calls.request import ApiRequest, Carrier, read_call
from envelope.calls.signing import signature
from envelope.calls.strict_signing import strict_signature
from envelope.registry.languages import Lang
from envelope.testing.php import Php
from tests import php as php_process

NAMES = [
    "q",
    "page",
    "名",
    "a b",
    "x.y",
    "[z",
    "5",
    "10",
    "9",
    "-3",
    "Q",
    "num_iid",
    "é",
    "_",
    "~t",
    "a=b&c",
    "+",
    "start_price",
]
OWN_NAMES = [name for name in NAMES if not set(name) & set(" .[")]
TEXTS = [
    "",
    "0",
    "@file",
    "a@b",
    "1",
    "连衣裙",
    "Платье",
    "a b+c",
    "100%",
    "x&y=z",
    "~-_.",
    "'\"\\",
    "\n",
    "\b\x01\x1f\x7f\u2028",
    "😀",
    "v1/models",
]
BATCH = 200


def random_tree(rng: Random, depth: int) -> Any:
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [random_tree(rng, depth - 1) for _ in range(rng.randrange(3))]
    if kind == 7:
        return {rng.choice(NAMES): random_tree(rng, depth - 1) for _ in range(rng.randrange(3))}
    return [
        rng.choice(TEXTS),
        rng.choice(TEXTS),
        rng.randrange(-5, 10**6),
        rng.random() * 10,
        rng.random() < 0.5,
        None,
    ][kind]


def random_request(rng: Random) -> ApiRequest:
    """A call with text parameters, which is what the client signs."""
    params = {rng.choice(OWN_NAMES): rng.choice(TEXTS) for _ in range(rng.randrange(8))}
    args = {"prompt": rng.choice(TEXTS), "n": rng.randrange(9)} if rng.randrange(2) else None
    method, dateline = rng.choice(["", "v1/models", "images/get"]), rng.choice(["", "2023-03-05 10:03:24"])
    return ApiRequest(
        key=f"k{rng.randrange(99)}",
        secret="s",
        api_name="custom",
        method=method,
        args=args,
        params=params,
        dateline=dateline,
    )


def random_tree_request(rng: Random) -> ApiRequest:
    """A call with parameters of any kind that every carrier carries, which the strict signature covers."""
    while True:
        texts = {rng.choice(OWN_NAMES): random_tree(rng, 3) for _ in range(rng.randrange(6))}
        try:
            params: dict[Any, Any] = parse_query(build_query(texts))
            call = replace(
                random_request(rng), api_type=rng.choice(["", "openai"]), lang=rng.choice([*Lang]), cache=rng.random() < 0.5,
                params=params,
            )  # fmt: skip
            call.write("query")
        except ValueError:
            continue
        return call


def compare(php: Php, seed: int, count: int) -> list[str]:
    """The differences between PHP and us over *count* random parameter sets, one line each."""
    rng = Random(seed)
    faults: list[str] = []

    def check(what: str, ours: bytes, theirs: bytes | None) -> None:
        if ours != theirs:
            faults.append(f"{what}: PHP {theirs!r}, we {ours!r}")

    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        trees = [{rng.choice(NAMES): random_tree(rng, 3) for _ in range(rng.randrange(6))} for _ in range(size)]
        queries = [build_query(tree).encode() for tree in trees]
        documents = [envelope.dumps(tree, "serialize") for tree in trees]
        others = [build_query(tree, enc_type="rfc3986").encode() for tree in trees]
        for other, written in zip(others, php.ask("http_build_query rfc3986", documents), strict=True):
            check("http_build_query, RFC 3986", other, written)
        for query, written, read in zip(
            queries, php.ask("http_build_query", documents), php.ask("parse_str", queries), strict=True
        ):
            check("http_build_query", query, written)
            check("parse_str", envelope.dumps(parse_query(query), "serialize", values="php"), read)

        calls = [random_request(rng) for _ in range(size)]
        sent = [call.write("query").query for call in calls]
        secrets = [rng.choice(["s3cret", "секрет", ""]) for _ in calls]
        signed = php.ask("sign", [f"{secret}\n{query}".encode() for secret, query in zip(secrets, sent, strict=True)])
        own = [{"method": call.method, "_o_args": call.to_params().get("_o_args", ""), **call.params} for call in calls]
        kept = [
            f"custom\n{build_query({k: v for k, v in part.items() if v or k in call.params})}"
            for part, call in zip(own, calls, strict=True)
        ]
        keys = php.ask("client cache key", [text.encode() for text in kept])
        for call, secret, theirs, key in zip(calls, secrets, signed, keys, strict=True):
            for carrier in get_args(Carrier):
                check(f"sign ({carrier})", signature(ApiRequest.read(call.write(carrier)), secret).encode(), theirs)
            check("client cache key", client_cache_key(call).encode(), key)

        calls = [random_tree_request(rng) for _ in range(size)]
        secrets = [secret or "s" for secret in secrets]  # an empty one signs nothing strictly
        nonces = ["".join(rng.choices("aZ09_-", k=rng.randint(16, 64))) for _ in calls]
        asked = [
            f"{secret}\n{nonce}\n{call.api_type}\n{build_query(call.to_params())}".encode()
            for call, nonce, secret in zip(calls, nonces, secrets, strict=True)
        ]
        for call, nonce, secret, theirs in zip(calls, nonces, secrets, php.ask("sign strictly", asked), strict=True):
            for carrier in get_args(Carrier):
                request, came = read_call(call.write(carrier))
                ours = strict_signature(request, secret, nonce, params=came)
                check(f"strict signature ({carrier})", ours.encode(), theirs)
    return faults


@click.command()
@click.option("--count", default=10_000, show_default=True, help="How many parameter sets.")
@click.option("--seed", default=1, show_default=True, help="Where the random sets begin.")
def main(count: int, seed: int) -> None:
    """Compare COUNT random parameter sets with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    php = php_process.start()
    faults = compare(php, seed, count)
    php.close()
    for line in faults[:20]:
        click.echo(line)
    click.echo(f"{count} parameter sets, seed {seed}: {len(faults)} differences")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
