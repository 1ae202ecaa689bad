"""Power failures: what was not synced when the process was killed is lost, and no answer that a caller saw is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.effort import THOROUGH
from tests.gateway.kills.running import Disk, run, unsynced

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(sys.platform != "linux", reason="the disk that forgets is for Linux"),
]

KILLS = 100 if THOROUGH else 8


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unsynced(tmp_path_factory.mktemp("unsynced"))


@pytest.mark.parametrize("part", [0, 50])
def test_what_was_answered_outlives_a_power_failure(tmp_path: Path, library: Path, part: int) -> None:
    report = run(tmp_path, "sqlite", kills=KILLS, pause=0.4, disk=Disk(library, part=part))
    assert report.breaches == []


def test_a_node_that_does_not_sync_loses_what_it_answered(tmp_path: Path, library: Path) -> None:
    """Otherwise the disk that forgets would show nothing."""
    report = run(tmp_path, "sqlite", kills=1, disk=Disk(library, is_careless=True))
    assert "lost" in {breach.split(":")[0] for breach in report.breaches}
