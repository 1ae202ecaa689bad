"""Random kills under load, for a moment; `python -m tests.gateway.kills` goes on for as long as it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.effort import THOROUGH
from tests.gateway.kills.running import run
from tests.gateway.kinds import KINDS


@pytest.mark.parametrize("store", list(KINDS))
def test_nothing_is_lost_and_nothing_doubled(store: str, tmp_path: Path) -> None:
    report = run(tmp_path, store, kills=200 if THOROUGH else 20)
    assert report.breaches == []
    assert report.figures["keys"]
