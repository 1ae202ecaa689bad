"""Stores of each kind, and a clock for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

for package in ("alembic", "cryptography", "psycopg", "sqlalchemy"):
    pytest.importorskip(package)

from envelope.gateway.stores.store import Store  # noqa: E402
from tests.gateway.kinds import KINDS, Clock, Kind  # noqa: E402


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """New books, which can be opened more than once."""
    return KINDS[request.param](tmp_path)


@pytest.fixture
def store(kind: Kind, clock: Clock) -> Iterator[Store]:
    with kind.open(clock) as opened:
        yield opened
