"""A PostgreSQL that goes away under load: callers hear clean refusals or wait, and afterwards all is as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.nodes import requires_proxy
from tests.gateway.outages import OUTAGES, refusals, store_outage

pytestmark = [pytest.mark.postgresql, requires_proxy]


@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_of_the_store(name: str, tmp_path: Path) -> None:
    load = store_outage(tmp_path, name, seconds=1.5)
    assert {*load.heard} - {"0000"} <= refusals(name)
