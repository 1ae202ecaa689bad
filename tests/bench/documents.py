"""The documents that are measured, made from a seed: four that the goals are about, and three that are unlike them.

None has an empty map, a map that looks like a list, or a key that is no XML name: there the peers differ by design.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

FIXTURES: Final = Path(__file__).parent.parent.parent / "fixtures" / "valid"
CHINESE: Final = "新款春秋季外套女装宽松显瘦百搭时尚气质连衣裙子男士休闲商务衬衫手机壳保护套家用厨房收纳盒"

MAIN: Final = ("completion", "models", "embeddings", "items")
LARGER: Final = MAIN[1:]


def documents(seed: int = 1) -> dict[str, Any]:
    """Each document by its name.

    *completion* 0.4 KB, *models* 20 KB (many keys), *embeddings* 130 KB (floats), *items* 60 KB (Chinese); then
    *deep* (containers in containers), *long* (a few long texts) and *envelopes* (many small answers).
    """
    rng = Random(seed)
    return {
        "completion": orjson.loads((FIXTURES / "sample-success" / "body.json").read_bytes()),
        "models": {"object": "list", "data": [_model(rng, number) for number in range(80)]},
        "embeddings": {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": [rng.gauss(0, 0.02) for _ in range(1536)]}
                for index in range(4)
            ],
        },
        "items": shop_page(rng, 200),
        "deep": {"trees": [_nested(rng, 90) for _ in range(8)]},
        "long": {
            "title": "".join(rng.choices(CHINESE, k=20)),
            "article": "。\n".join("".join(rng.choices(CHINESE, k=rng.randrange(20, 120))) for _ in range(300)) + "。",
            "page": "".join(_markup(rng) for _ in range(600)),
            "log": "\n".join(f'{number:06d} [notice] it\'s "read" from C:\\data\\{number}' for number in range(1200)),
        },
        "envelopes": {"answers": [_answer(rng, number) for number in range(300)]},
    }


def shop_page(rng: Random, count: int) -> dict[str, Any]:
    """A page of *count* shop items: Chinese and ASCII, texts and numbers."""
    return {"items": {"item": [_item(rng, number) for number in range(count)]}, "page": 1, "total_results": count}


def _model(rng: Random, number: int) -> dict[str, Any]:
    return {
        "id": f"text-model-{number:03d}",
        "object": "model",
        "created": 1_649_000_000 + rng.randrange(10_000_000),
        "owned_by": rng.choice(["openai", "openai-dev", "system"]),
        "permission": [
            {
                "id": f"modelperm-{rng.getrandbits(64):016x}",
                "object": "model_permission",
                "allow_sampling": True,
                "allow_fine_tuning": False,
                "organization": "*",
                "group": None,
                "is_blocking": False,
            }
        ],
    }


def _item(rng: Random, number: int) -> dict[str, Any]:
    return {
        "num_iid": str(600_000_000_000 + rng.randrange(10**10)),
        "title": "".join(rng.choices(CHINESE, k=rng.randrange(14, 30))),
        "pic_url": f"//img.example.com/bao/uploaded/i{rng.randrange(4)}/{rng.getrandbits(48):012x}.jpg",
        "price": f"{rng.randrange(100, 99_900) / 100:.2f}",
        "promotion_price": rng.randrange(100, 99_900) / 100,
        "sales": rng.randrange(10_000),
        "seller_nick": "".join(rng.choices(CHINESE, k=6)) + "旗舰店",
        "detail_url": f"https://item.example.com/item.htm?id={number}",
    }


def _nested(rng: Random, depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"leaf": rng.randrange(1000)}
    for level in range(depth, 0, -2):
        node = {"level": level, "name": f"n{rng.randrange(100)}", "children": [node]}
    return node


def _markup(rng: Random) -> str:
    """A paragraph of HTML: characters that XML, JSON and PHP escape, each in its own way."""
    return (
        f'<p class="c{rng.randrange(9)}">A &amp; B\'s "{rng.getrandbits(32):08x}" \\ {rng.choice(CHINESE)}</p>\n<br/>'
    )


def _answer(rng: Random, number: int) -> dict[str, Any]:
    failed = number % 10 == 9
    return {
        "response": [] if failed else {"id": f"cmpl-{rng.getrandbits(40):010x}", "total": rng.randrange(500)},
        "error": "Param error" if failed else "",
        "reason": "",
        "error_code": "4003" if failed else "0000",
        "request_id": f"{rng.randrange(10)}.{rng.getrandbits(52):013x}",
        "last_id": str(rng.randrange(10**9)),
    }
