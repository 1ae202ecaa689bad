"""The documents that are measured, made from a seed."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "valid"
CHINESE = "新款春秋季外套女装宽松显瘦百搭时尚气质连衣裙子男士休闲商务衬衫手机壳保护套家用厨房收纳盒"


def documents(seed: int = 1) -> dict[str, Any]:
    """*completion* 0.5 KB, *models* 20 KB (many keys), *embeddings* 130 KB (floats), *items* 70 KB (Chinese)."""
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
        "items": {"items": {"item": [_item(rng, number) for number in range(200)]}, "page": 1, "total_results": 200},
    }


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
