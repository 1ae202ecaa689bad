"""The sixteen faults, on each face, whole and as a stream (`tests.gateway.failover`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.failover import FACES, FAULTS, Fault, results


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.text)
def test_a_fault(tmp_path: Path, fault: Fault, face: str) -> None:
    [result] = results(tmp_path, (fault,), (face,))
    assert result.wrong == []
